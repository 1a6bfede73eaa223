"""Exact counts at rest: the chunks' running counts, held against the log before a distribution is called completed."""

import asyncio
import itertools
from datetime import datetime

from shared.domain.distribution import Counts, Distribution, together
from shared.domain.message import Chunk, Message
from shared.domain.tally import counted, hour_bounds, singles_in, singles_of
from shared.usecases.frozen import Plans
from shared.usecases.ports import Distributions, Log

_AT_ONCE = 16
"""Chunks recounted side by side: each waits for S3 and for the log."""


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
        counts = await self._distributions.counts(distribution.organisation, distribution.distribution_id)
        return sum(one.total for one in counts.values()) == distribution.planned.accepted

    async def recount(self, distribution: Distribution) -> None:
        """Hold every chunk against the log: receipts come after a distribution is completed, too."""
        await self._recount(distribution, only_unsettled=False)

    async def recount_hours(self, organisation: str, place: str, now: datetime) -> None:
        """Hold the hours of messages of no distribution against the log, where that is due."""
        kind = singles_in(place)
        if kind is None:
            return
        for (run, hour), tally in (await self._distributions.tallies(organisation, place)).items():
            if tally.recount_at is None or tally.recount_at > now:
                continue
            listed = await self._log.singles(organisation, kind[0], hour_bounds(hour))
            mine = [one.message_id for one in listed if singles_of(one.campaign_id, one.channel) == place]
            found = together(map(counted, (await self._log.get_many(organisation, mine)).values()))
            chunk = Chunk(distribution_id=place, run=run, number=hour)
            await self._distributions.set_counts(organisation, chunk, found, seen=tally.counts)
            await self._distributions.recounted(organisation, chunk)

    async def _recount(self, distribution: Distribution, *, only_unsettled: bool) -> None:
        """A worker that died between a move and its ADD left the counts behind; the log is right."""
        behind: list[tuple[Chunk, Counts]] = []
        counts = await self._distributions.counts(distribution.organisation, distribution.distribution_id)
        for index, run in enumerate(distribution.planned.runs):
            for number in range(run.logged):
                known = counts.get((index, number), Counts())
                if only_unsettled and known.total == run.rows_in(number):
                    continue
                chunk = Chunk(distribution_id=distribution.distribution_id, run=index, number=number)
                behind.append((chunk, known))
        for some in itertools.batched(behind, _AT_ONCE, strict=False):
            await asyncio.gather(*(self._put_right(distribution, *one) for one in some))

    async def _put_right(self, distribution: Distribution, chunk: Chunk, known: Counts) -> None:
        found = together(map(counted, await self.logged(distribution, chunk)))
        if found != known:
            await self._distributions.set_counts(distribution.organisation, chunk, found, seen=known)

    async def logged(self, distribution: Distribution, chunk: Chunk) -> list[Message]:
        """A chunk's messages as the log has them."""
        rows = await self._plans.read_chunk(distribution.organisation, distribution.planned.attempt, chunk)
        messages = await self._log.get_many(distribution.organisation, [row.message_id for row in rows])
        return list(messages.values())
