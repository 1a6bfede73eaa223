"""POST /v1/messages: one message, at once or later, through the same gate, log and claim as a million."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.base.ids import single_message_id
from shared.base.instants import Clock
from shared.base.json import JsonObject
from shared.base.refusal import FieldError, ProblemCode, Refusal
from shared.campaigns.stored_content import Plans
from shared.messages.factory import Addressee, new_message, single
from shared.messages.message import Message, PayloadRef
from shared.messages.payload import Channel
from shared.messages.ports import ChannelQueue, Log
from shared.pacing.ports import RateLimits
from shared.policy.eligibility import Accepted, Eligibility, Rejected, Row
from shared.policy.setting import SettingReader, check, check_fallback, check_instant, check_with
from shared.sending.enqueue_now import EnqueueNow
from shared.texts.content import Content, FallbackOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """The request, its shape already checked."""

    organisation: str
    key: str
    request_hash: str
    channel: Channel
    campaign_id: str
    recipient: JsonObject = field(repr=False)
    content: Content
    send_at: datetime | None
    fallback: FallbackOrder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDeps:
    """What single sends work with."""

    log: Log
    plans: Plans
    eligibility: Eligibility
    settings: SettingReader
    rate_limits: RateLimits
    queue: ChannelQueue
    clock: Clock


class SingleSends:
    """Accepts single messages."""

    def __init__(self, deps: MessageDeps) -> None:
        self._deps = deps

    async def create(self, new: NewMessage) -> Message:
        """The message of this Idempotency-Key. Raises Refusal; then the key is not used up."""
        identity = single_message_id(new.organisation, new.key)
        existing = await self._deps.log.get(new.organisation, identity)
        if existing is not None:
            return _same(existing, new)
        check(new.channel, new.content)
        now = self._deps.clock.now()
        check_instant("send_at", new.send_at, now)
        settings = await self._deps.settings.read(new.organisation, new.channel, needs_dhis2="dhis2" in new.recipient)
        check_with(settings, new.content)
        check_fallback(settings, new.content, new.fallback)
        frame = settings.frame(new.content, {}, not_before=new.send_at, fallback=new.fallback)
        row = Row(number=1, raw=new.recipient)
        (row_result,) = await self._deps.eligibility.check_rows(new.organisation, [row], frame, now)
        if isinstance(row_result, Rejected):
            raise Refusal(ProblemCode.UNPROCESSABLE, without_rows(row_result.field_errors))
        if row_result.composed.fallback_errors:
            raise Refusal(ProblemCode.UNPROCESSABLE, row_result.composed.fallback_errors)
        reference = await self._deps.plans.write_payload(
            new.organisation, row_result.person, identity, row_result.composed.payload
        )
        message = _message(new, identity, row_result, reference, now)
        if not await self._deps.log.add(message):
            earlier = await self._deps.log.get(new.organisation, identity)
            return _same(earlier or message, new)
        if message.scheduled_for is None:
            deps = self._deps
            enqueue_now = EnqueueNow(log=deps.log, rate_limits=deps.rate_limits, queue=deps.queue, clock=deps.clock)
            await enqueue_now.leave(message, row_result.composed.payload, settings.channel)
        return message


def without_rows(field_errors: tuple[FieldError, ...]) -> tuple[FieldError, ...]:
    """Faults of a request for one recipient: there are no rows to number."""
    return tuple(replace(field_error, row=None) for field_error in field_errors)


def _same(existing: Message, new: NewMessage) -> Message:
    if existing.request_hash != new.request_hash:
        raise Refusal(ProblemCode.IDEMPOTENCY_KEY_REUSED)
    return existing


def _message(new: NewMessage, identity: str, accepted: Accepted, reference: PayloadRef, now: datetime) -> Message:
    composed = accepted.composed
    to = Addressee(
        organisation=new.organisation,
        recipient=composed.phone.masked,
        person=accepted.person,
        country=composed.phone.country,
    )
    made = new_message(to, identity, new.channel, composed.payload, reference, now)
    return replace(
        single(made, composed.payload, accepted.scheduled_for),
        campaign_id=new.campaign_id,
        enrollment_id=composed.enrollment_id,
        dedupe_key=accepted.dedupe_key.text,
        segments=composed.measured.segments if composed.measured else None,
        price=composed.price,
        request_hash=new.request_hash,
    )
