"""A message that goes out at once: it gets a send slot and is enqueued, and its next check is set.

Also a queue that ends messages which no queue can carry. So one such message does not block the release of its chunk,
which goes on only once all its messages are on the queue.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.base.events import Telemetry
from shared.base.instants import Clock, from_microseconds
from shared.integrations.integration import SmsIntegration, WhatsAppIntegration
from shared.messages.factory import CHECK_AFTER, queue_message_of
from shared.messages.message import Message
from shared.messages.payload import Payload
from shared.messages.ports import ChannelQueue, Log, set_next_check
from shared.messages.queue_message import QueueMessage
from shared.messages.status_writer import StatusWriter
from shared.pacing.rate_limit import RateLimits
from shared.sending.channel import book_slots


@dataclass(frozen=True, slots=True, kw_only=True)
class EnqueueNow:
    """Puts logged messages directly on their queue, with the share whose next slot is earlier."""

    log: Log
    rate_limits: RateLimits
    queue: ChannelQueue
    clock: Clock

    async def leave(
        self, message: Message, payload: Payload, integration: SmsIntegration | WhatsAppIntegration
    ) -> None:
        """Book a slot and enqueue. If the worker dies before that, the tick enqueues the message at its `due_at`."""
        now = self.clock.now()
        [slot_at] = await book_slots(self.rate_limits, integration, None, earliest=now)
        await self.queue.put([queue_message_of(message, payload, None, slot_at, integration.version)], now)
        send_slot = from_microseconds(slot_at)
        if message.due_at is not None and send_slot > message.due_at - CHECK_AFTER / 2:
            await set_next_check(self.log, message, send_slot + CHECK_AFTER)


UNFIT = "field_invalid"
"""The reason of such a message (api.md, Codes): one of its values is too long, or has characters that SQS refuses."""


class OffersMessages(Protocol):
    """The channel queues as they are."""

    async def offer(self, queue_messages: Sequence[QueueMessage], now: datetime) -> Sequence[QueueMessage]:
        """Enqueue as `ChannelQueue.put` does. Returns the messages that a queue can never take; all others are on
        it."""
        ...


class EndingQueue:
    """`ChannelQueue`. If the worker dies before the end is written, the caller puts all of them again, and the same
    ones are refused."""

    def __init__(self, queue: OffersMessages, status_writer: StatusWriter, telemetry: Telemetry) -> None:
        self._queue = queue
        self._status_writer = status_writer
        self._telemetry = telemetry

    async def put(self, queue_messages: Sequence[QueueMessage], now: datetime) -> None:
        refused = await self._queue.offer(queue_messages, now)
        for one in refused:
            await self._status_writer.end_unsent(one.organisation, one.message_id, UNFIT, now)
            self._telemetry.warning_event(
                "queue_message_refused",
                message_id=one.message_id,
                channel=one.channel,
                organisation=one.organisation,
            )
        if refused:
            await self._status_writer.flush()
