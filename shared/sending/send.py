"""The send step: wait for the send slot, ask the gate, claim, call, record. The same for both channels and every path.

Every step may happen twice, and the worker may die after each. Before the claim nothing has happened. After it, only an
outcome that is certainly "not sent" gives the claim back.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.base.events import ACCEPTED, Telemetry
from shared.base.instants import Clock
from shared.cards.failures import CardAction, FailedCards, pair_of
from shared.holds.hold import DAILY_LIMIT, Holds, ScopeKey, cards_scope, is_narrower
from shared.holds.keeper import HoldKeeper, Repeats, scope_of
from shared.messages.errors import Kind, Scope, SendError
from shared.messages.fallback import start_after, start_unsent
from shared.messages.message import Message, Status
from shared.messages.payload import Payload
from shared.messages.ports import ChannelQueue, Claim, ClaimAnswer, Log, Move
from shared.messages.queue_message import ANY_SCOPE, QueueMessage, is_released_again
from shared.messages.status_writer import RefusalEffects, StatusWriter
from shared.pacing.members import Members
from shared.pacing.rate_limit import RateLimits
from shared.pacing.slots import QUEUED, SendSlots, SlotWait, Waits
from shared.policy.gate_check import Answer, GateCheck, GateDecision
from shared.sending.channel import ChannelAdapter, Integrated, Ready, Taken, tell_call
from shared.sending.resolve_unknown import Unknowns
from shared.webhooks.updates import Attempt

LEASE = timedelta(seconds=90)
"""Longer than the time-outs of the senders and the API: a lease past its end means that its holder is dead."""

STALE = timedelta(seconds=5)
"""The gate's answer is asked again if it is older than this when the claim is won. Longer than slow stores take, so
that messages still leave while the stores are slow."""

ARRIVES = timedelta(seconds=1)
"""A call that begins now reaches the provider within this time. It must not arrive in quiet hours."""

MOST_ATTEMPTS = 28
"""About a day of attempts, an hour apart at the end. A card is for the day it was made for (product.md)."""

A_QUOTA = timedelta(minutes=10)
"""A throttle this long is a quota and not a matter of rate: it writes a warning event."""

HELD_LOOK = timedelta(seconds=60)
"""When the agenda takes up a message that met a hold and that no run will release. It then waits for the hold's end."""

CHECK_AFTER = timedelta(seconds=120)
"""When the agenda looks again at a message that no distribution will release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendDeps:
    """What the send step works with, on either channel."""

    log: Log
    rate_limits: RateLimits
    queue: ChannelQueue
    gate_check: GateCheck
    status_writer: StatusWriter
    refusal_effects: RefusalEffects
    holding: HoldKeeper
    members: Members
    cards: FailedCards
    telemetry: Telemetry
    clock: Clock
    draw: Callable[[], str]
    """Makes a random token, one for each claim."""
    waits: Waits = QUEUED


class SendStep[I: Integrated, P]:
    """Sends the messages of one channel."""

    def __init__(self, adapter: ChannelAdapter[I, P], deps: SendDeps) -> None:
        self._adapter = adapter
        self._deps = deps
        self._send_slots = SendSlots(deps.rate_limits)
        self._slot_wait = SlotWait(self._send_slots, deps.queue, deps.telemetry, deps.clock, deps.waits)
        self._unknowns = Unknowns(deps.log, deps.status_writer, adapter.note_unknown)
        self._repeats = Repeats()

    async def send_all(self, queue_messages: Sequence[QueueMessage]) -> list[bool]:
        """Handle a batch in parallel. False: the queue message must be delivered again, because our own side failed.

        Equal queue messages are handled once. The others would use up send slots without a call and delay other
        messages.
        """
        distinct = [one for place, one in enumerate(queue_messages) if one not in queue_messages[:place]]
        done = await asyncio.gather(*(self._handled(queue_message) for queue_message in distinct))
        await self._deps.status_writer.flush()
        return [done[distinct.index(queue_message)] for queue_message in queue_messages]

    async def _handled(self, queue_message: QueueMessage) -> bool:
        try:
            await self.send_one(queue_message)
        except Exception as error:
            self._deps.telemetry.warning_event(
                "message_handling_failed",
                message_id=queue_message.message_id,
                organisation=queue_message.organisation,
                error=type(error).__name__,
            )
            return False
        return True

    async def send_one(self, queue_message: QueueMessage) -> SendError | None:
        """Handle one queue message. Returns why the provider did not take it; None: it took it or was not called.

        Raises the errors of our own stores and queues; the queue message then comes again.
        """
        taken_at = self._deps.clock.now()
        if await self._slot_wait.is_early(queue_message):
            return None
        if await self._gate_check(queue_message, None) is None:
            return None
        latest = taken_at + timedelta(seconds=self._deps.waits.longest)
        call_by = taken_at + timedelta(seconds=self._deps.waits.call_within)
        integration = await self._adapter.integration(queue_message.organisation, queue_message.integration_version)
        ready = await self._adapter.ready(integration, queue_message.payload)
        leaves_at = await self._slot_wait.wait_for_slot(queue_message, integration, latest)
        if leaves_at is None:
            return None
        asked_at = self._deps.clock.now()
        gate_answer = await self._gate_check(queue_message, integration, leaves_at)
        if gate_answer is None:
            return None
        claim = await self._claim(queue_message, integration)
        if claim.message is None or claim.answer in (ClaimAnswer.HELD, ClaimAnswer.DONE):
            self._deps.telemetry.event("queue_message_dropped", message_id=queue_message.message_id, found=claim.answer)
            if claim.message is not None and claim.answer is ClaimAnswer.DONE:
                self._deps.status_writer.met_again(claim.message)
        elif claim.answer is ClaimAnswer.LAPSED:
            await self._unknowns.take(claim.message, self._deps.clock.now())
        elif claim.message.card_after is not None and queue_message.payload.card_after is None:
            await self._knows_no_refusal(queue_message, integration, claim.message)
        elif (
            not await self._slot_still_counts(integration, leaves_at)
            or not self._still_may(queue_message, gate_answer, asked_at)
            or self._deps.clock.now() > call_by
        ):
            await self._too_late(queue_message, integration, claim.message)
        else:
            as_template = gate_answer.as_template or claim.message.as_template
            written = as_written(queue_message, as_template=as_template)
            return await self._call(written, claim.message, ready, gate_answer, call_by)
        return None

    async def _slot_still_counts(self, integration: I | None, leaves_at: datetime) -> bool:
        """Wait until the instant of the call. Returns whether the slot still counts then."""
        await self._slot_wait.wait_until(leaves_at)
        return not self._slot_wait.is_withdrawn(leaves_at, integration)

    def _still_may(self, queue_message: QueueMessage, gate_answer: Answer, asked_at: datetime) -> bool:
        """Whether the gate's answer still holds now that the claim is won. The worker may have stalled in between, or
        quiet hours may be about to begin."""
        now = self._deps.clock.now()
        return now - asked_at <= STALE and self._deps.gate_check.is_open(queue_message, gate_answer, now + ARRIVES)

    async def _too_late(self, queue_message: QueueMessage, integration: I | None, message: Message) -> None:
        """Certainly not sent: give the claim back and ask the gate again. If it still says yes, enqueue on a new
        slot."""
        await self._give_back(
            message, due_at=self._next_check(queue_message, self._deps.clock.now(), message), uses_attempt=False
        )
        self._deps.telemetry.event("claim_too_late", message_id=message.message_id)
        if await self._gate_check(queue_message, None) is not None and integration is not None:
            await self._slot_wait.rebook(queue_message, integration)

    async def _claim(self, queue_message: QueueMessage, integration: I | None) -> Claim:
        """A claim without an answer may have been written. It is given back by its token, so that the queue message
        does not find it when it comes again."""
        key, token, now = (
            (queue_message.organisation, queue_message.message_id),
            self._deps.draw(),
            self._deps.clock.now(),
        )
        rate_limit = integration.rate_limit if integration is not None else None
        try:
            return await self._deps.log.claim(
                *key,
                token=token,
                now=now,
                lease_until=now + LEASE,
                sender=rate_limit.account_id if rate_limit is not None else None,
                provider=rate_limit.provider if rate_limit is not None else None,
                probe=queue_message.probe not in (None, ANY_SCOPE),
            )
        except Exception:
            due_at = self._next_check(queue_message, self._deps.clock.now())
            await self._deps.log.give_back(*key, token=token, due_at=due_at, uses_attempt=False)
            raise

    async def _call(
        self, queue_message: QueueMessage, message: Message, ready: Ready[I, P], gate_answer: Answer, call_by: datetime
    ) -> SendError | None:
        called_at = self._deps.clock.now()
        try:
            taken = await self._delivered(queue_message.payload, message, ready, call_by)
        except SendError as error:
            tell_call(self._deps.telemetry, queue_message, (called_at, self._deps.clock.now()), error.kind)
            await self._not_accepted(queue_message, message, error, gate_answer)
            if ready.is_prepared and error.scope is not Scope.CARDS:
                await self._deps.cards.served(queue_message, message)
            return error
        if taken is None:
            self._deps.telemetry.event("text_half_dropped", message_id=message.message_id)
            return None
        self._repeats.taken(queue_message)
        await self._tried(queue_message, worked=True)
        if ready.integration is not None:
            self._send_slots.passed(ready.integration.rate_limit, self._deps.clock.now())
        tell_call(self._deps.telemetry, queue_message, (called_at, self._deps.clock.now()), ACCEPTED)
        parked = await ready.acknowledge(message, taken)
        move = Move(
            status=Status.SENT,
            at=self._deps.clock.now(),
            provider_message_id=taken.provider_message_id,
            by_attempt=message.attempts,
            quality_hold=taken.held,
        )
        for wish in (move, *parked):
            await self._deps.status_writer.move(message.organisation, message.message_id, wish)
        if ready.integration is not None:
            await self._deps.members.proved(ready.integration)
        await self._deps.cards.served(queue_message, message)
        return None

    async def _delivered(
        self, payload: Payload, message: Message, ready: Ready[I, P], call_by: datetime
    ) -> Taken | None:
        """Make one call, or two if the text is too long for a caption. After the first call the card is noted as taken,
        so that no later attempt repeats it. Returns None if the message was ended meanwhile."""
        attempt = Attempt(message_id=message.message_id, number=message.attempts)
        if not payload.is_split:
            return await ready.send(payload, str(attempt))
        if message.card_attempt is None:
            await ready.send(payload.card_half(), str(replace(attempt, card_half=True)))
            noted = await self._deps.log.note_card(message.organisation, message.message_id, attempt=message.attempts)
            if not noted:
                return None
            if self._deps.clock.now() > call_by:  # a slow answer: the text goes with the next attempt
                raise SendError(Kind.RETRY, "no_time_for_the_text", retry_after=1.0)
        return await ready.send(payload.text_half(), str(attempt))

    async def _not_accepted(
        self, queue_message: QueueMessage, message: Message, error: SendError, gate_answer: Answer
    ) -> None:
        self._deps.telemetry.event(
            "send_not_accepted",
            message_id=message.message_id,
            channel=message.channel,
            kind=error.kind,
            code=error.code,
            attempt=message.attempts,
            organisation=message.organisation,
            distribution_id=message.distribution_id,
        )
        if error.reason == "template_required" and await self._goes_as_template(queue_message, message):
            return
        if error.refuses_picture and await self._goes_with_a_new_upload(queue_message, message):
            return
        if error.scope is Scope.CARDS:
            await self._card_failed(queue_message, message, error, gate_answer)
            return
        if self._repeats.is_one_too_many(queue_message, error):
            error = error.as_stop()
        if error.kind is Kind.STOP:
            await self._stopped(queue_message, message, error, gate_answer)
            return
        # A refusal of this recipient shows that the provider handled the message: the cause of the hold is gone.
        await self._tried(queue_message, worked=error.kind is Kind.RECIPIENT)
        handlers = {
            Kind.RETRY: self._retry,
            Kind.THROTTLED: self._throttled,
            Kind.UNKNOWN: self._unknown,
            Kind.RECIPIENT: self._failed,
            Kind.BUG: self._failed,
        }
        await handlers[error.kind](queue_message, message, error)

    async def _card_failed(
        self, queue_message: QueueMessage, message: Message, error: SendError, gate_answer: Answer
    ) -> None:
        """The host may have a problem, and then so has every other card of the list. If the message fails, the cause is
        its card and not the host. If failures cannot be counted, the claim is given back: no call was made."""
        now = self._deps.clock.now()
        try:
            decision = await self._deps.cards.take(queue_message, message, error, now)
        except Exception:
            await self._give_back(message, due_at=self._next_check(queue_message, now, message), uses_attempt=False)
            raise
        scope = cards_scope_of(queue_message)
        fails = decision.action is CardAction.FAIL
        if fails:
            await self._failed(queue_message, message, SendError(Kind.RECIPIENT, error.code, error.reason))
        else:
            since = message.card_failed_at or now
            await self._give_back(message, due_at=decision.due_at, uses_attempt=False, card_failed_at=since)
        await self._tried(queue_message, worked=fails and queue_message.probe == str(scope))
        if decision.action is CardAction.HOLD and scope is not None:
            await self._hold(queue_message, scope, "cards_unavailable", gate_answer)

    async def _retry(self, queue_message: QueueMessage, message: Message, error: SendError) -> None:
        now = self._deps.clock.now()
        wait = error.retry_after or min(60.0 * 2 ** (message.attempts - 1), 3600.0)
        if error.most_attempts is not None and message.attempts >= error.most_attempts:
            await self._failed(
                queue_message, message, SendError(Kind.BUG, error.code, error.reason or "provider_rejected")
            )
            return
        if message.attempts >= MOST_ATTEMPTS:
            await self._failed(queue_message, message, SendError(Kind.RECIPIENT, error.code, error.final_reason))
            return
        await self._give_back(message, due_at=now + timedelta(seconds=wait), uses_attempt=True)

    async def _throttled(self, queue_message: QueueMessage, message: Message, error: SendError) -> None:
        now = self._deps.clock.now()
        wait = timedelta(seconds=error.retry_after or 1.0)
        if wait >= A_QUOTA:
            self._deps.telemetry.warning_event(
                "quota_used_up", organisation=message.organisation, channel=message.channel
            )
        if error.person_only:
            await self._retry(queue_message, message, error.slower(message.attempts))
            return
        await self._give_back(message, due_at=self._next_check(queue_message, now, message), uses_attempt=False)
        integration = await self._adapter.integration(queue_message.organisation, queue_message.integration_version)
        if integration is not None:
            await self._send_slots.throttled(integration.rate_limit, now, wait)
            await self._slot_wait.rebook(queue_message, integration)

    async def _unknown(self, _: QueueMessage, message: Message, _error: SendError) -> None:
        await self._unknowns.take(message, self._deps.clock.now())

    async def _failed(self, queue_message: QueueMessage, message: Message, error: SendError) -> None:
        if error.kind is Kind.BUG:
            self._deps.telemetry.warning_event(
                "request_refused_as_wrong",
                message_id=message.message_id,
                code=error.code,
                channel=message.channel,
                organisation=message.organisation,
            )
        reason, now = error.reason or "provider_rejected", self._deps.clock.now()
        move = Move(
            status=Status.FAILED,
            at=now,
            attempt=message.attempts,
            reason=reason,
            fallback=start_after(error.kind, reason),
            rests_until=error.rests_until(now),
        )
        moved = await self._deps.status_writer.move(message.organisation, message.message_id, move)
        if moved.won:
            await self._deps.refusal_effects.failed(message, move.fallback)
        await self._deps.refusal_effects.opted_out(message, error, move.at)

    async def _goes_as_template(self, queue_message: QueueMessage, message: Message) -> bool:
        """Meta says that the session has closed: send the message once more, as the template stored beside its text."""
        integration = await self._adapter.integration(queue_message.organisation, queue_message.integration_version)
        if integration is None or queue_message.payload.fallback_template is None:
            return False
        due_at = self._deps.clock.now() + CHECK_AFTER
        key = (message.organisation, message.message_id)
        if not await self._deps.log.retry_message(*key, attempt=message.attempts, due_at=due_at):
            return False
        await self._slot_wait.rebook(as_written(queue_message, as_template=True), integration)
        return True

    async def _goes_with_a_new_upload(self, queue_message: QueueMessage, message: Message) -> bool:
        """The provider refused the card as it was uploaded: send the message once more, with a new upload.

        It goes by a new queue message, because the second call needs a send slot of its own. Not for a test send: its
        caller waits for the answer and nothing is stored, so the next test send uploads the card again.
        """
        integration = await self._adapter.integration(queue_message.organisation, queue_message.integration_version)
        if integration is None or message.claimed_at is None or queue_message.probe == ANY_SCOPE:
            return False
        key, after = (message.organisation, message.message_id), message.claimed_at
        due_at = self._deps.clock.now() + CHECK_AFTER
        if not await self._deps.log.retry_message(
            *key, attempt=message.attempts, due_at=due_at, as_template=False, card_after=after
        ):
            return False
        await self._slot_wait.rebook(with_new_upload(queue_message, after), integration)
        return True

    async def _knows_no_refusal(self, queue_message: QueueMessage, integration: I | None, message: Message) -> None:
        """A queue message from before the provider refused the card has won the claim and would use the refused upload.
        A new queue message replaces it."""
        due_at = self._deps.clock.now() + CHECK_AFTER
        await self._give_back(message, due_at=due_at, uses_attempt=False)
        self._deps.telemetry.event("claim_too_late", message_id=message.message_id)
        if integration is not None:
            await self._slot_wait.rebook(with_new_upload(queue_message, message.card_after), integration)

    async def _stopped(
        self, queue_message: QueueMessage, message: Message, error: SendError, gate_answer: Answer
    ) -> None:
        """Hold the scope, because every other message of it would fail in the same way. This message stays pending too.

        If no run will release the message again, it gets a next check. The claim is given back first: the message was
        certainly not sent, and no other step may treat it as an unknown outcome.
        """
        now = self._deps.clock.now()
        comes_back = is_released_again(queue_message, message)
        await self._give_back(message, due_at=None if comes_back else now + HELD_LOOK, uses_attempt=False)
        if error.reason == "token_invalid" and await self._settings_have_changed(queue_message):
            return
        self._deps.telemetry.warning_event(
            "stop_error", organisation=message.organisation, channel=message.channel, reason=error.reason
        )
        scope = scope_of(error, queue_message.payload, message.chunk.distribution_id if message.chunk else None)
        if queue_message.probe not in (None, ANY_SCOPE):
            await self._tried(queue_message, worked=is_narrower(scope, ScopeKey.parse(queue_message.probe)))
        await self._hold(queue_message, scope, error.reason, gate_answer)

    async def _hold(self, queue_message: QueueMessage, scope: ScopeKey, reason: str, gate_answer: Answer) -> None:
        """Hold the scope, unless it was held or released since the gate was asked."""
        if gate_answer.holds is None or queue_message.probe == ANY_SCOPE:
            return
        is_new = await self._deps.holding.hold(gate_answer.holds, scope, reason)
        if queue_message.chunk is not None and (is_new or queue_message.probe is not None):
            await self._deps.holding.refresh(
                queue_message.organisation,
                queue_message.chunk.distribution_id,
                was_tried=queue_message.probe is not None,
            )

    async def _tried(self, queue_message: QueueMessage, *, worked: bool) -> None:
        """Record the result of a message that probed a held scope."""
        if queue_message.probe in (None, ANY_SCOPE):
            return
        await self._deps.holding.probe_ended(
            queue_message.organisation,
            queue_message.channel,
            ScopeKey.parse(str(queue_message.probe)),
            queue_message.message_id,
            worked=worked,
        )

    async def _settings_have_changed(self, queue_message: QueueMessage) -> bool:
        """Read the settings once more after a 401. If they are newer than those used, the message is enqueued again."""
        used = await self._adapter.integration(queue_message.organisation, queue_message.integration_version)
        if used is None:
            return False
        newest = await self._adapter.integration(queue_message.organisation, used.version + 1)
        if newest is None or newest.version <= used.version:
            return False
        await self._slot_wait.rebook(replace(queue_message, integration_version=newest.version), newest)
        return True

    async def _give_back(
        self, message: Message, *, due_at: datetime | None, uses_attempt: bool, card_failed_at: datetime | None = None
    ) -> None:
        await self._deps.log.give_back(
            message.organisation,
            message.message_id,
            token=message.claim_token,
            due_at=due_at,
            uses_attempt=uses_attempt,
            card_failed_at=card_failed_at,
        )

    async def _gate_check(
        self, queue_message: QueueMessage, integration: I | None, leaves_at: datetime | None = None
    ) -> Answer | None:
        """Ask the gate. If it does not say "go", let the message wait, end it, or leave it to its distribution. Returns
        None then.

        With `integration`: the check just before the call at `leaves_at`, with sessions and the daily limit.
        """
        key, now = (queue_message.organisation, queue_message.message_id), self._deps.clock.now()
        now = max(now, leaves_at or now)
        answer = await self._deps.gate_check.ask(queue_message, now, integration)
        match answer.decision:
            case GateDecision.GO:
                return answer
            case GateDecision.LATER | GateDecision.HELD:
                due_at = answer.at or now + HELD_LOOK
                if not await self._deps.log.postpone(*key, due_at=due_at, scheduled_for=answer.at):
                    await self._unknowns.take_if_lapsed(await self._deps.log.get(*key), now)
            case GateDecision.DROPPED:
                pass
            case GateDecision.NEVER:
                ended = await self._deps.status_writer.end_unsent(*key, answer.reason, now)
                if ended.won and ended.before is not None:
                    await self._deps.refusal_effects.failed(ended.before, start_unsent(answer.reason))
                elif not ended.won:
                    await self._unknowns.take_if_lapsed(ended.before, now)
        self._deps.telemetry.event(
            "message_held_at_gate", message_id=queue_message.message_id, decision=answer.decision, reason=answer.reason
        )
        await self._tried(queue_message, worked=False)
        if answer.full and answer.holds is not None:
            await self._limit_is_used_up(queue_message, answer.holds)
        return None

    async def _limit_is_used_up(self, queue_message: QueueMessage, known: Holds) -> None:
        """Meta's daily limit leaves no room: hold the rest together, not message by message."""
        is_new = await self._deps.holding.hold(known, DAILY_LIMIT, "daily_limit")
        if is_new and queue_message.chunk is not None:
            await self._deps.holding.refresh(queue_message.organisation, queue_message.chunk.distribution_id)

    def _next_check(
        self, queue_message: QueueMessage, now: datetime, message: Message | None = None
    ) -> datetime | None:
        return None if is_released_again(queue_message, message) else now + CHECK_AFTER


def cards_scope_of(queue_message: QueueMessage) -> ScopeKey | None:
    """The scope that holds the cards of the message's list and host; None: the message has no list."""
    pair = pair_of(queue_message)
    return cards_scope(pair.host, pair.distribution_id) if pair is not None else None


def as_written(queue_message: QueueMessage, *, as_template: bool) -> QueueMessage:
    """The same message, as its template if `as_template`."""
    return replace(queue_message, payload=queue_message.payload.as_template()) if as_template else queue_message


def with_new_upload(queue_message: QueueMessage, after: datetime | None) -> QueueMessage:
    """The same message, with a card uploaded after that instant."""
    return replace(queue_message, payload=replace(queue_message.payload, card_after=after))
