"""The fan-out function's own work: the tick finds what is due, the tasks do it, and dead queue messages are read. A
missed, late or doubled tick does no harm, because work stays due until it is done."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from shared.app.runtime import Event
from shared.base.events import Telemetry
from shared.base.ids import shard_of
from shared.base.instants import Clock
from shared.campaigns.cancel import Sweep
from shared.campaigns.counts import Due, parse_group
from shared.campaigns.create import Planning, expired
from shared.campaigns.distribution import DistributionStatus
from shared.campaigns.ports import Distributions, Task, TaskQueue
from shared.campaigns.recount import Tallies
from shared.campaigns.release import Release
from shared.exports.exporting import ExportWork
from shared.exports.ports import ExportStore
from shared.holds.keeper import HoldStore
from shared.holds.release import AccountHealth, HoldWork
from shared.messages.agenda import Agenda
from shared.messages.dead_letters import DeadQueueMessage, Redrives
from shared.messages.message import DeadReason
from shared.messages.ports import AGENDA_SHARDS, Log
from shared.messages.queue_message import QueueMessage
from shared.policy.erasure import Eraser
from shared.statistics.sums import SUM_SHARDS, Summing, SumStore
from shared.storage.codec import decode

_DISTRIBUTIONS_A_TICK = 1000

_EXPORTS_A_TICK = 1000

_DEAD_LETTERS_A_TICK = 1000

_NAMED_A_TICK = 10

OVERDUE = timedelta(minutes=15)
"""All work looks at its item again within minutes (a sweep that ends a million rows may take longer). If an item has
been due for this long, no worker takes it up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FanoutDeps:
    """What the tick and the tasks work with."""

    distributions: Distributions
    log: Log
    tasks: TaskQueue
    planning: Planning
    release: Release
    holds: HoldStore
    hold_work: HoldWork
    sweep: Sweep
    tallies: Tallies
    agenda: Agenda
    eraser: Eraser
    redrives: Redrives
    sums: SumStore
    summing: Summing
    account_health: AccountHealth
    exports: ExportStore
    export_work: ExportWork
    telemetry: Telemetry
    clock: Clock


class Fanout:
    """Ticks and tasks."""

    def __init__(self, deps: FanoutDeps) -> None:
        self._deps = deps

    async def tick(self) -> None:
        """Put one task on the queue for each distribution and each agenda shard with something due, and for each
        shard of the sums with something to add."""
        now = self._deps.clock.now()
        due = await self._deps.distributions.due(now, _DISTRIBUTIONS_A_TICK)
        tasks = [_task(one) for one in due]
        first = [one for shard in range(AGENDA_SHARDS) for one in await self._deps.log.due(shard, now, 1)]
        tasks += [Task(kind="agenda", shard=shard_of(one.message_id, AGENDA_SHARDS)) for one in first]
        held = await self._deps.holds.due(now, _DISTRIBUTIONS_A_TICK)
        tasks += [Task(kind="holds", organisation=organisation, channel=channel) for organisation, channel in held]
        waiting = await self._deps.exports.due(now, _EXPORTS_A_TICK)
        tasks += [Task(kind="export", organisation=organisation) for organisation in waiting]
        tasks += [Task(kind="sums", shard=one) for one in range(SUM_SHARDS) if await self._deps.sums.is_unsummed(one)]
        if tasks:
            await self._deps.tasks.put(tasks)
        overdue = await self._deps.distributions.due(now - OVERDUE, _DISTRIBUTIONS_A_TICK) if due else ()
        late = sum(one.due_at is not None and one.due_at <= now - OVERDUE for one in first)
        self._deps.telemetry.event("tick", tasks=len(tasks), overdue=len(overdue), late_shards=late)
        for one in overdue[:_NAMED_A_TICK]:
            self._deps.telemetry.warning_event(
                "distribution_overdue", organisation=one.organisation, distribution_id=str(one.group)
            )
        await self._count_dead_letters()

    async def _count_dead_letters(self) -> None:
        """Report standing dead letters per organisation. Their arrival is reported separately, once."""
        dead_letters = await self._deps.log.count_dead_letters(_DEAD_LETTERS_A_TICK)
        for (organisation, channel), messages in dead_letters.items():
            self._deps.telemetry.event(
                "dead_letters_stand", organisation=organisation, channel=channel, messages=messages
            )

    async def tick_one(self, organisation: str, distribution_id: str) -> None:
        """A distribution's own schedule: let it send now."""
        await self._deps.tasks.put([Task(kind="advance", organisation=organisation, distribution_id=distribution_id)])
        self._deps.telemetry.event("tick_one", distribution_id=distribution_id)

    async def work(self, task: Task, until: datetime) -> None:
        """Do one task, until `until` at the latest. The rest becomes another task.

        The event is written before the task begins, because a worker that runs out of memory or time writes nothing
        afterwards.
        """
        self._deps.telemetry.event(
            "task_begun", kind=task.kind, organisation=task.organisation, distribution_id=task.distribution_id
        )
        match task.kind:
            case "plan":
                await self._deps.planning.plan_stored(task.organisation, task.distribution_id)
            case "advance" | "agenda" | "holds" | "sums":
                if await self._is_unfinished(task, until):
                    await self._deps.tasks.put([task])
            case "fallback":
                await self._deps.agenda.fall_back(task.organisation, task.message_id)
            case "erase" | "redrive" | "export":
                await self._do_a_part(task, until)
            case "forget_upload":
                await self._deps.eraser.forget_upload(task)
            case "account":
                await self._deps.account_health.work(task)
            case "recount":
                await self._deps.tallies.recount_group(task.organisation, parse_group(task.place))

    async def _do_a_part(self, task: Task, until: datetime) -> None:
        """Do a task that puts the rest of its work on the queue itself."""
        if task.kind == "erase":
            await self._deps.eraser.work(task, until)
        elif task.kind == "redrive":
            await self._deps.redrives.work(task, until)
        else:
            await self._deps.export_work.work(task.organisation, until)

    async def _is_unfinished(self, task: Task, until: datetime) -> bool:
        """Do a task of a kind that may need several rounds. Returns True if there is more to do at once."""
        if task.kind == "advance":
            return await self._advance(task.organisation, task.distribution_id, until)
        if task.kind == "agenda":
            return await self._deps.agenda.work_off(task.shard)
        if task.kind == "sums":
            return await self._deps.summing.work(task.shard, until)
        return task.channel is not None and await self._deps.hold_work.work(task.organisation, task.channel)

    async def _advance(self, organisation: str, distribution_id: str, until: datetime) -> bool:
        """Do what the distribution's status needs. Returns True if there is more to do at once."""
        distribution = await self._deps.distributions.get(organisation, distribution_id)
        now = self._deps.clock.now()
        if distribution is None:
            return False
        match distribution.status:
            case DistributionStatus.PLANNING:
                await self._deps.planning.plan_stored(organisation, distribution_id)
            case DistributionStatus.PLANNED:
                late = expired(distribution, now)
                if late is not None:
                    await self._deps.distributions.save(late)
            case _ if distribution.is_releasing:
                return await self._deps.release.advance(organisation, distribution_id, until=until)
            case DistributionStatus.CANCELLED:
                return await self._deps.sweep.sweep(distribution, until)
            case DistributionStatus.COMPLETED if distribution.due_at is not None and distribution.due_at <= now:
                await self._deps.tallies.recount(distribution)
                await self._deps.distributions.save(replace(distribution, due_at=None))
            case _:
                pass
        return False


def _task(due: Due) -> Task:
    if due.recount:
        return Task(kind="recount", organisation=due.organisation, place=str(due.group))
    return Task(kind="advance", organisation=due.organisation, distribution_id=str(due.group))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """The minimum that names a message. Other fields of the body are ignored."""

    organisation: str
    message_id: str


def read_dead_queue_message(record: Event) -> DeadQueueMessage:
    """The message, and why its queue message died, from a record of a channel's dead-letter queue.

    A body that is not a complete queue message (of another version, for example) is enough if it names its message. SQS
    counts the receives over all queues, this one included. Raises msgspec.MsgspecError for a body that names no
    message: it stays on the queue, and an alarm tells an operator.
    """
    body = record["body"]
    named = decode(body, _Named)
    try:
        decode(body, QueueMessage)
        reason = DeadReason.HANDLING_FAILED
    except msgspec.MsgspecError:
        reason = DeadReason.COPY_UNREADABLE
    return DeadQueueMessage(
        organisation=named.organisation,
        message_id=named.message_id,
        reason=reason,
        attempts=max(int(record["attributes"]["ApproximateReceiveCount"]) - 1, 1),
    )
