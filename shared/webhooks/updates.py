"""What providers' webhooks report, in our own types: statuses and receipts of our messages, messages that persons send,
and changes of templates, account, number and limits (reference/whatsapp.md §5.4 to §5.6). None of it is ever logged.
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
    """The account and number that an update is about.

    One app has one URL for all its accounts, so webhooks of another account reach us with a correct signature.
    `account` is the business account of the webhook's entry. The number is given by its ID, by its digits as shown, or
    not at all. Missing parts are empty.
    """

    account: str = ""
    phone_number_id: str = ""
    shown_number: str = field(default="", repr=False)

    def is_about_account(self, integration: WhatsAppIntegration) -> bool:
        """Whether an update of templates, account, limits or numbers is about this organisation's account. False if the
        settings name no account.
        """
        named = integration.business_account_id
        return named is not None and self.account == named and self._may_be_number(integration)

    def may_be_about(self, integration: WhatsAppIntegration) -> bool:
        """Whether a message or wish of a person may be for this organisation's number. A number belongs to one account,
        so it decides if it is given.
        """
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

    `phone` is E.164 with its +. `user_id` belongs to the business portfolio ("MX.13491208655302741918").
    """

    phone: str | None = field(default=None, repr=False)
    user_id: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """A message from a person to the organisation's number. It opens or renews the 24-hour session, unless it is an
    edit of an earlier message.

    `words`: the text, or the words and payload of the pressed button, one per entry; empty for a picture. `message_id`:
    Meta's unchanged ID.
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
    """The state of a template in Meta's review, in api.md's words."""

    NOT_SUBMITTED = "not_submitted"
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    PAUSED = "paused"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateUpdate:
    """A change of one template in one language. `status` or `category` is None if the update does not give it."""

    name: str
    language: str
    status: TemplateStatus | None = None
    category: str | None = None
    """ "UTILITY", "MARKETING" or "AUTHENTICATION", in Meta's spelling."""
    quality: str | None = None
    at: datetime
    source: Source = Source()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountUpdate:
    """A change of the business account.

    `restricted` True: the account may not write to persons who have not written. False: it may send again. None: the
    change may or may not stop messages, and only Meta's `health_status` tells. `until`: the end of the restriction, if
    given. `restriction`: Meta's names for it.
    """

    restricted: bool | None
    event: str
    at: datetime
    until: datetime | None = None
    restriction: str = ""
    source: Source = Source()


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitUpdate:
    """The portfolio's daily limit: different persons in a sliding 24 hours, outside sessions. None: unlimited."""

    limit: int | None
    at: datetime
    source: Source = Source()


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberUpdate:
    """The number's quality ("GREEN", "YELLOW", "RED", "UNKNOWN") or throughput has changed. `quality` is None if not
    given.
    """

    event: str
    quality: str | None = None
    at: datetime
    source: Source = Source()


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquaintance:
    """A webhook gave a person's number and user ID together. From now on, each finds the other."""

    phone: str = field(repr=False)
    user_id: str = field(repr=False)
    source: Source = Source()


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """A person has another number or user ID from `at` on. The new number counts as a new person; opt-outs are carried
    over.
    """

    previous: Contact
    current: Contact
    at: datetime
    source: Source = Source()


type WebhookEvent = (
    Inbound | Preference | TemplateUpdate | AccountUpdate | LimitUpdate | NumberUpdate | Acquaintance | Succession
)


def whom(webhook_event: WebhookEvent) -> str | None:
    """A name of the person whom the update is about; None if it is about the account."""
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
    """The key that we send with a WhatsApp message and that comes back in its statuses: `<message_id>.<attempt>`.

    A `failed` of an older attempt says nothing about the current one. `card_half`: the card that is sent before a long
    text, `<message_id>.<attempt>.card`. The text is the message's last part, so the arrival of the card is not the
    arrival of the message; a failure of the card is one of the message.
    """

    message_id: str
    number: int
    card_half: bool = False

    def __str__(self) -> str:
        return f"{self.message_id}.{self.number}{'.card' if self.card_half else ''}"

    @classmethod
    def read(cls, key: str) -> "Attempt | None":
        """Our own callback key; None for any other, because another program may send on the same number."""
        found = _ATTEMPT.fullmatch(key)
        return cls(message_id=found[1], number=int(found[2]), card_half=found[3] is not None) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """One status of one message. `provider_message_id` has its number blanked. `at` is the provider's time."""

    attempt: Attempt | None
    provider_message_id: str
    status: Status
    at: datetime
    error: SendError | None = None
    other_key: bool = False
    """It has the key of another program that sends on the same number."""
    phone_number_id: str = ""
    """The number that sent the message; empty if Meta does not give it."""
    recipient: Contact | None = None
    """The recipient as Meta gives it. The number may differ from the one that we sent to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookUpdates:
    """The updates of a Meta document, in its order. `ignored`: the number of updates that have no meaning for us."""

    reports: list[StatusReport] = field(default_factory=list)
    webhook_events: list[WebhookEvent] = field(default_factory=list)
    ignored: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A delivery receipt. It names its message only by the provider's ID, and has no time.

    `delivery_status` is the provider's word. `address` is the recipient in E.164; None if it is absent or cannot be
    read.
    """

    receipt_id: str
    delivery_status: str
    address: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptsRead:
    """The receipts of a document. `ignored` counts those without an ID or a status; it is 1 if the document has
    none.
    """

    receipts: Sequence[Receipt]
    ignored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptFormat:
    """How to read the receipts of a provider that does not sign them and knows only its own IDs.

    `pieces` splits a body into documents that fit the queue; `read` reads one of them. Neither raises. `statuses`: the
    meaning of the provider's statuses; a status that is not in it changes nothing.
    """

    pieces: Callable[[bytes], Sequence[str]]
    read: Callable[[str], ReceiptsRead]
    statuses: Mapping[str, Status]


class Receipts(Protocol):
    """Joins providers' receipt IDs with our messages, whichever comes first. Both are kept for 48 h."""

    async def name(self, organisation: str, provider: Provider, receipt_id: str, message_id: str) -> Sequence[str]:
        """Store the message of a receipt ID. Returns the delivery statuses that were parked for it."""
        ...

    async def park(self, organisation: str, provider: Provider, receipt_id: str, delivery_status: str) -> str | None:
        """Store a delivery status until its receipt ID is known. Returns the message's ID if it is known already."""
        ...
