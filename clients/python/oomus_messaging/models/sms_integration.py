from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.country import Country
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.senders_order import SendersOrder
    from ..models.unit_prices_order import UnitPricesOrder


T = TypeVar("T", bound="SmsIntegration")


@_attrs_define
class SmsIntegration:
    """`client_secret` keeps its value if left out; it is needed the first time.

    Attributes:
        client_id (str): ID of the application at Orange.
        sender_name (str): 1 to 11 letters, digits, spaces or hyphens; a warning says if Orange's own rules are
            stricter.
        default_country (Country): A covered country, ISO 3166-1.
        client_secret (None | str | Unset): Unchanged if left out.
        senders (None | SendersOrder | Unset):
        rate_per_second (int | None | Unset): SMS per second that the contract allows, for all countries together.
            Default: 5.
        unit_prices (None | UnitPricesOrder | Unset):
        peak_hours (list[list[str]] | None | Unset): From, to; in the recipients' zones. Left out: the default. An empty
            list: there are no peak hours. They apply to `off_peak`, to `auto` above 10,000 SMS, and to the warning
            `peak_hours`.
        receipt_addresses (list[str] | None | Unset): Networks from which receipts are accepted; an empty list: from
            anywhere.
    """

    client_id: str
    sender_name: str
    default_country: Country
    client_secret: None | str | Unset = UNSET
    senders: None | SendersOrder | Unset = UNSET
    rate_per_second: int | None | Unset = 5
    unit_prices: None | UnitPricesOrder | Unset = UNSET
    peak_hours: list[list[str]] | None | Unset = UNSET
    receipt_addresses: list[str] | None | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.senders_order import SendersOrder  # noqa: PLC0415
        from ..models.unit_prices_order import UnitPricesOrder  # noqa: PLC0415

        client_id = self.client_id

        sender_name = self.sender_name

        default_country = self.default_country.value

        client_secret: None | str | Unset
        if isinstance(self.client_secret, Unset):
            client_secret = UNSET
        else:
            client_secret = self.client_secret

        senders: dict[str, Any] | None | Unset
        if isinstance(self.senders, Unset):
            senders = UNSET
        elif isinstance(self.senders, SendersOrder):
            senders = self.senders.to_dict()
        else:
            senders = self.senders

        rate_per_second: int | None | Unset
        if isinstance(self.rate_per_second, Unset):
            rate_per_second = UNSET
        else:
            rate_per_second = self.rate_per_second

        unit_prices: dict[str, Any] | None | Unset
        if isinstance(self.unit_prices, Unset):
            unit_prices = UNSET
        elif isinstance(self.unit_prices, UnitPricesOrder):
            unit_prices = self.unit_prices.to_dict()
        else:
            unit_prices = self.unit_prices

        peak_hours: list[list[str]] | None | Unset
        if isinstance(self.peak_hours, Unset):
            peak_hours = UNSET
        elif isinstance(self.peak_hours, list):
            peak_hours = []
            for peak_hours_type_0_item_data in self.peak_hours:
                peak_hours_type_0_item = peak_hours_type_0_item_data

                peak_hours.append(peak_hours_type_0_item)

        else:
            peak_hours = self.peak_hours

        receipt_addresses: list[str] | None | Unset
        if isinstance(self.receipt_addresses, Unset):
            receipt_addresses = UNSET
        elif isinstance(self.receipt_addresses, list):
            receipt_addresses = self.receipt_addresses

        else:
            receipt_addresses = self.receipt_addresses

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "client_id": client_id,
                "sender_name": sender_name,
                "default_country": default_country,
            }
        )
        if client_secret is not UNSET:
            field_dict["client_secret"] = client_secret
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

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.senders_order import SendersOrder  # noqa: PLC0415
        from ..models.unit_prices_order import UnitPricesOrder  # noqa: PLC0415

        d = dict(src_dict)
        client_id = d.pop("client_id")

        sender_name = d.pop("sender_name")

        default_country = Country(d.pop("default_country"))

        def _parse_client_secret(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        client_secret = _parse_client_secret(d.pop("client_secret", UNSET))

        def _parse_senders(data: object) -> None | SendersOrder | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                senders_type_0 = SendersOrder.from_dict(data)

                return senders_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | SendersOrder | Unset, data)

        senders = _parse_senders(d.pop("senders", UNSET))

        def _parse_rate_per_second(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        rate_per_second = _parse_rate_per_second(d.pop("rate_per_second", UNSET))

        def _parse_unit_prices(data: object) -> None | UnitPricesOrder | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                unit_prices_type_0 = UnitPricesOrder.from_dict(data)

                return unit_prices_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | UnitPricesOrder | Unset, data)

        unit_prices = _parse_unit_prices(d.pop("unit_prices", UNSET))

        def _parse_peak_hours(data: object) -> list[list[str]] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                peak_hours_type_0 = []
                _peak_hours_type_0 = data
                for peak_hours_type_0_item_data in _peak_hours_type_0:
                    peak_hours_type_0_item = cast(list[str], peak_hours_type_0_item_data)

                    peak_hours_type_0.append(peak_hours_type_0_item)

                return peak_hours_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[list[str]] | None | Unset, data)

        peak_hours = _parse_peak_hours(d.pop("peak_hours", UNSET))

        def _parse_receipt_addresses(data: object) -> list[str] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                receipt_addresses_type_0 = cast(list[str], data)

                return receipt_addresses_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[str] | None | Unset, data)

        receipt_addresses = _parse_receipt_addresses(d.pop("receipt_addresses", UNSET))

        sms_integration = cls(
            client_id=client_id,
            sender_name=sender_name,
            default_country=default_country,
            client_secret=client_secret,
            senders=senders,
            rate_per_second=rate_per_second,
            unit_prices=unit_prices,
            peak_hours=peak_hours,
            receipt_addresses=receipt_addresses,
        )

        return sms_integration
