from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.country_price import CountryPrice
    from ..models.counts import Counts


T = TypeVar("T", bound="Figures")


@_attrs_define
class Figures:
    """The figures of a channel or of a country.

    Attributes:
        counts (Counts): Messages by current status.
        delivery_rate (float | None): Delivered or read messages, divided by all that were tried: all except pending,
            cancelled, erased and experiment_withheld. Null if none was tried.
        read_rate (float | None): Read messages, divided by the WhatsApp messages delivered or read; an SMS never
            reports it. Null if there are none.
        segments (int): SMS segments that the provider was given.
        prices (list[CountryPrice]):
    """

    counts: Counts
    delivery_rate: float | None
    read_rate: float | None
    segments: int
    prices: list[CountryPrice]

    def to_dict(self) -> dict[str, Any]:
        counts = self.counts.to_dict()

        delivery_rate: float | None
        delivery_rate = self.delivery_rate

        read_rate: float | None
        read_rate = self.read_rate

        segments = self.segments

        prices = []
        for prices_item_data in self.prices:
            prices_item = prices_item_data.to_dict()
            prices.append(prices_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "counts": counts,
                "delivery_rate": delivery_rate,
                "read_rate": read_rate,
                "segments": segments,
                "prices": prices,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.country_price import CountryPrice  # noqa: PLC0415
        from ..models.counts import Counts  # noqa: PLC0415

        d = dict(src_dict)
        counts = Counts.from_dict(d.pop("counts"))

        def _parse_delivery_rate(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        delivery_rate = _parse_delivery_rate(d.pop("delivery_rate"))

        def _parse_read_rate(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        read_rate = _parse_read_rate(d.pop("read_rate"))

        segments = d.pop("segments")

        prices = []
        _prices = d.pop("prices")
        for prices_item_data in _prices:
            prices_item = CountryPrice.from_dict(prices_item_data)

            prices.append(prices_item)

        figures = cls(
            counts=counts,
            delivery_rate=delivery_rate,
            read_rate=read_rate,
            segments=segments,
            prices=prices,
        )

        return figures
