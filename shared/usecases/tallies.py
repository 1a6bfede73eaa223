"""Exact counts at rest: the chunks' running counts, held against the log before a distribution is called completed."""

from shared.domain.distribution import Counts, Distribution
from shared.domain.message import Chunk, Message
from shared.domain.status import Status
from shared.usecases.ports import Distributions, Log, Plans


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

    async def _recount(self, distribution: Distribution, *, only_unsettled: bool) -> None:
        """A worker that died between a move and its ADD left the counts behind; the log is right."""
        counts = await self._distributions.counts(distribution.organisation, distribution.distribution_id)
        for index, run in enumerate(distribution.planned.runs):
            for number in range(run.logged):
                known = counts.get((index, number), Counts())
                if only_unsettled and known.total == run.rows_in(number):
                    continue
                chunk = Chunk(distribution_id=distribution.distribution_id, run=index, number=number)
                found = _counted(await self.logged(distribution, chunk))
                if found != known:
                    await self._distributions.set_counts(distribution.organisation, chunk, found, seen=known)

    async def logged(self, distribution: Distribution, chunk: Chunk) -> list[Message]:
        """A chunk's messages as the log has them."""
        rows = await self._plans.read_chunk(distribution.organisation, distribution.planned.attempt, chunk)
        messages = await self._log.get_many(distribution.organisation, [row.message_id for row in rows])
        return list(messages.values())


def _counted(messages: list[Message]) -> Counts:
    counts = Counts()
    for message in messages:
        if message.status is not Status.PENDING:
            failed = message.status is Status.FAILED and message.reason is not None
            counts = counts.plus(
                Counts(by_status={message.status: 1}, by_reason={message.reason or "": 1} if failed else {})
            )
    return counts
