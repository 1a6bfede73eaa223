"""Brings a distribution forward: logs some chunks, books their slots, puts them on the channel queue, writes it down.
When all is released, it checks whether anything is still pending.

Each step is one write on condition that the distribution is unchanged; after a lost race it reads again. Logging and
enqueueing may happen twice: log items are made once, and the claim lets one queue message through.

It also handles stuck messages: rows that are still pending although everything was released and their queue message is
gone. A queue message is lost if it met a live claim whose holder then died, or if a resume skipped its chunk because of
its counts. A row has no next check while a queue message carries it, so this module checks it. (After a dead letter the
row has a next check: it waits for a person.)
"""

import asyncio
import dataclasses
import itertools
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.base.events import Telemetry
from shared.base.instants import Clock, from_microseconds, microseconds
from shared.campaigns.control import Schedules, wake
from shared.campaigns.counts import AT_REST_AFTER
from shared.campaigns.distribution import CHUNK_ROWS, CHUNKS_AT_ONCE, Distribution, DistributionStatus, Run, lapsed
from shared.campaigns.ports import Distributions
from shared.campaigns.recount import Tallies
from shared.campaigns.retry import without_place
from shared.campaigns.stored_content import PlannedRow, Plans
from shared.duplicates.already_sent import AlreadySent
from shared.holds.hold import ACCOUNT, Holds, ScopeKey
from shared.holds.keeper import HoldKeeper, HoldStore, is_changed
from shared.integrations.integration import Integrations, SmsIntegration, WhatsAppIntegration
from shared.integrations.templates import TemplateGuard
from shared.messages.factory import logged_row, queue_message_of_row
from shared.messages.message import ALREADY_SENT, ERASED, Chunk, Message, Status
from shared.messages.payload import Channel, Payload
from shared.messages.ports import ChannelQueue, Log
from shared.messages.status_writer import StatusWriter
from shared.pacing.daily_limit import DailyLimits, Remaining
from shared.pacing.members import Proofs
from shared.pacing.rate_limit import CYCLE, HORIZON, SLOTS, SPAN, TICK_EVERY, RateLimits, RateLimitState, Share, book
from shared.policy.gate import closed_hours
from shared.policy.hours import closes_at, parse_windows
from shared.recipients.countries import COVERED
from shared.sending.channel import book_slots, settings_of
from shared.sending.resolve_unknown import Unknowns

PATIENCE = timedelta(minutes=15)
"""A queue message that still exists arrives within this time, even after a worker's death (visibility 360 s). If it
comes later, the claim lets one of the two through."""

SLOT_PASSED = timedelta(seconds=60)
"""This long after the last booked slot, no message is merely waiting for its slot."""


class StuckMessages:
    """Ends dead claims, and gives a next check to messages without a claim."""

    def __init__(self, log: Log, tallies: Tallies, status_writer: StatusWriter, unknowns: Unknowns) -> None:
        self._log = log
        self._tallies = tallies
        self._status_writer = status_writer
        self._unknowns = unknowns

    async def look_after(self, distribution: Distribution, now: datetime) -> None:
        """Call it after the counts were compared with the log. May be done twice."""
        if distribution.last_send_slot is not None and now < distribution.last_send_slot + SLOT_PASSED:
            return
        held = {index for index, run in enumerate(distribution.planned.runs) if run.hold is not None}
        for chunk in await self._tallies.unsettled(distribution):
            if chunk.run in held:
                continue  # its messages wait for the end of the hold, and are then released again
            for message in await self._tallies.logged(distribution, chunk) or ():
                await self._look_at(message, now)
        await self._status_writer.flush()

    async def _look_at(self, message: Message, now: datetime) -> None:
        if message.status is not Status.PENDING or message.due_at is not None:
            return
        if message.lease_until is None:
            await self._log.postpone(message.organisation, message.message_id, due_at=now + PATIENCE)
        else:
            await self._unknowns.take_if_lapsed(message, now)


HEAD_START = timedelta(seconds=2)
"""Between booking and the first slot: the queue messages must reach their senders in this time."""

NEXT_LOOK = TICK_EVERY

COUNTED_AFTER = timedelta(seconds=30)
"""This long after the last slot, its call has an answer and the sender has counted it. An earlier recount would count
the message, and then the sender would count it again."""

TURN_SECONDS = 10
"""Seconds of the rate limit, or one chunk if that is more: a distribution releases this much before the other
distributions of its organisation have their turn. Otherwise the first one would use the whole rate until its end."""

DAILY_LIMIT = "daily_limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseDeps:
    """What release works with."""

    distributions: Distributions
    holds: HoldStore
    holding: HoldKeeper
    plans: Plans
    already: AlreadySent
    log: Log
    rate_limits: RateLimits
    queue: ChannelQueue
    integrations: Integrations
    guard: TemplateGuard
    tallies: Tallies
    stuck_messages: StuckMessages
    limits: DailyLimits
    proofs: Proofs
    status_writer: StatusWriter
    schedules: Schedules
    telemetry: Telemetry
    clock: Clock


class Release:
    """Advances distributions that are scheduled or sending."""

    def __init__(self, deps: ReleaseDeps) -> None:
        self._deps = deps

    async def advance(self, organisation: str, distribution_id: str, *, until: datetime) -> bool:
        """Bring it forward until nothing can be done now, its turn is over, or `until`.

        Returns True if there may be more to do at once, after the turns of others on the same rate limit.
        """
        released = 0
        integration: WhatsAppIntegration | SmsIntegration | None = None
        while released < _turn(integration) and self._deps.clock.now() < until:
            distribution, holds = await self._state(organisation, distribution_id)
            if distribution is None or distribution.plan is None or not distribution.is_releasing:
                return False
            # Read uncached: a person often presses resume just after new credentials were saved.
            integration = integration or await settings_of(
                self._deps.integrations, organisation, distribution.channel, uncached=True
            )
            if not released and await self._stopped(distribution, integration, holds):
                continue
            if not released or is_changed(distribution, holds):
                applied = await self._applied(distribution, holds)
                if applied is None:
                    continue
                distribution = applied
            if integration is None:
                await self._look_again(distribution, self._deps.clock.now() + NEXT_LOOK)
                return False
            step = await self._step(distribution, integration, _turn(integration) - released)
            if step is None:
                return False
            released += step
        return True

    async def _state(self, organisation: str, distribution_id: str) -> tuple[Distribution | None, Holds]:
        """The distribution and the holds of its channel, in one read of both channels."""
        key, channels = (organisation, distribution_id), list(Channel)
        distributions, holds = await self._deps.holds.read([key], [(organisation, channel) for channel in channels])
        found = distributions.get(key)
        channel = found.channel if found is not None else Channel.SMS
        return found, holds.get((organisation, channel), Holds(organisation=organisation, channel=channel))

    async def _stopped(
        self, distribution: Distribution, integration: WhatsAppIntegration | SmsIntegration | None, holds: Holds
    ) -> bool:
        """Hold what our own stores say must stop: everything if there are no settings, and templates that Meta has
        stopped. Returns True if one of the scopes was free until now."""
        stopped: dict[ScopeKey, str] = {}
        if integration is None:
            stopped[ACCOUNT] = "token_invalid"
        elif isinstance(integration, WhatsAppIntegration):
            stopped = await self._deps.guard.stopped(integration, distribution)
        free = {scope: reason for scope, reason in stopped.items() if holds.holding([scope]) is None}
        new = [await self._deps.holding.hold(holds, scope, reason) for scope, reason in free.items()]
        return any(new)

    async def _applied(self, distribution: Distribution, holds: Holds) -> Distribution | None:
        """The distribution with these holds applied, stored; None: it has changed since it was read."""
        applied = await self._deps.holding.applied(distribution, holds)
        return distribution if applied == distribution else await self._deps.holding.save(distribution, applied)

    async def _step(
        self, distribution: Distribution, integration: WhatsAppIntegration | SmsIntegration, at_most: int
    ) -> int | None:
        """Log some chunks (returns 0) or release some (returns their number). None: nothing to do until `due_at`."""
        now = self._deps.clock.now()
        state = await self._rate_limit_state(integration)
        if from_microseconds(state.next_bulk) > now + HORIZON:
            self._deps.telemetry.event("rate_limit_full", channel=distribution.channel)
            await self._look_again(distribution, now + NEXT_LOOK)
            return None
        rate = state.rate(integration.rate_per_second)
        at_most = min(at_most, CHUNKS_AT_ONCE, _chunks_in_a_turn(rate))
        for index, run in enumerate(distribution.planned.runs):
            if run.is_released or (run.hold is not None and run.logged):
                continue
            fitting = self._fitting(distribution, run, state, rate, now, at_most)
            if not fitting:
                continue
            if run.logged <= run.released:
                # One chunk of a held run is logged, so that there is a message that can probe the hold.
                at_once = fitting if run.hold is None else 1
                await self._log_chunks(distribution, index, run, at_once, now)
                return 0
            remaining = await self._remaining(distribution, integration, state, now)
            if remaining.opens_at is not None:
                await self._look_again(distribution, remaining.opens_at, reason=DAILY_LIMIT)
                return None
            fitting = min(fitting, run.logged - run.released, remaining.chunks(run.sizes(fitting)))
            await self._release_chunks(distribution, index, run, fitting, integration, now)
            return fitting
        remaining = await self._remaining(distribution, integration, state, now)
        await self._wait_or_complete(distribution, now, reason=DAILY_LIMIT if remaining.opens_at else None)
        return None

    async def _rate_limit_state(self, integration: WhatsAppIntegration | SmsIntegration) -> RateLimitState:
        state = await self._deps.rate_limits.state(integration.rate_limit)
        if state.shared_rate is not None or not integration.rate_limit.account:
            return state
        await self._deps.proofs.seek(integration)
        return await self._deps.rate_limits.state(integration.rate_limit)

    async def _remaining(
        self,
        distribution: Distribution,
        integration: WhatsAppIntegration | SmsIntegration,
        state: RateLimitState,
        now: datetime,
    ) -> Remaining:
        """What is left of Meta's daily limit; it does not apply to texts inside a session. All slots booked from now on
        count as used, by any distribution: too many rather than too few."""
        if not isinstance(integration, WhatsAppIntegration) or distribution.template is None:
            return Remaining()
        ahead = max(0, state.next_bulk - microseconds(now))
        booked = ahead * state.rate(integration.rate_per_second) * (CYCLE - 1) * SLOTS // (CYCLE * SPAN)
        return await self._deps.limits.remaining(integration, now, booked=booked)

    async def _log_chunks(self, distribution: Distribution, index: int, run: Run, count: int, now: datetime) -> None:
        chunks = _chunks(distribution, index, range(run.logged, min(run.logged + count, run.chunks)))
        read = await self._rows(distribution, chunks, now)
        if read is None:
            return
        sent = await self._deps.already.since_planning(distribution, (row.row for _, rows in read for row in rows))
        attempt = distribution.planned.attempt
        messages = [
            logged_row(
                distribution, chunk, row, self._deps.plans.chunk_key(distribution.organisation, attempt, chunk), now
            )
            for chunk, rows in read
            for row in rows
        ]
        await self._deps.log.add_all(messages)
        await asyncio.gather(*(self._note_logged(distribution.organisation, *one, now) for one in read))
        rows = [row for _, rows in read for row in rows]
        sent |= await without_place(self._deps.log, distribution.organisation, rows)
        await self._end_at_once(rows, sent, distribution.organisation, now)
        logged = run.logged + len(chunks)
        await self._deps.distributions.save(distribution.with_run(index, dataclasses.replace(run, logged=logged)))

    async def _rows(
        self, distribution: Distribution, chunks: Sequence[Chunk], now: datetime
    ) -> Sequence[tuple[Chunk, Sequence[PlannedRow]]] | None:
        """The chunks' rows. None: the distribution was paused until they expired, and is cancelled now."""
        organisation, attempt = distribution.organisation, distribution.planned.attempt
        read = await asyncio.gather(*(self._deps.plans.read_chunk(organisation, attempt, chunk) for chunk in chunks))
        found = [(chunk, rows) for chunk, rows in zip(chunks, read, strict=True) if rows is not None]
        if len(found) < len(chunks):
            await self._deps.distributions.save(lapsed(distribution, now))
            return None
        return found

    async def _note_logged(self, organisation: str, chunk: Chunk, rows: Sequence[PlannedRow], now: datetime) -> None:
        countries = Counter(row.country for row in rows)
        await self._deps.distributions.note_logged(organisation, chunk, now, countries)

    async def _end_at_once(
        self, rows: Sequence[PlannedRow], sent: Collection[int], organisation: str, now: datetime
    ) -> None:
        """End rows that were erased before they were logged, that the campaign has sent since planning, or whose failed
        message another one replaces. So every accepted row is accounted for."""
        for row in rows:
            if row.payload is None:
                await self._deps.status_writer.end_unsent(organisation, row.message_id, ERASED, now)
            elif row.row in sent:
                await self._deps.status_writer.end_unsent(organisation, row.message_id, ALREADY_SENT, now)
        await self._deps.status_writer.flush()

    async def _waiting(
        self, distribution: Distribution, read: Sequence[tuple[Chunk, Sequence[PlannedRow]]]
    ) -> Sequence[tuple[Chunk, PlannedRow, Payload]]:
        """The rows to put on the queue. If rows may have ended when they were logged, the log is read, so that they do
        not take another message's slot."""
        found = [(chunk, row, row.payload) for chunk, rows in read for row in rows if row.payload is not None]
        if not distribution.skip_already_sent and not any(payload.resend_of for _, _, payload in found):
            return found
        logged = await self._deps.log.get_many(distribution.organisation, [row.message_id for _, row, _ in found])
        return [one for one in found if (message := logged.get(one[1].message_id)) is None or message.is_open]

    async def _release_chunks(
        self,
        distribution: Distribution,
        index: int,
        run: Run,
        count: int,
        integration: WhatsAppIntegration | SmsIntegration,
        now: datetime,
    ) -> None:
        chunks = _chunks(distribution, index, range(run.released, run.released + count))
        read = await self._rows(distribution, chunks, now)
        if read is None:
            return
        waiting = await self._waiting(distribution, read)
        send_slots = await self._send_slots(integration, len(waiting), now)
        queue_messages = [
            queue_message_of_row(distribution, chunk, row, payload, slot_at, integration.version)
            for (chunk, row, payload), slot_at in zip(waiting, send_slots, strict=True)
        ]
        await self._deps.queue.put(queue_messages, now)
        moved_on = distribution.with_run(index, dataclasses.replace(run, released=run.released + count))
        await self._deps.distributions.save(
            dataclasses.replace(
                moved_on,
                status=DistributionStatus.SENDING,
                status_reason=None,
                due_at=max(distribution.due_at or now, now + NEXT_LOOK),
                last_send_slot=from_microseconds(send_slots[-1]) if send_slots else distribution.last_send_slot,
            )
        )
        messages = Counter(chunk.number for chunk, _, _ in waiting)
        for chunk in chunks:
            self._deps.telemetry.event(
                "chunk_released",
                organisation=distribution.organisation,
                distribution_id=distribution.distribution_id,
                run=index,
                chunk=chunk.number,
                messages=messages[chunk.number],
                channel=distribution.channel,
            )

    async def _send_slots(
        self, integration: WhatsAppIntegration | SmsIntegration, count: int, now: datetime
    ) -> Sequence[int]:
        if not count:
            return ()
        rate_limits = self._deps.rate_limits
        return await book_slots(rate_limits, integration, Share.BULK, earliest=now + HEAD_START, count=count)

    @staticmethod
    def _fitting(
        distribution: Distribution, run: Run, state: RateLimitState, rate: int, now: datetime, at_most: int
    ) -> int:
        """How many of the run's next chunks would be sent completely inside its window."""
        sizes = run.sizes(at_most)
        starts_at = distribution.schedule.at
        if starts_at is not None and starts_at > now:
            return 0
        if distribution.channel is not Channel.SMS:
            return len(sizes)
        peak = parse_windows(distribution.planned.peak)
        earliest = microseconds(now + HEAD_START)
        send_slots = book(state, Share.BULK, rate=rate, earliest=earliest, count=sum(sizes)).send_slots
        first = from_microseconds(send_slots[0])
        closes = closes_at(first, COVERED[run.country].zone, closed_hours(run.country, peak))
        lasts = [from_microseconds(send_slots[end - 1]) for end in itertools.accumulate(sizes)]
        return sum(closes is None or last < closes for last in lasts)

    async def _wait_or_complete(self, distribution: Distribution, now: datetime, *, reason: str | None) -> None:
        free = [run for run in distribution.planned.runs if run.hold is None]
        if not all(run.is_released for run in free):
            opens = distribution.opens(now)
            await self._look_again(distribution, max(opens, now + NEXT_LOOK) if opens <= now else opens)
            if opens > now:
                await wake(self._deps.schedules, distribution, opens)
            return
        reported_later = any(run.hold is not None and run.hold.reported_later for run in distribution.planned.runs)
        if reported_later or not await self._is_settled(distribution, now):
            await self._deps.stuck_messages.look_after(distribution, now)
            await self._look_again(distribution, now + NEXT_LOOK, reason=reason)
            return
        completed = dataclasses.replace(
            distribution,
            status=DistributionStatus.COMPLETED,
            status_reason=None,
            completed_at=now,
            due_at=now + AT_REST_AFTER,
        )
        if await self._deps.distributions.save(completed) is not None:
            self._deps.telemetry.event("distribution_completed", distribution_id=distribution.distribution_id)

    async def _is_settled(self, distribution: Distribution, now: datetime) -> bool:
        """False while messages still wait for their slot or to be counted: only then is the log read row by row."""
        last = distribution.last_send_slot
        return (last is None or last + COUNTED_AFTER <= now) and await self._deps.tallies.all_settled(distribution)

    async def _look_again(self, distribution: Distribution, at: datetime, *, reason: str | None = None) -> None:
        """`reason`: why it waits, if that is neither its schedule nor a hold. While one of its runs is held it is
        looked at every minute."""
        is_held = any(run.hold is not None for run in distribution.planned.runs)
        held_reason = distribution.status_reason if is_held else None
        due_at = min(at, self._deps.clock.now() + NEXT_LOOK) if is_held else at
        await self._deps.distributions.save(
            dataclasses.replace(distribution, due_at=due_at, status_reason=reason or held_reason)
        )


def _turn(integration: WhatsAppIntegration | SmsIntegration | None) -> int:
    """How many chunks make a turn."""
    return _chunks_in_a_turn(integration.rate_per_second) if integration else 1


def _chunks_in_a_turn(rate: int) -> int:
    return max(1, rate * TURN_SECONDS // CHUNK_ROWS)


def _chunks(distribution: Distribution, run: int, numbers: Iterable[int]) -> Sequence[Chunk]:
    return [Chunk(distribution_id=distribution.distribution_id, run=run, number=number) for number in numbers]
