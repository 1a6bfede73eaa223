"""Statistics of a campaign or of an organisation, and the list of campaigns, from the sums: a handful of requests,
however much was sent."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from shared.base.instants import Clock, hour_of
from shared.campaigns.counts import (
    MILLIONTHS,
    NOT_TRIED,
    hour_bounds,
    median_of,
    not_below_zero,
    with_missing_receipts,
)
from shared.campaigns.distribution import CountryPrice, Counts, together
from shared.messages.message import ARRIVED, Status
from shared.messages.payload import Channel
from shared.statistics.shares import Cell, Cells, added, beginning_of_day, day_of
from shared.statistics.sums import Period, Sum, Summing, SumStore, Target, place_of_campaign


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which messages: those accepted in whole clock hours (UTC) from `since` until `until`; None is open. A bound
    inside an hour moves outward, so the hour belongs to the scope.

    A chunk's messages count as accepted when the chunk was logged; rows that are not logged, when their distribution
    was made. So the figures of neighbouring ranges add up.
    """

    organisation: str
    campaign_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        if self.since is not None:
            object.__setattr__(self, "since", hour_bounds(hour_of(self.since))[0])
        if self.until is not None:
            before = hour_of(self.until - timedelta(microseconds=1))
            object.__setattr__(self, "until", hour_bounds(before)[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of some messages. A rate is None if no message counts for it."""

    counts: Counts
    """Including pending messages."""
    delivery_rate: float | None
    """Delivered or read, divided by those that were tried: not pending and not ended before a call."""
    read_rate: float | None
    """Read, divided by the WhatsApp messages delivered or read. An SMS never reports that it was read."""
    prices: tuple[CountryPrice, ...]
    """The price of what a provider was given."""

    @property
    def segments(self) -> int:
        """SMS segments that a provider was given."""
        return sum(self.counts.segments.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """All figures of a scope. The median is None if no message was delivered. Channels, countries and days without
    messages are left out."""

    scope: Scope
    total: Figures
    """Its reasons include `receipt_missing`."""
    by_channel: Mapping[Channel, Figures]
    by_country: Mapping[str, Figures]
    by_day: Mapping[date, Counts]
    """By the day (UTC) to which the messages belong, as in `Scope`."""
    median_delivery_seconds: int | None
    """From sent to delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A campaign, which is only a reference that messages name."""

    campaign_id: str
    name: str | None
    """That of its newest distribution with a name."""
    first_at: datetime
    """When its first message was accepted, or its first distribution was made."""
    last_at: datetime
    """The same of the last; a distribution's rows count when they are logged."""
    distributions: int
    """Those that were planned, also if they were never confirmed."""
    figures: Figures


class CampaignList:
    """Lists campaigns; changes nothing."""

    def __init__(self, store: SumStore, summing: Summing) -> None:
        self._store = store
        self._summing = summing

    async def page(self, organisation: str, position: str | None, limit: int) -> tuple[Sequence[Campaign], str | None]:
        """Campaigns by their first message, newest first, and the position of the next ones (None: there are none).

        Three requests, and those for what is not summed yet. A campaign that is not summed at all is in the page where
        it will be.
        """
        stored, following = await self._store.campaigns(organisation, position, limit)
        lacking = await self._lacking(organisation)
        sums = dict(stored)
        places = {one: place_of_campaign(one, sum_.first_at) for one, sum_ in stored if sum_.first_at is not None}
        elsewhere = await self._store.read(organisation, [_total(one) for one in lacking.keys() - sums.keys()])
        for one in lacking.keys() - sums.keys():
            first_at = lacking[one].first_at
            place = place_of_campaign(one, first_at) if first_at is not None and _total(one) not in elsewhere else ""
            if (following or "") < place < (position or "~"):
                places[one] = place
        found = sorted(places, key=lambda one: places[one], reverse=True)
        if len(found) > limit:
            following = places[found[limit - 1]]
        whole = {one: sums.get(one, Sum()).plus(lacking.get(one, Sum())) for one in found[:limit]}
        return [_campaign(one, sum_) for one, sum_ in whole.items()], following

    async def _lacking(self, organisation: str) -> Mapping[str, Sum]:
        found: dict[str, Sum] = {}
        for one in await self._summing.lacking(organisation):
            for target, new in one.sums.items():
                if target.campaign_id is not None and target.period is Period.TOTAL:
                    found[target.campaign_id] = found.get(target.campaign_id, Sum()).plus(new)
        return found


def _total(campaign_id: str) -> Target:
    return Target(campaign_id=campaign_id, period=Period.TOTAL, number=0)


def _campaign(campaign_id: str, total: Sum) -> Campaign:
    if total.first_at is None or total.last_at is None:
        raise ValueError(f"campaign {campaign_id} has no first message")
    return Campaign(
        campaign_id=campaign_id,
        name=total.name,
        first_at=total.first_at,
        last_at=total.last_at,
        distributions=total.distributions,
        figures=_figures({cell: not_below_zero(counts) for cell, counts in total.cells.items()}),
    )


_LAST_HOUR = 24 * 41_000
"""In the year 2082: the end of a scope that is open."""


class StatisticsReader:
    """Reads statistics; changes nothing."""

    def __init__(self, store: SumStore, summing: Summing, clock: Clock) -> None:
        self._store = store
        self._summing = summing
        self._clock = clock

    async def read(self, scope: Scope) -> Statistics:
        """The current figures: the sums, and what they lack."""
        first = hour_of(scope.since) if scope.since is not None else 0
        end = hour_of(scope.until) if scope.until is not None else _LAST_HOUR
        days: dict[int, list[Cells]] = defaultdict(list)
        for period, some in _parts(first, end):
            found = await self._store.between(scope.organisation, scope.campaign_id, period, some.start, some.stop)
            for number, cells in found.items():
                days[number if period is Period.DAY else day_of(number)].append(cells)
        for one in await self._summing.lacking(scope.organisation):
            for target, lacking in one.sums.items():
                is_of_scope = (target.campaign_id, target.period) == (scope.campaign_id, Period.HOUR)
                if is_of_scope and first <= target.number < end:
                    days[day_of(target.number)].append(lacking.cells)
        return _statistics(scope, {day: added(parts) for day, parts in sorted(days.items())}, self._clock.now())


def _parts(first: int, end: int) -> Iterable[tuple[Period, range]]:
    """The whole days of these hours, and the hours before and after them."""
    first_day, end_day = -(-first // 24), end // 24
    if first_day >= end_day:
        return [(Period.HOUR, range(first, end))]
    return [
        (Period.HOUR, range(first, first_day * 24)),
        (Period.DAY, range(first_day, end_day)),
        (Period.HOUR, range(end_day * 24, end)),
    ]


def _statistics(scope: Scope, days: Mapping[int, Cells], now: datetime) -> Statistics:
    """A status may be counted out before the batch that counted it in has written, so no count is below zero."""
    cells = {cell: not_below_zero(counts) for cell, counts in added(days.values()).items()}
    total = _figures(cells)
    by_day = {beginning_of_day(day).date(): not_below_zero(together(parts.values())) for day, parts in days.items()}
    return Statistics(
        scope=scope,
        total=replace(total, counts=with_missing_receipts(total.counts, now)),
        by_channel=_split(cells, {cell: cell.channel for cell in cells if cell is not None}),
        by_country=_split(cells, {cell: cell.country for cell in cells if cell is not None}),
        by_day={day: counts for day, counts in by_day.items() if counts.total},
        median_delivery_seconds=median_of(total.counts.delays),
    )


def _split[K: str](cells: Cells, kinds: Mapping[Cell, K]) -> dict[K, Figures]:
    found = {
        kind: _figures({cell: cells[cell] for cell in kinds if kinds[cell] == kind})
        for kind in sorted(set(kinds.values()))
    }
    return {kind: figures for kind, figures in found.items() if figures.counts.total}


def _figures(cells: Cells) -> Figures:
    counts = together(cells.values())
    on_whatsapp = together(one for cell, one in cells.items() if cell and cell.channel is Channel.WHATSAPP)
    arrived = sum(map(counts.of, ARRIVED))
    tried = counts.total - counts.of(Status.PENDING) - sum(counts.by_reason.get(reason, 0) for reason in NOT_TRIED)
    read = on_whatsapp.of(Status.READ)
    return Figures(
        counts=counts,
        delivery_rate=_rate(arrived, tried),
        read_rate=_rate(read, on_whatsapp.of(Status.DELIVERED) + read),
        prices=_prices(counts),
    )


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole > 0 else None


def _prices(counts: Counts) -> tuple[CountryPrice, ...]:
    """A line for each country and currency; a country without a set price has neither amount nor currency."""
    priced = {country for country, _ in counts.amounts}
    lines = [(country, currency, Decimal(sum_) / MILLIONTHS) for (country, currency), sum_ in counts.amounts.items()]
    unpriced = [(country, None, None) for country in counts.segments if country not in priced]
    return tuple(
        CountryPrice(country=country, currency=currency, amount=amount, segments=counts.segments.get(country, 0))
        for country, currency, amount in sorted([*lines, *unpriced], key=lambda line: (line[0], line[1] or ""))
    )
