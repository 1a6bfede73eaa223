"""The agenda: messages that wait longer than a queue can delay, or that somebody has to look after. Enqueue first,
then move the watch on: a message whose copy was lost comes up again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.clock import Clock
from shared.domain.dispatch import Dispatch
from shared.domain.distribution import RELEASING, Distribution, DistributionStatus
from shared.domain.instants import from_microseconds
from shared.domain.integration import SmsIntegration, WhatsAppIntegration
from shared.domain.message import Message
from shared.domain.payload import Channel, Payload
from shared.domain.status import Status
from shared.domain.timetable import Share
from shared.usecases.ports import ChannelQueue, Distributions, Integrations, Lanes, Log, Move, Plans, Telemetry
from shared.usecases.settle import Settler

_AT_ONCE = 100
_WATCH = timedelta(seconds=120)
_HORIZON = timedelta(seconds=300)
_LOOK_AGAIN = timedelta(seconds=60)
_WHILE_PAUSED = timedelta(minutes=5)
_UNKNOWN_ENDS = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgendaDeps:
    """What the agenda works with."""

    log: Log
    distributions: Distributions
    plans: Plans
    integrations: Integrations
    lanes: Lanes
    queue: ChannelQueue
    settler: Settler
    telemetry: Telemetry
    clock: Clock


class Agenda:
    """Takes up what is due."""

    def __init__(self, deps: AgendaDeps) -> None:
        self._deps = deps

    async def work_off(self, shard: int) -> bool:
        """Take up the due messages of one shard; True where there may be more."""
        now = self._deps.clock.now()
        due = await self._deps.log.due(shard, now, _AT_ONCE)
        distributions = await self._distributions_of(due)
        for message in due:
            distribution = distributions.get(message.distribution_id or "")
            await self._take_up(message, distribution, now)
        await self._deps.settler.flush()
        if due:
            self._deps.telemetry.event("agenda_worked_off", shard=shard, messages=len(due))
        return len(due) == _AT_ONCE

    async def _take_up(self, message: Message, distribution: Distribution | None, now: datetime) -> None:
        if message.due_at is None or message.status is not Status.PENDING:
            return
        if message.unknown_since is not None:
            await self._end(message, "outcome_unknown", now)
        elif message.lease_until is not None:
            await self._lapsed(message, now)
        elif message.chunk is not None and not _releasing(distribution):
            await self._wait_with(message, distribution, now)
        else:
            await self._enqueue(message, distribution, now)

    async def _lapsed(self, message: Message, now: datetime) -> None:
        """A claim whose holder is dead: nobody knows whether the provider took the message."""
        if message.lease_until is not None and message.lease_until > now:
            await self._rewatch(message, message.lease_until)
        elif message.channel is Channel.WHATSAPP:
            await self._deps.log.doubt(
                message.organisation,
                message.message_id,
                attempt=message.attempts,
                now=now,
                due_at=now + _UNKNOWN_ENDS,
            )
        else:
            await self._end(message, "outcome_unknown", now)

    async def _end(self, message: Message, reason: str, now: datetime) -> None:
        move = Move(status=Status.FAILED, at=now, attempt=message.attempts, reason=reason)
        await self._deps.settler.move(message.organisation, message.message_id, move)

    async def _wait_with(self, message: Message, distribution: Distribution | None, now: datetime) -> None:
        """Its distribution does not release: wait with it, or end with it."""
        if distribution is None or distribution.status is DistributionStatus.CANCELLED:
            await self._deps.settler.end_unsent(message.organisation, message.message_id, "cancelled", now)
        else:
            await self._rewatch(message, now + _WHILE_PAUSED)

    async def _enqueue(self, message: Message, distribution: Distribution | None, now: datetime) -> None:
        payload = await self._deps.plans.read_payload(message.payload)
        if payload is None:
            await self._deps.settler.end_unsent(message.organisation, message.message_id, "expired", now)
            return
        integration = await self._integration(message)
        if integration is None:
            await self._rewatch(message, now + _WHILE_PAUSED)
            return
        state = await self._deps.lanes.state(integration.lane)
        if from_microseconds(state.next_bulk) > now + _HORIZON:
            await self._rewatch(message, now + _LOOK_AGAIN)
            return
        booking = await self._deps.lanes.book(
            integration.lane,
            Share.BULK,
            rate=integration.rate_per_second,
            earliest=now + timedelta(seconds=1),
            count=1,
        )
        departs_at = booking.departures[0]
        await self._deps.queue.put([_dispatch(message, payload, distribution, departs_at, integration.version)], now)
        await self._rewatch(message, from_microseconds(departs_at) + _WATCH)

    async def _rewatch(self, message: Message, due_at: datetime) -> None:
        if message.due_at is not None:
            await self._deps.log.rewatch(message.organisation, message.message_id, seen=message.due_at, due_at=due_at)

    async def _distributions_of(self, messages: Sequence[Message]) -> dict[str, Distribution]:
        keys = {(message.organisation, message.distribution_id) for message in messages if message.distribution_id}
        return dict(await self._deps.distributions.get_many((one, two) for one, two in keys if two))

    async def _integration(self, message: Message) -> WhatsAppIntegration | SmsIntegration | None:
        if message.channel is Channel.SMS:
            return await self._deps.integrations.sms(message.organisation)
        return await self._deps.integrations.whatsapp(message.organisation)


def _releasing(distribution: Distribution | None) -> bool:
    return distribution is not None and distribution.status in RELEASING


def _dispatch(
    message: Message, payload: Payload, distribution: Distribution | None, departs_at: int, version: int
) -> Dispatch:
    return Dispatch(
        organisation=message.organisation,
        message_id=message.message_id,
        channel=message.channel,
        person=message.person,
        departs_at=departs_at,
        payload=payload,
        chunk=message.chunk,
        epoch=distribution.epoch if distribution else None,
        integration_version=version,
    )
