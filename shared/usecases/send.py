"""The send step: wait for the departure, ask the gate, claim, call, record. Both channels, every path.

Whatever happens here may happen twice, and may stop anywhere: before the claim nothing has happened; after it, only an
outcome that is surely "not sent" gives the claim back.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.domain.clock import Clock
from shared.domain.dispatch import Dispatch
from shared.domain.errors import Kind, SendError
from shared.domain.instants import from_microseconds, microseconds
from shared.domain.message import Message
from shared.domain.payload import Channel
from shared.domain.status import Status
from shared.domain.timetable import Lane, Share, is_void
from shared.usecases.admission import Admission, Verdict
from shared.usecases.channel import ChannelDesk, Integrated, Ready
from shared.usecases.ports import ChannelQueue, ClaimAnswer, Lanes, Log, Move, Telemetry
from shared.usecases.settle import Settler

LEASE = timedelta(seconds=90)
"""Longer than the senders' and the API's time-out: a lease past its end means that its holder is dead."""
LONGEST_WAIT = 15.0
"""Seconds a worker waits for a departure; a copy that came earlier goes back to the queue."""
UNKNOWN_ENDS_AFTER = timedelta(hours=24)
"""Until then a status may still say what became of a WhatsApp message."""
MOST_ATTEMPTS = 28
"""A day of tries, an hour apart once they have slowed down: a card is for the day it was made for (product.md)."""
WATCH = timedelta(seconds=120)
"""When the agenda looks again at a message that no distribution will release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendDeps:
    """What the send step works with, whichever the channel."""

    log: Log
    lanes: Lanes
    queue: ChannelQueue
    admission: Admission
    settler: Settler
    telemetry: Telemetry
    clock: Clock


class SendStep[I: Integrated, P]:
    """Sends the messages of one channel."""

    def __init__(self, desk: ChannelDesk[I, P], deps: SendDeps) -> None:
        self._desk = desk
        self._deps = deps

    async def send_all(self, dispatches: Sequence[Dispatch]) -> list[bool]:
        """Handle a batch at once; False stands where a copy must be delivered again, because our own side failed."""
        done = await asyncio.gather(*(self._handled(dispatch) for dispatch in dispatches))
        await self._deps.settler.flush()
        return done

    async def _handled(self, dispatch: Dispatch) -> bool:
        try:
            await self.send_one(dispatch)
        except Exception as error:
            self._deps.telemetry.trouble(
                "message_handling_failed", message_id=dispatch.message_id, error=type(error).__name__
            )
            return False
        return True

    async def send_one(self, dispatch: Dispatch) -> SendError | None:
        """Handle one copy of a message; answers why the provider did not take it, if it was asked.

        Raises what our own stores and queues raise; the copy then comes again.
        """
        if self._seconds_until(dispatch) > LONGEST_WAIT:
            await self._deps.queue.put([dispatch], self._deps.clock.now())
            return None
        if not await self._admitted(dispatch):
            return None
        integration = await self._desk.integration(dispatch.organisation, dispatch.integration_version)
        ready = await self._desk.ready(integration, dispatch.payload)
        await self._deps.clock.sleep(self._seconds_until(dispatch))
        if integration is not None and await self._departure_is_void(dispatch, integration.lane):
            await self._rebook(dispatch, integration)
            return None
        if not await self._admitted(dispatch):
            return None
        now = self._deps.clock.now()
        claim = await self._deps.log.claim(dispatch.organisation, dispatch.message_id, now=now, lease_until=now + LEASE)
        if claim.message is None or claim.answer in (ClaimAnswer.HELD, ClaimAnswer.DONE):
            self._deps.telemetry.event("copy_dropped", message_id=dispatch.message_id, found=claim.answer)
        elif claim.answer is ClaimAnswer.LAPSED:
            await self._unknown(dispatch, claim.message, SendError(Kind.UNKNOWN, "lease_lapsed", "outcome_unknown"))
        else:
            return await self._call(dispatch, claim.message, ready)
        return None

    async def _call(self, dispatch: Dispatch, message: Message, ready: Ready[I, P]) -> SendError | None:
        try:
            provider_message_id = await ready.send(f"{message.message_id}.{message.attempts}")
        except SendError as error:
            await self._not_accepted(dispatch, message, error)
            return error
        parked = await self._desk.acknowledge(message, provider_message_id)
        move = Move(status=Status.SENT, at=self._deps.clock.now(), provider_message_id=provider_message_id)
        for wish in (move, *parked):
            await self._deps.settler.move(message.organisation, message.message_id, wish)
        return None

    async def _not_accepted(self, dispatch: Dispatch, message: Message, error: SendError) -> None:
        self._deps.telemetry.event(
            "send_not_accepted",
            message_id=message.message_id,
            channel=message.channel,
            kind=error.kind,
            code=error.code,
            attempt=message.attempts,
        )
        handlers = {
            Kind.RETRY: self._retry,
            Kind.THROTTLED: self._throttled,
            Kind.UNKNOWN: self._unknown,
            Kind.RECIPIENT: self._failed,
            Kind.BUG: self._failed,
            Kind.STOP: self._stopped,
        }
        await handlers[error.kind](dispatch, message, error)

    async def _retry(self, dispatch: Dispatch, message: Message, error: SendError) -> None:
        now = self._deps.clock.now()
        wait = error.retry_after or min(60.0 * 2 ** (message.attempts - 1), 3600.0)
        if message.attempts >= MOST_ATTEMPTS:
            await self._failed(dispatch, message, SendError(Kind.RECIPIENT, error.code, _last_word(error)))
            return
        await self._give_back(message, due_at=now + timedelta(seconds=wait), uses_attempt=True)

    async def _throttled(self, dispatch: Dispatch, message: Message, error: SendError) -> None:
        now = self._deps.clock.now()
        wait = timedelta(seconds=error.retry_after or 1.0)
        if error.person_only:
            await self._give_back(message, due_at=now + wait, uses_attempt=True)
            return
        integration = await self._desk.integration(dispatch.organisation, dispatch.integration_version)
        await self._give_back(message, due_at=self._watch(dispatch, now), uses_attempt=False)
        if integration is not None:
            await self._deps.lanes.hold(integration.lane, now + wait)
            await self._rebook(dispatch, integration)

    async def _unknown(self, dispatch: Dispatch, message: Message, error: SendError) -> None:
        """WhatsApp's statuses still tell; of an SMS nothing more is surely heard (design.md, Identity)."""
        now = self._deps.clock.now()
        if dispatch.channel is Channel.WHATSAPP:
            await self._deps.log.doubt(
                message.organisation,
                message.message_id,
                attempt=message.attempts,
                now=now,
                due_at=now + UNKNOWN_ENDS_AFTER,
            )
            return
        await self._failed(dispatch, message, SendError(Kind.UNKNOWN, error.code, "outcome_unknown"))

    async def _failed(self, _: Dispatch, message: Message, error: SendError) -> None:
        if error.kind is Kind.BUG:
            self._deps.telemetry.trouble("request_refused_as_wrong", message_id=message.message_id, code=error.code)
        move = Move(
            status=Status.FAILED,
            at=self._deps.clock.now(),
            attempt=message.attempts,
            reason=error.reason or "provider_rejected",
        )
        await self._deps.settler.move(message.organisation, message.message_id, move)

    async def _stopped(self, dispatch: Dispatch, message: Message, error: SendError) -> None:
        """Every other message would fail alike: it stays pending, its distribution pauses with the reason.

        A single message has no distribution to resume: it is tried again, until its attempts are used up.
        """
        now = self._deps.clock.now()
        if error.reason == "token_invalid" and await self._settings_have_changed(dispatch, message, now):
            return
        self._deps.telemetry.trouble(
            "stop_error", organisation=message.organisation, channel=message.channel, reason=error.reason
        )
        if dispatch.chunk is not None and dispatch.epoch is not None:
            await self._give_back(message, due_at=None, uses_attempt=False)
            await self._deps.admission.stop(
                message.organisation, dispatch.chunk.distribution_id, dispatch.epoch, error.reason
            )
        else:
            await self._retry(dispatch, message, error)

    async def _settings_have_changed(self, dispatch: Dispatch, message: Message, now: datetime) -> bool:
        """One forced look at the settings after a 401: with newer ones than were used, the message leaves again."""
        used = await self._desk.integration(dispatch.organisation, dispatch.integration_version)
        if used is None:
            return False
        newest = await self._desk.integration(dispatch.organisation, used.version + 1)
        if newest is None or newest.version <= used.version:
            return False
        await self._give_back(message, due_at=self._watch(dispatch, now), uses_attempt=False)
        await self._rebook(replace(dispatch, integration_version=newest.version), newest)
        return True

    async def _give_back(self, message: Message, *, due_at: datetime | None, uses_attempt: bool) -> None:
        await self._deps.log.give_back(
            message.organisation,
            message.message_id,
            attempt=message.attempts,
            due_at=due_at,
            uses_attempt=uses_attempt,
        )

    async def _admitted(self, dispatch: Dispatch) -> bool:
        """Ask the gate; where it says no, see to it that the message waits, ends or is left to its distribution."""
        now = self._deps.clock.now()
        answer = await self._deps.admission.ask(dispatch, now)
        match answer.verdict:
            case Verdict.GO:
                return True
            case Verdict.LATER:
                await self._deps.log.postpone(
                    dispatch.organisation, dispatch.message_id, due_at=answer.at, scheduled_for=answer.at
                )
            case Verdict.LEFT:
                pass
            case Verdict.NEVER:
                await self._deps.settler.end_unsent(dispatch.organisation, dispatch.message_id, answer.reason, now)
        self._deps.telemetry.event(
            "message_held_at_gate", message_id=dispatch.message_id, verdict=answer.verdict, reason=answer.reason
        )
        return False

    async def _departure_is_void(self, dispatch: Dispatch, lane: Lane) -> bool:
        state = await self._deps.lanes.state(lane)
        now = microseconds(self._deps.clock.now())
        return is_void(dispatch.departs_at, now=now, not_before=state.not_before)

    async def _rebook(self, dispatch: Dispatch, integration: I) -> None:
        """A missed or withdrawn departure: another one, in a new copy. The old one is dropped.

        A single send keeps its right to overtake: it takes whichever share leaves first.
        """
        now = self._deps.clock.now()
        booking = await self._deps.lanes.book(
            integration.lane,
            None if dispatch.chunk is None else Share.BULK,
            rate=integration.rate_per_second,
            earliest=now + timedelta(seconds=1),
            count=1,
        )
        await self._deps.queue.put([dispatch.departing(booking.departures[0])], now)
        self._deps.telemetry.event("departure_rebooked", message_id=dispatch.message_id)

    def _watch(self, dispatch: Dispatch, now: datetime) -> datetime | None:
        return now + WATCH if dispatch.chunk is None else None

    def _seconds_until(self, dispatch: Dispatch) -> float:
        return (from_microseconds(dispatch.departs_at) - self._deps.clock.now()).total_seconds()


def _last_word(error: SendError) -> str:
    """The reason of a message whose attempts are used up; a stop's own reason is a distribution's."""
    return error.reason if error.kind is Kind.RETRY and error.reason else "expired"
