"""Brings a queue message to its send slot: waits for it, or for another one where that no longer counts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.base.events import Telemetry
from shared.base.instants import Clock, from_microseconds
from shared.messages.ports import ChannelQueue
from shared.messages.queue_message import Dispatch
from shared.pacing.rate_limit import Share
from shared.pacing.slots import SendSlots
from shared.sending.channel import Integrated

AHEAD = timedelta(milliseconds=50)
"""So long before its departure a message is claimed: however long the claim takes, the call is made at its time. Calls
that shift by 20 ms would crowd a second (`shared.pacing.rate_limit`). Not longer, because a worker that dies with a
claim leaves an SMS of which nobody knows whether it was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """In seconds. `longest`: how long a worker waits for departures; a copy that came earlier goes back to the queue.
    `call_within`: a call that begins later, counted from when the worker took the copy, is not made, because its answer
    might come when the function's time is up (`tests/template/test_times.py`)."""

    longest: float
    call_within: float


QUEUED = Waits(longest=15.0, call_within=25.0)

TEST_SEND = Waits(longest=5.0, call_within=6.0)
"""Its caller waits: API Gateway answers after 30 s at most."""


class SlotWait:
    """For all messages of one worker."""

    def __init__(
        self, send_slots: SendSlots, queue: ChannelQueue, telemetry: Telemetry, clock: Clock, waits: Waits = QUEUED
    ) -> None:
        self._waits = waits
        self._send_slots = send_slots
        self._queue = queue
        self._telemetry = telemetry
        self._clock = clock

    async def is_early(self, dispatch: Dispatch) -> bool:
        """Whether it came so long before its departure that it went back to the queue."""
        if (from_microseconds(dispatch.slot_at) - self._clock.now()).total_seconds() <= self._waits.longest:
            return False
        await self._queue.put([dispatch], self._clock.now())
        return True

    async def wait_for_slot(
        self, dispatch: Dispatch, integration: Integrated | None, latest: datetime
    ) -> datetime | None:
        """When the call is to be made; waits until `AHEAD` before. None: after `latest`, a new copy waits for it.

        One that is soon is waited for here: a copy for it would come behind all that waits on the queue, be late again
        and so on for ever, wherever messages fall due faster than the workers send them.
        """
        slot_at = dispatch.slot_at
        await self.wait_until(from_microseconds(slot_at) - AHEAD)
        if integration is None:
            return from_microseconds(slot_at)
        while await self._send_slots.is_void(slot_at, integration.rate_limit, now := self._clock.now()):
            slot_at = await self._another(dispatch, integration, earliest=now)
            if from_microseconds(slot_at) > latest:
                await self._put(dispatch.with_slot(slot_at))
                return None
            await self.wait_until(from_microseconds(slot_at) - AHEAD)
        at = max(from_microseconds(slot_at), self._clock.now())
        turn = self._send_slots.turn(integration.rate_limit, integration.rate_per_second, at)
        await self.wait_until(turn - AHEAD)
        return turn

    def is_withdrawn(self, leaves_at: datetime, integration: Integrated | None) -> bool:
        """Whether this worker has been told since that nothing may leave then. Asks nobody."""
        return integration is not None and leaves_at < self._send_slots.cooldown_until(integration.rate_limit)

    async def rebook(self, dispatch: Dispatch, integration: Integrated) -> None:
        """A withdrawn departure: another one, in a new copy. The old one is dropped."""
        earliest = self._clock.now() + timedelta(seconds=1)
        await self._put(dispatch.with_slot(await self._another(dispatch, integration, earliest=earliest)))

    async def wait_until(self, instant: datetime) -> None:
        """Not at all where it has passed."""
        await self._clock.sleep((instant - self._clock.now()).total_seconds())

    async def _another(self, dispatch: Dispatch, integration: Integrated, *, earliest: datetime) -> int:
        """A single send keeps its right to overtake: it takes whichever share leaves first."""
        share = None if dispatch.chunk is None else Share.BULK
        rate = integration.rate_per_second
        return await self._send_slots.another(integration.rate_limit, share, rate=rate, earliest=earliest)

    async def _put(self, queue_message: Dispatch) -> None:
        await self._queue.put([queue_message], self._clock.now())
        self._telemetry.event("send_slot_rebooked", channel=queue_message.channel)
