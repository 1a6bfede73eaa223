"""Statistics of a campaign or of an organisation, without reading each message.

A distribution's chunks have running counts, so a million messages are ten thousand small items: five to seven pages of
one query. Rows that are not logged yet are taken from the plan. Messages without a distribution are read from the log
while they are few. If they are many, whole hours come from running counts, and only the hours that a bound cuts are
read message by message.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from shared.base.instants import Clock, hour_of
from shared.campaigns.counts import (
    MILLIONTHS,
    Singles,
    Tally,
    counted,
    median_of,
    not_below_zero,
    unlisted,
    with_missing_receipts,
)
from shared.campaigns.distribution import CountryPrice, Counts, Distribution, together
from shared.campaigns.ports import Distributions
from shared.messages.message import ARRIVED, Status
from shared.messages.payload import Channel
from shared.messages.ports import Log, Single, pages

READ_ONE_BY_ONE = 5_000
"""Up to this many messages without a distribution are read from the log: 50 requests, two seconds."""

_PAGE = 200

_AT_ONCE = 8
"""Distributions read in parallel."""

_NOT_TRIED = ("cancelled", "erased", "experiment_withheld")
"""Reasons of messages that were never tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which messages. `since` inclusive, `until` exclusive, by acceptance; None is open.

    A chunk's messages count as accepted when the chunk was logged; rows that are not logged, when their distribution
    was made. So the figures of neighbouring ranges add up.
    """

    organisation: str
    campaign_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def has(self, instant: datetime) -> bool:
        """Whether a message accepted at this instant belongs to it."""
        return (self.since is None or instant >= self.since) and (self.until is None or instant < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """The figures. A rate is None if no message counts for it; the median is None if none was delivered."""

    counts: Counts
    """Including pending messages."""
    by_channel: dict[Channel, int]
    by_country: dict[str, int]
    delivery_rate: float | None
    """Delivered or read, divided by those that were tried: not pending and not ended before a call."""
    read_rate: float | None
    """Read, divided by the WhatsApp messages delivered or read. An SMS never reports that it was read."""
    median_delivery_seconds: int | None
    """From sent to delivered."""
    prices: tuple[CountryPrice, ...]
    """The price of what a provider was given."""

    @property
    def segments(self) -> int:
        """SMS segments that a provider was given."""
        return sum(self.counts.segments.values())


@dataclass(slots=True)
class _Sum:
    counts: dict[Channel, list[Counts]] = field(default_factory=lambda: {channel: [] for channel in Channel})
    countries: Counter[str] = field(default_factory=Counter)

    def add(self, channel: Channel, counts: Iterable[Counts], countries: Counter[str]) -> None:
        """Add messages of a channel: the counted ones, and the number by country. The rest is pending.

        A count may be ahead of the number for a moment, so negative values are cut to zero.
        """
        moved = not_below_zero(together(counts))
        rest = max(countries.total() - moved.total, 0)
        self.counts[channel] += [moved, Counts(by_status={Status.PENDING: rest})]
        self.countries += countries


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
        return _figures(found, self._clock.now())

    async def _in_scope(self, scope: Scope) -> list[Distribution]:
        """Confirmed distributions that may have messages in scope; one that was completed before has none."""
        found = pages(
            lambda position: self._distributions.page(
                scope.organisation, campaign_id=scope.campaign_id, status=None, position=position, limit=_PAGE
            )
        )
        return [one async for page in found for one in page if one.was_confirmed and _may_touch(one, scope)]

    async def _add_distribution(self, found: _Sum, distribution: Distribution, scope: Scope) -> None:
        tallies = await self._distributions.tallies(distribution.organisation, distribution.distribution_id)
        logged = {place: tally for place, tally in tallies.items() if tally.accepted_at is not None}
        inside = [tally for tally in logged.values() if tally.accepted_at and scope.has(tally.accepted_at)]
        found.add(distribution.channel, (tally.counts for tally in inside), _rows(inside))
        if scope.has(distribution.created_at):
            waiting = Counter(dict(distribution.planned.countries)) - _rows(logged.values())
            found.add(distribution.channel, (unlisted(distribution, waiting.total()),), waiting)

    async def _add_singles(self, found: _Sum, scope: Scope) -> None:
        singles = await self._log.singles(scope.organisation, scope.campaign_id, (scope.since, scope.until))
        if len(singles) <= self._one_by_one:
            await self._add_one_by_one(found, scope, singles)
            return
        cut = {hour_of(bound) for bound in (scope.since, scope.until) if bound is not None and not _is_hour(bound)}
        await self._add_one_by_one(found, scope, [one for one in singles if hour_of(one.accepted_at) in cut])
        await self._add_by_hour(found, scope, [one for one in singles if hour_of(one.accepted_at) not in cut])

    async def _add_one_by_one(self, found: _Sum, scope: Scope, singles: Sequence[Single]) -> None:
        messages = await self._log.get_many(scope.organisation, [one.message_id for one in singles])
        for channel in Channel:
            mine = [message for message in messages.values() if message.channel is channel]
            found.add(channel, map(counted, mine), Counter(message.country for message in mine))

    async def _add_by_hour(self, found: _Sum, scope: Scope, singles: Sequence[Single]) -> None:
        hours: dict[Singles, set[int]] = {}
        countries: dict[Singles, Counter[str]] = {}
        for one in singles:
            kind = Singles(campaign_id=one.campaign_id, channel=one.channel)
            hours.setdefault(kind, set()).add(hour_of(one.accepted_at))
            countries.setdefault(kind, Counter())[one.country] += 1
        for kind, wanted in hours.items():
            counts = await self._distributions.counts(scope.organisation, kind)
            mine = (one for (_, hour), one in counts.items() if hour in wanted)
            found.add(kind.channel, mine, countries[kind])


def _may_touch(distribution: Distribution, scope: Scope) -> bool:
    """No row was accepted before the distribution was made or after it was completed."""
    too_late = scope.until is not None and distribution.created_at >= scope.until
    ended = distribution.completed_at
    too_early = scope.since is not None and ended is not None and ended < scope.since
    return not (too_late or too_early)


def _rows(tallies: Iterable[Tally]) -> Counter[str]:
    rows: Counter[str] = Counter()
    for tally in tallies:
        rows.update(tally.rows)
    return rows


def _is_hour(instant: datetime) -> bool:
    return (instant.minute, instant.second, instant.microsecond) == (0, 0, 0)


def _figures(found: _Sum, now: datetime) -> Statistics:
    by_channel = {channel: together(parts) for channel, parts in found.counts.items()}
    counts = with_missing_receipts(together(by_channel.values()), now)
    on_whatsapp = by_channel[Channel.WHATSAPP]
    arrived = sum(map(counts.of, ARRIVED))
    tried = counts.total - counts.of(Status.PENDING) - sum(counts.by_reason.get(reason, 0) for reason in _NOT_TRIED)
    read = on_whatsapp.of(Status.READ)
    return Statistics(
        counts=counts,
        by_channel={channel: one.total for channel, one in by_channel.items() if one.total},
        by_country=dict(sorted(found.countries.items())),
        delivery_rate=_rate(arrived, tried),
        read_rate=_rate(read, on_whatsapp.of(Status.DELIVERED) + read),
        median_delivery_seconds=median_of(counts.delays),
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
