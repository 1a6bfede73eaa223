"""What Meta's webhooks tell besides statuses of our messages: people who write, and changes of templates, account,
number and limits (reference/whatsapp.md §5.4 to §5.6). Nothing in here is ever logged.

What providers tell us afterwards, in our own words.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from shared.integrations.integration import WhatsAppIntegration
from shared.messages.errors import SendError
from shared.messages.message import Status
from shared.messages.payload import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Whom Meta tells something of. One app has one address for all its accounts, so another account's webhooks come to
    us with a signature that is right.

    `account` is the business account of the webhook's entry. The number is named by its ID, or by its digits as they
    are shown, or not at all; then each is empty.
    """

    account: str = ""
    phone_number_id: str = ""
    shown_number: str = field(default="", repr=False)

    def is_about_account(self, integration: WhatsAppIntegration) -> bool:
        """Whether it is about this organisation's account, for news of templates, account, limits and numbers. Where
        the settings name no account, that is not known: False."""
        named = integration.business_account_id
        return named is not None and self.account == named and self._may_be_number(integration)

    def may_be_about(self, integration: WhatsAppIntegration) -> bool:
        """Whether it may be about this organisation's number, for what people write and wish. A number belongs to one
        account: where it is named, it decides."""
        if self.phone_number_id or self.shown_number:
            return self._may_be_number(integration)
        return not self.account or integration.business_account_id in (None, self.account)

    def _may_be_number(self, integration: WhatsAppIntegration) -> bool:
        if self.phone_number_id:
            return self.phone_number_id == integration.phone_number_id
        return self.shown_number in ("", integration.sender_number.removeprefix("+"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person as Meta names them: by number, by user ID, or by both. Since 2026 the number may be absent.

    `phone` is E.164 with its +; `user_id` is scoped to the business portfolio ("MX.13491208655302741918").
    """

    phone: str | None = field(default=None, repr=False)
    user_id: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """A message that a person sent to the organisation's number: it opens or renews the 24-hour session, unless it is
    an earlier one that they have changed.

    `words` is what they wrote, or the words and payload of the button they pressed, one per entry; empty for pictures
    and the like. `message_id` is Meta's own, whole: it names the message for whoever answers it once.
    """

    contact: Contact
    message_id: str = field(repr=False)
    at: datetime
    words: tuple[str, ...] = field(default=(), repr=False)
    is_edit: bool = False
    source: Source = Source()


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """Meta's own opt-out of marketing messages, or its end."""

    contact: Contact
    stopped: bool
    at: datetime
    source: Source = Source()


class TemplateStatus(StrEnum):
    """Where a template is in Meta's review, in api.md's words."""

    NOT_SUBMITTED = "not_submitted"
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    PAUSED = "paused"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateUpdate:
    """A change of one template in one language. `status` or `category` is None where the news does not tell it."""

    name: str
    language: str
    status: TemplateStatus | None = None
    category: str | None = None
    """"UTILITY", "MARKETING", "AUTHENTICATION"; capitals as Meta writes them."""
    quality: str | None = None
    at: datetime
    source: Source = Source()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountUpdate:
    """What Meta has done to the business account. `restricted`: it may send nothing to those who have not written
    (True); it may send again (False); or (None) Meta tells of something that may or may not keep messages from being
    sent: then only Meta's own `health_status` knows.

    `until`: when the restriction ends, as far as it is told. `restriction`: Meta's words for it.
    """

    restricted: bool | None
    event: str
    at: datetime
    until: datetime | None = None
    restriction: str = ""
    source: Source = Source()


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitUpdate:
    """The portfolio's messaging limit: distinct people in a moving 24 hours outside sessions. None: unlimited."""

    limit: int | None
    at: datetime
    source: Source = Source()


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberUpdate:
    """The number's quality ("GREEN", "YELLOW", "RED", "UNKNOWN") or throughput changed; None where it is not told."""

    event: str
    quality: str | None = None
    at: datetime
    source: Source = Source()


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquaintance:
    """A webhook named one person by number and user ID at once: from now on either finds the other."""

    phone: str = field(repr=False)
    user_id: str = field(repr=False)
    source: Source = Source()


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """A person has another number or user ID from `at` on. The new number is a new person; opt-outs go along."""

    previous: Contact
    current: Contact
    at: datetime
    source: Source = Source()


type WebhookEvent = (
    Inbound | Preference | TemplateUpdate | AccountUpdate | LimitUpdate | NumberUpdate | Acquaintance | Succession
)


def whom(webhook_event: WebhookEvent) -> str | None:
    """The person whom it is about, by one of their names; None where it is about the account."""
    match webhook_event:
        case Inbound(contact=person) | Preference(contact=person) | Succession(previous=person):
            return person.phone or person.user_id
        case Acquaintance(phone=phone):
            return phone
        case _:
            return None


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
    webhook_events: list[WebhookEvent] = field(default_factory=list)
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


class Receipts(Protocol):
    """Where providers' receipt IDs and our messages meet, whichever comes first. Both sides are kept 48 h."""

    async def name(self, organisation: str, provider: Provider, receipt_id: str, message_id: str) -> Sequence[str]:
        """Say which message a receipt ID is for; answers the delivery statuses that were parked for it."""
        ...

    async def park(self, organisation: str, provider: Provider, receipt_id: str, delivery_status: str) -> str | None:
        """Keep a delivery status for whoever names its receipt later; where that was done, answers the message."""
        ...
