"""Brings a distribution forward: log a chunk, book its departures, put it on the channel queue, say so; and when all
is out, find out that nothing is pending any more.

Each step is one write on condition that the distribution is as it was read; whoever loses reads again. What is done
twice (logging, enqueueing) is harmless: log items are made once, and the claim lets one copy through.
"""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.domain.clock import Clock
from shared.domain.countries import COVERED
from shared.domain.dispatch import Dispatch
from shared.domain.distribution import CHUNK_ROWS, RELEASING, Distribution, DistributionStatus, Run, lapsed
from shared.domain.gate import closed_hours
from shared.domain.hours import closes_at, parse_windows
from shared.domain.instants import from_microseconds, microseconds
from shared.domain.integration import SmsIntegration, WhatsAppIntegration
from shared.domain.message import Chunk, Message, PayloadRef
from shared.domain.payload import Channel, Payload
from shared.domain.tally import AT_REST_AFTER
from shared.domain.timetable import CYCLE, SLOTS, SPAN, LaneState, Share, book
from shared.usecases.erasure import ERASED
from shared.usecases.frozen import PlannedRow, Plans
from shared.usecases.ports import ChannelQueue, Distributions, Integrations, Lanes, Log, Telemetry
from shared.usecases.room import Headroom
from shared.usecases.schedules import Schedules, wake
from shared.usecases.settle import Settler
from shared.usecases.stragglers import Stragglers
from shared.usecases.tallies import Tallies

HORIZON = timedelta(seconds=300)
"""How far ahead a lane is filled. SQS can delay 900 s; a pause leaves no more than this on the queue."""
HEAD_START = timedelta(seconds=2)
"""Between booking and the first departure: the copies must be with their senders by then."""
NEXT_LOOK = timedelta(seconds=60)
TURN_SECONDS = 10
"""Of the lane, or a chunk where that is more: so much a distribution releases before it queues up behind the others
of its organisation. One that filled the lane whenever it can would leave them nothing until it is through."""
DAILY_LIMIT = "daily_limit"


class Guard(Protocol):
    """What `shared.usecases.templates.TemplateGuard` does."""

    async def forbids(self, integration: WhatsAppIntegration, distribution: Distribution) -> str | None:
        """Why a distribution may not go on, as a status reason; None where it may."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseDeps:
    """What release works with."""

    distributions: Distributions
    plans: Plans
    log: Log
    lanes: Lanes
    queue: ChannelQueue
    integrations: Integrations
    guard: Guard
    tallies: Tallies
    stragglers: Stragglers
    headroom: Headroom
    settler: Settler
    schedules: Schedules
    telemetry: Telemetry
    clock: Clock


class Release:
    """Advances distributions that are scheduled or sending."""

    def __init__(self, deps: ReleaseDeps) -> None:
        self._deps = deps

    async def advance(self, organisation: str, distribution_id: str, *, until: datetime) -> bool:
        """Bring it forward until nothing can be done now, its turn is over, or `until`.

        True where there may be more to do at once: after the turns of others, with whom it shares the lane.
        """
        released = 0
        integration: WhatsAppIntegration | SmsIntegration | None = None
        while released < _turn(integration) and self._deps.clock.now() < until:
            distribution = await self._deps.distributions.get(organisation, distribution_id)
            if distribution is None or distribution.plan is None:
                return False
            if distribution.status not in RELEASING:
                return False
            integration = integration or await self._integration(distribution)
            if integration is None:
                await self._deps.distributions.save(distribution.paused("token_invalid"))
                return False
            forbidden = await self._forbidden(distribution, integration) if not released else None
            if forbidden is not None:
                await self._deps.distributions.save(distribution.paused(forbidden))
                return False
            step = await self._step(distribution, integration)
            if step is None:
                return False
            released += step
        return True

    async def _step(self, distribution: Distribution, integration: WhatsAppIntegration | SmsIntegration) -> int | None:
        """One chunk logged (0) or released (1); None where there is nothing to do until `due_at`."""
        now = self._deps.clock.now()
        state = await self._deps.lanes.state(integration.lane)
        if from_microseconds(state.next_bulk) > now + HORIZON:
            self._deps.telemetry.event("lane_full", channel=distribution.channel)
            await self._look_again(distribution, now + NEXT_LOOK)
            return None
        for index, run in enumerate(distribution.planned.runs):
            if run.is_released or not self._may_run(distribution, run, state, integration.rate_per_second, now):
                continue
            if run.logged <= run.released:
                await self._log_chunk(distribution, index, run, now)
                return 0
            shut_until = await self._shut_until(distribution, integration, state, now)
            if shut_until is not None:
                await self._look_again(distribution, shut_until, reason=DAILY_LIMIT)
                return None
            await self._release_chunk(distribution, index, run, integration, now)
            return 1
        full = await self._shut_until(distribution, integration, state, now)
        await self._wait_or_complete(distribution, now, reason=DAILY_LIMIT if full else None)
        return None

    async def _shut_until(
        self,
        distribution: Distribution,
        integration: WhatsAppIntegration | SmsIntegration,
        state: LaneState,
        now: datetime,
    ) -> datetime | None:
        """Meta's messaging limit; it does not hold for texts inside a session. Booked is what the lane's timetable
        holds from now on, whoever booked it: too much rather than too little."""
        if not isinstance(integration, WhatsAppIntegration) or distribution.template is None:
            return None
        ahead = max(0, state.next_bulk - microseconds(now))
        booked = ahead * integration.rate_per_second * (CYCLE - 1) * SLOTS // (CYCLE * SPAN)
        return await self._deps.headroom.shut_until(integration, booked, now)

    async def _log_chunk(self, distribution: Distribution, index: int, run: Run, now: datetime) -> None:
        chunk = Chunk(distribution_id=distribution.distribution_id, run=index, number=run.logged)
        rows = await self._rows(distribution, chunk, now)
        if rows is None:
            return
        key = self._deps.plans.chunk_key(distribution.organisation, distribution.planned.attempt, chunk)
        await self._deps.log.add_all([_logged(distribution, chunk, row, key, now) for row in rows])
        countries = Counter(row.country for row in rows)
        await self._deps.distributions.note_logged(distribution.organisation, chunk, now, countries)
        await self._end_erased(rows, distribution.organisation, now)
        await self._deps.distributions.save(
            distribution.with_run(index, dataclasses.replace(run, logged=run.logged + 1))
        )

    async def _rows(self, distribution: Distribution, chunk: Chunk, now: datetime) -> Sequence[PlannedRow] | None:
        """A chunk's rows. None: it was paused until they expired, and what is left of it can only be ended."""
        rows = await self._deps.plans.read_chunk(distribution.organisation, distribution.planned.attempt, chunk)
        if rows is None:
            await self._deps.distributions.save(lapsed(distribution, now))
        return rows

    async def _end_erased(self, rows: Sequence[PlannedRow], organisation: str, now: datetime) -> None:
        """A row that was erased before it was logged ends at once, so that every accepted row is accounted for."""
        for row in rows:
            if row.payload is None:
                await self._deps.settler.end_unsent(organisation, row.message_id, ERASED, now)
        await self._deps.settler.flush()

    async def _release_chunk(
        self,
        distribution: Distribution,
        index: int,
        run: Run,
        integration: WhatsAppIntegration | SmsIntegration,
        now: datetime,
    ) -> None:
        chunk = Chunk(distribution_id=distribution.distribution_id, run=index, number=run.released)
        rows = await self._rows(distribution, chunk, now)
        if rows is None:
            return
        waiting = [(row, row.payload) for row in rows if row.payload is not None]
        departures = await self._departures(integration, len(waiting), now)
        dispatches = [
            _dispatch(distribution, chunk, row, payload, departs_at, integration.version)
            for (row, payload), departs_at in zip(waiting, departures, strict=True)
        ]
        await self._deps.queue.put(dispatches, now)
        moved_on = distribution.with_run(index, dataclasses.replace(run, released=run.released + 1))
        await self._deps.distributions.save(
            dataclasses.replace(
                moved_on,
                status=DistributionStatus.SENDING,
                status_reason=None,
                due_at=max(distribution.due_at or now, now + NEXT_LOOK),
                last_departure=from_microseconds(departures[-1]) if departures else distribution.last_departure,
            )
        )
        self._deps.telemetry.event(
            "chunk_released",
            distribution_id=distribution.distribution_id,
            run=index,
            chunk=run.released,
            messages=len(waiting),
            channel=distribution.channel,
        )

    async def _departures(
        self, integration: WhatsAppIntegration | SmsIntegration, count: int, now: datetime
    ) -> Sequence[int]:
        if not count:
            return ()
        booking = await self._deps.lanes.book(
            integration.lane,
            Share.BULK,
            rate=integration.rate_per_second,
            earliest=now + HEAD_START,
            count=count,
        )
        return booking.departures

    @staticmethod
    def _may_run(distribution: Distribution, run: Run, state: LaneState, rate: int, now: datetime) -> bool:
        """Whether the run's next chunk would leave wholly inside its window."""
        starts_at = distribution.schedule.at
        if starts_at is not None and starts_at > now:
            return False
        if distribution.channel is not Channel.SMS:
            return True
        peak = parse_windows(distribution.planned.peak)
        rows = run.rows_in(run.released)
        earliest = microseconds(now + HEAD_START)
        departures = book(state, Share.BULK, rate=rate, earliest=earliest, count=rows).departures
        first = from_microseconds(departures[0])
        closes = closes_at(first, COVERED[run.country].zone, closed_hours(run.country, peak))
        return closes is None or from_microseconds(departures[-1]) < closes

    async def _wait_or_complete(self, distribution: Distribution, now: datetime, *, reason: str | None) -> None:
        if not all(run.is_released for run in distribution.planned.runs):
            opens = distribution.opens(now)
            await self._look_again(distribution, max(opens, now + NEXT_LOOK) if opens <= now else opens)
            if opens > now:
                await wake(self._deps.schedules, distribution, opens)
            return
        if not await self._deps.tallies.all_settled(distribution):
            await self._deps.stragglers.look_after(distribution, now)
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

    async def _look_again(self, distribution: Distribution, at: datetime, *, reason: str | None = None) -> None:
        """`reason`: why it waits, where that is not its own timetable."""
        await self._deps.distributions.save(dataclasses.replace(distribution, due_at=at, status_reason=reason))

    async def _forbidden(
        self, distribution: Distribution, integration: WhatsAppIntegration | SmsIntegration
    ) -> str | None:
        """Why nothing may leave, as Meta told: resumed too early, or missed while the others were paused."""
        if not isinstance(integration, WhatsAppIntegration):
            return None
        return await self._deps.guard.forbids(integration, distribution)

    async def _integration(self, distribution: Distribution) -> WhatsAppIntegration | SmsIntegration | None:
        """Read anew at every call: a token that was mended a moment ago is why a person pressed resume."""
        if distribution.channel is Channel.SMS:
            return await self._deps.integrations.sms(distribution.organisation, fresh=True)
        return await self._deps.integrations.whatsapp(distribution.organisation, fresh=True)


def _turn(integration: WhatsAppIntegration | SmsIntegration | None) -> int:
    """How many chunks make a turn."""
    return max(1, integration.rate_per_second * TURN_SECONDS // CHUNK_ROWS) if integration else 1


def _dispatch(
    distribution: Distribution, chunk: Chunk, row: PlannedRow, payload: Payload, departs_at: int, version: int
) -> Dispatch:
    return Dispatch(
        organisation=distribution.organisation,
        message_id=row.message_id,
        channel=distribution.channel,
        person=row.person,
        departs_at=departs_at,
        payload=payload,
        chunk=chunk,
        epoch=distribution.epoch,
        integration_version=version,
    )


def _logged(distribution: Distribution, chunk: Chunk, row: PlannedRow, key: str, now: datetime) -> Message:
    return Message(
        organisation=distribution.organisation,
        message_id=row.message_id,
        channel=distribution.channel,
        accepted_at=now,
        recipient=row.recipient,
        person=row.person,
        country=row.country,
        payload=PayloadRef(object_key=key, row=row.row),
        campaign_id=distribution.campaign_id,
        enrollment_id=row.enrollment_id,
        card_at=row.payload.card_generated_at if row.payload else None,
        chunk=chunk,
        segments=row.segments,
        price=row.price,
        alternative=row.payload is not None and row.payload.alternative is not None,
        fallback_minutes=row.payload.fallback.after_minutes if row.payload and row.payload.fallback else None,
    )
