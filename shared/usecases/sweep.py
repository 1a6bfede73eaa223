"""After a cancel: end what is pending and held by nobody. Leased messages end by their own outcome, and where their
worker is dead as those of which nobody knows."""

import dataclasses
from collections.abc import Iterable
from datetime import datetime, timedelta

from shared.domain.distribution import Distribution
from shared.domain.message import Chunk, Message
from shared.domain.status import Status
from shared.usecases.ports import Distributions, Log
from shared.usecases.settle import Settler
from shared.usecases.tallies import Tallies, some_at_once
from shared.usecases.unknown import Unknowns

AGAIN_AFTER = timedelta(seconds=400)
"""By then every copy that was under way has come to its sender once more (queue visibility: 6 x 60 s)."""


_PARKED = 1000
"""Messages of a held scope that are looked through at once; the second pass looks again."""


class Sweep:
    """Ends the messages of cancelled distributions."""

    def __init__(
        self, log: Log, distributions: Distributions, tallies: Tallies, settler: Settler, unknowns: Unknowns
    ) -> None:
        self._log = log
        self._distributions = distributions
        self._tallies = tallies
        self._settler = settler
        self._unknowns = unknowns

    async def sweep(self, distribution: Distribution, now: datetime) -> None:
        """One pass over the logged chunks, and over those that may have been half logged when the cancel came.

        The first pass asks for a second one, after which nothing is pending and the counts are held against the log.
        Killed anywhere, it is begun again, and looks only at chunks that are not through by their counts. The second
        pass holds those against the log before it looks.
        """
        if distribution.swept:
            await self._tallies.recount(distribution)
        expired: list[Chunk] = []

        async def end(chunk: Chunk) -> None:
            messages = await self._tallies.logged(distribution, chunk)
            if messages is None:
                expired.append(chunk)
            await self._end(messages or (), now)

        await some_at_once(await self._tallies.unsettled(distribution), end)
        if expired:
            await self._end(await self._tallies.pending(distribution), now)
        await self._bring_back_parked(distribution, now)
        again = None if distribution.swept else now + AGAIN_AFTER
        await self._distributions.save(dataclasses.replace(distribution, swept=True, due_at=again))

    async def _bring_back_parked(self, distribution: Distribution, now: datetime) -> None:
        """What waits for the end of a hold would wait on: the agenda ends it now, with all that it watches."""
        held = {run.hold.scope for run in distribution.planned.runs if run.hold is not None}
        for scope in held:
            for message in await self._log.parked(distribution.organisation, distribution.channel, scope, _PARKED):
                if message.distribution_id == distribution.distribution_id and message.due_at is not None:
                    await self._log.rewatch(message.organisation, message.message_id, seen=message.due_at, due_at=now)

    async def _end(self, messages: Iterable[Message], now: datetime) -> None:
        for message in messages:
            if message.status is Status.PENDING:
                ended = await self._settler.end_unsent(message.organisation, message.message_id, "cancelled", now)
                await self._unknowns.take_if_lapsed(None if ended.won else ended.before, now)
        await self._settler.flush()
