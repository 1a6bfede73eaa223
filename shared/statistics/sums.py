"""Sums by hour, by day and over all, of each campaign and of the organisation.

A summing reads leaves that have changed, adds what is new of each to the sums, and notes on each leaf the share that
the sums now have, all in one transaction. If anything has changed meanwhile, the transaction writes nothing: other
leaves go on, and the changed one has its turn at the next tick. A summing that dies has written all or nothing. If the
answer is lost although the write succeeded, the leaf's note shows it.

The tick sums once a minute. Readers add what is not summed yet, so figures are not a minute old.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from shared.base.ids import shard_of
from shared.base.instants import Clock, milliseconds
from shared.campaigns.distribution import Distribution
from shared.campaigns.ports import Distributions
from shared.messages.message import Chunk
from shared.statistics.shares import Cells, Leaf, Rest, Share, added, campaign_of, day_of, difference, share_of, span_of

SUM_SHARDS = 8
"""The list of leaves to sum has this many parts. The tick looks at each; an organisation is in one of them."""

LEAVES_A_READ = 400
"""At most this many leaves are added at reading: five requests. At a thousand messages a second there are more, and the
figures may be a minute old."""

_LEAVES_AT_ONCE = 50

_MOST_ITEMS = 90
"""Of the hundred items of a transaction."""


class Period(StrEnum):
    """The length of time of a sum."""

    HOUR = "hour"
    DAY = "day"
    TOTAL = "total"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Names a sum. `campaign_id` None: of the whole organisation. `number`: the hour or the day since 1970; 0 for a
    total. Only campaigns have a total."""

    campaign_id: str | None
    period: Period
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """The counts of a target. Those of a total say in addition how many distributions the campaign has, its newest
    name, and when its first and its last message were accepted."""

    cells: Cells = field(default_factory=dict)
    distributions: int = 0
    name: str | None = None
    """The name of the newest distribution that has one."""
    named_at: datetime | None = None
    """When that distribution was made."""
    first_at: datetime | None = None
    last_at: datetime | None = None
    revision: int = 0
    """Raised by every write; 0: not stored."""

    def plus(self, other: "Sum") -> "Sum":
        """The sum of both, with the revision of this one."""
        firsts = [at for at in (self.first_at, other.first_at) if at is not None]
        lasts = [at for at in (self.last_at, other.last_at) if at is not None]
        named = [(one.named_at, one.name) for one in (self, other) if one.named_at is not None]
        named_at, name = max(named, default=(None, None), key=lambda one: one[0])
        return replace(
            self,
            cells=added((self.cells, other.cells)),
            distributions=self.distributions + other.distributions,
            name=name,
            named_at=named_at,
            first_at=min(firsts, default=None),
            last_at=max(lasts, default=None),
        )


def place_of_campaign(campaign_id: str, first_at: datetime) -> str:
    """Where a campaign stands in the list. Places sort as text, by time."""
    return f"{milliseconds(first_at):013d}#{campaign_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why a transaction wrote nothing: these leaves had changed, or (`sums`) a sum had."""

    leaves: frozenset[int]
    """Their places in the sequence that was to be written."""
    sums: bool


class SumStore(Protocol):
    """The sums, and the leaves that wait to be summed. Every method may be called twice."""

    async def is_unsummed(self, shard: int) -> bool:
        """Whether a leaf of this shard waits to be summed."""
        ...

    async def unsummed(
        self, shard: int, position: str | None, limit: int, *, organisation: str | None = None
    ) -> tuple[Sequence[Leaf], str | None]:
        """Leaves of a shard that wait, and where the next ones begin (None: there are none). `organisation`: only
        its leaves, in its shard."""
        ...

    async def read(self, organisation: str, targets: Sequence[Target]) -> Mapping[Target, Sum]:
        """The stored sums."""
        ...

    async def between(
        self, organisation: str, campaign_id: str | None, period: Period, first: int, end: int
    ) -> Mapping[int, Cells]:
        """The sums by hour or by day from the number `first` on and before `end`."""
        ...

    async def campaigns(
        self, organisation: str, position: str | None, limit: int
    ) -> tuple[Sequence[tuple[str, Sum]], str | None]:
        """The campaigns with their totals, by their first message (`place_of_campaign`), newest first, and the position
        of the next ones (None: there are none)."""
        ...

    async def write(
        self, organisation: str, leaves: Sequence[tuple[Leaf, Share]], sums: Mapping[Target, Sum]
    ) -> Refused | None:
        """Store the sums, and note each leaf's share, if no leaf has changed since it was read and each sum has the
        revision that it was read with. None: done."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsummed:
    """A leaf with its distribution, its share and what the sums lack of it."""

    leaf: Leaf
    share: Share
    sums: Mapping[Target, Sum]


class Summing:
    """Brings the sums up to date, and reads what they lack."""

    def __init__(self, store: SumStore, distributions: Distributions, clock: Clock) -> None:
        self._store = store
        self._distributions = distributions
        self._clock = clock

    async def work(self, shard: int, until: datetime) -> bool:
        """Sum the leaves of a shard, until `until` at the latest. Returns True if there are more."""
        position: str | None = None
        while True:
            leaves, position = await self._store.unsummed(shard, position, _LEAVES_AT_ONCE)
            for organisation in dict.fromkeys(leaf.organisation for leaf in leaves):
                await self._sum(organisation, [leaf for leaf in leaves if leaf.organisation == organisation])
            if position is None or self._clock.now() >= until:
                return position is not None

    async def lacking(self, organisation: str) -> Sequence[Unsummed]:
        """What the sums of the organisation lack, of at most `LEAVES_A_READ` leaves. Read the sums first: if a summing
        comes in between, the figures are those before it, never counted twice."""
        shard = shard_of(organisation, SUM_SHARDS)
        leaves, _ = await self._store.unsummed(shard, None, LEAVES_A_READ, organisation=organisation)
        return await self._prepared(organisation, leaves)

    async def _prepared(self, organisation: str, leaves: Sequence[Leaf]) -> Sequence[Unsummed]:
        known = {one.place.distribution_id for one in leaves if isinstance(one.place, Chunk | Rest)}
        distributions = await self._distributions.get_many([(organisation, one) for one in known]) if known else {}
        return [_unsummed(leaf, distributions) for leaf in leaves]

    async def _sum(self, organisation: str, leaves: Sequence[Leaf]) -> None:
        for some in _transactions(await self._prepared(organisation, leaves)):
            waiting = list(some)
            while waiting:
                refused = await self._write(organisation, waiting)
                if refused is None or refused.sums or not refused.leaves:
                    break  # done, or another worker is summing: it, or the next tick, takes these leaves
                waiting = [one for number, one in enumerate(waiting) if number not in refused.leaves]

    async def _write(self, organisation: str, waiting: Sequence[Unsummed]) -> Refused | None:
        new = _by_target(waiting)
        stored = await self._store.read(organisation, list(new)) if new else {}
        sums = {target: stored.get(target, Sum()).plus(added_one) for target, added_one in new.items()}
        return await self._store.write(organisation, [(one.leaf, one.share) for one in waiting], sums)


def _unsummed(leaf: Leaf, distributions: Mapping[str, Distribution]) -> Unsummed:
    distribution = distributions.get(leaf.place.distribution_id) if isinstance(leaf.place, Chunk | Rest) else None
    share = share_of(leaf, distribution)
    new = difference(share, leaf.summed or Share())
    campaign, span = campaign_of(leaf, distribution), span_of(leaf, distribution)
    sums: dict[Target, Sum] = {}
    for owner in {None, campaign}:
        for hour, cells in new.hours.items():
            _add(sums, Target(campaign_id=owner, period=Period.HOUR, number=hour), Sum(cells=cells))
            _add(sums, Target(campaign_id=owner, period=Period.DAY, number=day_of(hour)), Sum(cells=cells))
    if campaign is not None and (new.hours or new.distributions):
        first, last = span or (None, None)
        name = distribution.name if distribution is not None else None
        total = Sum(
            cells=_without_times(added(new.hours.values())),
            distributions=new.distributions,
            name=name,
            named_at=distribution.created_at if distribution is not None and name is not None else None,
            first_at=first,
            last_at=last,
        )
        _add(sums, Target(campaign_id=campaign, period=Period.TOTAL, number=0), total)
    return Unsummed(leaf=leaf, share=share, sums=sums)


def _by_target(some: Iterable[Unsummed]) -> dict[Target, Sum]:
    sums: dict[Target, Sum] = {}
    for one in some:
        for target, new in one.sums.items():
            _add(sums, target, new)
    return sums


def _add(sums: dict[Target, Sum], target: Target, new: Sum) -> None:
    sums[target] = sums.get(target, Sum()).plus(new)


def _without_times(cells: Cells) -> Cells:
    """A campaign's total shows no times; they would be the largest part of it."""
    return {cell: counts for cell, counts in cells.items() if cell is not None}


def _transactions(some: Sequence[Unsummed]) -> Iterable[Sequence[Unsummed]]:
    """Parts that fit a transaction: each leaf and each sum is an item of it."""
    part: list[Unsummed] = []
    targets: set[Target] = set()
    for one in some:
        if part and len(part) + 1 + len(targets | one.sums.keys()) > _MOST_ITEMS:
            yield part
            part, targets = [], set()
        part.append(one)
        targets |= one.sums.keys()
    if part:
        yield part
