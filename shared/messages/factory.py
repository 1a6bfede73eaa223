"""Makes messages for the log and queue messages for the senders: for rows of a distribution, for single messages, and
for messages that replace another one."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.campaigns.distribution import Distribution
from shared.campaigns.runs import named, template_of
from shared.campaigns.stored_content import PlannedRow
from shared.messages.message import CANCELLED, ERASED, Chunk, Message, PayloadRef, Status
from shared.messages.payload import Channel, Mode, Payload
from shared.messages.queue_message import QueueMessage

CHECK_AFTER = timedelta(seconds=60)
"""When the agenda looks at a message that went directly to the queue, counted from its acceptance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """The person a message goes to, as the log may know them (`Message`)."""

    organisation: str
    recipient: str
    person: str
    country: str


def new_message(
    to: Addressee, message_id: str, channel: Channel, payload: Payload | None, reference: PayloadRef, now: datetime
) -> Message:
    """A pending message. `payload` is its stored content, at `reference`. The row keeps its card time and language, and
    whether it has a template or an SMS to fall back on. `payload` None: it was erased or is not stored."""
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
        fallback_template=named(payload.fallback_template) if payload else None,
        fallback_minutes=payload.fallback.after_minutes if payload and payload.fallback else None,
    )


def single(
    message: Message, payload: Payload, scheduled_for: datetime | None = None, *, template: str | None = None
) -> Message:
    """The message with a next check (`due_at`), because no distribution releases it.

    `template`: for an SMS, the name of the template whose text it has.
    """
    due_at = scheduled_for or message.accepted_at + CHECK_AFTER
    of_sms = f"{template}/{payload.language}" if template and payload.mode is Mode.SMS else None
    return replace(message, template=template_of(payload) or of_sms, scheduled_for=scheduled_for, due_at=due_at)


def successor(
    parent: Message, message_id: str, channel: Channel, payload: Payload, reference: PayloadRef, now: datetime
) -> Message:
    """A message to the same person that replaces its parent: a resend or a fallback. It belongs to the parent's
    campaign, but it is not a row of a distribution."""
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
    """The log row of a distribution's row. `key` is the S3 key of the chunk."""
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
        parent_message_id=row.payload.resend_of if row.payload is not None else None,
        segments=row.segments,
        price=row.price,
    )


def cancelled_row(distribution: Distribution, chunk: Chunk, row: PlannedRow, key: str, now: datetime) -> Message:
    """The log row of a row that will never be released: it has failed without a call. `key` is the S3 key of the
    chunk."""
    reason = CANCELLED if row.payload is not None else ERASED
    logged = logged_row(distribution, chunk, row, key, now)
    return replace(logged, status=Status.FAILED, reason=reason, failed_at=now)


def queue_message_of_row(
    distribution: Distribution, chunk: Chunk, row: PlannedRow, payload: Payload, slot_at: int, version: int
) -> QueueMessage:
    """The queue message of a distribution's row. `slot_at` is in microseconds since 1970."""
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
    """The queue message of a message that is in the log already. `slot_at` is in microseconds since 1970."""
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
