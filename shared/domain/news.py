"""What Meta's webhooks tell besides statuses of our messages: people who write, and changes of templates, account,
number and limits (reference/whatsapp.md §5.4 to §5.6). Nothing in here is ever logged."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shared.domain.integration import WhatsAppIntegration


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
class TemplateNews:
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
class AccountNews:
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
class LimitNews:
    """The portfolio's messaging limit: distinct people in a moving 24 hours outside sessions. None: unlimited."""

    limit: int | None
    at: datetime
    source: Source = Source()


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberNews:
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
