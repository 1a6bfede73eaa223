from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="WhatsAppIntegration")


@_attrs_define
class WhatsAppIntegration:
    """Secrets that are left out keep their value; `access_token` is needed the first time.

    Attributes:
        phone_number_id (str): Meta's ID of the sender number.
        sender_number (str): The sender number in E.164.
        access_token (None | str | Unset): System User token. Unchanged if left out.
        app_secret (None | str | Unset): Signs webhooks. After a change, the old one stays valid for 24 hours.
        verify_token (None | str | Unset): For Meta's webhook handshake; made if there is none yet.
        business_account_id (None | str | Unset): WhatsApp Business Account ID, for templates.
        rate_per_second (int | None | Unset): Messages per second that Meta allows for the number. Default: 80.
        default_template (None | str | Unset): The template of test messages.
    """

    phone_number_id: str
    sender_number: str
    access_token: None | str | Unset = UNSET
    app_secret: None | str | Unset = UNSET
    verify_token: None | str | Unset = UNSET
    business_account_id: None | str | Unset = UNSET
    rate_per_second: int | None | Unset = 80
    default_template: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        phone_number_id = self.phone_number_id

        sender_number = self.sender_number

        access_token: None | str | Unset
        if isinstance(self.access_token, Unset):
            access_token = UNSET
        else:
            access_token = self.access_token

        app_secret: None | str | Unset
        if isinstance(self.app_secret, Unset):
            app_secret = UNSET
        else:
            app_secret = self.app_secret

        verify_token: None | str | Unset
        if isinstance(self.verify_token, Unset):
            verify_token = UNSET
        else:
            verify_token = self.verify_token

        business_account_id: None | str | Unset
        if isinstance(self.business_account_id, Unset):
            business_account_id = UNSET
        else:
            business_account_id = self.business_account_id

        rate_per_second: int | None | Unset
        if isinstance(self.rate_per_second, Unset):
            rate_per_second = UNSET
        else:
            rate_per_second = self.rate_per_second

        default_template: None | str | Unset
        if isinstance(self.default_template, Unset):
            default_template = UNSET
        else:
            default_template = self.default_template

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "phone_number_id": phone_number_id,
                "sender_number": sender_number,
            }
        )
        if access_token is not UNSET:
            field_dict["access_token"] = access_token
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

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        phone_number_id = d.pop("phone_number_id")

        sender_number = d.pop("sender_number")

        def _parse_access_token(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        access_token = _parse_access_token(d.pop("access_token", UNSET))

        def _parse_app_secret(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        app_secret = _parse_app_secret(d.pop("app_secret", UNSET))

        def _parse_verify_token(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        verify_token = _parse_verify_token(d.pop("verify_token", UNSET))

        def _parse_business_account_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        business_account_id = _parse_business_account_id(d.pop("business_account_id", UNSET))

        def _parse_rate_per_second(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        rate_per_second = _parse_rate_per_second(d.pop("rate_per_second", UNSET))

        def _parse_default_template(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        default_template = _parse_default_template(d.pop("default_template", UNSET))

        whats_app_integration = cls(
            phone_number_id=phone_number_id,
            sender_number=sender_number,
            access_token=access_token,
            app_secret=app_secret,
            verify_token=verify_token,
            business_account_id=business_account_id,
            rate_per_second=rate_per_second,
            default_template=default_template,
        )

        return whats_app_integration
