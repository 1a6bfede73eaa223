"""Test send: one real message to a number of the administrator, answered in the same request."""

import dataclasses
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.base.instants import Clock
from shared.base.refusal import FieldError, ProblemCode, Refusal
from shared.campaigns.runs import template_of
from shared.cards.references import SAMPLE_CARD
from shared.messages.factory import Addressee, new_message, queue_message_of
from shared.messages.message import Message, PayloadRef, Status
from shared.messages.payload import Channel
from shared.messages.ports import Log
from shared.messages.queue_message import ANY_SCOPE
from shared.messages.status_writer import StatusWriter
from shared.pacing.rate_limit import RateLimits
from shared.policy.consent import Given
from shared.policy.eligibility import field_error_of
from shared.policy.gate import GateInput, Go, Never, NotBefore, gate
from shared.policy.setting import Settings
from shared.recipients.countries import COVERED
from shared.recipients.number_key import NumberKey
from shared.recipients.recipient import Recipient
from shared.sending.channel import Integrated, book_slots
from shared.sending.send import ARRIVES, SendStep
from shared.texts.composition import Composed, CompositionError, compose
from shared.texts.content import Content

_STOP_REASONS = frozenset(
    {
        "token_invalid",
        "permission_missing",
        "account_restricted",
        "payment_required",
        "balance_empty",
        "contract_expired",
        "country_not_subscribed",
        "sender_name_not_approved",
        "template_paused",
        "template_disabled",
        "template_recategorised",
        "daily_limit",
        "provider_down",
    }
)

_FIELDS = {"phone": "to", "content.template.name": "default_template"}

_TEXTS = {
    "fr": "Message de test d'Oomus : vos paramètres SMS fonctionnent.",
    "en": "Oomus test message: your SMS settings work.",
}

_VALUES: dict[str, str | None] = {
    "first_name": "Test",
    "last_name": "Oomus",
    "card_code": "TEST-0000",
    "programme_name": "Test",
    "issue_date": "2026-01-01",
    "verification_url": "https://v.oomus.health/c/TEST-0000",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SendTestDeps:
    """What a test send works with."""

    log: Log
    rate_limits: RateLimits
    status_writer: StatusWriter
    number_key: NumberKey
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTestSend:
    """The request; its shape is checked already."""

    to: str = field(repr=False)
    language: str
    message_id: str
    created_by: str | None = None
    """The caller's name; None: the token names none."""


class SendTest:
    """Sends test messages through the channel's own send step."""

    def __init__(self, deps: SendTestDeps) -> None:
        self._deps = deps

    async def send[I: Integrated, P](self, step: SendStep[I, P], settings: Settings, new: NewTestSend) -> Message:
        """The sent message.

        Raises Refusal: `unprocessable` for a number or a template that cannot be used; `quiet_hours`;
        `template_missing`; `state_conflict` if Meta's daily limit or the rate leaves no room now; `provider_refused`
        only if the provider was called.
        """
        now = self._deps.clock.now()
        channel = settings.setting.channel
        composed, message_id = _composed(settings, new.to, new.language), new.message_id
        _check_gate(channel, composed, now)
        message = self._message(settings, composed, new, now)
        await self._deps.log.add(message)
        await self._deps.status_writer.accepted(message)
        integration = settings.channel
        [slot_at] = await book_slots(self._deps.rate_limits, integration, None, earliest=now)
        payload = dataclasses.replace(composed.payload, exempt=True)
        queue_message = queue_message_of(message, payload, None, slot_at, integration.version, probe=ANY_SCOPE)
        error = await step.send_one(queue_message)
        earlier = await self._deps.log.get(message.organisation, message_id)
        if earlier is not None and earlier.status not in (Status.PENDING, Status.FAILED):
            return earlier
        was_asked = error is not None or earlier is None or earlier.attempts > 0
        reason = (error.reason if error else "") or "provider_rejected"
        ended = _message_reason(reason) if was_asked else "expired"
        await self._deps.status_writer.end_unsent(message.organisation, message_id, ended, self._deps.clock.now())
        if was_asked:
            code = error.code if error else ""
            provider = earlier.provider if earlier and earlier.provider else channel
            raise Refusal(ProblemCode.PROVIDER_REFUSED, reason=reason, provider_code=code, provider=provider)
        # The send step asks for the time at which the call arrives: it may be quiet hours then, although not yet now.
        _check_gate(channel, composed, self._deps.clock.now() + ARRIVES)
        raise Refusal(ProblemCode.STATE_CONFLICT, reason=_waits_for(channel))

    def _message(self, settings: Settings, composed: Composed, new: NewTestSend, now: datetime) -> Message:
        """The message has a next check but no stored content. If the caller's request dies, the message ends; it is not
        sent late."""
        organisation = settings.channel.organisation
        to = Addressee(
            organisation=organisation,
            recipient=composed.phone.masked,
            person=self._deps.number_key.person(organisation, composed.phone.e164),
            country=composed.phone.country,
        )
        reference = PayloadRef.of_test(organisation)
        return dataclasses.replace(
            new_message(to, new.message_id, settings.setting.channel, None, reference, now),
            segments=composed.measured.segments if composed.measured else None,
            price=composed.price,
            template=template_of(composed.payload),
            language=composed.payload.language,
            created_by=new.created_by,
            due_at=now + timedelta(minutes=5),
        )


def _composed(settings: Settings, to: str, language: str) -> Composed:
    channel = settings.setting.channel
    template = settings.default_template
    if channel is Channel.WHATSAPP and template is None:
        raise Refusal(ProblemCode.TEMPLATE_MISSING)
    content = (
        Content(text=_TEXTS.get(language, _TEXTS["en"]))
        if channel is Channel.SMS
        else Content(template=template, language=language)
    )
    recipient = Recipient(
        phone=to,
        values=_VALUES,
        card_image=SAMPLE_CARD,
        card_generated_at=None,
        enrollment_id=None,
        language=language,
        given=Given(),
    )
    try:
        return compose(recipient, content, dataclasses.replace(settings.setting, trusted_card=SAMPLE_CARD))
    except CompositionError as error:
        raise Refusal(ProblemCode.UNPROCESSABLE, tuple(map(_of_request, error.field_errors))) from None


def _of_request(field_error: FieldError) -> FieldError:
    """The field error under the name of the field in this request: the number is in the request, the template in the
    settings."""
    return dataclasses.replace(field_error, field=_FIELDS.get(field_error.field, field_error.field))


def _waits_for(channel: Channel) -> str:
    """Why no call was made in time, as a code. A test send needs no consent and no session, so on WhatsApp it is the
    daily limit. On SMS there was no free send slot in time; that has no code."""
    return "daily_limit" if channel is Channel.WHATSAPP else ""


def _message_reason(reason: str) -> str:
    """A stop's reason belongs to a distribution; the message gets `provider_rejected`."""
    return "provider_rejected" if reason in _STOP_REASONS else reason


def _check_gate(channel: Channel, composed: Composed, now: datetime) -> None:
    gate_input = GateInput(
        channel=channel, country=composed.phone.country, given=Given(), recorded=None, exempt_from_consent=True
    )
    match gate(gate_input, now):
        case NotBefore(at=at):
            local = at.astimezone(ZoneInfo(COVERED[composed.phone.country].zone))
            raise Refusal(ProblemCode.QUIET_HOURS, opens_at=local.isoformat())
        case Never(reason=reason):
            raise Refusal(ProblemCode.UNPROCESSABLE, (_of_request(field_error_of(reason)),))
        case Go():
            return
