"""Exact counts at rest: the chunks' running counts, held against the log before a distribution is called completed."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from shared.domain.distribution import CHUNKS_AT_ONCE, Counts, Distribution, together
from shared.domain.ids import fallback_id
from shared.domain.message import Chunk, Message
from shared.domain.status import Status
from shared.domain.tally import counted, counted_fallback, fallbacks_in, hour_bounds, singles_in, singles_of
from shared.usecases.frozen import Plans
from shared.usecases.ports import Distributions, Log, LogQuery

_AT_ONCE = 16
"""Chunks looked at side by side: each waits for S3 and for the log."""
_PAGE = 200


class Tallies:
    """Counts of a distribution's chunks."""

    def __init__(self, distributions: Distributions, plans: Plans, log: Log) -> None:
        self._distributions = distributions
        self._plans = plans
        self._log = log

    async def all_settled(self, distribution: Distribution) -> bool:
        """Whether surely nothing is pending: by the running counts, then by the log itself."""
        if not await self._is_settled(distribution):
            await self._recount(distribution, only_unsettled=True)
            if not await self._is_settled(distribution):
                return False
        await self._recount(distribution, only_unsettled=False)
        return await self._is_settled(distribution)

    async def _is_settled(self, distribution: Distribution) -> bool:
        counts = await self._counts(distribution)
        return sum(one.total for one in counts.values()) == distribution.planned.accepted

    async def recount(self, distribution: Distribution) -> None:
        """Hold every chunk against the log: receipts come after a distribution is completed, too."""
        await self._recount(distribution, only_unsettled=False)

    async def recount_chunks(self, distribution: Distribution, chunks: Sequence[Chunk]) -> None:
        """Hold these chunks against the log."""
        await self._put_right(distribution, chunks, await self._counts(distribution))

    async def recount_place(self, organisation: str, place: str, now: datetime) -> None:
        """Hold what is counted beside the distributions against the log, where that is due: the hours of messages of no
        distribution, and the fallbacks of one."""
        if singles_in(place) is None and fallbacks_in(place) is None:
            return
        for (run, number), tally in (await self._distributions.tallies(organisation, place)).items():
            if tally.recount_at is None or tally.recount_at > now:
                continue
            chunk = Chunk(distribution_id=place, run=run, number=number)
            found = await self._found(organisation, chunk)
            if found is not None:
                await self._distributions.set_counts(organisation, chunk, found, seen=tally.counts)
            await self._distributions.recounted(organisation, chunk)

    async def _found(self, organisation: str, place: Chunk) -> Counts | None:
        """What the log says; None where nobody knows any more which messages they are."""
        distribution_id = fallbacks_in(place.distribution_id)
        if distribution_id is not None:
            return await self._fallbacks(organisation, distribution_id, place)
        kind = singles_in(place.distribution_id)
        listed = await self._log.singles(organisation, kind[0] if kind else None, hour_bounds(place.number))
        mine = [one.message_id for one in listed if singles_of(one.campaign_id, one.channel) == place.distribution_id]
        return together(map(counted, (await self._log.get_many(organisation, mine)).values()))

    async def _fallbacks(self, organisation: str, distribution_id: str, place: Chunk) -> Counts | None:
        distribution = await self._distributions.get(organisation, distribution_id)
        if distribution is None:
            return None
        chunk = Chunk(distribution_id=distribution_id, run=place.run, number=place.number)
        rows = await self._plans.read_chunk(organisation, distribution.planned.attempt, chunk)
        if rows is None:
            return None
        found = await self._log.get_many(organisation, [fallback_id(row.message_id) for row in rows])
        return together(map(counted_fallback, found.values()))

    async def _recount(self, distribution: Distribution, *, only_unsettled: bool) -> None:
        """A worker that died between a move and its ADD left the counts behind; the log is right."""
        counts = await self._counts(distribution)
        logged = [run.logged for run in distribution.planned.runs]
        await self._put_right(distribution, _chunks(distribution, logged, counts if only_unsettled else {}), counts)

    async def _counts(self, distribution: Distribution) -> Mapping[tuple[int, int], Counts]:
        return await self._distributions.counts(distribution.organisation, distribution.distribution_id)

    async def _put_right(
        self, distribution: Distribution, chunks: Sequence[Chunk], counts: Mapping[tuple[int, int], Counts]
    ) -> None:
        async def put_right(chunk: Chunk) -> None:
            messages = await self.logged(distribution, chunk)
            known = counts.get((chunk.run, chunk.number), Counts())
            if messages is not None and (found := together(map(counted, messages))) != known:
                await self._distributions.set_counts(distribution.organisation, chunk, found, seen=known)

        await some_at_once(chunks, put_right)

    async def unsettled(self, distribution: Distribution) -> Sequence[Chunk]:
        """By the running counts: the chunks with rows in the log, or perhaps in it, that have not left `pending`."""
        return _chunks(distribution, logged_at_most(distribution), await self._counts(distribution))

    async def logged(self, distribution: Distribution, chunk: Chunk) -> list[Message] | None:
        """A chunk's messages as the log has them; None where nobody knows any more which they are: it has expired."""
        rows = await self._plans.read_chunk(distribution.organisation, distribution.planned.attempt, chunk)
        if rows is None:
            return None
        messages = await self._log.get_many(distribution.organisation, [row.message_id for row in rows])
        return list(messages.values())

    async def pending(self, distribution: Distribution) -> list[Message]:
        """Its pending messages, found without its chunks: the way when those have expired."""
        wanted = LogQuery(
            organisation=distribution.organisation,
            campaign_id=distribution.campaign_id,
            distribution_id=distribution.distribution_id,
            status=Status.PENDING,
        )
        found: list[Message] = []
        position: str | None = None
        while True:
            page = await self._log.page(wanted, position, _PAGE)
            found += page.items
            position = page.position
            if position is None:
                return found


def logged_at_most(distribution: Distribution) -> list[int]:
    """How many chunks of each run may have rows in the log: some may have been half logged when somebody cancelled."""
    return [min(run.logged + CHUNKS_AT_ONCE, run.chunks) for run in distribution.planned.runs]


async def some_at_once(chunks: Sequence[Chunk], work: Callable[[Chunk], Awaitable[None]]) -> None:
    """Ten thousand one after the other would outlast a function."""
    for some in itertools.batched(chunks, _AT_ONCE, strict=False):
        await asyncio.gather(*map(work, some))


def _chunks(
    distribution: Distribution, upto: Sequence[int], settled: Mapping[tuple[int, int], Counts]
) -> Sequence[Chunk]:
    """The first so many chunks of each run, but for those of which every row counts as `settled`."""
    return [
        Chunk(distribution_id=distribution.distribution_id, run=index, number=number)
        for index, run in enumerate(distribution.planned.runs)
        for number in range(upto[index])
        if settled.get((index, number), Counts()).total != run.rows_in(number)
    ]
