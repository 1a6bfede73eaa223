"""A message that leaves by itself and at once: booked, enqueued, and watched until it has left."""

from dataclasses import dataclass

from shared.domain.clock import Clock
from shared.domain.instants import from_microseconds
from shared.domain.integration import SmsIntegration, WhatsAppIntegration
from shared.domain.message import Message
from shared.domain.payload import Payload
from shared.usecases.factory import WATCH, queued
from shared.usecases.ports import ChannelQueue, Lanes, Log


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
