"""A message that leaves by itself and at once: booked, enqueued, and watched until it has left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.base.events import Telemetry
from shared.base.instants import Clock, from_microseconds
from shared.integrations.integration import SmsIntegration, WhatsAppIntegration
from shared.messages.factory import WATCH, queued
from shared.messages.message import Message
from shared.messages.payload import Payload
from shared.messages.ports import ChannelQueue, Log
from shared.messages.queue_message import Dispatch
from shared.messages.status_writer import Settler
from shared.pacing.ports import Lanes


@dataclass(frozen=True, slots=True, kw_only=True)
class Straight:
    """Sends logged messages straight to their queue, by whichever share leaves first."""

    log: Log
    lanes: Lanes
    queue: ChannelQueue
    clock: Clock

    async def leave(
        self, message: Message, payload: Payload, integration: SmsIntegration | WhatsAppIntegration
    ) -> None:
        """Book and enqueue. Killed before that, the message is watched (`due_at`): the tick enqueues it."""
        now = self.clock.now()
        booking = await self.lanes.book(integration.lane, None, rate=integration.rate_per_second, earliest=now, count=1)
        departs_at = booking.departures[0]
        await self.queue.put([queued(message, payload, None, departs_at, integration.version)], now)
        departure = from_microseconds(departs_at)
        if message.due_at is not None and departure > message.due_at - WATCH / 2:
            await self.log.rewatch(
                message.organisation, message.message_id, seen=message.due_at, due_at=departure + WATCH
            )


UNFIT = "field_invalid"
"""Why such a message ends (api.md, Codes): one of its values is too long, or holds what cannot be queued."""


class OffersMessages(Protocol):
    """The channel queues as they are."""

    async def offer(self, dispatches: Sequence[Dispatch], now: datetime) -> Sequence[Dispatch]:
        """Enqueue as `ChannelQueue.put` does. Answers those that a queue will never take; all others are on it."""
        ...


class EndingQueue:
    """`ChannelQueue`. Killed before the end is written, the caller puts all of them again, and the same are refused."""

    def __init__(self, queue: OffersMessages, settler: Settler, telemetry: Telemetry) -> None:
        self._queue = queue
        self._settler = settler
        self._telemetry = telemetry

    async def put(self, dispatches: Sequence[Dispatch], now: datetime) -> None:
        """See `ChannelQueue`."""
        refused = await self._queue.offer(dispatches, now)
        for one in refused:
            await self._settler.end_unsent(one.organisation, one.message_id, UNFIT, now)
            self._telemetry.trouble(
                "queue_message_refused",
                message_id=one.message_id,
                channel=one.channel,
                organisation=one.organisation,
            )
        if refused:
            await self._settler.flush()
