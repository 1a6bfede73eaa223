"""Makes messages for the log, and queue messages for the senders: of a distribution's rows, of single messages, and of
what stands in for another message."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.campaigns.distribution import Distribution
from shared.campaigns.runs import template_of
from shared.campaigns.stored_content import PlannedRow
from shared.messages.message import ERASED, Chunk, Message, PayloadRef, Status
from shared.messages.payload import Channel, Payload
from shared.messages.queue_message import QueueMessage

CANCELLED = "cancelled"

CHECK_AFTER = timedelta(seconds=60)
"""When the agenda looks after a message that went straight to the queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """To whom a message goes, as the log may know it (`Message`)."""

    organisation: str
    recipient: str
    person: str
    country: str


def new_message(
    to: Addressee, message_id: str, channel: Channel, payload: Payload | None, reference: PayloadRef, now: datetime
) -> Message:
    """A pending message. `payload` is its stored content, which `reference` names: the row keeps what it tells of
    the card, the language and what stands ready. None: it was erased, or is not stored."""
    return Message(
        organisation=to.organisation,
        message_id=message_id,
        channel=channel,
        accepted_at=now,
        recipient=to.recipient,
        person=to.person,
        country=to.country,
        payload=reference,
        card_at=payload.card_generated_at if payload else None,
        language=payload.language if payload else None,
        fallback_template=payload is not None and payload.fallback_template is not None,
        fallback_minutes=payload.fallback.after_minutes if payload and payload.fallback else None,
    )


def single(message: Message, payload: Payload, scheduled_for: datetime | None = None) -> Message:
    """The message as one that no distribution releases: the agenda looks after it."""
    due_at = scheduled_for or message.accepted_at + CHECK_AFTER
    return replace(message, template=template_of(payload), scheduled_for=scheduled_for, due_at=due_at)


def successor(
    parent: Message, message_id: str, channel: Channel, payload: Payload, reference: PayloadRef, now: datetime
) -> Message:
    """A message to the same person that stands in for its parent. It belongs to the parent's campaign, but is none of a
    distribution's rows."""
    to = Addressee(
        organisation=parent.organisation, recipient=parent.recipient, person=parent.person, country=parent.country
    )
    return replace(
        new_message(to, message_id, channel, payload, reference, now),
        campaign_id=parent.campaign_id,
        enrollment_id=parent.enrollment_id,
        card_at=parent.card_at,
        dedupe_key=parent.dedupe_key,
        parent_message_id=parent.message_id,
    )


def logged_row(distribution: Distribution, chunk: Chunk, row: PlannedRow, key: str, now: datetime) -> Message:
    """A distribution's row; `key` is the chunk's object."""
    to = Addressee(
        organisation=distribution.organisation, recipient=row.recipient, person=row.person, country=row.country
    )
    made = new_message(
        to, row.message_id, distribution.channel, row.payload, PayloadRef(object_key=key, row=row.row), now
    )
    return replace(
        made,
        campaign_id=distribution.campaign_id,
        enrollment_id=row.enrollment_id,
        chunk=chunk,
        segments=row.segments,
        price=row.price,
    )


def cancelled_row(distribution: Distribution, chunk: Chunk, row: PlannedRow, key: str, now: datetime) -> Message:
    """A row that will never be released, as the log lists it: it has failed, and no provider was asked. `key` is the
    chunk's object."""
    reason = CANCELLED if row.payload is not None else ERASED
    logged = logged_row(distribution, chunk, row, key, now)
    return replace(logged, status=Status.FAILED, reason=reason, failed_at=now)


def queue_message_of_row(
    distribution: Distribution, chunk: Chunk, row: PlannedRow, payload: Payload, slot_at: int, version: int
) -> QueueMessage:
    """What goes on the channel queue for a distribution's row; `slot_at` in microseconds since 1970."""
    return QueueMessage(
        organisation=distribution.organisation,
        message_id=row.message_id,
        channel=distribution.channel,
        person=row.person,
        slot_at=slot_at,
        payload=payload,
        chunk=chunk,
        epoch=distribution.epoch_of(chunk.run),
        integration_version=version,
    )


def queue_message_of(
    message: Message,
    payload: Payload,
    distribution: Distribution | None,
    slot_at: int,
    version: int,
    *,
    probe: str | None = None,
) -> QueueMessage:
    """What goes on the channel queue for a message that is in the log already; `slot_at` in microseconds since 1970."""
    if message.card_after is not None:
        payload = replace(payload, card_after=message.card_after)
    epoch = distribution.epoch_of(message.chunk.run) if distribution is not None and message.chunk is not None else None
    return QueueMessage(
        organisation=message.organisation,
        message_id=message.message_id,
        channel=message.channel,
        person=message.person,
        slot_at=slot_at,
        payload=payload.as_template() if message.as_template else payload,
        chunk=message.chunk,
        epoch=epoch,
        integration_version=version,
        probe=probe,
    )
