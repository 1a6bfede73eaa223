"""The body of a channel queue's message: one message with its send slot and all that the sender needs for the call."""

from dataclasses import dataclass, field, replace

from shared.messages.message import Chunk, Message
from shared.messages.payload import Channel, Payload

ANY_SCOPE = "any"
"""The probe of a test send. The send ignores all holds, because the administrator wants to know whether it works
now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMessage:
    """One queue message on its way to the sender. A message may have several; the claim lets one through.

    `slot_at` is in microseconds since 1970, booked on the rate limit. `epoch` is the run's at release: a pause or the
    end of a hold makes it old. `integration_version` shows a sender that its cached settings are older than the
    message.
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
    """The held scope that this message probes (`str` of `shared.holds.hold.ScopeKey`), or `ANY_SCOPE`."""
    another_card: str | None = field(default=None, repr=False)
    """Another card of the same list and host, if this message's card could not be fetched before. If that one can be
    fetched and this one cannot, the host is not the cause."""

    def with_slot(self, slot_at: int) -> "QueueMessage":
        """The same queue message on another send slot."""
        return replace(self, slot_at=slot_at)


def is_released_again(queue_message: QueueMessage, message: Message | None) -> bool:
    """Whether its run releases the message again. A message that goes out once more is not pending, so no run releases
    it."""
    goes_once_more = message is not None and (message.retrying or message.as_template)
    return queue_message.chunk is not None and not goes_once_more
