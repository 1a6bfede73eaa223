"""What people tell the organisation's number: it opens their session, and STOP ends all messages to them.

Everything here may be heard twice, late and in any order. Meta's "resume" grants nothing: it is about marketing, and
api.md lets a revocation yield only to a later, dated consent that somebody recorded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.clock import Clock
from shared.domain.consent import Consent, ConsentRecord, ConsentState
from shared.domain.ids import stop_reply_id
from shared.domain.integration import WhatsAppIntegration
from shared.domain.masking import mask
from shared.domain.message import Message
from shared.domain.news import Acquaintance, Contact, Inbound, News, Preference, Succession
from shared.domain.payload import Channel, Mode, Payload
from shared.domain.receipt import StatusReport
from shared.domain.session import session_until
from shared.domain.stop_words import asks_to_stop
from shared.usecases.contacts import Identities, read_number
from shared.usecases.frozen import Plans
from shared.usecases.ports import Integrations, Log, Telemetry
from shared.usecases.straight import WATCH, Straight

STOP, PREFERENCE, REFUSED = "whatsapp_stop", "whatsapp_preference", "whatsapp_131050"
"""Sources of a recorded opt-out: the person's own word, Meta's setting, and a message that came back for it."""
STOP_REPLY = "Vous ne recevrez plus de messages de notre part. / You will no longer receive messages from us."  # fr, en
_NO_COUNTRY = "001"
"""What libphonenumber calls the world: a number without a country."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundDeps:
    """What hearing people works with."""

    identities: Identities
    integrations: Integrations
    log: Log
    plans: Plans
    straight: Straight
    telemetry: Telemetry
    clock: Clock


class InboundDesk:
    """A `NewsListener` for messages, preferences and names of people, and a `StatusListener` for refusals."""

    def __init__(self, deps: InboundDeps) -> None:
        self._deps = deps
        self._identities = deps.identities

    async def hear(self, organisation: str, news: News) -> None:
        """Take up what is about people; everything else is somebody else's."""
        match news:
            case Inbound():
                await self._written(organisation, news)
            case Preference(stopped=True):
                identities = self._identities.of(organisation, news.contact)
                await self._identities.revoke(organisation, identities, self._opt_out(news.at, PREFERENCE))
            case Acquaintance():
                both = Contact(phone=news.phone, user_id=news.user_id)
                person, *others = self._identities.of(organisation, both)
                await self._introduced(organisation, person, others)
            case Succession():
                await self._succeeded(organisation, news)
            case _:
                pass

    async def told(self, organisation: str, report: StatusReport, row: Message) -> None:
        """A status names the person of a message of ours, whatever number Meta has for them; code 131050 is an opt-out.

        Meta rewrites some countries' numbers, and those of people with usernames it may not tell at all.
        """
        if report.recipient is not None:
            names = self._identities.of(organisation, report.recipient)
            await self._introduced(organisation, row.person, [name for name in names if name != row.person])
        if report.error is not None and report.error.reason == "opted_out":
            await self._identities.revoke(organisation, [row.person], self._opt_out(report.at, REFUSED))

    async def _written(self, organisation: str, inbound: Inbound) -> None:
        now = self._deps.clock.now()
        integration = await self._integration(organisation, inbound.phone_number_id)
        if integration is None:
            self._deps.telemetry.event("inbound_to_another_number", organisation=organisation)
            return
        identities = self._identities.of(organisation, inbound.contact)
        until = session_until(inbound.at, now)
        if until is not None:
            await self._identities.open_session(organisation, integration.phone_number_id, identities, until)
        stops = any(map(asks_to_stop, inbound.words))
        self._deps.telemetry.event("inbound", organisation=organisation, opens_session=until is not None, stops=stops)
        if stops:
            await self._stopped(integration, inbound, identities, is_open=until is not None)

    async def _stopped(
        self, integration: WhatsAppIntegration, inbound: Inbound, identities: Sequence[str], *, is_open: bool
    ) -> None:
        """The answer is logged first, named by what the person had said before; then the opt-out takes that place.

        So a copy that is killed on the way finds everything as it was, and one that is heard again finds it all done.
        """
        organisation, opt_out = integration.organisation, self._opt_out(inbound.at, STOP)
        persons = await self._identities.same(organisation, identities)
        before = await self._identities.record(organisation, persons)
        granted = before.latest
        answer: tuple[Message, Payload] | None = None
        if _ends_consent(before, opt_out) and is_open:
            person = persons[0] if inbound.contact.phone or len(persons) == 1 else persons[1]
            message_id = stop_reply_id(organisation, person, granted.recorded_at if granted else None)
            answer = await self._log_answer(organisation, message_id, person, inbound.contact)
        await self._identities.revoke(organisation, persons, opt_out)
        if answer is not None:
            await self._deps.straight.leave(*answer, integration)

    def _opt_out(self, at: datetime, source: str) -> Consent:
        """A person's own opt-out, dated by Meta, at the latest now."""
        now = self._deps.clock.now()
        return Consent(state=ConsentState.REVOKED, recorded_at=min(at, now), received_at=now, source=source)

    async def _log_answer(
        self, organisation: str, message_id: str, person: str, contact: Contact
    ) -> tuple[Message, Payload] | None:
        """The answer, frozen and logged; None where it is there already."""
        if await self._deps.log.get(organisation, message_id) is not None:
            return None
        payload = _answer_to(contact)
        reference = await self._deps.plans.write_payload(organisation, message_id, payload)
        now = self._deps.clock.now()
        message = Message(
            organisation=organisation,
            message_id=message_id,
            channel=Channel.WHATSAPP,
            accepted_at=now,
            recipient=mask(payload.to),
            person=person,
            country=payload.country,
            payload=reference,
            due_at=now + WATCH,
        )
        return (message, payload) if await self._deps.log.add(message) else None

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

    async def _integration(self, organisation: str, phone_number_id: str) -> WhatsAppIntegration | None:
        """The organisation's settings, if the number that was written to is theirs; a value may leave it unsaid."""
        for fresh in (False, True):
            integration = await self._deps.integrations.whatsapp(organisation, fresh=fresh)
            if integration is not None and phone_number_id in ("", integration.phone_number_id):
                return integration
        return None


def _ends_consent(before: ConsentRecord, opt_out: Consent) -> bool:
    """Whether the person had not opted out before this, and has now."""
    after = before.joined([opt_out]).latest
    had_opted_out = before.latest is not None and before.latest.state is ConsentState.REVOKED
    return not had_opted_out and after is not None and after.state is ConsentState.REVOKED


def _answer_to(contact: Contact) -> Payload:
    """A short text inside the session that the STOP itself opened; it needs nobody's consent."""
    number = read_number(contact.phone) if contact.phone else None
    user_id = contact.user_id or ""
    return Payload(
        to=number.e164 if number else contact.phone or user_id,
        country=number.country if number else user_id[:2] or _NO_COUNTRY,
        mode=Mode.SESSION,
        text=STOP_REPLY,
        exempt=True,
    )
