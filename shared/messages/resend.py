"""POST /v1/messages/{message_id}/resend: a failed message once more, as a message of its own that names the first."""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.base.ids import resend_id
from shared.base.instants import Clock, microseconds
from shared.base.refusal import ProblemCode, Refusal
from shared.campaigns.stored_content import Plans
from shared.integrations.integration import SmsIntegration, WhatsAppIntegration
from shared.integrations.ports import Integrations
from shared.messages.factory import queued, single, successor
from shared.messages.message import Message
from shared.messages.payload import Mode, Payload
from shared.messages.ports import Log
from shared.messages.single import without_rows
from shared.messages.status import Status
from shared.policy.eligibility import field_error_of
from shared.policy.gate_check import GateCheck, GateDecision
from shared.sending.channel import settings_of
from shared.sending.enqueue_now import EnqueueNow


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendDeps:
    """What resending works with."""

    log: Log
    plans: Plans
    integrations: Integrations
    gate_check: GateCheck
    enqueue_now: EnqueueNow
    clock: Clock


class Resends:
    """Sends failed messages again. Whether an unknown outcome is worth a second message is for a person to say."""

    def __init__(self, deps: ResendDeps) -> None:
        self._deps = deps

    async def resend(self, organisation: str, message_id: str) -> Message:
        """The one successor of a failed message; asked again, the same one.

        Raises Refusal: not_found, state_conflict (not failed, its fallback goes instead, its frozen content is gone),
        integration_missing, unprocessable (the gate says never: a consent was revoked meanwhile).
        """
        parent = await self._deps.log.get(organisation, message_id)
        if parent is None:
            raise Refusal(ProblemCode.NOT_FOUND)
        identity = resend_id(parent.message_id)
        existing = await self._deps.log.get(organisation, identity)
        if existing is not None:
            return existing
        if not may_be_resent(parent):
            raise Refusal(ProblemCode.STATE_CONFLICT, status=parent.status)
        payload = await self._payload(parent)
        integration = await self._integration(parent)
        made = successor(parent, identity, parent.channel, payload, parent.payload, self._deps.clock.now())
        made = replace(made, segments=parent.segments, price=parent.price, fallback_minutes=None)
        waits_until = await self._waits_until(parent, made, payload, integration)
        reference = await self._deps.plans.write_payload(organisation, parent.person, identity, payload)
        message = single(replace(made, payload=reference), payload, waits_until)
        if not await self._deps.log.add(message):
            return await self._deps.log.get(organisation, identity) or message
        if waits_until is None:
            await self._deps.enqueue_now.leave(message, payload, integration)
        return message

    async def _payload(self, parent: Message) -> Payload:
        payload = await self._deps.plans.read_payload(parent.payload) if parent.person else None
        if payload is None:
            gone = "expired" if parent.person else "erased"
            raise Refusal(ProblemCode.STATE_CONFLICT, status=parent.status, gone=gone)
        return payload

    async def _integration(self, parent: Message) -> SmsIntegration | WhatsAppIntegration:
        found = await settings_of(self._deps.integrations, parent.organisation, parent.channel, uncached=True)
        if found is None:
            raise Refusal(ProblemCode.INTEGRATION_MISSING, integration=parent.channel)
        return found

    async def _waits_until(
        self, parent: Message, made: Message, payload: Payload, integration: SmsIntegration | WhatsAppIntegration
    ) -> datetime | None:
        """When the gate is open and the provider's rest over; None where that is now. Nobody is counted as written to
        yet: a text never is."""
        is_bare_text = payload.mode is Mode.SESSION and payload.fallback_template is None
        now = self._deps.clock.now()
        queue_message = queued(made, payload, None, microseconds(now), 0)
        answer = await self._deps.gate_check.ask(queue_message, now, integration if is_bare_text else None)
        if answer.decision is GateDecision.NEVER and answer.reason == "cancelled":
            raise Refusal(ProblemCode.STATE_CONFLICT, status=parent.status)  # what this fallback stands in for arrived
        if answer.decision is GateDecision.NEVER:
            raise Refusal(ProblemCode.UNPROCESSABLE, without_rows((field_error_of(answer.reason),)))
        waits = (answer.at if answer.decision is GateDecision.LATER else None, parent.rests_until)
        return max((until for until in waits if until is not None and until > now), default=None)


def may_be_resent(parent: Message) -> bool:
    """A failed message whose fallback neither has begun nor is due: that is its second chance, and the two could both
    arrive (design.md, Bulk: Fallback). After a failure that starts none (a cancel, say) no fallback ever comes."""
    return parent.status is Status.FAILED and not parent.fell_back and not parent.awaits_fallback
