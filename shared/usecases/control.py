"""What a person can do to a distribution: confirm, pause, resume, cancel."""

from collections.abc import Mapping

from shared.domain.clock import Clock
from shared.domain.distribution import Action, Distribution, Outcome, outcome_of
from shared.domain.refusal import ProblemCode, Refusal
from shared.usecases.ports import Distributions, Task, TaskQueue, Telemetry
from shared.usecases.schedules import Schedules, follow


class Control:
    """Confirm, pause, resume and cancel, as api.md's table says."""

    def __init__(
        self,
        distributions: Distributions,
        tasks: TaskQueue,
        schedules: Schedules,
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self._distributions = distributions
        self._tasks = tasks
        self._schedules = schedules
        self._telemetry = telemetry
        self._clock = clock

    async def act(self, organisation: str, identity: str, action: Action) -> Distribution:
        """The distribution after the action. Raises Refusal `not_found` or `state_conflict`."""
        while True:
            distribution = await self._distributions.get(organisation, identity)
            if distribution is None:
                raise Refusal(ProblemCode.NOT_FOUND)
            outcome = outcome_of(action, distribution.status)
            if outcome is Outcome.CONFLICT:
                raise Refusal(ProblemCode.STATE_CONFLICT, status=distribution.status, action=action)
            if outcome is Outcome.UNCHANGED:
                await follow(self._schedules, distribution)  # whoever did it may have died before this
                return distribution
            saved = await self._distributions.save(await self._acted(distribution, action, outcome))
            if saved is None:
                continue
            self._telemetry.event(
                "distribution_controlled", distribution_id=identity, action=action, status=saved.status
            )
            await follow(self._schedules, saved)
            if saved.due_at is not None and saved.due_at <= self._clock.now():
                await self._tasks.put([advance_task(saved)])
            return saved

    async def _acted(self, distribution: Distribution, action: Action, outcome: Outcome) -> Distribution:
        now = self._clock.now()
        if outcome is Outcome.PAUSE:
            return distribution.paused("paused_by_user")
        if outcome is Outcome.CANCEL:
            return distribution.cancelled(now)
        if action is Action.CONFIRM:
            return distribution.confirmed(now)
        counts = await self._distributions.counts(distribution.organisation, distribution.distribution_id)
        return distribution.resumed(now, first_pending(distribution, {key: one.total for key, one in counts.items()}))


def first_pending(distribution: Distribution, settled: Mapping[tuple[int, int], int]) -> dict[int, int]:
    """Run → its first chunk of which not every row has left `pending`."""
    return {
        index: next(
            (number for number in range(run.chunks) if settled.get((index, number), 0) < run.rows_in(number)),
            run.chunks,
        )
        for index, run in enumerate(distribution.planned.runs)
    }


def advance_task(distribution: Distribution) -> Task:
    """Work for the fan-out queue: bring this distribution forward."""
    return Task(kind="advance", organisation=distribution.organisation, distribution_id=distribution.distribution_id)
