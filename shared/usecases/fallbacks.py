"""Fallback WhatsApp → SMS: a message of its own that names the first, at most one, through the gate like any other.

The agenda finds the parents: a `failed` that starts it puts `due_at` to now, a `sent` puts it `after_minutes` ahead, an
arrival takes it away. Begun means marked on the parent first: from then on the parent is never sent again. What comes
after the mark may be done twice: the SMS has an ID made of its parent's.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.composition import price_of
from shared.domain.ids import fallback_id
from shared.domain.integration import SmsIntegration
from shared.domain.message import Message, PayloadRef
from shared.domain.payload import Channel, Mode, Payload
from shared.domain.segments import measure
from shared.usecases.factory import single, successor
from shared.usecases.frozen import Plans
from shared.usecases.ports import Integrations, Log, Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallbacks:
    """Makes the SMS of messages that await it."""

    log: Log
    plans: Plans
    integrations: Integrations
    telemetry: Telemetry

    async def begin(self, parent: Message, now: datetime) -> Message | None:
        """The SMS, logged and about to leave; None where somebody else has logged it, or there is nothing to send.

        Killed anywhere, it is begun again at the parent's `due_at`; what has been logged is looked after by its own.
        """
        payload = await self.plans.read_payload(parent.payload) if parent.person else None
        made: Message | None = None
        if payload is not None and payload.fallback is not None and await self._marked(parent):
            made = await self._logged(parent, payload, payload.fallback.text, now)
        if parent.due_at is not None:
            await self.log.rewatch(parent.organisation, parent.message_id, seen=parent.due_at, due_at=None)
        return made

    async def _marked(self, parent: Message) -> bool:
        return await self.log.fall_back(parent.organisation, parent.message_id)

    async def _logged(self, parent: Message, payload: Payload, text: str, now: datetime) -> Message | None:
        identity = fallback_id(parent.message_id)
        frozen = Payload(
            to=payload.to,
            country=payload.country,
            mode=Mode.SMS,
            text=text,
            card_generated_at=payload.card_generated_at,
            consented=payload.consented,
            consented_at=payload.consented_at,
            consent_received_at=payload.consent_received_at,
            language=payload.language,
            fallback_of=parent.message_id,
        )
        sms = await self.integrations.sms(parent.organisation)
        reference = await self.plans.write_payload(parent.organisation, parent.person, identity, frozen)
        message = _message(parent, identity, reference, frozen, sms, now)
        if not await self.log.add(message):
            return None
        self.telemetry.event("fallback_begun", message_id=identity, parent=parent.message_id, status=parent.status)
        return message


def _message(
    parent: Message, identity: str, reference: PayloadRef, payload: Payload, sms: SmsIntegration | None, now: datetime
) -> Message:
    """It belongs to the parent's campaign and distribution, but is none of the distribution's rows."""
    measured = measure(payload.text)
    return replace(
        single(successor(parent, identity, Channel.SMS, payload, reference, now), payload),
        parent_chunk=parent.chunk,
        segments=measured.segments,
        price=price_of(measured, sms.unit_prices.get(parent.country)) if sms else None,
    )
