"""A message as the log holds it: readable by anyone in the programme, because it holds no personal data."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from shared.domain.payload import Channel
from shared.domain.status import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one message costs: its segments at the contract's price."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadRef:
    """Where the frozen payload lies: an object, and the row inside it where the object is a chunk."""

    object_key: str
    row: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A piece of a distribution's run that is logged, released and counted as one. Numbers count from 0."""

    distribution_id: str
    run: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One row of the log. Instants are UTC. `recipient` is masked, `person` the keyed hash of the number.

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
    chunk: Chunk | None = None
    parent_message_id: str | None = None
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
    request_hash: str | None = None
    """SHA-256 of the request that made a single message: what an Idempotency-Key is compared with, as long as the log
    keeps the message."""

    @property
    def distribution_id(self) -> str | None:
        """The distribution that the message belongs to, if any."""
        return self.chunk.distribution_id if self.chunk else None
