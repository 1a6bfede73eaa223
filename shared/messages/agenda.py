"""The agenda: messages that wait longer than a queue can delay, or that need a next check. It enqueues first and moves
the next check afterwards, so a message whose queue message was lost comes up again."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from shared.base.events import Telemetry
from shared.base.ids import fallback_id
from shared.base.instants import Clock, from_microseconds, microseconds
from shared.campaigns.distribution import Distribution, DistributionStatus
from shared.campaigns.stored_content import Plans
from shared.cards.failures import another_card
from shared.holds.hold import Holds, ScopeKey
from shared.holds.keeper import HoldStore, scopes_of_message
from shared.integrations.integration import Integrations
from shared.messages.factory import queue_message_of
from shared.messages.fallbacks import Fallbacks, FallbackWaits
from shared.messages.message import ALREADY_SENT, ERASED, DeadLetter, Message
from shared.messages.payload import Channel, Payload
from shared.messages.ports import ChannelQueue, Log, set_next_check
from shared.messages.queue_message import QueueMessage
from shared.messages.status_writer import StatusWriter
from shared.pacing.rate_limit import HORIZON, TICK_EVERY, RateLimits, Share
from shared.policy.gate_check import GateCheck, GateDecision
from shared.sending.channel import NotesUnknown, book_slots, settings_of
from shared.sending.last_heard import LastHeardReader, LastHeardStore
from shared.sending.resolve_unknown import Unknowns
from shared.sending.unknown_outcome import LastHeard, Resolution, UnknownOutcome, next_look, resolve_unknown

_AT_ONCE = 100

_WHILE_PAUSED = timedelta(minutes=5)

_PUT_OFF = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgendaDeps:
    """What the agenda works with."""

    log: Log
    holds: HoldStore
    plans: Plans
    integrations: Integrations
    rate_limits: RateLimits
    queue: ChannelQueue
    status_writer: StatusWriter
    gate_check: GateCheck
    fallbacks: Fallbacks
    note_unknown: NotesUnknown
    last_heard_store: LastHeardStore
    telemetry: Telemetry
    clock: Clock


class Agenda:
    def __init__(self, deps: AgendaDeps) -> None:
        self._deps = deps
        self._unknowns = Unknowns(deps.log, deps.status_writer, deps.note_unknown)
        self._last_heard_reader = LastHeardReader(deps.last_heard_store)
        self._waits = FallbackWaits(deps.log, deps.last_heard_store, self._last_heard_reader, deps.telemetry)

    async def work_off(self, shard: int) -> bool:
        """Take up the due messages of one shard. Returns True if there may be more."""
        now = self._deps.clock.now()
        self._last_heard_reader.forget()
        due = await self._deps.log.due(shard, now, _AT_ONCE)
        states = await self._states_of(due)
        for message in due:
            await self._take_up_or_put_off(message, states, now)
        await self._deps.status_writer.flush()
        await self._waits.flush()
        if due:
            self._deps.telemetry.event("agenda_worked_off", shard=shard, messages=len(due))
        return len(due) == _AT_ONCE

    async def fall_back(self, organisation: str, message_id: str) -> None:
        """Begin the fallback of a message that has just failed, without waiting for the next tick."""
        now = self._deps.clock.now()
        self._last_heard_reader.forget()
        message = await self._deps.log.get(organisation, message_id)
        if message is None or message.due_at is None or message.due_at > now:
            return
        await self._take_up(message, await self._states_of([message]), now)
        await self._deps.status_writer.flush()
        await self._waits.flush()

    async def _take_up_or_put_off(self, message: Message, states: "_States", now: datetime) -> None:
        """A message that cannot be taken up is postponed: a shard is read from its earliest message, for all
        organisations."""
        try:
            await self._take_up(message, states, now)
        except Exception as error:
            self._deps.telemetry.warning_event(
                "agenda_message_failed",
                message_id=message.message_id,
                organisation=message.organisation,
                error=type(error).__name__,
            )
            await self._move_next_check(message, now + _PUT_OFF)

    async def _take_up(self, message: Message, states: "_States", now: datetime) -> None:
        distribution = states.distribution_of(message)
        if message.awaits_fallback:
            if not await self._is_parked(message, states):
                await self._fall_back(message, distribution, now)
            return
        if message.due_at is None or not message.is_open:
            return
        if message.unknown_since is not None:
            await self._resolve_unknown(message, message.unknown_since, distribution, now)
        elif message.lease_until is not None:
            await self._lapsed(message, now)
        elif message.dead is not None:
            await self._given_up(message, message.dead, now)
        elif message.chunk is not None and not _may_leave(distribution):
            await self._wait_with(message, distribution, now)
        elif await self._has_place(message, now) and not await self._is_parked(message, states):
            await self._enqueue(message, distribution, now)

    async def _has_place(self, message: Message, now: datetime) -> bool:
        """Whether the message has the place of the failed one that it sends again. The worker that logged it may have
        died before it took the place. If another message has it, this one ends."""
        key, parent = (message.organisation, message.message_id), message.parent_message_id
        if parent is None or message.via == "fallback":
            return True
        if await self._deps.log.note_successor(key[0], parent, successor=key[1]):
            return True
        await self._deps.status_writer.end_unsent(*key, ALREADY_SENT, now)
        return False

    async def _is_parked(self, message: Message, states: "_States") -> bool:
        """Whether one of its scopes is held. The message then waits for the end of the hold, and its fallback does not
        start."""
        found = states.holding(message)
        if found is None or message.due_at is None:
            return False
        await self._deps.log.park(
            message.organisation, message.message_id, channel=message.channel, seen=message.due_at, scope=found
        )
        return True

    async def _lapsed(self, message: Message, now: datetime) -> None:
        """The claimer of this message died, so its outcome is unknown."""
        if message.lease_until is not None and message.lease_until > now:
            await self._move_next_check(message, message.lease_until)
        else:
            await self._unknowns.take(message, now)

    async def _given_up(self, message: Message, letter: DeadLetter, now: datetime) -> None:
        """The message was not redriven in time: it ends, and its distribution can be completed."""
        if now < letter.ends_at:
            await self._move_next_check(message, letter.ends_at)
        else:
            await self._deps.status_writer.end_unsent(message.organisation, message.message_id, "expired", now)

    async def _resolve_unknown(
        self, message: Message, since: datetime, distribution: Distribution | None, now: datetime
    ) -> None:
        """Wait for a status, send once more if Meta's silence shows that it did not take the message, or end it
        (design.md, Identity).

        A distribution that is paused or cancelled sends nothing, so this message waits too. A message with a fallback
        has that as its second chance and is not sent twice itself.
        """
        only_once = message.resent or message.fallback_minutes is not None
        unknown_outcome = UnknownOutcome(since=since, claimed_at=message.claimed_at, resent=only_once)
        last_heard = await self._last_heard(message)
        match resolve_unknown(unknown_outcome, last_heard, now):
            case Resolution.END:
                await self._unknowns.end(message, now)
            case Resolution.RESEND if message.chunk is None or _may_leave(distribution):
                await self._resend(message, distribution, now)
            case _:
                await self._move_next_check(message, next_look(unknown_outcome, now))

    async def _last_heard(self, message: Message) -> LastHeard:
        return LastHeard() if message.resent else await self._last_heard_reader.of(message)

    async def _resend(self, message: Message, distribution: Distribution | None, now: datetime) -> None:
        """End the unknown outcome first: the sender drops a queue message of a message that is marked unknown."""
        key = (message.organisation, message.message_id)
        if await self._deps.log.resend(*key, attempt=message.attempts, due_at=now):
            self._deps.telemetry.event("unknown_outcome_resent", message_id=message.message_id)
            await self._enqueue(dataclasses.replace(message, due_at=now), distribution, now)

    async def _wait_with(self, message: Message, distribution: Distribution | None, now: datetime) -> None:
        """Its distribution does not release now: wait with it, or end with it."""
        if distribution is None or distribution.status is DistributionStatus.CANCELLED:
            await self._deps.status_writer.end_unsent(message.organisation, message.message_id, "cancelled", now)
        else:
            await self._move_next_check(message, now + _WHILE_PAUSED)

    async def _fall_back(self, parent: Message, distribution: Distribution | None, now: datetime) -> None:
        """A distribution that is paused or cancelled sends nothing, also no fallback. Otherwise the SMS waits if the
        parent may have arrived."""
        if parent.chunk is not None and not _may_leave(distribution):
            cancelled = distribution is None or distribution.status is DistributionStatus.CANCELLED
            await self._move_next_check(parent, None if cancelled else now + _WHILE_PAUSED)
            return
        if await self._waits.puts_off(parent, now):
            return
        sms = await self._deps.fallbacks.begin(parent, now)
        if sms is not None:
            self._deps.status_writer.began(sms)
            await self._enqueue(sms, None, now)
            return
        earlier = await self._deps.log.get(parent.organisation, fallback_id(parent.message_id))
        if earlier is not None:
            await self._deps.status_writer.accepted_again(earlier)

    async def _may_go(self, message: Message, payload: Payload, now: datetime) -> bool:
        """Ask the gate before a slot is booked. Fallbacks come by the thousand, and during a pause or at night most
        slots would be wasted."""
        queue_message = queue_message_of(message, payload, None, microseconds(now), 0)
        answer = await self._deps.gate_check.ask(queue_message, now)
        key = (message.organisation, message.message_id)
        if answer.decision is GateDecision.LATER:
            await self._deps.log.postpone(*key, due_at=answer.at, scheduled_for=answer.at)
        elif answer.decision is GateDecision.NEVER:
            await self._deps.status_writer.end_unsent(*key, answer.reason, now)
        return answer.decision is GateDecision.GO

    async def _enqueue(self, message: Message, distribution: Distribution | None, now: datetime) -> None:
        payload = await self._deps.plans.read_payload(message.payload)
        if payload is None:
            await self._deps.status_writer.end_unsent(
                message.organisation, message.message_id, "expired" if message.person else ERASED, now
            )
            return
        if payload.fallback_of is not None and not await self._may_go(message, payload, now):
            return
        integration = await settings_of(self._deps.integrations, message.organisation, message.channel)
        if integration is None:
            await self._move_next_check(message, now + _WHILE_PAUSED)
            return
        state = await self._deps.rate_limits.state(integration.rate_limit)
        if from_microseconds(state.next_bulk) > now + HORIZON:
            await self._move_next_check(message, now + TICK_EVERY)
            return
        earliest = now + timedelta(seconds=1)
        [slot_at] = await book_slots(self._deps.rate_limits, integration, Share.BULK, earliest=earliest)
        queue_message = queue_message_of(message, payload, distribution, slot_at, integration.version)
        await enqueue_again(self._deps, message, queue_message, distribution, now)

    async def _move_next_check(self, message: Message, due_at: datetime | None) -> None:
        await set_next_check(self._deps.log, message, due_at)

    async def _states_of(self, messages: Sequence[Message]) -> "_States":
        """Reads the distributions and holds of all messages at once."""
        keys = {(message.organisation, message.distribution_id) for message in messages if message.distribution_id}
        channels = {(message.organisation, message.channel) for message in messages}
        distributions, holds = await self._deps.holds.read([(one, two) for one, two in keys if two], channels)
        return _States(distributions=distributions, holds=holds)


@dataclass(frozen=True, slots=True, kw_only=True)
class _States:
    """What is known of the distributions and the holds of some messages."""

    distributions: Mapping[tuple[str, str], Distribution]
    holds: Mapping[tuple[str, Channel], Holds]

    def distribution_of(self, message: Message) -> Distribution | None:
        """None: the message belongs to no distribution, or the distribution is gone."""
        return self.distributions.get((message.organisation, message.distribution_id or ""))

    def holding(self, message: Message) -> ScopeKey | None:
        """The held scope of the message; None: no scope of it is held."""
        holds = self.holds.get((message.organisation, message.channel))
        found = holds.holding(scopes_of_message(message, self.distribution_of(message))) if holds else None
        return found[0] if found is not None else None


def _may_leave(distribution: Distribution | None) -> bool:
    return distribution is not None and distribution.may_leave


CHECK_AFTER = timedelta(seconds=120)
"""When the agenda looks at the message again, counted from its send slot."""


class EnqueuesAgain(Protocol):
    """What enqueuing works with."""

    @property
    def log(self) -> Log: ...

    @property
    def plans(self) -> Plans: ...

    @property
    def queue(self) -> ChannelQueue: ...


async def enqueue_again(
    on: EnqueuesAgain, message: Message, queue_message: QueueMessage, distribution: Distribution | None, now: datetime
) -> None:
    """Enqueue first, then move the next check: if the worker dies in between, the message comes up again.

    `queue_message` takes another card of the same list with it. That card shows whether the card or its host is bad.
    """
    another = await another_card(on.plans, message, distribution, now)
    await on.queue.put([replace(queue_message, another_card=another)], now)
    await set_next_check(on.log, message, from_microseconds(queue_message.slot_at) + CHECK_AFTER)
