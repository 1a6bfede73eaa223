"""Single messages, which no distribution releases: POST /v1/messages, and the resend of a failed message. They use the
same gate, log and claim as a distribution."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.base.ids import resend_id, single_message_id
from shared.base.instants import Clock, microseconds
from shared.base.json import JsonObject
from shared.base.refusal import FieldError, ProblemCode, Refusal
from shared.campaigns.ports import Distributions
from shared.campaigns.stored_content import Plans
from shared.integrations.integration import Integrations, SmsIntegration, WhatsAppIntegration
from shared.messages.factory import Addressee, new_message, queue_message_of, single, successor
from shared.messages.message import ALREADY_SENT, Message, PayloadRef
from shared.messages.payload import Channel, Mode, Payload
from shared.messages.ports import ChannelQueue, Log
from shared.messages.status_writer import StatusWriter
from shared.pacing.rate_limit import RateLimits
from shared.policy.eligibility import Accepted, Eligibility, Rejected, Row, field_error_of
from shared.policy.gate_check import GateCheck, GateDecision
from shared.policy.setting import SettingReader, check, check_fallback, check_instant, check_with
from shared.sending.channel import settings_of
from shared.sending.enqueue_now import EnqueueNow
from shared.texts.content import Content, FallbackOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """The request; its shape is checked already."""

    organisation: str
    key: str
    request_hash: str
    channel: Channel
    campaign_id: str
    recipient: JsonObject = field(repr=False)
    content: Content
    send_at: datetime | None
    fallback: FallbackOrder | None = None
    created_by: str | None = None
    """The caller's name; None: the token names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDeps:
    """What single sends work with."""

    log: Log
    plans: Plans
    eligibility: Eligibility
    settings: SettingReader
    rate_limits: RateLimits
    queue: ChannelQueue
    status_writer: StatusWriter
    clock: Clock


class SingleSends:
    """Accepts single messages."""

    def __init__(self, deps: MessageDeps) -> None:
        self._deps = deps

    async def create(self, new: NewMessage) -> Message:
        """The message of this Idempotency-Key. Raises Refusal; the key then stays unused."""
        identity = single_message_id(new.organisation, new.key)
        existing = await self._deps.log.get(new.organisation, identity)
        if existing is not None:
            await self._deps.status_writer.accepted_again(_same(existing, new))
            return existing
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
        await self._deps.status_writer.accepted(message)
        return message


def without_rows(field_errors: tuple[FieldError, ...]) -> tuple[FieldError, ...]:
    """Field errors without row numbers, for a request with one recipient."""
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
        single(made, composed.payload, accepted.scheduled_for, template=new.content.template),
        campaign_id=new.campaign_id,
        enrollment_id=composed.enrollment_id,
        dedupe_key=accepted.dedupe_key.text,
        segments=composed.measured.segments if composed.measured else None,
        price=composed.price,
        created_by=new.created_by,
        request_hash=new.request_hash,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendDeps:
    """What resending works with."""

    log: Log
    distributions: Distributions
    plans: Plans
    integrations: Integrations
    gate_check: GateCheck
    enqueue_now: EnqueueNow
    status_writer: StatusWriter
    clock: Clock


class Resends:
    """Sends failed messages again. After an unknown outcome only a person may decide on a second message."""

    def __init__(self, deps: ResendDeps) -> None:
        self._deps = deps

    async def resend(self, organisation: str, message_id: str, created_by: str | None = None) -> Message:
        """The only successor of a failed message; the same one if called again. `created_by` is the caller's name.

        Its row is logged first and then takes the parent's place. If a row of a retry has taken the place meanwhile, it
        ends as `already_sent`. If the worker dies in between, the agenda does the rest.

        Raises Refusal: not_found; state_conflict (it has not failed, a row of a retry or its fallback goes instead, or
        its stored content is gone); integration_missing; unprocessable (the gate says never, for example because the
        consent was revoked).
        """
        parent = await self._deps.log.get(organisation, message_id)
        if parent is None:
            raise Refusal(ProblemCode.NOT_FOUND)
        identity = resend_id(parent.message_id)
        existing = await self._deps.log.get(organisation, identity)
        if existing is not None:
            await self._deps.status_writer.accepted_again(existing)
            return existing
        if not parent.may_be_sent_again:
            raise _not_again(parent)
        payload = await self._payload(parent)
        integration = await self._integration(parent)
        made = successor(parent, identity, parent.channel, payload, parent.payload, self._deps.clock.now())
        made = replace(made, segments=parent.segments, price=parent.price, fallback_minutes=None)
        made = replace(made, resend_in=parent.listed_in, created_by=created_by)
        waits_until = await self._waits_until(parent, made, payload, integration)
        payload = replace(payload, resend_of=parent.message_id)
        reference = await self._deps.plans.write_payload(organisation, parent.person, identity, payload)
        template = await self._template(parent)
        message = single(replace(made, payload=reference), payload, waits_until, template=template)
        if not await self._deps.log.add(message):
            return await self._deps.log.get(organisation, identity) or message
        if not await self._deps.log.note_successor(organisation, parent.message_id, successor=identity):
            await self._deps.status_writer.end_unsent(organisation, identity, ALREADY_SENT, self._deps.clock.now())
            await self._deps.status_writer.flush()
        elif waits_until is None:
            await self._deps.enqueue_now.leave(message, payload, integration)
        await self._deps.status_writer.accepted(message)
        return message

    async def _template(self, parent: Message) -> str | None:
        """The name of the template that the parent was made with. Its row has it, or its distribution."""
        if parent.chunk is None:
            return parent.template.partition("/")[0] if parent.template else None
        distribution = await self._deps.distributions.get(parent.organisation, parent.chunk.distribution_id)
        return distribution.template if distribution is not None else None

    async def _payload(self, parent: Message) -> Payload:
        payload = await self._deps.plans.read_payload(parent.payload) if parent.person else None
        if payload is None:
            gone = "expired" if parent.person else "erased"
            raise Refusal(ProblemCode.STATE_CONFLICT, status=parent.status, gone=gone)
        return replace(payload, resend_of=None)  # the resend names this parent, not the one before it

    async def _integration(self, parent: Message) -> SmsIntegration | WhatsAppIntegration:
        found = await settings_of(self._deps.integrations, parent.organisation, parent.channel, uncached=True)
        if found is None:
            raise Refusal(ProblemCode.INTEGRATION_MISSING, integration=parent.channel)
        return found

    async def _waits_until(
        self, parent: Message, made: Message, payload: Payload, integration: SmsIntegration | WhatsAppIntegration
    ) -> datetime | None:
        """When the gate is open and the provider's pause for this person is over; None: now. The check must not count
        the person against the daily limit yet. A bare session text never counts, so only its check includes the
        session."""
        is_bare_text = payload.mode is Mode.SESSION and payload.fallback_template is None
        now = self._deps.clock.now()
        queue_message = queue_message_of(made, payload, None, microseconds(now), 0)
        answer = await self._deps.gate_check.ask(queue_message, now, integration if is_bare_text else None)
        if answer.decision is GateDecision.NEVER and answer.reason == "cancelled":
            raise Refusal(
                ProblemCode.STATE_CONFLICT, status=parent.status
            )  # the message that this fallback replaces has arrived
        if answer.decision is GateDecision.NEVER:
            raise Refusal(ProblemCode.UNPROCESSABLE, without_rows((field_error_of(answer.reason),)))
        waits = (answer.at if answer.decision is GateDecision.LATER else None, parent.rests_until)
        return max((until for until in waits if until is not None and until > now), default=None)


def _not_again(parent: Message) -> Refusal:
    if parent.successor_message_id is None:
        return Refusal(ProblemCode.STATE_CONFLICT, status=parent.status)
    return Refusal(ProblemCode.STATE_CONFLICT, status=parent.status, successor=parent.successor_message_id)
