"""What travels on a channel queue: one message's send slot, with all that the sender needs to make the call."""

from dataclasses import dataclass, field, replace

from shared.messages.message import Chunk, Message
from shared.messages.payload import Channel, Payload

ANY_SCOPE = "any"
"""A test send: an administrator wants to know whether it works now, whatever is held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMessage:
    """One copy of one message on its way to the sender. Copies may be many; the claim lets one through.

    `slot_at` is microseconds since 1970, booked on the lane's timetable. `epoch` is the run's at release: a
    pause, or the end of a hold, makes it old. `integration_version` lets a sender see that its cached settings are
    older than the message.
    """

    organisation: str
    message_id: str
    channel: Channel
    person: str
    slot_at: int
    payload: Payload
    chunk: Chunk | None = None
    epoch: int | None = None
    integration_version: int = 0
    probe: str | None = None
    """The held scope that this message tries (`str` of `shared.holds.hold.ScopeKey`), or `ANY_SCOPE`."""
    another_card: str | None = field(default=None, repr=False)
    """Another card of the same list and host, where this message's could not be fetched before: if that one can be
    fetched and this one cannot, the host is not to blame."""

    def with_slot(self, slot_at: int) -> "QueueMessage":
        """The same message on another departure."""
        return replace(self, slot_at=slot_at)


def is_released_again(queue_message: QueueMessage, message: Message | None) -> bool:
    """Whether its run looks after the message. One that goes out once more is not pending: no run releases it."""
    goes_once_more = message is not None and (message.retrying or message.as_template)
    return queue_message.chunk is not None and not goes_once_more
