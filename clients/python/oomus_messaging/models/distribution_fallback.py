from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.country_price import CountryPrice
    from ..models.counts import Counts


T = TypeVar("T", bound="DistributionFallback")


@_attrs_define
class DistributionFallback:
    """The SMS in place of its messages. `segments` and `prices` are the maximum: the cost if each message needs its SMS.
    `counts` are the SMS that have begun, by current status; the distribution's own `counts` leave them out.

        Attributes:
            segments (int):
            prices (list[CountryPrice]):
            counts (Counts): Messages by current status.
    """

    segments: int
    prices: list[CountryPrice]
    counts: Counts

    def to_dict(self) -> dict[str, Any]:
        segments = self.segments

        prices = []
        for prices_item_data in self.prices:
            prices_item = prices_item_data.to_dict()
            prices.append(prices_item)

        counts = self.counts.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "segments": segments,
                "prices": prices,
                "counts": counts,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.country_price import CountryPrice  # noqa: PLC0415
        from ..models.counts import Counts  # noqa: PLC0415

        d = dict(src_dict)
        segments = d.pop("segments")

        prices = []
        _prices = d.pop("prices")
        for prices_item_data in _prices:
            prices_item = CountryPrice.from_dict(prices_item_data)

            prices.append(prices_item)

        counts = Counts.from_dict(d.pop("counts"))

        distribution_fallback = cls(
            segments=segments,
            prices=prices,
            counts=counts,
        )

        return distribution_fallback
