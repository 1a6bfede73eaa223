from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.country_price import CountryPrice
    from ..models.counts import Counts


T = TypeVar("T", bound="Campaign")


@_attrs_define
class Campaign:
    """A campaign is a reference of the front end. Here it stands with all messages that name it.

    Attributes:
        campaign_id (str):
        name (None | str): That of its newest distribution with a name.
        first_at (datetime.datetime): When its first message was accepted, or its first distribution was made.
        last_at (datetime.datetime): When its last message was accepted, or its last distribution was made or logged its
            last chunk.
        distributions (int): Its distributions, once they are planned.
        counts (Counts): Messages by current status.
        segments (int): SMS segments that the provider was given.
        prices (list[CountryPrice]):
    """

    campaign_id: str
    name: None | str
    first_at: datetime.datetime
    last_at: datetime.datetime
    distributions: int
    counts: Counts
    segments: int
    prices: list[CountryPrice]

    def to_dict(self) -> dict[str, Any]:
        campaign_id = self.campaign_id

        name: None | str
        name = self.name

        first_at = self.first_at.isoformat()

        last_at = self.last_at.isoformat()

        distributions = self.distributions

        counts = self.counts.to_dict()

        segments = self.segments

        prices = []
        for prices_item_data in self.prices:
            prices_item = prices_item_data.to_dict()
            prices.append(prices_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "campaign_id": campaign_id,
                "name": name,
                "first_at": first_at,
                "last_at": last_at,
                "distributions": distributions,
                "counts": counts,
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
        campaign_id = d.pop("campaign_id")

        def _parse_name(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        name = _parse_name(d.pop("name"))

        first_at = datetime.datetime.fromisoformat(d.pop("first_at"))

        last_at = datetime.datetime.fromisoformat(d.pop("last_at"))

        distributions = d.pop("distributions")

        counts = Counts.from_dict(d.pop("counts"))

        segments = d.pop("segments")

        prices = []
        _prices = d.pop("prices")
        for prices_item_data in _prices:
            prices_item = CountryPrice.from_dict(prices_item_data)

            prices.append(prices_item)

        campaign = cls(
            campaign_id=campaign_id,
            name=name,
            first_at=first_at,
            last_at=last_at,
            distributions=distributions,
            counts=counts,
            segments=segments,
            prices=prices,
        )

        return campaign
