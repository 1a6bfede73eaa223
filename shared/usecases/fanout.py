"""The fan-out function's own work: the tick finds what is due, the tasks do it. A missed, late or doubled one does no
harm: whatever is due stays due until it is done."""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.clock import Clock
from shared.domain.distribution import DistributionStatus
from shared.usecases.agenda import Agenda
from shared.usecases.dead_letters import Redrives
from shared.usecases.distributions import Planning, expired
from shared.usecases.erasure import Eraser
from shared.usecases.ports import AGENDA_SHARDS, Distributions, Log, Task, TaskQueue, Telemetry
from shared.usecases.release import Release
from shared.usecases.sweep import Sweep
from shared.usecases.tallies import Tallies

_DISTRIBUTIONS_A_TICK = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class FanoutDeps:
    """What the tick and the tasks work with."""

    distributions: Distributions
    log: Log
    tasks: TaskQueue
    planning: Planning
    release: Release
    sweep: Sweep
    tallies: Tallies
    agenda: Agenda
    eraser: Eraser
    redrives: Redrives
    telemetry: Telemetry
    clock: Clock


class Fanout:
    """Ticks and tasks."""

    def __init__(self, deps: FanoutDeps) -> None:
        self._deps = deps

    async def tick(self) -> None:
        """One task for each distribution and each agenda shard with something due."""
        now = self._deps.clock.now()
        due = await self._deps.distributions.due(now, _DISTRIBUTIONS_A_TICK)
        tasks = [Task(kind="advance", organisation=organisation, distribution_id=one) for organisation, one in due]
        for shard in range(AGENDA_SHARDS):
            if await self._deps.log.due(shard, now, 1):
                tasks.append(Task(kind="agenda", shard=shard))
        if tasks:
            await self._deps.tasks.put(tasks)
        self._deps.telemetry.event("tick", tasks=len(tasks))

    async def tick_one(self, organisation: str, distribution_id: str) -> None:
        """A distribution's own schedule: it may leave now."""
        await self._deps.tasks.put([Task(kind="advance", organisation=organisation, distribution_id=distribution_id)])
        self._deps.telemetry.event("tick_one", distribution_id=distribution_id)

    async def work(self, task: Task, until: datetime) -> None:
        """Do one task, for no longer than `until`; what remains becomes another task."""
        match task.kind:
            case "plan":
                await self._deps.planning.plan_upload(task.organisation, task.distribution_id)
            case "advance":
                if await self._advance(task.organisation, task.distribution_id, until):
                    await self._deps.tasks.put([task])
            case "agenda":
                if await self._deps.agenda.work_off(task.shard):
                    await self._deps.tasks.put([task])
            case "fallback":
                await self._deps.agenda.fall_back(task.organisation, task.message_id)
            case "erase":
                await self._deps.eraser.work(task, until)
            case "redrive":
                await self._deps.redrives.work(task, until)

    async def _advance(self, organisation: str, distribution_id: str, until: datetime) -> bool:
        """What a distribution needs, by its status. True where there is more to do at once."""
        distribution = await self._deps.distributions.get(organisation, distribution_id)
        now = self._deps.clock.now()
        if distribution is None:
            await self._deps.tallies.recount_hours(organisation, distribution_id, now)
            return False
        match distribution.status:
            case DistributionStatus.PLANNING:
                await self._deps.planning.plan_upload(organisation, distribution_id)
            case DistributionStatus.PLANNED:
                late = expired(distribution, now)
                if late is not None:
                    await self._deps.distributions.save(late)
            case DistributionStatus.SCHEDULED | DistributionStatus.SENDING:
                return await self._deps.release.advance(organisation, distribution_id, until=until)
            case DistributionStatus.CANCELLED:
                await self._deps.sweep.sweep(distribution, now)
            case DistributionStatus.COMPLETED if distribution.due_at is not None and distribution.due_at <= now:
                await self._deps.tallies.recount(distribution)
                await self._deps.distributions.save(replace(distribution, due_at=None))
            case _:
                pass
        return False
