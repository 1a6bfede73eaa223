"""A message as the log holds it: readable by anyone in the programme, because it holds no personal data.

One table of allowed moves of its status, from which the store builds its condition. A status never goes backwards.

A message that was given up: its queue message was taken off the queue too often without coming to an end, for reasons
of our own. It stays pending, no sender takes it, and it waits for a person to redrive it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from shared.base.instants import from_milliseconds, milliseconds
from shared.messages.payload import Channel, Provider


class Status(StrEnum):
    """Where a message is. `read` is the last word; `failed` gives way to later proof of arrival."""

    PENDING = "pending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


ALLOWED_FROM: dict[Status, frozenset[Status]] = {
    Status.PENDING: frozenset(),
    Status.SENT: frozenset({Status.PENDING}),
    Status.DELIVERED: frozenset({Status.PENDING, Status.SENT, Status.FAILED}),
    Status.READ: frozenset({Status.PENDING, Status.SENT, Status.DELIVERED, Status.FAILED}),
    Status.FAILED: frozenset({Status.PENDING, Status.SENT}),
}
"""Status → the ones it may be reached from. Any later one may come first: providers repeat and reorder."""


ARRIVED = frozenset({Status.DELIVERED, Status.READ})
"""What proves that the message reached the person: a failure told before or after was none, and leaves no trace."""


def may_move(before: Status, after: Status) -> bool:
    """Whether `after` may replace `before`."""
    return before in ALLOWED_FROM[after]


ERASED = "erased"
"""Of the messages that it ended (api.md, Codes)."""

KEPT_FOR = timedelta(days=14)
"""As long as a queue can keep anything. After that the message ends as `expired`: a card is for the day it was made
for, and a distribution with pending rows is never completed."""


class DeadReason(StrEnum):
    """Why a copy was given up (texts: `shared.api.texts.sentences`)."""

    COPY_UNREADABLE = "copy_unreadable"
    """What stood on the queue names its message, but is not what this version writes."""
    HANDLING_FAILED = "handling_failed"
    """It could be read; every worker that took it up failed before it knew an outcome."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One death of a message. `attempts`: how often a worker took its copy up."""

    received_at: datetime
    reason: DeadReason
    attempts: int

    @property
    def ends_at(self) -> datetime:
        """When the message ends unless it was redriven."""
        return ends_at(self.received_at)


def ends_at(received_at: datetime) -> datetime:
    """The same, of a death at that instant."""
    return received_at + KEPT_FOR


def dead_letter_id(message_id: str, received_at: datetime) -> str:
    """Names the message and which of its deaths: who asks twice to redrive one never redrives the next."""
    return f"{message_id}.{milliseconds(received_at)}"


def read_dead_letter_id(identity: str) -> tuple[str, datetime]:
    """The message ID and the instant of its death. ValueError for what `dead_letter_id` did not make."""
    message_id, _, instant = identity.rpartition(".")
    return message_id, from_milliseconds(int(instant))


_NEW_AFTER = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one message costs: its segments at the contract's price."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadRef:
    """Where the frozen payload lies: an object, and the row inside it where the object is a chunk. An empty key: there
    is none, or it was erased."""

    object_key: str
    row: int | None = None

    @classmethod
    def of_test(cls, organisation: str) -> "PayloadRef":
        """A test message's: nothing is stored of it."""
        return cls(object_key=f"messages/{organisation}/test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A piece of a distribution's run that is logged, released and counted as one. Numbers count from 0."""

    distribution_id: str
    run: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One row of the log. Instants are UTC. `recipient` is masked, `person` the keyed hash of the number (empty once
    the person was erased).

    `lease_until` is set from the claim until a sure outcome; `due_at` while the agenda watches over the message;
    `unknown_since` once nobody can say whether the provider took it.
    """

    organisation: str
    message_id: str
    channel: Channel
    accepted_at: datetime
    recipient: str
    person: str
    country: str
    payload: PayloadRef
    status: Status = Status.PENDING
    reason: str | None = None
    provider_message_id: str | None = None
    campaign_id: str | None = None
    enrollment_id: str | None = None
    card_at: datetime | None = None
    """When the card was generated, where the request said so: how long it took to arrive is counted from here."""
    dedupe_key: str | None = None
    """What it is recognised by (`DedupeKey.text`), for single messages only: a distribution's are beside its plan."""
    chunk: Chunk | None = None
    parent_message_id: str | None = None
    parent_chunk: Chunk | None = None
    """Of a fallback: the chunk of the message that it stands in for. It belongs to that distribution, but is none of
    its rows: no release brings it, and the distribution's own counts leave it out."""
    segments: int | None = None
    price: Price | None = None
    scheduled_for: datetime | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    read_at: datetime | None = None
    failed_at: datetime | None = None
    attempts: int = 0
    lease_until: datetime | None = None
    due_at: datetime | None = None
    unknown_since: datetime | None = None
    claim_token: str | None = None
    """The random token of the claim that holds the lease. Only the claim that has it may give the lease back."""
    claimed_at: datetime | None = None
    """When the latest attempt took the right to call the provider."""
    sender: str | None = None
    """Who the latest attempt left as, at the provider: WhatsApp's phone number ID, Orange's client ID."""
    provider: Provider | None = None
    """The provider that the latest attempt was for."""
    card_attempt: int | None = None
    """The attempt whose card the provider took ahead of a long text: the card is not sent again."""
    card_after: datetime | None = None
    """The provider refused its card once, as it was uploaded before this instant, and it goes out again with a new
    upload; never a second time."""
    fallback_template: bool = False
    """A template stands ready in the payload, in case the session has closed."""
    as_template: bool = False
    """The provider said that the session has closed: it goes, or went, as that template."""
    retrying: bool = False
    """It was `sent`, came back as 131047, and goes out once more: it may be claimed although it is not pending."""
    resent: bool = False
    """It has gone out a second time after an unknown outcome: never a third."""
    fallback_minutes: int | None = None
    """An SMS stands ready in the payload: it goes so long after `sent_at`, unless the message has arrived by then."""
    card_failed_at: datetime | None = None
    """Since when its card cannot be fetched; None again once a try has failed for another reason."""
    rests_until: datetime | None = None
    """It failed in a way that forbids another try before then, whoever asks for it (Meta 131049)."""
    reporting: bool = False
    """Meta has reported since this message left, on it or on its number: its fallback by time need not wait."""
    quality_hold: bool = False
    """Meta took it, but holds it for its own assessment: it may still arrive hours later."""
    fell_back: bool = False
    """That SMS has been begun: whatever comes now, this message is not sent again."""
    dead: DeadLetter | None = None
    """Its copy was given up: it waits for somebody to redrive it, unless another copy gets through."""
    language: str | None = None
    """What it is written in ("fr", "en"), as far as that is known."""
    template: str | None = None
    """The WhatsApp template that a message of no distribution calls, with its language ("vaccination_card/fr"). A
    distribution's messages have their run's."""
    held_by: str | None = None
    """The scope whose hold it waits for (`str` of `shared.holds.hold.ScopeKey`): the agenda leaves it alone until
    then."""
    probe: bool = False
    """Its latest attempt tries a scope that is held."""
    request_hash: str | None = None
    """SHA-256 of the request that made a single message: what an Idempotency-Key is compared with, as long as the log
    keeps the message."""

    def instant_of(self, status: Status) -> datetime | None:
        """When the message came to a status, as far as that was told."""
        match status:
            case Status.PENDING:
                return None
            case Status.SENT:
                return self.sent_at
            case Status.DELIVERED:
                return self.delivered_at
            case Status.READ:
                return self.read_at
            case Status.FAILED:
                return self.failed_at

    def with_instant(self, status: Status, at: datetime) -> "Message":
        """The message with that instant of a status that a provider tells of; of the other two nothing is noted."""
        match status:
            case Status.SENT:
                return replace(self, sent_at=at)
            case Status.DELIVERED:
                return replace(self, delivered_at=at)
            case Status.READ:
                return replace(self, read_at=at)
            case Status.PENDING | Status.FAILED:
                return self

    @property
    def was_asked_for(self) -> bool:
        """Whether a provider was asked to send it. A claim that went back without a call takes its attempt along."""
        return self.attempts > 0

    @property
    def is_open(self) -> bool:
        """Whether a call may still be made for it."""
        return self.status is Status.PENDING or self.retrying

    def is_lapsed(self, now: datetime) -> bool:
        """Whoever claimed it is dead, and nobody has noticed yet: the lease is over and has no outcome."""
        is_over = self.lease_until is not None and self.lease_until <= now
        return is_over and self.is_open and self.unknown_since is None

    @property
    def waits(self) -> bool:
        """Whether a call is still to be made for it and none is under way."""
        return self.is_open and self.lease_until is None and self.unknown_since is None and self.dead is None

    @property
    def awaits_fallback(self) -> bool:
        """It is out, or has failed, and the agenda is to begin its fallback at `due_at`."""
        gone = self.status in (Status.SENT, Status.FAILED) and not self.is_open
        return gone and self.fallback_minutes is not None and self.due_at is not None

    @property
    def distribution_id(self) -> str | None:
        """The distribution that the message belongs to, if any: as one of its rows, or as the fallback of one."""
        chunk = self.chunk or self.parent_chunk
        return chunk.distribution_id if chunk else None


def earliest(known: datetime | None, reported: datetime) -> datetime:
    """The instant of a status that is told more than once: the first, whichever order they come in.

    Providers count in whole seconds, and their answers are a while on their way: less than two seconds are no news. The
    second in which Meta took a message began before we noted its answer, nearly always; each such note is a write.
    """
    return reported if known is None or known - reported >= _NEW_AFTER else known


def yields_to(reported: datetime) -> datetime:
    """A known instant that is at or after this one gives way to `reported` (`earliest`)."""
    return reported + _NEW_AFTER
