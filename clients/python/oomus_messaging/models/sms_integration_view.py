from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.country import Country
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.secret import Secret
    from ..models.senders import Senders
    from ..models.unit_prices import UnitPrices
    from ..models.warning import Warning_


T = TypeVar("T", bound="SmsIntegrationView")


@_attrs_define
class SmsIntegrationView:
    """
    Attributes:
        client_id (str): ID of the application at Orange.
        client_secret (Secret): A secret is never shown. The one exception: a `verify_token` that this PUT or PATCH made
            comes back once, as `value`, to be entered at Meta.
        sender_name (str): 1 to 11 letters, digits, spaces or hyphens; a warning says if Orange's own rules are
            stricter.
        default_country (Country): A covered country, ISO 3166-1.
        webhook_url (None | str): Orange's receipts come here; its last part is secret.
        senders (Senders | Unset): Country → Orange's sender address, if it differs from the usual one.
        rate_per_second (int | Unset): SMS per second that the contract allows, for all countries together.
        unit_prices (UnitPrices | Unset): Country → price of a segment.
        peak_hours (list[list[str]] | Unset): From, to; in the recipients' zones.
        receipt_addresses (list[str] | Unset): Networks from which receipts are accepted; an empty list: from anywhere.
        warnings (list[Warning_] | Unset):
    """

    client_id: str
    client_secret: Secret
    sender_name: str
    default_country: Country
    webhook_url: None | str
    senders: Senders | Unset = UNSET
    rate_per_second: int | Unset = UNSET
    unit_prices: UnitPrices | Unset = UNSET
    peak_hours: list[list[str]] | Unset = UNSET
    receipt_addresses: list[str] | Unset = UNSET
    warnings: list[Warning_] | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        client_id = self.client_id

        client_secret = self.client_secret.to_dict()

        sender_name = self.sender_name

        default_country = self.default_country.value

        webhook_url: None | str
        webhook_url = self.webhook_url

        senders: dict[str, Any] | Unset = UNSET
        if not isinstance(self.senders, Unset):
            senders = self.senders.to_dict()

        rate_per_second = self.rate_per_second

        unit_prices: dict[str, Any] | Unset = UNSET
        if not isinstance(self.unit_prices, Unset):
            unit_prices = self.unit_prices.to_dict()

        peak_hours: list[list[str]] | Unset = UNSET
        if not isinstance(self.peak_hours, Unset):
            peak_hours = []
            for peak_hours_item_data in self.peak_hours:
                peak_hours_item = peak_hours_item_data

                peak_hours.append(peak_hours_item)

        receipt_addresses: list[str] | Unset = UNSET
        if not isinstance(self.receipt_addresses, Unset):
            receipt_addresses = self.receipt_addresses

        warnings: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.warnings, Unset):
            warnings = []
            for warnings_item_data in self.warnings:
                warnings_item = warnings_item_data.to_dict()
                warnings.append(warnings_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "client_id": client_id,
                "client_secret": client_secret,
                "sender_name": sender_name,
                "default_country": default_country,
                "webhook_url": webhook_url,
            }
        )
        if senders is not UNSET:
            field_dict["senders"] = senders
        if rate_per_second is not UNSET:
            field_dict["rate_per_second"] = rate_per_second
        if unit_prices is not UNSET:
            field_dict["unit_prices"] = unit_prices
        if peak_hours is not UNSET:
            field_dict["peak_hours"] = peak_hours
        if receipt_addresses is not UNSET:
            field_dict["receipt_addresses"] = receipt_addresses
        if warnings is not UNSET:
            field_dict["warnings"] = warnings

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.secret import Secret  # noqa: PLC0415
        from ..models.senders import Senders  # noqa: PLC0415
        from ..models.unit_prices import UnitPrices  # noqa: PLC0415
        from ..models.warning import Warning_  # noqa: PLC0415

        d = dict(src_dict)
        client_id = d.pop("client_id")

        client_secret = Secret.from_dict(d.pop("client_secret"))

        sender_name = d.pop("sender_name")

        default_country = Country(d.pop("default_country"))

        def _parse_webhook_url(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        webhook_url = _parse_webhook_url(d.pop("webhook_url"))

        _senders = d.pop("senders", UNSET)
        senders: Senders | Unset
        if isinstance(_senders, Unset):
            senders = UNSET
        else:
            senders = Senders.from_dict(_senders)

        rate_per_second = d.pop("rate_per_second", UNSET)

        _unit_prices = d.pop("unit_prices", UNSET)
        unit_prices: UnitPrices | Unset
        if isinstance(_unit_prices, Unset):
            unit_prices = UNSET
        else:
            unit_prices = UnitPrices.from_dict(_unit_prices)

        _peak_hours = d.pop("peak_hours", UNSET)
        peak_hours: list[list[str]] | Unset = UNSET
        if _peak_hours is not UNSET:
            peak_hours = []
            for peak_hours_item_data in _peak_hours:
                peak_hours_item = cast(list[str], peak_hours_item_data)

                peak_hours.append(peak_hours_item)

        receipt_addresses = cast(list[str], d.pop("receipt_addresses", UNSET))

        _warnings = d.pop("warnings", UNSET)
        warnings: list[Warning_] | Unset = UNSET
        if _warnings is not UNSET:
            warnings = []
            for warnings_item_data in _warnings:
                warnings_item = Warning_.from_dict(warnings_item_data)

                warnings.append(warnings_item)

        sms_integration_view = cls(
            client_id=client_id,
            client_secret=client_secret,
            sender_name=sender_name,
            default_country=default_country,
            webhook_url=webhook_url,
            senders=senders,
            rate_per_second=rate_per_second,
            unit_prices=unit_prices,
            peak_hours=peak_hours,
            receipt_addresses=receipt_addresses,
            warnings=warnings,
        )

        return sms_integration_view
