"""Statistics of a campaign or of an organisation, without reading each message.

A distribution's chunks have running counts, so a million messages are ten thousand small items: five to seven pages of
one query. Rows that are not logged yet are taken from the plan. Messages without a distribution are read from the log
while they are few. If they are many, their hours have running counts.
"""

import asyncio
import dataclasses
import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from shared.base.instants import Clock, hour_of
from shared.campaigns.counts import (
    MILLIONTHS,
    NOT_TRIED,
    Singles,
    counted,
    hour_bounds,
    median_of,
    not_below_zero,
    unlisted,
    with_missing_receipts,
)
from shared.campaigns.distribution import CountryPrice, Counts, Distribution, together
from shared.campaigns.ports import DistributionQuery, Distributions
from shared.messages.message import ARRIVED, Status
from shared.messages.payload import Channel
from shared.messages.ports import Log, Single, pages

READ_ONE_BY_ONE = 5_000
"""Up to this many messages without a distribution are read from the log: 50 requests, two seconds."""

_PAGE = 200

_AT_ONCE = 8
"""Distributions read in parallel."""


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

    def has(self, instant: datetime) -> bool:
        """Whether a message accepted at this instant belongs to it."""
        return (self.since is None or instant >= self.since) and (self.until is None or instant < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What figures are split by."""

    channel: Channel
    country: str


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


@dataclass(slots=True)
class _Sum:
    """Counts by hour and cell."""

    parts: dict[int, dict[Cell, list[Counts]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    def add(self, at: datetime, cell: Cell, counts: Counts, rows: int) -> None:
        """Add messages accepted at that instant: the counted ones, and their number. The rest is pending.

        A count may be ahead of the number for a moment, so negative values are cut to zero.
        """
        moved = not_below_zero(counts)
        rest = max(rows - moved.total, 0)
        self.parts[hour_of(at)][cell] += [moved, Counts(by_status={Status.PENDING: rest})]

    def by_cell(self) -> dict[Cell, Counts]:
        """The sum of all hours."""
        parts: dict[Cell, list[Counts]] = defaultdict(list)
        for cells in self.parts.values():
            for cell, some in cells.items():
                parts[cell] += some
        return {cell: together(some) for cell, some in parts.items()}

    def by_day(self) -> dict[date, Counts]:
        """The sum of all cells."""
        parts: dict[date, list[Counts]] = defaultdict(list)
        for hour, cells in self.parts.items():
            parts[hour_bounds(hour)[0].date()] += itertools.chain.from_iterable(cells.values())
        return {day: together(some) for day, some in sorted(parts.items())}


class StatisticsReader:
    """Reads statistics; changes nothing."""

    def __init__(
        self, distributions: Distributions, log: Log, clock: Clock, *, one_by_one: int = READ_ONE_BY_ONE
    ) -> None:
        self._distributions = distributions
        self._log = log
        self._clock = clock
        self._one_by_one = one_by_one

    async def read(self, scope: Scope) -> Statistics:
        """The current figures: at most seconds behind the log, exact once nothing moves."""
        found = _Sum()
        for some in itertools.batched(await self._in_scope(scope), _AT_ONCE, strict=False):
            await asyncio.gather(*(self._add_distribution(found, one, scope) for one in some))
        await self._add_singles(found, scope)
        return _statistics(scope, found.by_cell(), found.by_day(), self._clock.now())

    async def _in_scope(self, scope: Scope) -> list[Distribution]:
        """Confirmed distributions that may have messages in scope; one that was completed before has none."""
        query = DistributionQuery(organisation=scope.organisation, campaign_id=scope.campaign_id)
        found = pages(lambda position: self._distributions.page(query, position, _PAGE))
        return [one async for page in found for one in page if one.was_confirmed and _may_touch(one, scope)]

    async def _add_distribution(self, found: _Sum, distribution: Distribution, scope: Scope) -> None:
        tallies = await self._distributions.tallies(distribution.organisation, distribution.distribution_id)
        runs, waiting = distribution.planned.runs, Counter[str]()
        for run in runs:
            waiting[run.country] += run.rows
        for (run_number, _), tally in tallies.items():
            if tally.accepted_at is None:
                continue
            country, rows = runs[run_number].country, sum(tally.rows.values())
            waiting[country] -= rows
            if scope.has(tally.accepted_at):
                found.add(tally.accepted_at, _cell(distribution, country), tally.counts, rows)
        if scope.has(distribution.created_at):
            for country, rows in waiting.items():
                found.add(distribution.created_at, _cell(distribution, country), unlisted(distribution, rows), rows)

    async def _add_singles(self, found: _Sum, scope: Scope) -> None:
        singles = await self._log.singles(scope.organisation, scope.campaign_id, (scope.since, scope.until))
        if len(singles) <= self._one_by_one:
            await self._add_one_by_one(found, scope, singles)
        else:
            await self._add_by_hour(found, scope, singles)

    async def _add_one_by_one(self, found: _Sum, scope: Scope, singles: Sequence[Single]) -> None:
        messages = await self._log.get_many(scope.organisation, [one.message_id for one in singles])
        for message in messages.values():
            cell = Cell(channel=message.channel, country=message.country)
            found.add(message.accepted_at, cell, counted(message), 1)

    async def _add_by_hour(self, found: _Sum, scope: Scope, singles: Sequence[Single]) -> None:
        hours: dict[Singles, Counter[int]] = defaultdict(Counter)
        for one in singles:
            kind = Singles(campaign_id=one.campaign_id, channel=one.channel, country=one.country)
            hours[kind][hour_of(one.accepted_at)] += 1
        for kind, numbers in hours.items():
            counts = await self._distributions.counts(scope.organisation, kind)
            cell = Cell(channel=kind.channel, country=kind.country)
            for hour, number in numbers.items():
                found.add(hour_bounds(hour)[0], cell, counts.get((0, hour), Counts()), number)


def _cell(distribution: Distribution, country: str) -> Cell:
    return Cell(channel=distribution.channel, country=country)


def _may_touch(distribution: Distribution, scope: Scope) -> bool:
    """No row was accepted before the distribution was made or after it was completed."""
    too_late = scope.until is not None and distribution.created_at >= scope.until
    ended = distribution.completed_at
    too_early = scope.since is not None and ended is not None and ended < scope.since
    return not (too_late or too_early)


def _statistics(scope: Scope, cells: Mapping[Cell, Counts], by_day: Mapping[date, Counts], now: datetime) -> Statistics:
    total = _figures(cells)
    total = dataclasses.replace(total, counts=with_missing_receipts(total.counts, now))
    return Statistics(
        scope=scope,
        total=total,
        by_channel=_split(cells, {cell: cell.channel for cell in cells}),
        by_country=_split(cells, {cell: cell.country for cell in cells}),
        by_day={day: counts for day, counts in by_day.items() if counts.total},
        median_delivery_seconds=median_of(total.counts.delays),
    )


def _split[K: str](cells: Mapping[Cell, Counts], kinds: Mapping[Cell, K]) -> dict[K, Figures]:
    found = {
        kind: _figures({cell: counts for cell, counts in cells.items() if kinds[cell] == kind})
        for kind in sorted(set(kinds.values()))
    }
    return {kind: figures for kind, figures in found.items() if figures.counts.total}


def _figures(cells: Mapping[Cell, Counts]) -> Figures:
    counts = together(cells.values())
    on_whatsapp = together(one for cell, one in cells.items() if cell.channel is Channel.WHATSAPP)
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
