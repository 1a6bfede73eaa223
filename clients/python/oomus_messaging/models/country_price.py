from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.country import Country

T = TypeVar("T", bound="CountryPrice")


@_attrs_define
class CountryPrice:
    """What the messages of a country cost. `currency` and `amount` are null if the contract's price is not set.

    Attributes:
        country (Country): A covered country, ISO 3166-1.
        currency (None | str):
        amount (None | str):
        segments (int):
    """

    country: Country
    currency: None | str
    amount: None | str
    segments: int

    def to_dict(self) -> dict[str, Any]:
        country = self.country.value

        currency: None | str
        currency = self.currency

        amount: None | str
        amount = self.amount

        segments = self.segments

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "country": country,
                "currency": currency,
                "amount": amount,
                "segments": segments,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        country = Country(d.pop("country"))

        def _parse_currency(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        currency = _parse_currency(d.pop("currency"))

        def _parse_amount(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        amount = _parse_amount(d.pop("amount"))

        segments = d.pop("segments")

        country_price = cls(
            country=country,
            currency=currency,
            amount=amount,
            segments=segments,
        )

        return country_price
