"""Fallback WhatsApp → SMS: a message of its own that names its parent, at most one, through the gate like any other.

The agenda finds the parents. A `failed` that starts the fallback sets `due_at` to now, a `sent` sets it to
`after_minutes` later, and an arrival removes it. The parent is marked first (`fell_back`) and is never sent again. The
steps after the mark may run twice, because the ID of the SMS is derived from its parent's.

A fallback by time waits while Meta reports nothing, 24 hours at most.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.base.concurrency import gather_bounded
from shared.base.events import Telemetry
from shared.base.ids import SYSTEM, fallback_id
from shared.campaigns.stored_content import Plans
from shared.integrations.integration import Integrations, SmsIntegration
from shared.messages.factory import single, successor
from shared.messages.fallback import BACKLOG, Silence, Timing, next_look, timing
from shared.messages.message import Message
from shared.messages.payload import Channel, Fallback, Mode, Payload
from shared.messages.ports import Log, set_next_check
from shared.sending.last_heard import LastHeardReader, LastHeardStore
from shared.texts.composition import price_of
from shared.texts.sms import measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallbacks:
    """Makes the SMS for messages whose fallback starts."""

    log: Log
    plans: Plans
    integrations: Integrations
    telemetry: Telemetry

    async def begin(self, parent: Message, now: datetime) -> Message | None:
        """The SMS, logged and ready to be enqueued; None: another worker has logged it, or there is nothing to send.

        If the worker dies before the end, the agenda begins again at the parent's `due_at`. A logged SMS has its own
        `due_at`.
        """
        payload = await self.plans.read_payload(parent.payload) if parent.person else None
        made: Message | None = None
        if payload is not None and payload.fallback is not None and await self._marked(parent):
            made = await self._logged(parent, payload, payload.fallback, now)
        await set_next_check(self.log, parent, None)
        return made

    async def _marked(self, parent: Message) -> bool:
        return await self.log.fall_back(parent.organisation, parent.message_id)

    async def _logged(self, parent: Message, payload: Payload, fallback: Fallback, now: datetime) -> Message | None:
        identity = fallback_id(parent.message_id)
        stored_content = Payload(
            to=payload.to,
            country=payload.country,
            mode=Mode.SMS,
            text=fallback.text,
            card_generated_at=payload.card_generated_at,
            consented=payload.consented,
            consented_at=payload.consented_at,
            consent_received_at=payload.consent_received_at,
            language=payload.language,
            fallback_of=parent.message_id,
        )
        sms = await self.integrations.sms(parent.organisation)
        reference = await self.plans.write_payload(parent.organisation, parent.person, identity, stored_content)
        sent = successor(parent, identity, Channel.SMS, stored_content, reference, now)
        message = _message(single(sent, stored_content, template=fallback.template), stored_content, sms, parent)
        if not await self.log.add(message):
            return None
        self.telemetry.event("fallback_begun", message_id=identity, parent=parent.message_id, status=parent.status)
        return message


def _message(made: Message, payload: Payload, sms: SmsIntegration | None, parent: Message) -> Message:
    measured = measure(payload.text)
    return replace(
        made,
        parent_chunk=parent.chunk,
        created_by=SYSTEM,
        segments=measured.segments,
        price=price_of(measured, sms.unit_prices.get(parent.country)) if sms else None,
    )


_LATE = timedelta(minutes=5)
"""The agenda may be this late for a look. A silence is over only after that."""


class FallbackWaits:
    """Postpones fallbacks that have to wait. Use it for one batch of the agenda, then call `flush`."""

    def __init__(
        self, log: Log, last_heard_store: LastHeardStore, last_heard_reader: LastHeardReader, telemetry: Telemetry
    ) -> None:
        self._log = log
        self._last_heard_store = last_heard_store
        self._last_heard_reader = last_heard_reader
        self._telemetry = telemetry
        self._waiting = 0
        self._silences: dict[tuple[str, str], Silence] = {}

    async def puts_off(self, parent: Message, now: datetime) -> bool:
        """Whether the fallback of this message waits. The agenda then looks again later."""
        key = (parent.organisation, parent.message_id)
        match timing(parent, await self._last_heard_reader.of(parent), now):
            case Timing.START:
                return False
            case Timing.BACKLOG:
                await self._log.note_reporting(*key, attempt=parent.attempts, due_at=now + BACKLOG)
            case Timing.WAIT:
                look_at = next_look(parent, now)
                self._note(parent, now, look_at)
                await set_next_check(self._log, parent, look_at)
        return True

    async def flush(self) -> None:
        """Note, once for each distribution, that its fallbacks wait for Meta."""
        silences, self._silences = self._silences, {}
        waiting, self._waiting = self._waiting, 0
        await gather_bounded(
            self._last_heard_store.note_silence(*owner, silence) for owner, silence in silences.items()
        )
        if waiting:
            self._telemetry.event("fallbacks_wait", messages=waiting)

    def _note(self, parent: Message, now: datetime, look_at: datetime) -> None:
        """Messages that Meta holds for assessment do not count: for them a missing status is normal."""
        if parent.quality_hold:
            return
        self._waiting += 1
        if parent.distribution_id is None or parent.sender is None:
            return
        owner = (parent.organisation, parent.distribution_id)
        until = look_at + _LATE
        if owner in self._silences:
            until = max(until, self._silences[owner].until)
        self._silences[owner] = Silence(phone_number_id=parent.sender, noted_at=now, until=until)
