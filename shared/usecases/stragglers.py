"""Rows of a distribution that are still pending although everything has been released: nobody may be on the way with
them any more.

A copy is gone for good where it met a live claim whose holder then died, or where the counts told a resume that its
chunk was through. No message of a distribution is watched while a copy carries it, so it is looked after here. (One
whose copy ended as a dead letter is watched: it waits for a person.)
"""

from datetime import datetime, timedelta

from shared.domain.distribution import Distribution
from shared.domain.message import Message
from shared.domain.status import Status
from shared.usecases.ports import Log
from shared.usecases.settle import Settler
from shared.usecases.tallies import Tallies
from shared.usecases.unknown import Unknowns

PATIENCE = timedelta(minutes=15)
"""A copy that is still under way comes within this time, once more after a worker's death included (visibility 360 s);
should it come later all the same, the claim lets one of the two through."""
DEPARTED = timedelta(seconds=60)
"""So long after the last booked departure nothing waits merely for its own."""


class Stragglers:
    """Ends dead claims, and has the agenda watch what nobody holds."""

    def __init__(self, log: Log, tallies: Tallies, settler: Settler, unknowns: Unknowns) -> None:
        self._log = log
        self._tallies = tallies
        self._settler = settler
        self._unknowns = unknowns

    async def look_after(self, distribution: Distribution, now: datetime) -> None:
        """The counts are as the log was a moment ago. May be done twice."""
        if distribution.last_departure is not None and now < distribution.last_departure + DEPARTED:
            return
        held = {index for index, run in enumerate(distribution.planned.runs) if run.hold is not None}
        for chunk in await self._tallies.unsettled(distribution):
            if chunk.run in held:
                continue  # its messages wait for the end of the hold, and are then released anew
            for message in await self._tallies.logged(distribution, chunk) or ():
                await self._look_at(message, now)
        await self._settler.flush()

    async def _look_at(self, message: Message, now: datetime) -> None:
        if message.status is not Status.PENDING or message.due_at is not None:
            return
        if message.lease_until is None:
            await self._log.postpone(message.organisation, message.message_id, due_at=now + PATIENCE)
        else:
            await self._unknowns.take_if_lapsed(message, now)
