"""What each place of counting adds to the sums of its campaign and of its organisation.

Messages are counted in leaves: a distribution's chunks, the hours of messages without a distribution, and, for each
distribution, its rows that are not in the log. A leaf's share follows from the leaf alone. The leaf remembers the share
that the sums have (`summed`), so each summing adds the difference. A repeated ADD or a recount changes the leaf, and so
the next difference corrects every sum.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.base.instants import hour_of
from shared.campaigns.counts import Part, Singles, Tally, hour_bounds
from shared.campaigns.distribution import Counts, Distribution, DistributionStatus, together
from shared.messages.message import Chunk, Status
from shared.messages.payload import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What figures are split by."""

    channel: Channel
    country: str


MIXED = "ZZ"
"""ISO 3166-1 leaves this code to its users. A list with more than fifty countries has one run for the rows of all
further ones, whose counts cannot be told apart."""

type Cells = Mapping[Cell | None, Counts]
"""Counts by channel and country. What no split shows (delivery times, cards) stands once, under None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """The rows of a distribution that are not in the log."""

    distribution_id: str


type Place = Chunk | Part | Rest
"""Where the messages of a leaf are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What a leaf adds: its counts by clock hour (since 1970), and 1 to the number of distributions for a `Rest`."""

    hours: Mapping[int, Cells] = field(default_factory=dict)
    distributions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A place whose share may have changed since it was summed."""

    organisation: str
    place: Place
    tally: Tally
    changes: int
    """Rises with every change, so that a summing notices one that came meanwhile."""
    summed: Share | None
    """The share that the sums have; None: it was never summed."""


def share_of(leaf: Leaf, distribution: Distribution | None) -> Share:
    """The share of a leaf. `distribution`: the one of its rows; None for messages without a distribution."""
    if isinstance(leaf.place, Part):
        group = leaf.place.group
        if not isinstance(group, Singles):
            return Share()
        return Share(hours={leaf.place.number: _cells(group.channel, group.country, leaf.tally.counts)})
    if distribution is None or distribution.plan is None:
        return Share()
    if isinstance(leaf.place, Rest):
        return _rest(distribution)
    return _chunk(leaf.place, leaf.tally, distribution)


def campaign_of(leaf: Leaf, distribution: Distribution | None) -> str | None:
    """The campaign whose sums the leaf belongs to; None: only to the organisation's."""
    if isinstance(leaf.place, Part):
        return leaf.place.group.campaign_id if isinstance(leaf.place.group, Singles) else None
    return distribution.campaign_id if distribution is not None else None


def span_of(leaf: Leaf, distribution: Distribution | None) -> tuple[datetime, datetime] | None:
    """When its first and its last message were accepted; None: that is not known. Of a `Rest`: when the distribution
    was made. Of an hour of single messages: the first and the latest that was counted when it was accepted."""
    if isinstance(leaf.place, Rest):
        return (distribution.created_at, distribution.created_at) if distribution is not None else None
    first = leaf.tally.accepted_at
    if first is None and isinstance(leaf.place, Part):
        first, _ = hour_bounds(leaf.place.number)
    return (first, leaf.tally.last_at or first) if first is not None else None


def difference(after: Share, before: Share) -> Share:
    """What was added since."""
    numbers = {**after.hours, **before.hours}
    hours = {hour: subtracted(after.hours.get(hour, {}), before.hours.get(hour, {})) for hour in numbers}
    return Share(
        hours={hour: cells for hour, cells in hours.items() if cells},
        distributions=after.distributions - before.distributions,
    )


def added(some: Iterable[Cells]) -> dict[Cell | None, Counts]:
    """The sum of all. Empty cells are left out."""
    parts: dict[Cell | None, list[Counts]] = {}
    for cells in some:
        for cell, counts in cells.items():
            parts.setdefault(cell, []).append(counts)
    sums = {cell: together(counts) for cell, counts in parts.items()}
    return {cell: counts for cell, counts in sums.items() if counts != Counts()}


def subtracted(after: Cells, before: Cells) -> dict[Cell | None, Counts]:
    """The difference. Empty cells are left out."""
    return added((after, {cell: Counts().minus(counts) for cell, counts in before.items()}))


def _chunk(chunk: Chunk, tally: Tally, distribution: Distribution) -> Share:
    """Its rows belong to the hour in which it was logged. Until then they belong to the rest of the distribution, so
    they are taken from there."""
    if tally.accepted_at is None:
        return Share()
    country, rows = distribution.planned.runs[chunk.run].country or MIXED, sum(tally.rows.values())
    pending = _pending(rows - tally.counts.total)
    logged = _cells(distribution.channel, country, tally.counts.plus(pending))
    taken = _cells(distribution.channel, country, _pending(-rows))
    here, there = hour_of(tally.accepted_at), hour_of(distribution.created_at)
    return Share(hours={here: added((logged, taken))} if here == there else {here: logged, there: taken})


def _rest(distribution: Distribution) -> Share:
    """All its accepted rows, pending, from its confirmation on: each logged chunk takes its own away. After a cancel,
    rows that could not be logged any more have failed."""
    cells: list[Cells] = []
    for run in distribution.planned.runs if distribution.was_confirmed else ():
        country = run.country or MIXED
        cells.append(_cells(distribution.channel, country, _pending(run.rows)))
        lost = run.rows - sum(run.rows_in(number) for number in range(run.logged))
        if distribution.status is DistributionStatus.CANCELLED and distribution.swept and lost:
            ended = Counts(by_status={Status.PENDING: -lost, Status.FAILED: lost}, by_reason={"cancelled": lost})
            cells.append(_cells(distribution.channel, country, ended))
    return Share(hours={hour_of(distribution.created_at): added(cells)}, distributions=1)


def _pending(rows: int) -> Counts:
    return Counts(by_status={Status.PENDING: rows})


def _cells(channel: Channel, country: str, counts: Counts) -> dict[Cell | None, Counts]:
    split = Counts(
        by_status=counts.by_status, by_reason=counts.by_reason, segments=counts.segments, amounts=counts.amounts
    )
    times = Counts(
        delays=counts.delays, awaiting=counts.awaiting, cards=counts.cards, cards_within_24h=counts.cards_within_24h
    )
    return added(({Cell(channel=channel, country=country): split}, {None: times}))


def day_of(hour: int) -> int:
    """The day (UTC) of a clock hour, counted since 1970."""
    return hour // 24


def beginning_of_day(day: int) -> datetime:
    """Midnight, UTC."""
    return hour_bounds(day * 24)[0]
