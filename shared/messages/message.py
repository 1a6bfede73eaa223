"""A message as the log stores it, and the table of its status moves. It holds no personal data, so everyone in the
programme may read it.

The store builds its conditions from the table. A status never goes backwards.

A dead message is one whose queue message was received too often without an outcome, for reasons of our own. It stays
pending and no sender takes it. A person can redrive it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from shared.base.ids import fallback_id
from shared.base.instants import from_milliseconds, milliseconds
from shared.messages.payload import Channel, Provider


class Status(StrEnum):
    """Where a message is. `read` is final; `failed` gives way to later proof of arrival."""

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
"""Status → the statuses that may come before it. A later status may come first, because providers repeat and
reorder."""


ARRIVED = frozenset({Status.DELIVERED, Status.READ})
"""These statuses prove that the message reached the person. A failure reported before or after them is wrong and is not
shown."""


def may_move(before: Status, after: Status) -> bool:
    """Whether `after` may replace `before`."""
    return before in ALLOWED_FROM[after]


type Via = Literal["distribution", "single", "test", "fallback", "resend", "reply"]
"""How a message was made (api.md, A message). Only a `distribution`'s messages are rows of one."""

CANCELLED = "cancelled"
"""The reason of messages that were cancelled before they were sent (api.md, Codes)."""

ERASED = "erased"
"""The reason of messages that an erasure ended (api.md, Codes)."""

ALREADY_SENT = "already_sent"
"""The reason of messages that are not sent because another one is (api.md, Codes): the campaign's, found when the row
was logged, or another successor of the same failed message."""

KEPT_FOR = timedelta(days=14)
"""As long as a queue can keep a message. A dead message then ends as `expired`: a card is for the day it was made for,
and a distribution with pending rows is never completed."""


class DeadReason(StrEnum):
    """Why a message is dead (its sentences: `shared.api.texts.sentences`)."""

    COPY_UNREADABLE = "copy_unreadable"
    """The queue message names its message, but this version cannot read its body."""
    HANDLING_FAILED = "handling_failed"
    """The queue message could be read, but every worker that received it failed before it had an outcome."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """The record of a message that became dead. `attempts`: how often a worker received its queue message."""

    received_at: datetime
    reason: DeadReason
    attempts: int

    @property
    def ends_at(self) -> datetime:
        """When the message ends if it is not redriven."""
        return ends_at(self.received_at)


def ends_at(received_at: datetime) -> datetime:
    """When a message that became dead at `received_at` ends if it is not redriven."""
    return received_at + KEPT_FOR


def dead_letter_id(message_id: str, received_at: datetime) -> str:
    """Names the message and the instant at which it became dead. A repeated request to redrive it therefore does not
    redrive a later death."""
    return f"{message_id}.{milliseconds(received_at)}"


def read_dead_letter_id(identity: str) -> tuple[str, datetime]:
    """The message ID and the instant at which the message became dead. Raises ValueError for any other text."""
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
    """Where the stored content is: an S3 object, and a row in it if the object is a chunk. An empty key: there is no
    stored content, or it was erased."""

    object_key: str
    row: int | None = None

    @classmethod
    def of_test(cls, organisation: str) -> "PayloadRef":
        """The reference of a test message: nothing of it is stored."""
        return cls(object_key=f"messages/{organisation}/test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A part of a distribution's run that is logged, released and counted together. Numbers count from 0."""

    distribution_id: str
    run: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One row of the log. Instants are UTC. `recipient` is masked. `person` is the keyed hash of the number; it is
    empty once the person was erased.

    - `lease_until`: set by the claim, removed by a certain outcome.
    - `due_at`: when the agenda looks at the message; None: it does not.
    - `unknown_since`: since when the outcome has been unknown.
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
    """When the card was generated, if the request said so. The time to delivery counts from here."""
    dedupe_key: str | None = None
    """The dedupe key (`DedupeKey.text`), for single messages only. Those of a distribution are stored beside its
    plan."""
    chunk: Chunk | None = None
    parent_message_id: str | None = None
    successor_message_id: str | None = None
    """It has failed, and this message was accepted in its place: its resend, or its row in a retry. It gets no other
    successor and no fallback."""
    parent_chunk: Chunk | None = None
    """For a fallback: the chunk of the message that it replaces. The fallback belongs to that distribution but is not
    one of its rows: no release enqueues it, and the distribution's own counts leave it out."""
    resend_in: str | None = None
    """For a resend: the ID of the distribution that the failed message belongs to. It is listed there; in all else it
    belongs to no distribution."""
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
    """The random token of the claim that holds the lease. Only the claim with this token may give the lease back."""
    claimed_at: datetime | None = None
    """When the latest attempt got the right to call the provider."""
    sender: str | None = None
    """The sender of the latest attempt at the provider: WhatsApp's phone number ID, Orange's client ID."""
    provider: Provider | None = None
    """The provider of the latest attempt."""
    card_attempt: int | None = None
    """The attempt whose card the provider took ahead of a long text. The card is not sent again."""
    card_after: datetime | None = None
    """The provider refused the card of this message, which was uploaded before this instant. The message goes out once
    more, with a new upload; this happens only once."""
    fallback_template: str | None = None
    """The template to use if the session has closed, with its language ("vaccination_card/fr"); the stored content has
    it. None: there is none."""
    as_template: bool = False
    """The provider said that the session has closed: the message goes, or went, as that template."""
    retrying: bool = False
    """The message was `sent`, was refused later (for example with 131047) and goes out once more. It may be claimed
    although it is not pending."""
    resent: bool = False
    """The message went out a second time after an unknown outcome. It never goes a third time."""
    fallback_minutes: int | None = None
    """The stored content has an SMS. It goes this many minutes after `sent_at` unless the message has arrived by
    then."""
    card_failed_at: datetime | None = None
    """Since when the card cannot be fetched. None again once an attempt has failed for another reason."""
    rests_until: datetime | None = None
    """The message failed in a way that forbids every resend before this instant (Meta 131049)."""
    reporting: bool = False
    """Meta has reported on this message, or on its number, since it left. A fallback by time need not wait for Meta."""
    quality_hold: bool = False
    """Meta took the message but holds it for its own assessment. It may still arrive hours later."""
    reached: bool = False
    """A fallback or a resend of this message has arrived."""
    fell_back: bool = False
    """The fallback SMS has been begun. This message is never sent again."""
    dead: DeadLetter | None = None
    """The message is dead: it waits until a person redrives it, or until another of its queue messages is handled."""
    language: str | None = None
    """The language of the text ("fr", "en"), if it is known."""
    template: str | None = None
    """The template of a message without a distribution, with its language ("vaccination_card/fr"). A distribution's
    messages have the template of their run."""
    held_by: str | None = None
    """The held scope that it waits for (`str` of `shared.holds.hold.ScopeKey`). The agenda leaves it alone until the
    hold ends."""
    probe: bool = False
    """Its latest attempt probes a scope that is held."""
    created_by: str | None = None
    """The person or program that asked for the message, or `SYSTEM`. None: the token named none, or the message is a
    row of a distribution, which has the name."""
    request_hash: str | None = None
    """SHA-256 of the request that made a single message. A request with the same Idempotency-Key is compared with it,
    as long as the log keeps the message."""

    def instant_of(self, status: Status) -> datetime | None:
        """When the message got a status, if that is known."""
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
        """The message with the instant of a status that providers report; unchanged for `pending` and `failed`."""
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
        """Whether a provider was called. A claim that is given back without a call takes its attempt back too."""
        return self.attempts > 0

    @property
    def is_open(self) -> bool:
        """Whether a provider may still be called for it."""
        return self.status is Status.PENDING or self.retrying

    def is_lapsed(self, now: datetime) -> bool:
        """Whether its claimer died: the lease has ended without an outcome, and the outcome is not marked unknown
        yet."""
        is_over = self.lease_until is not None and self.lease_until <= now
        return is_over and self.is_open and self.unknown_since is None

    @property
    def waits(self) -> bool:
        """Whether a call is still to be made for it and none is under way."""
        return self.is_open and self.lease_until is None and self.unknown_since is None and self.dead is None

    @property
    def awaits_fallback(self) -> bool:
        """Whether it was sent or has failed, and the agenda is to begin its fallback at `due_at`."""
        gone = self.status in (Status.SENT, Status.FAILED) and not self.is_open
        return gone and self.fallback_minutes is not None and self.due_at is not None

    @property
    def via(self) -> Via:
        """How it was made. The ID of a fallback is derived from its parent's, so it can be recognised."""
        if self.payload == PayloadRef.of_test(self.organisation):
            return "test"
        if self.chunk is not None:
            return "distribution"
        if self.parent_message_id is not None:
            return "fallback" if self.message_id == fallback_id(self.parent_message_id) else "resend"
        return "single" if self.campaign_id is not None else "reply"

    @property
    def listed_in(self) -> str | None:
        """The ID of the distribution whose list shows it: as a row, as a fallback or as a resend."""
        return self.distribution_id or self.resend_in

    @property
    def may_be_sent_again(self) -> bool:
        """Whether it has failed and nothing goes in its place: neither a successor nor a fallback, begun or due. A
        fallback is the second chance; a resend beside it could arrive too (design.md, Bulk: Fallback). Some failures
        start no fallback, a cancel for example."""
        replaced = self.fell_back or self.awaits_fallback or self.successor_message_id is not None
        return self.status is Status.FAILED and not replaced

    @property
    def distribution_id(self) -> str | None:
        """The distribution that the message belongs to, as one of its rows or as the fallback of one; None: no
        distribution."""
        chunk = self.chunk or self.parent_chunk
        return chunk.distribution_id if chunk else None


def earliest(known: datetime | None, reported: datetime) -> datetime:
    """The instant of a status that is reported more than once: the first one, in any order of arrival.

    Providers count in whole seconds, and their answers take a while. A difference under two seconds is ignored: Meta's
    second nearly always began before we noted its answer, and each correction is a write.
    """
    return reported if known is None or known - reported >= _NEW_AFTER else known


def yields_to(reported: datetime) -> datetime:
    """The bound for `earliest`: `reported` replaces a known instant at or after it."""
    return reported + _NEW_AFTER
