"""Exact counts: the chunks' running counts are compared with the log before a distribution is completed."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial

from shared.base.ids import fallback_id
from shared.base.instants import Clock
from shared.campaigns.counts import (
    Fallbacks,
    Group,
    Place,
    Singles,
    counted,
    counted_open,
    distribution_of,
    group_of,
    hour_bounds,
    place_in,
)
from shared.campaigns.distribution import CHUNKS_AT_ONCE, Counts, Distribution, together
from shared.campaigns.ports import Distributions
from shared.campaigns.stored_content import Plans
from shared.messages.message import Chunk, Message, Status
from shared.messages.ports import Log, LogQuery, pages

_AT_ONCE = 16
"""Chunks that are read in parallel: each waits for S3 and for the log."""

_PAGE = 200

_CLOCKS_DIFFER = timedelta(seconds=1)
"""A counting worker's clock may be ahead of ours by this much."""

_TRIES = 3
"""How often a chunk is read again because it was counted on meanwhile."""


class Tallies:
    """Counts of a distribution's chunks.

    A worker moves rows first and adds to the counts afterwards. A recount in between has seen the moves already. So a
    recount stores the instant at which it had read the log, and a worker's count that began before it is refused.
    """

    def __init__(self, distributions: Distributions, plans: Plans, log: Log, clock: Clock) -> None:
        self._distributions = distributions
        self._plans = plans
        self._log = log
        self._clock = clock

    async def all_settled(self, distribution: Distribution) -> bool:
        """Whether certainly nothing is pending: first by the running counts, then by the log."""
        if not await self._is_settled(distribution):
            await self._recount(distribution, only_unsettled=True)
            if not await self._is_settled(distribution):
                return False
        return await self._recount(distribution, only_unsettled=False) and await self._is_settled(distribution)

    async def _is_settled(self, distribution: Distribution) -> bool:
        counts = await self._counts(distribution)
        return sum(one.total for one in counts.values()) == distribution.planned.accepted

    async def recount(self, distribution: Distribution) -> None:
        """Compare every chunk with the log. Receipts also come after a distribution is completed."""
        await self._recount(distribution, only_unsettled=False)

    async def recount_chunks(self, distribution: Distribution, chunks: Sequence[Chunk]) -> None:
        """Compare these chunks with the log."""
        await self._put_right(distribution, chunks, await self._counts(distribution))

    async def recount_group(self, organisation: str, group: Group) -> None:
        """Compare the places of a group with the log whose recount is due."""
        now = self._clock.now()
        found = await self._distributions.tallies(organisation, group)
        due = {
            place_in(group, run, number): tally
            for (run, number), tally in found.items()
            if tally.recount_at is not None and tally.recount_at <= now
        }
        distribution_id = distribution_of(group)
        distribution = await self._distributions.get(organisation, distribution_id) if distribution_id else None

        async def recount(place: Place) -> None:
            read = partial(self._found, organisation, distribution, place)
            if await self._is_right(organisation, place, due[place].counts, read):
                await self._distributions.recounted(organisation, place, wishes=due[place].wishes)

        await some_at_once(list(due), recount)

    async def _is_right(
        self, organisation: str, place: Place, known: Counts, read: Callable[[], Awaitable[Counts | None]]
    ) -> bool:
        """Correct a place's counts; False if others kept counting on it. `known`: its counts, read before the log.
        `read`: the counts by the log; None: its messages are no longer known."""
        for _ in range(_TRIES):
            found = await read()
            read_at = self._clock.now() + _CLOCKS_DIFFER
            if found is None or found == known:
                return True
            if await self._distributions.set_counts(organisation, place, found, seen=known, read_at=read_at):
                return True
            known = (await self._distributions.tally(organisation, place)).counts
        return False

    async def _found(self, organisation: str, distribution: Distribution | None, place: Place) -> Counts | None:
        group = group_of(place)
        if isinstance(group, Singles):
            return await self._singles(organisation, group, place.number)
        if distribution is None:
            return None
        chunk = Chunk(distribution_id=distribution.distribution_id, run=place.run, number=place.number)
        if isinstance(group, Fallbacks):
            return await self._fallbacks(distribution, chunk)
        return await self._rows_of(distribution, chunk)

    async def _singles(self, organisation: str, singles: Singles, hour: int) -> Counts:
        listed = await self._log.singles(organisation, singles.campaign_id, hour_bounds(hour))
        mine = [
            one.message_id
            for one in listed
            if Singles(campaign_id=one.campaign_id, channel=one.channel, country=one.country) == singles
        ]
        return together(map(counted_open, (await self._log.get_many(organisation, mine)).values()))

    async def _rows_of(self, distribution: Distribution, chunk: Chunk) -> Counts | None:
        messages = await self.logged(distribution, chunk)
        return together(map(counted, messages)) if messages is not None else None

    async def _fallbacks(self, distribution: Distribution, chunk: Chunk) -> Counts | None:
        organisation = distribution.organisation
        rows = await self._plans.read_chunk(organisation, distribution.planned.attempt, chunk)
        if rows is None:
            return None
        found = await self._log.get_many(organisation, [fallback_id(row.message_id) for row in rows])
        return together(map(counted_open, found.values()))

    async def _recount(self, distribution: Distribution, *, only_unsettled: bool) -> bool:
        """Correct counts that a worker did not write because it died between a move and its ADD. The log is right."""
        counts = await self._counts(distribution)
        logged = [run.logged for run in distribution.planned.runs]
        return await self._put_right(
            distribution, _chunks(distribution, logged, counts if only_unsettled else {}), counts
        )

    async def _counts(self, distribution: Distribution) -> Mapping[tuple[int, int], Counts]:
        return await self._distributions.counts(distribution.organisation, distribution.distribution_id)

    async def _put_right(
        self, distribution: Distribution, chunks: Sequence[Chunk], counts: Mapping[tuple[int, int], Counts]
    ) -> bool:
        """Whether all of them are right now."""
        wrong: list[Chunk] = []

        async def put_right(chunk: Chunk) -> None:
            known = counts.get((chunk.run, chunk.number), Counts())
            read = partial(self._rows_of, distribution, chunk)
            if not await self._is_right(distribution.organisation, chunk, known, read):
                wrong.append(chunk)

        await some_at_once(chunks, put_right)
        return not wrong

    async def unsettled(self, distribution: Distribution) -> Sequence[Chunk]:
        """By the running counts: chunks that have, or may have, rows in the log that are still `pending`."""
        return _chunks(distribution, logged_at_most(distribution), await self._counts(distribution))

    async def logged(self, distribution: Distribution, chunk: Chunk) -> list[Message] | None:
        """A chunk's messages from the log; None: the chunk has expired, so its messages are not known any more."""
        rows = await self._plans.read_chunk(distribution.organisation, distribution.planned.attempt, chunk)
        if rows is None:
            return None
        messages = await self._log.get_many(distribution.organisation, [row.message_id for row in rows])
        return list(messages.values())

    async def pending(self, distribution: Distribution) -> list[Message]:
        """The distribution's pending messages, found without its chunks, for when these have expired."""
        wanted = LogQuery(
            organisation=distribution.organisation,
            campaign_id=distribution.campaign_id,
            distribution_id=distribution.distribution_id,
            status=Status.PENDING,
        )
        found = pages(lambda position: self._log.page(wanted, position, _PAGE))
        return [one async for page in found for one in page if one.resend_in is None]


def logged_at_most(distribution: Distribution) -> list[int]:
    """How many chunks of each run may have rows in the log: a cancel may come while some are being logged."""
    return [min(run.logged + CHUNKS_AT_ONCE, run.chunks) for run in distribution.planned.runs]


async def some_at_once[P: Place](places: Sequence[P], work: Callable[[P], Awaitable[None]]) -> None:
    """Some in parallel: ten thousand one after the other would take longer than a function runs."""
    for some in itertools.batched(places, _AT_ONCE, strict=False):
        await asyncio.gather(*map(work, some))


def _chunks(
    distribution: Distribution, upto: Sequence[int], settled: Mapping[tuple[int, int], Counts]
) -> Sequence[Chunk]:
    """The first chunks of each run, as many as `upto` says, without those whose rows are all `settled`."""
    return [
        Chunk(distribution_id=distribution.distribution_id, run=index, number=number)
        for index, run in enumerate(distribution.planned.runs)
        for number in range(upto[index])
        if settled.get((index, number), Counts()).total != run.rows_in(number)
    ]
