from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.cards_within_24h import CardsWithin24H
    from ..models.country_price import CountryPrice
    from ..models.counts import Counts
    from ..models.day_counts import DayCounts
    from ..models.figures_by_channel import FiguresByChannel
    from ..models.statistics_by_country import StatisticsByCountry
    from ..models.statistics_by_reason import StatisticsByReason


T = TypeVar("T", bound="Statistics")


@_attrs_define
class Statistics:
    """Only confirmed distributions count. A fallback or a resend is a message of its own.

    Attributes:
        from_ (datetime.datetime | None): The first hour that counts: `from`, moved back to its full hour. Null without
            `from`.
        to (datetime.datetime | None): The end of the last hour that counts: `to`, moved on to the next full hour. Null
            without `to`.
        counts (Counts): Messages by current status.
        by_channel (FiguresByChannel): The figures of each channel. A channel without messages is left out.
        by_reason (StatisticsByReason): Failed messages by reason, and `receipt_missing`: messages that were sent more
            than 48 hours ago and are still `sent`.
        by_country (StatisticsByCountry): The figures of each country (ISO 3166-1); their counts add up to all counts. A
            country without messages is left out. `ZZ` has the rows of the further countries of a list with more than fifty.
        delivery_rate (float | None): Delivered or read messages, divided by all that were tried: all except pending,
            cancelled, erased and experiment_withheld. Null if none was tried.
        read_rate (float | None): Read messages, divided by the WhatsApp messages delivered or read; an SMS never
            reports it. Null if there are none.
        median_delivery_seconds (int | None): From sent_at to delivered_at, over delivered messages that have both.
            Exact to half a second below a minute, to 2.5 % above. Null if there are none.
        cards_within_24h (CardsWithin24H): Of the messages that were tried and whose recipient had a
            `card_generated_at`: how many there are (`of`), and how many of them arrived within 24 hours of it.
        segments (int): SMS segments that the provider was given, including messages that failed afterwards.
        prices (list[CountryPrice]): The price of all messages that the provider was given, by country. amount and
            currency are null if the contract's price is not set.
        series (list[DayCounts] | Unset): Only with `group=day`: the counts of each day (UTC), in order. A day without
            messages is left out.
    """

    from_: datetime.datetime | None
    to: datetime.datetime | None
    counts: Counts
    by_channel: FiguresByChannel
    by_reason: StatisticsByReason
    by_country: StatisticsByCountry
    delivery_rate: float | None
    read_rate: float | None
    median_delivery_seconds: int | None
    cards_within_24h: CardsWithin24H
    segments: int
    prices: list[CountryPrice]
    series: list[DayCounts] | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from_: None | str
        if isinstance(self.from_, datetime.datetime):
            from_ = self.from_.isoformat()
        else:
            from_ = self.from_

        to: None | str
        if isinstance(self.to, datetime.datetime):
            to = self.to.isoformat()
        else:
            to = self.to

        counts = self.counts.to_dict()

        by_channel = self.by_channel.to_dict()

        by_reason = self.by_reason.to_dict()

        by_country = self.by_country.to_dict()

        delivery_rate: float | None
        delivery_rate = self.delivery_rate

        read_rate: float | None
        read_rate = self.read_rate

        median_delivery_seconds: int | None
        median_delivery_seconds = self.median_delivery_seconds

        cards_within_24h = self.cards_within_24h.to_dict()

        segments = self.segments

        prices = []
        for prices_item_data in self.prices:
            prices_item = prices_item_data.to_dict()
            prices.append(prices_item)

        series: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.series, Unset):
            series = []
            for series_item_data in self.series:
                series_item = series_item_data.to_dict()
                series.append(series_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "from": from_,
                "to": to,
                "counts": counts,
                "by_channel": by_channel,
                "by_reason": by_reason,
                "by_country": by_country,
                "delivery_rate": delivery_rate,
                "read_rate": read_rate,
                "median_delivery_seconds": median_delivery_seconds,
                "cards_within_24h": cards_within_24h,
                "segments": segments,
                "prices": prices,
            }
        )
        if series is not UNSET:
            field_dict["series"] = series

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.cards_within_24h import CardsWithin24H  # noqa: PLC0415
        from ..models.country_price import CountryPrice  # noqa: PLC0415
        from ..models.counts import Counts  # noqa: PLC0415
        from ..models.day_counts import DayCounts  # noqa: PLC0415
        from ..models.figures_by_channel import FiguresByChannel  # noqa: PLC0415
        from ..models.statistics_by_country import StatisticsByCountry  # noqa: PLC0415
        from ..models.statistics_by_reason import StatisticsByReason  # noqa: PLC0415

        d = dict(src_dict)

        def _parse_from_(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                from_type_0 = datetime.datetime.fromisoformat(data)

                return from_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        from_ = _parse_from_(d.pop("from"))

        def _parse_to(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                to_type_0 = datetime.datetime.fromisoformat(data)

                return to_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        to = _parse_to(d.pop("to"))

        counts = Counts.from_dict(d.pop("counts"))

        by_channel = FiguresByChannel.from_dict(d.pop("by_channel"))

        by_reason = StatisticsByReason.from_dict(d.pop("by_reason"))

        by_country = StatisticsByCountry.from_dict(d.pop("by_country"))

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

        def _parse_median_delivery_seconds(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        median_delivery_seconds = _parse_median_delivery_seconds(d.pop("median_delivery_seconds"))

        cards_within_24h = CardsWithin24H.from_dict(d.pop("cards_within_24h"))

        segments = d.pop("segments")

        prices = []
        _prices = d.pop("prices")
        for prices_item_data in _prices:
            prices_item = CountryPrice.from_dict(prices_item_data)

            prices.append(prices_item)

        _series = d.pop("series", UNSET)
        series: list[DayCounts] | Unset = UNSET
        if _series is not UNSET:
            series = []
            for series_item_data in _series:
                series_item = DayCounts.from_dict(series_item_data)

                series.append(series_item)

        statistics = cls(
            from_=from_,
            to=to,
            counts=counts,
            by_channel=by_channel,
            by_reason=by_reason,
            by_country=by_country,
            delivery_rate=delivery_rate,
            read_rate=read_rate,
            median_delivery_seconds=median_delivery_seconds,
            cards_within_24h=cards_within_24h,
            segments=segments,
            prices=prices,
            series=series,
        )

        return statistics
