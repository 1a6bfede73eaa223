"""A chunk's frozen rows as what they become: log items, and copies for the senders."""

from dataclasses import replace
from datetime import datetime

from shared.domain.dispatch import Dispatch
from shared.domain.distribution import Distribution
from shared.domain.message import Chunk, Message, PayloadRef
from shared.domain.payload import Payload
from shared.domain.status import Status
from shared.usecases.erasure import ERASED
from shared.usecases.frozen import PlannedRow

CANCELLED = "cancelled"


def copy_of(
    distribution: Distribution, chunk: Chunk, row: PlannedRow, payload: Payload, departs_at: int, version: int
) -> Dispatch:
    """What goes on the channel queue; `departs_at` in microseconds since 1970."""
    return Dispatch(
        organisation=distribution.organisation,
        message_id=row.message_id,
        channel=distribution.channel,
        person=row.person,
        departs_at=departs_at,
        payload=payload,
        chunk=chunk,
        epoch=distribution.epoch_of(chunk.run),
        integration_version=version,
    )


def logged_row(distribution: Distribution, chunk: Chunk, row: PlannedRow, key: str, now: datetime) -> Message:
    """A pending message; `key` is the chunk's object."""
    return Message(
        organisation=distribution.organisation,
        message_id=row.message_id,
        channel=distribution.channel,
        accepted_at=now,
        recipient=row.recipient,
        person=row.person,
        country=row.country,
        payload=PayloadRef(object_key=key, row=row.row),
        campaign_id=distribution.campaign_id,
        enrollment_id=row.enrollment_id,
        card_at=row.payload.card_generated_at if row.payload else None,
        chunk=chunk,
        language=row.payload.language if row.payload else None,
        segments=row.segments,
        price=row.price,
        alternative=row.payload is not None and row.payload.alternative is not None,
        fallback_minutes=row.payload.fallback.after_minutes if row.payload and row.payload.fallback else None,
    )


def cancelled_row(distribution: Distribution, chunk: Chunk, row: PlannedRow, key: str, now: datetime) -> Message:
    """A row that will never be released, as the log lists it: it has failed, and no provider was asked. `key` is the
    chunk's object."""
    reason = CANCELLED if row.payload is not None else ERASED
    logged = logged_row(distribution, chunk, row, key, now)
    return replace(logged, status=Status.FAILED, reason=reason, failed_at=now)


def dispatch_of(
    message: Message,
    payload: Payload,
    distribution: Distribution | None,
    departs_at: int,
    version: int,
    *,
    trial: str | None = None,
) -> Dispatch:
    """What goes on the channel queue for a message that is in the log already; `departs_at` as in `copy_of`."""
    if message.card_after is not None:
        payload = replace(payload, card_after=message.card_after)
    epoch = distribution.epoch_of(message.chunk.run) if distribution is not None and message.chunk is not None else None
    return Dispatch(
        organisation=message.organisation,
        message_id=message.message_id,
        channel=message.channel,
        person=message.person,
        departs_at=departs_at,
        payload=payload.as_template() if message.as_template else payload,
        chunk=message.chunk,
        epoch=epoch,
        integration_version=version,
        trial=trial,
    )
