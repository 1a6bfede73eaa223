"""Messages from persons to the organisation's number: they open the person's session, and STOP ends all messages to
them.

Every update may come twice, late and in any order. Meta's "resume" is not a consent: it is about marketing. By api.md,
only a later, dated consent that an organisation records ends a revocation.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.base.events import Telemetry
from shared.base.ids import SYSTEM, stop_question_id, stop_reply_id
from shared.base.instants import Clock
from shared.campaigns.stored_content import Plans
from shared.integrations.integration import Integrations, WhatsAppIntegration
from shared.messages.factory import Addressee, new_message, single
from shared.messages.message import Message
from shared.messages.payload import Channel, Mode, Payload, ReplyButton
from shared.messages.ports import Log, LogQuery
from shared.messages.status_writer import StatusWriter
from shared.policy.consent import Consent, ConsentRecord, ConsentState
from shared.policy.gate import session_until
from shared.policy.opt_out import STOP_PAYLOAD, StopTexts, Wish, texts_for, tongue_of, wish_of
from shared.recipients.contacts import Identities, read_number
from shared.recipients.masking import mask
from shared.sending.enqueue_now import EnqueueNow
from shared.webhooks.updates import (
    Acquaintance,
    Contact,
    Inbound,
    Preference,
    Source,
    StatusReport,
    Succession,
    WebhookEvent,
)

STOP, PREFERENCE, REFUSED = "whatsapp_stop", "whatsapp_preference", "whatsapp_131050"
"""Sources of a recorded opt-out: the person's STOP, Meta's setting, and a message that Meta refused for this reason."""

ONCE_IN = timedelta(hours=24)
"""The shortest time between two questions whether a person means STOP."""

_NO_COUNTRY = "001"
"""libphonenumber's region for numbers without a country."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundDeps:
    """What `InboundAdapter` works with."""

    identities: Identities
    integrations: Integrations
    log: Log
    plans: Plans
    enqueue_now: EnqueueNow
    status_writer: StatusWriter
    telemetry: Telemetry
    clock: Clock


class InboundAdapter:
    """A `WebhookEventListener` for messages, preferences and names of persons, and a `StatusListener` for refusals."""

    def __init__(self, deps: InboundDeps) -> None:
        self._deps = deps
        self._identities = deps.identities

    async def receive(self, organisation: str, webhook_event: WebhookEvent) -> None:
        """Handle an update about persons; ignore other updates."""
        match webhook_event:
            case Inbound():
                await self._written(organisation, webhook_event)
            case Preference(stopped=True) | Acquaintance() | Succession():
                if not await self._is_of_others(organisation, webhook_event.source):
                    await self._person_update(organisation, webhook_event)
            case _:
                pass

    async def _person_update(self, organisation: str, webhook_event: Preference | Acquaintance | Succession) -> None:
        match webhook_event:
            case Preference():
                identities = self._identities.of(organisation, webhook_event.contact)
                await self._identities.revoke(organisation, identities, self._opt_out(webhook_event.at, PREFERENCE))
            case Acquaintance():
                both = Contact(phone=webhook_event.phone, user_id=webhook_event.user_id)
                person, *others = self._identities.of(organisation, both)
                await self._introduced(organisation, person, others)
            case Succession():
                await self._succeeded(organisation, webhook_event)

    async def status_received(self, organisation: str, report: StatusReport, row: Message) -> None:
        """Learn a person's other names from the status of a message, and record an opt-out for code 131050.

        Meta changes the numbers of some countries, and may leave out the number of a person with a username.
        """
        if report.recipient is not None:
            names = self._identities.of(organisation, report.recipient)
            await self._introduced(organisation, row.person, [name for name in names if name != row.person])
        if report.error is not None and report.error.reason == "opted_out":
            await self._identities.revoke(organisation, [row.person], self._opt_out(report.at, REFUSED))

    async def _written(self, organisation: str, inbound: Inbound) -> None:
        now = self._deps.clock.now()
        integration = await self._integration(organisation, inbound.source)
        if integration is None:
            self._deps.telemetry.event("inbound_to_another_number", organisation=organisation)
            return
        identities = self._identities.of(organisation, inbound.contact)
        until = session_until(inbound.at, now) if not inbound.is_edit else None
        if until is not None:
            await self._identities.open_session(organisation, integration.phone_number_id, identities, until)
        wish = await self._wish(organisation, inbound)
        self._deps.telemetry.event("inbound", organisation=organisation, opens_session=until is not None, wish=wish)
        if wish is Wish.NOTHING:
            return
        persons = await self._identities.same(organisation, identities)
        if inbound.is_edit:
            until = await self._identities.open_until(organisation, integration.phone_number_id, persons)
        writer = _Writer(
            inbound=inbound,
            persons=persons,
            person=persons[0] if inbound.contact.phone or len(persons) == 1 else persons[1],
            is_open=until is not None and now < until,
        )
        await (self._stopped if wish is Wish.STOP else self._perhaps)(integration, writer)

    async def _wish(self, organisation: str, inbound: Inbound) -> Wish:
        """What the person asks for. Persons may add the sender name of our SMS to the word STOP."""
        found = {wish_of(one) for one in inbound.words}
        if Wish.UNCLEAR in found and Wish.STOP not in found:
            sms = await self._deps.integrations.sms(organisation)
            found = {wish_of(one, (sms.sender_name,) if sms else ()) for one in inbound.words}
        return next((wish for wish in (Wish.STOP, Wish.UNCLEAR) if wish in found), Wish.NOTHING)

    async def _stopped(self, integration: WhatsAppIntegration, writer: "_Writer") -> None:
        """Log the answer, record the opt-out, then enqueue the answer.

        The answer's ID depends on the consent before the opt-out, so it is logged first. If the worker dies in between,
        the next delivery finds the same consent; after all is done, a repeat changes nothing.
        """
        organisation, opt_out = integration.organisation, self._opt_out(writer.inbound.at, STOP)
        before = await self._identities.record(organisation, writer.persons)
        granted = before.latest
        answer: tuple[Message, Payload] | None = None
        if _ends_consent(before, opt_out) and writer.is_open:
            message_id = stop_reply_id(organisation, writer.person, granted.recorded_at if granted else None)
            payload = _answer_to(writer, await self._texts(organisation, writer), asks=False)
            answer = await self._log_answer(organisation, message_id, writer.person, payload)
        await self._identities.revoke(organisation, writer.persons, opt_out)
        if answer is not None:
            await self._deps.enqueue_now.leave(*answer, integration)

    async def _perhaps(self, integration: WhatsAppIntegration, writer: "_Writer") -> None:
        """Ask whether the person means STOP, once in 24 hours, with a button that says STOP. A person who has opted out
        already is not asked.

        The question's ID contains the day, so repeated deliveries make one message. The previous day is checked too, so
        that the question is not asked twice around midnight.
        """
        organisation, now = integration.organisation, self._deps.clock.now()
        known = (await self._identities.record(organisation, writer.persons)).latest
        if not writer.is_open or (known is not None and known.state is ConsentState.REVOKED):
            return
        day = int(now.timestamp()) // int(ONCE_IN.total_seconds())
        before = await self._deps.log.get(organisation, stop_question_id(organisation, writer.person, day - 1))
        if before is not None and now - before.accepted_at < ONCE_IN:
            return
        message_id = stop_question_id(organisation, writer.person, day)
        payload = _answer_to(writer, await self._texts(organisation, writer), asks=True)
        question = await self._log_answer(organisation, message_id, writer.person, payload)
        if question is not None:
            await self._deps.enqueue_now.leave(*question, integration)

    async def _texts(self, organisation: str, writer: "_Writer") -> StopTexts:
        """The texts in the person's language, as far as it is known."""
        said_in = next(filter(None, map(tongue_of, writer.inbound.words)), None)
        written_in = None if said_in else await self._language(organisation, writer.persons)
        return texts_for(said_in, written_in, writer.country)

    async def _language(self, organisation: str, persons: Sequence[str]) -> str | None:
        """The language of the newest message to this person, because they have read it."""
        pages = [await self._deps.log.page(LogQuery(organisation=organisation, person=one), None, 1) for one in persons]
        newest = max((row for page in pages for row in page.items), key=lambda row: row.accepted_at, default=None)
        return newest.language if newest is not None else None

    def _opt_out(self, at: datetime, source: str) -> Consent:
        """A person's own opt-out, with Meta's date, but never a future one."""
        now = self._deps.clock.now()
        return Consent(state=ConsentState.REVOKED, recorded_at=min(at, now), received_at=now, source=source)

    async def _log_answer(
        self, organisation: str, message_id: str, person: str, payload: Payload
    ) -> tuple[Message, Payload] | None:
        """Store, log and count the answer; None if it exists already."""
        existing = await self._deps.log.get(organisation, message_id)
        if existing is not None:
            await self._deps.status_writer.accepted_again(existing)
            return None
        reference = await self._deps.plans.write_payload(organisation, person, message_id, payload)
        to = Addressee(organisation=organisation, recipient=mask(payload.to), person=person, country=payload.country)
        made = new_message(to, message_id, Channel.WHATSAPP, payload, reference, self._deps.clock.now())
        message = replace(single(made, payload), created_by=SYSTEM)
        if not await self._deps.log.add(message):
            return None
        await self._deps.status_writer.accepted(message)
        return message, payload

    async def _introduced(self, organisation: str, person: str, others: Sequence[str]) -> None:
        integration = await self._deps.integrations.whatsapp(organisation) if others else None
        if integration is None:
            return
        for other in others:
            await self._identities.introduce(organisation, integration.phone_number_id, person, other)

    async def _succeeded(self, organisation: str, succession: Succession) -> None:
        for previous in self._identities.of(organisation, succession.previous):
            for current in self._identities.of(organisation, succession.current):
                await self._identities.succeed(organisation, previous, current, succession.at)

    async def _integration(self, organisation: str, source: Source) -> WhatsAppIntegration | None:
        """The organisation's settings, if the number that the person wrote to may be theirs; else None."""
        for uncached in (False, True):
            integration = await self._deps.integrations.whatsapp(organisation, uncached=uncached)
            if integration is not None and source.may_be_about(integration):
                return integration
        return None

    async def _is_of_others(self, organisation: str, source: Source) -> bool:
        """Whether the update is about another account or number. Without settings that is unknown: then it is not, and
        an opt-out counts.
        """
        if await self._integration(organisation, source) is not None:
            return False
        is_set = await self._deps.integrations.whatsapp(organisation) is not None
        if is_set:
            self._deps.telemetry.event("inbound_to_another_number", organisation=organisation)
        return is_set


def _ends_consent(before: ConsentRecord, opt_out: Consent) -> bool:
    """Whether the person had not opted out before, and has now."""
    after = before.joined([opt_out]).latest
    had_opted_out = before.latest is not None and before.latest.state is ConsentState.REVOKED
    return not had_opted_out and after is not None and after.state is ConsentState.REVOKED


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writer:
    """The sender of a message. `persons`: all their identities. `person`: the one under which the answer is logged."""

    inbound: Inbound
    persons: Sequence[str]
    person: str
    is_open: bool

    @property
    def country(self) -> str:
        """The country of the number, else of the user ID."""
        contact = self.inbound.contact
        number = read_number(contact.phone) if contact.phone else None
        return number.country if number else (contact.user_id or "")[:2] or _NO_COUNTRY


def _answer_to(writer: _Writer, texts: StopTexts, *, asks: bool) -> Payload:
    """A short text in the session that the person's own message opened. It needs no consent."""
    contact = writer.inbound.contact
    number = read_number(contact.phone) if contact.phone else None
    return Payload(
        to=number.e164 if number else contact.phone or contact.user_id or "",
        country=writer.country,
        mode=Mode.SESSION,
        text=texts.question if asks else texts.done,
        button=ReplyButton(id=STOP_PAYLOAD, title=texts.title) if asks else None,
        language=texts.language,
        exempt=True,
    )
