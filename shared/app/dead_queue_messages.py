"""What a dead-letter queue still tells of a queue message."""

from dataclasses import dataclass

import msgspec

from shared.app.runtime import Event
from shared.messages.dead_letters import DeadQueueMessage
from shared.messages.message import DeadReason
from shared.messages.queue_message import Dispatch
from shared.storage.codec import decode


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """The least that names a message; all else in the body is passed over."""

    organisation: str
    message_id: str


def read_dead_queue_message(record: Event) -> DeadQueueMessage:
    """The message and why its copy died, of a record of a channel's dead-letter queue.

    A body that is no whole copy, written by another version say, is good enough if it names its message. SQS counts
    receives over all queues, this one included. Raises msgspec.MsgspecError for a body that names none: it stays on
    the queue, where the alarm points an operator to it.
    """
    body = record["body"]
    named = decode(body, _Named)
    try:
        decode(body, Dispatch)
        reason = DeadReason.HANDLING_FAILED
    except msgspec.MsgspecError:
        reason = DeadReason.COPY_UNREADABLE
    return DeadQueueMessage(
        organisation=named.organisation,
        message_id=named.message_id,
        reason=reason,
        attempts=max(int(record["attributes"]["ApproximateReceiveCount"]) - 1, 1),
    )
