"""What providers tell us afterwards, in our own words."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.errors import SendError
from shared.domain.status import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The key that rides with a WhatsApp message and comes back in its statuses: `<message_id>.<attempt>`.

    A `failed` of an older attempt says nothing of the one under way.
    """

    message_id: str
    number: int

    def __str__(self) -> str:
        return f"{self.message_id}.{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """One status of one message. `provider_message_id` has the number in it blanked; `at` is the provider's instant."""

    attempt: Attempt | None
    provider_message_id: str
    status: Status
    at: datetime
    error: SendError | None = None


ORANGE_STATUSES: dict[str, Status] = {
    "DeliveredToTerminal": Status.DELIVERED,
    "DeliveredToNetwork": Status.SENT,
    "MessageWaiting": Status.SENT,
    "DeliveryImpossible": Status.FAILED,
}
"""reference/orange_sms.md §4. DeliveryUncertain and unknown ones say nothing: the message stays where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrangeReceipt:
    """A delivery receipt. Orange gives no time stamp; `status` None is one that is progress or unknown to us."""

    receipt_id: str
    delivery_status: str
    status: Status | None
