"""What providers tell us afterwards, in our own words."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.errors import SendError
from shared.domain.news import Contact, News
from shared.domain.status import Status

_ATTEMPT = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([0-9]{1,4})(\.card)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The key that rides with a WhatsApp message and comes back in its statuses: `<message_id>.<attempt>`.

    A `failed` of an older attempt says nothing of the one under way. `card_half`: the card that went ahead of a long
    text, `<message_id>.<attempt>.card`. The text is the message's last word, so the card's arrival is not the
    message's; that the card failed is.
    """

    message_id: str
    number: int
    card_half: bool = False

    def __str__(self) -> str:
        return f"{self.message_id}.{self.number}{'.card' if self.card_half else ''}"

    @classmethod
    def read(cls, key: str) -> "Attempt | None":
        """Our own callback key; None for any other: another program sends on the same number."""
        found = _ATTEMPT.fullmatch(key)
        return cls(message_id=found[1], number=int(found[2]), card_half=found[3] is not None) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """One status of one message. `provider_message_id` has the number in it blanked; `at` is the provider's instant."""

    attempt: Attempt | None
    provider_message_id: str
    status: Status
    at: datetime
    error: SendError | None = None
    other_key: bool = False
    """It brings the key of another program that sends on the same number."""
    phone_number_id: str = ""
    """The number that it left by; empty where Meta left it unsaid."""
    recipient: Contact | None = None
    """Whom Meta says that it went to, which may be another number than it was sent to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookUpdates:
    """What a document of Meta's holds, in its order. `ignored` counts every update that says nothing to us."""

    reports: list[StatusReport] = field(default_factory=list)
    news: list[News] = field(default_factory=list)
    ignored: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A delivery receipt that names its message by the provider's ID alone, and says no instant.

    `delivery_status` is the provider's own word. `address` is the recipient in E.164, None where there is none that can
    be read.
    """

    receipt_id: str
    delivery_status: str
    address: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptsRead:
    """What a document held. `ignored` counts what names no message or no status; one for a body that holds nothing."""

    receipts: Sequence[Receipt]
    ignored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptFormat:
    """How a provider's receipts are read that come unsigned to a secret path and know only the provider's own ID.

    `pieces` puts a body's receipts into documents that fit the queue; `read` reads such a document. Both are total.
    `statuses`: what the provider's words mean; a word that is not there says nothing.
    """

    pieces: Callable[[bytes], Sequence[str]]
    read: Callable[[str], ReceiptsRead]
    statuses: Mapping[str, Status]
