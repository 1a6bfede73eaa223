from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.secret import Secret
    from ..models.warning import Warning_


T = TypeVar("T", bound="WhatsAppIntegrationView")


@_attrs_define
class WhatsAppIntegrationView:
    """
    Attributes:
        access_token (Secret): A secret is never shown. The one exception: a `verify_token` that this PUT or PATCH made
            comes back once, as `value`, to be entered at Meta.
        phone_number_id (str): Meta's ID of the sender number.
        sender_number (str): The sender number in E.164.
        webhook_url (str): Enter this address at Meta.
        app_secret (Secret | Unset): A secret is never shown. The one exception: a `verify_token` that this PUT or PATCH
            made comes back once, as `value`, to be entered at Meta.
        verify_token (Secret | Unset): A secret is never shown. The one exception: a `verify_token` that this PUT or
            PATCH made comes back once, as `value`, to be entered at Meta.
        business_account_id (None | str | Unset): WhatsApp Business Account ID, for templates.
        rate_per_second (int | Unset): Messages per second that Meta allows for the number.
        default_template (None | str | Unset): The template of test messages.
        warnings (list[Warning_] | Unset):
    """

    access_token: Secret
    phone_number_id: str
    sender_number: str
    webhook_url: str
    app_secret: Secret | Unset = UNSET
    verify_token: Secret | Unset = UNSET
    business_account_id: None | str | Unset = UNSET
    rate_per_second: int | Unset = UNSET
    default_template: None | str | Unset = UNSET
    warnings: list[Warning_] | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        access_token = self.access_token.to_dict()

        phone_number_id = self.phone_number_id

        sender_number = self.sender_number

        webhook_url = self.webhook_url

        app_secret: dict[str, Any] | Unset = UNSET
        if not isinstance(self.app_secret, Unset):
            app_secret = self.app_secret.to_dict()

        verify_token: dict[str, Any] | Unset = UNSET
        if not isinstance(self.verify_token, Unset):
            verify_token = self.verify_token.to_dict()

        business_account_id: None | str | Unset
        if isinstance(self.business_account_id, Unset):
            business_account_id = UNSET
        else:
            business_account_id = self.business_account_id

        rate_per_second = self.rate_per_second

        default_template: None | str | Unset
        if isinstance(self.default_template, Unset):
            default_template = UNSET
        else:
            default_template = self.default_template

        warnings: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.warnings, Unset):
            warnings = []
            for warnings_item_data in self.warnings:
                warnings_item = warnings_item_data.to_dict()
                warnings.append(warnings_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "access_token": access_token,
                "phone_number_id": phone_number_id,
                "sender_number": sender_number,
                "webhook_url": webhook_url,
            }
        )
        if app_secret is not UNSET:
            field_dict["app_secret"] = app_secret
        if verify_token is not UNSET:
            field_dict["verify_token"] = verify_token
        if business_account_id is not UNSET:
            field_dict["business_account_id"] = business_account_id
        if rate_per_second is not UNSET:
            field_dict["rate_per_second"] = rate_per_second
        if default_template is not UNSET:
            field_dict["default_template"] = default_template
        if warnings is not UNSET:
            field_dict["warnings"] = warnings

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.secret import Secret  # noqa: PLC0415
        from ..models.warning import Warning_  # noqa: PLC0415

        d = dict(src_dict)
        access_token = Secret.from_dict(d.pop("access_token"))

        phone_number_id = d.pop("phone_number_id")

        sender_number = d.pop("sender_number")

        webhook_url = d.pop("webhook_url")

        _app_secret = d.pop("app_secret", UNSET)
        app_secret: Secret | Unset
        if isinstance(_app_secret, Unset):
            app_secret = UNSET
        else:
            app_secret = Secret.from_dict(_app_secret)

        _verify_token = d.pop("verify_token", UNSET)
        verify_token: Secret | Unset
        if isinstance(_verify_token, Unset):
            verify_token = UNSET
        else:
            verify_token = Secret.from_dict(_verify_token)

        def _parse_business_account_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        business_account_id = _parse_business_account_id(d.pop("business_account_id", UNSET))

        rate_per_second = d.pop("rate_per_second", UNSET)

        def _parse_default_template(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        default_template = _parse_default_template(d.pop("default_template", UNSET))

        _warnings = d.pop("warnings", UNSET)
        warnings: list[Warning_] | Unset = UNSET
        if _warnings is not UNSET:
            warnings = []
            for warnings_item_data in _warnings:
                warnings_item = Warning_.from_dict(warnings_item_data)

                warnings.append(warnings_item)

        whats_app_integration_view = cls(
            access_token=access_token,
            phone_number_id=phone_number_id,
            sender_number=sender_number,
            webhook_url=webhook_url,
            app_secret=app_secret,
            verify_token=verify_token,
            business_account_id=business_account_id,
            rate_per_second=rate_per_second,
            default_template=default_template,
            warnings=warnings,
        )

        return whats_app_integration_view
