"""The gate check just before the call: reads the distribution's state and epoch, the holds and the consent, and asks
the gate.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from shared.base.caches import TtlCache
from shared.base.ids import fallback_id
from shared.campaigns.distribution import Distribution, DistributionStatus
from shared.campaigns.runs import template_of
from shared.holds.hold import DAILY_LIMIT, Holds, ScopeKey, scopes_for
from shared.holds.keeper import HoldStore, scopes_of
from shared.integrations.integration import WhatsAppIntegration
from shared.messages.message import ALREADY_SENT, ARRIVED, Message
from shared.messages.payload import Channel, Mode
from shared.messages.ports import Log
from shared.messages.queue_message import ANY_SCOPE, QueueMessage
from shared.pacing.daily_limit import DailyLimits
from shared.policy.consent import ConsentRecord, given_in
from shared.policy.gate import GateInput, Go, Never, NotBefore, earliest_open, gate
from shared.policy.hours import Window, parse_windows
from shared.policy.ports import People, consents_of
from shared.sending.channel import Integrated

KNOWN_FOR = timedelta(milliseconds=950)
"""How old the facts may be at the gate check. The check is `AHEAD` (`shared.pacing.slots`) before the call, and at the
call the facts may be a second old.
"""

WHILE_PAUSED = timedelta(minutes=5)
"""How long a fallback waits before it asks again, while its distribution is paused."""


class GateDecision(StrEnum):
    """`dropped`: the message stays pending, and its run will release it again. `held`: the message stays pending, and
    the agenda enqueues it when the hold has ended.
    """

    GO = "go"
    LATER = "later"
    DROPPED = "dropped"
    HELD = "held"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The result of a gate check.

    - `at` goes with `later`, `reason` with `never` and `held`.
    - `as_template` goes with `go`: the session has closed.
    - `full`: Meta's daily limit has nothing left for this person, and no hold for it exists yet.
    - `holds`: the holds that were known at the check.
    """

    decision: GateDecision
    at: datetime | None = None
    reason: str = ""
    as_template: bool = False
    full: bool = False
    holds: Holds | None = None
    peak: tuple[Window, ...] = ()
    """Goes with `go`: the peak hours that the gate respected, besides the quiet hours."""


class GateCheck:
    """Asks the gate for messages that are about to be sent."""

    def __init__(self, holds: HoldStore, people: People, log: Log, limits: DailyLimits | None = None) -> None:
        """`limits`: sessions and Meta's daily limit; only for WhatsApp."""
        self._limits = limits
        self._log = log
        self._holds = holds
        self._states = TtlCache(self._read_states, KNOWN_FOR)
        self._consents = TtlCache(partial(consents_of, people), KNOWN_FOR)

    async def ask(self, queue_message: QueueMessage, now: datetime, integration: Integrated | None = None) -> Answer:
        """Whether this queue message may be sent now. Just before the call, pass the integration: then every fact is
        checked.
        """
        waits = await self._by_parents(queue_message, now)
        if waits is not None:
            return waits
        distribution, holds, recorded = await asyncio.gather(
            self._distribution_of(queue_message, now),
            self._holds_of(queue_message, now),
            self._consents.get((queue_message.organisation, queue_message.person), now),
        )  # concurrently, so that a batch shares its reads
        waits = self._by_state(queue_message, distribution) or by_holds(queue_message, distribution, holds, now)
        if waits is not None:
            return waits
        number = integration if isinstance(integration, WhatsAppIntegration) else None
        gate_input = await self._gate_input(queue_message, distribution, recorded, number, now)
        answer = Answer(decision=GateDecision.GO, peak=gate_input.peak, holds=holds)
        match gate(gate_input, now):
            case Go(as_template=as_template):
                return await self._as_written(queue_message, distribution, number, answer, now, as_template=as_template)
            case NotBefore(at=at):
                return Answer(decision=GateDecision.LATER, at=at)
            case Never(reason=reason):
                return Answer(decision=GateDecision.NEVER, reason=reason)

    async def _gate_input(
        self,
        queue_message: QueueMessage,
        distribution: Distribution | None,
        recorded: ConsentRecord | None,
        number: WhatsAppIntegration | None,
        now: datetime,
    ) -> GateInput:
        session_text = queue_message.payload.mode is Mode.SESSION and number is not None and self._limits is not None
        return GateInput(
            channel=queue_message.channel,
            country=queue_message.payload.country,
            given=given_in(queue_message.payload),
            recorded=recorded,
            peak=parse_windows(distribution.planned.peak) if distribution is not None else (),
            exempt_from_consent=queue_message.payload.exempt,
            session_text=session_text,
            session_until=await self._session_until(queue_message, number, now) if session_text else None,
            has_template=queue_message.payload.fallback_template is not None,
        )

    async def _as_written(
        self,
        queue_message: QueueMessage,
        distribution: Distribution | None,
        number: WhatsAppIntegration | None,
        go: Answer,
        now: datetime,
        *,
        as_template: bool,
    ) -> Answer:
        """The result after the gate's go. If a template replaces the text, holds on that template are checked too.
        Meta's daily limit comes last, because the check counts the person.
        """
        if as_template and go.holds is not None:
            waits = by_holds(queue_message, distribution, go.holds, now, as_template=True)
            if waits is not None:
                return waits
        limited = number is not None and (as_template or queue_message.payload.mode is Mode.TEMPLATE)
        if not limited or not await self._is_full(number, queue_message.person, now):
            return replace(go, as_template=as_template)
        decision = GateDecision.DROPPED if DAILY_LIMIT in run_scopes(queue_message, distribution) else GateDecision.HELD
        return replace(go, decision=decision, reason="daily_limit", full=True)

    @staticmethod
    def is_open(queue_message: QueueMessage, gate_answer: Answer, at: datetime) -> bool:
        """Whether the hours that the gate found open are still open at `at`. It reads nothing."""
        return earliest_open(queue_message.channel, queue_message.payload.country, at, gate_answer.peak) <= at

    async def _by_parents(self, queue_message: QueueMessage, now: datetime) -> Answer | None:
        """The result because of the messages that this one replaces; None if they do not stop it.

        They are read consistently, and nothing is sent after a message that has arrived. A fallback also waits and ends
        with its parent's distribution, although it does not belong to it.
        """
        organisation, payload = queue_message.organisation, queue_message.payload
        parents = await self._parents(organisation, payload.resend_of or payload.fallback_of)
        answer = by_failed(queue_message.message_id, parents, now) if payload.resend_of is not None else None
        if answer is not None or payload.fallback_of is None:
            return answer
        if any(parent.status in ARRIVED for parent in parents):
            return Answer(decision=GateDecision.NEVER, reason="cancelled")
        parent = next((one for one in parents if one.message_id == payload.fallback_of), None)
        if parent is None or parent.distribution_id is None:
            return None
        distribution = await self._distribution((organisation, parent.distribution_id), now)
        if distribution is None or distribution.status is DistributionStatus.CANCELLED:
            return Answer(decision=GateDecision.NEVER, reason="cancelled")
        if not distribution.may_leave:
            return Answer(decision=GateDecision.LATER, at=now + WHILE_PAUSED)
        return None

    async def _parents(self, organisation: str, message_id: str | None) -> Sequence[Message]:
        """The message, the one that it replaces, and so on: a resend may be resent, and a retry retried."""
        found: list[Message] = []
        while message_id is not None:
            message = await self._log.get(organisation, message_id)
            if message is None:
                break
            found.append(message)
            message_id = message.parent_message_id
        return found

    async def _distribution_of(self, queue_message: QueueMessage, now: datetime) -> Distribution | None:
        if queue_message.chunk is None:
            return None
        return await self._distribution((queue_message.organisation, queue_message.chunk.distribution_id), now)

    async def _distribution(self, key: tuple[str, str], now: datetime) -> Distribution | None:
        found = await self._states.get(key, now)
        return found if isinstance(found, Distribution) else None

    async def _holds_of(self, queue_message: QueueMessage, now: datetime) -> Holds:
        found = await self._states.get((queue_message.organisation, queue_message.channel), now)
        nothing = Holds(organisation=queue_message.organisation, channel=queue_message.channel)
        return found if isinstance(found, Holds) else nothing

    async def _session_until(
        self, queue_message: QueueMessage, number: WhatsAppIntegration | None, now: datetime
    ) -> datetime | None:
        return await self._limits.session_until(number, queue_message.person, now) if number and self._limits else None

    async def _is_full(self, number: WhatsAppIntegration | None, person: str, now: datetime) -> bool:
        """Whether Meta's daily limit is used up. If not, the person is counted."""
        if number is None or self._limits is None:
            return False
        return await self._limits.take(number, person, now) is not None

    @staticmethod
    def _by_state(queue_message: QueueMessage, distribution: Distribution | None) -> Answer | None:
        if queue_message.chunk is None:
            return None
        if distribution is None or distribution.status is DistributionStatus.CANCELLED:
            return Answer(decision=GateDecision.NEVER, reason="cancelled")
        if not distribution.may_leave or queue_message.epoch != distribution.epoch_of(queue_message.chunk.run):
            return Answer(decision=GateDecision.DROPPED)
        return None

    async def _read_states(self, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Distribution | Holds]:
        channels = {(organisation, one) for organisation, one in keys if isinstance(one, Channel)}
        distributions, holds = await self._holds.read([key for key in keys if key not in channels], channels)
        states: dict[tuple[str, str], Distribution | Holds] = dict(distributions)
        states.update({(organisation, str(channel)): one for (organisation, channel), one in holds.items()})
        return states


def by_failed(message_id: str, parents: Sequence[Message], now: datetime) -> Answer | None:
    """The result for a message that sends a failed one again; None if the failed one does not stop it. `parents`: the
    failed message, the one that this replaced, and so on.

    None of them may have arrived, which a provider may report late. Each must name the next one as its successor;
    otherwise another message goes in its place. If none has the place yet, the agenda takes it.
    """
    if parents and parents[0].may_be_sent_again:
        return Answer(decision=GateDecision.HELD)
    child = message_id
    for parent in parents:
        is_replaced = child in (parent.successor_message_id, fallback_id(parent.message_id))
        if parent.status in ARRIVED or not is_replaced:
            return Answer(decision=GateDecision.NEVER, reason=ALREADY_SENT)
        child = parent.message_id
    if not parents:
        return Answer(decision=GateDecision.NEVER, reason=ALREADY_SENT)
    rests_until = parents[0].rests_until
    return Answer(decision=GateDecision.LATER, at=rests_until) if rests_until and rests_until > now else None


def run_scopes(queue_message: QueueMessage, distribution: Distribution | None) -> list[ScopeKey]:
    """The scopes that can hold the message's run; empty if it belongs to no run."""
    if distribution is None or queue_message.chunk is None:
        return []
    return scopes_of(distribution, distribution.planned.runs[queue_message.chunk.run])


def by_holds(
    queue_message: QueueMessage,
    distribution: Distribution | None,
    holds: Holds,
    now: datetime,
    *,
    as_template: bool = False,
) -> Answer | None:
    """The result if a hold concerns the message; None if none does, or if the message tests that hold."""
    payload = queue_message.payload.as_template() if as_template else queue_message.payload
    mine = run_scopes(queue_message, distribution)
    found = holds.holding([*mine, *scopes_for(payload.country, template_of(payload))])
    if found is None or queue_message.probe == ANY_SCOPE:
        return None
    scope, hold = found
    if queue_message.probe == str(scope) and hold.is_tried_by(queue_message.message_id, now):
        return None
    return Answer(
        decision=GateDecision.DROPPED if scope in mine else GateDecision.HELD, reason=hold.reason, holds=holds
    )
