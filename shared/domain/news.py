"""What Meta's webhooks tell besides statuses of our messages: people who write, and changes of templates, account,
number and limits (reference/whatsapp.md §5.4 to §5.6). Nothing in here is ever logged."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


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

    phone_number_id: str
    contact: Contact
    message_id: str = field(repr=False)
    at: datetime
    words: tuple[str, ...] = field(default=(), repr=False)
    is_edit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """Meta's own opt-out of marketing messages, or its end."""

    contact: Contact
    stopped: bool
    at: datetime


class TemplateStatus(StrEnum):
    """Where a template is in Meta's review, in api.md's words."""

    NOT_SUBMITTED = "not_submitted"
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    PAUSED = "paused"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateNews:
    """A change of one template in one language. `status` or `category` is None where the news does not tell it."""

    name: str
    language: str
    status: TemplateStatus | None = None
    category: str | None = None
    """"UTILITY", "MARKETING", "AUTHENTICATION"; capitals as Meta writes them."""
    quality: str | None = None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountNews:
    """The WhatsApp Business account was restricted (True), or may send again (False)."""

    restricted: bool
    event: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitNews:
    """The portfolio's messaging limit: distinct people in a moving 24 hours outside sessions. None: unlimited."""

    limit: int | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberNews:
    """The number's quality ("GREEN", "YELLOW", "RED", "UNKNOWN") or throughput changed; None where it is not told."""

    phone_number_id: str | None
    event: str
    quality: str | None = None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquaintance:
    """A webhook named one person by number and user ID at once: from now on either finds the other."""

    phone: str = field(repr=False)
    user_id: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """A person has another number or user ID from `at` on. The new number is a new person; opt-outs go along."""

    previous: Contact
    current: Contact
    at: datetime


type News = Inbound | Preference | TemplateNews | AccountNews | LimitNews | NumberNews | Acquaintance | Succession


def whom(news: News) -> str | None:
    """The person whom it is about, by one of their names; None where it is about the account."""
    match news:
        case Inbound(contact=person) | Preference(contact=person) | Succession(previous=person):
            return person.phone or person.user_id
        case Acquaintance(phone=phone):
            return phone
        case _:
            return None
