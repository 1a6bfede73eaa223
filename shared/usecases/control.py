"""What a person can do to a distribution: confirm, pause, resume, cancel."""

from dataclasses import dataclass

from shared.domain.clock import Clock
from shared.domain.distribution import PAUSED_BY_USER, Action, Distribution, DistributionStatus, Outcome, outcome_of
from shared.domain.held_runs import scopes_of, settled_by
from shared.domain.refusal import ProblemCode, Refusal
from shared.usecases.holding import HoldKeeper
from shared.usecases.ports import Distributions, Task, TaskQueue, Telemetry
from shared.usecases.schedules import Schedules, follow


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlDeps:
    """What control works with."""

    distributions: Distributions
    holding: HoldKeeper
    tasks: TaskQueue
    schedules: Schedules
    telemetry: Telemetry
    clock: Clock


class Control:
    """Confirm, pause, resume and cancel, as api.md's table says. What a person decides stands beside what is held: a
    pause of a held distribution lasts until a person resumes it, and a resume has what is held tried at once."""

    def __init__(self, deps: ControlDeps) -> None:
        self._deps = deps

    async def act(self, organisation: str, identity: str, action: Action) -> Distribution:
        """The distribution after the action. Raises Refusal `not_found` or `state_conflict`."""
        while True:
            distribution = await self._deps.distributions.get(organisation, identity)
            if distribution is None:
                raise Refusal(ProblemCode.NOT_FOUND)
            outcome = _outcome(action, distribution)
            if outcome is Outcome.CONFLICT:
                raise Refusal(ProblemCode.STATE_CONFLICT, status=distribution.status, action=action)
            if action is Action.RESUME:
                await self._try_held(distribution)
            if outcome is Outcome.UNCHANGED:
                await follow(self._deps.schedules, distribution)  # the one that did it may have died before this
                return distribution
            saved = await self._deps.distributions.save(await self._acted(distribution, action, outcome))
            if saved is None:
                continue
            self._deps.telemetry.event(
                "distribution_controlled", distribution_id=identity, action=action, status=saved.status
            )
            await follow(self._deps.schedules, saved)
            if saved.due_at is not None and saved.due_at <= self._deps.clock.now():
                await self._deps.tasks.put([advance_task(saved)])
            return saved

    async def _acted(self, distribution: Distribution, action: Action, outcome: Outcome) -> Distribution:
        now = self._deps.clock.now()
        if outcome is Outcome.PAUSE:
            return distribution.paused(PAUSED_BY_USER)
        if outcome is Outcome.CANCEL:
            return distribution.cancelled(now)
        if action is Action.CONFIRM:
            return distribution.confirmed(now)
        counts = await self._deps.distributions.counts(distribution.organisation, distribution.distribution_id)
        return distribution.resumed(now, settled_by(counts))

    async def _try_held(self, distribution: Distribution) -> None:
        """Done before the resume is written: killed in between, what was tried needlessly does no harm."""
        scopes = {one for run in distribution.planned.runs for one in scopes_of(distribution, run)}
        await self._deps.holding.try_now(distribution.organisation, distribution.channel, scopes)


def _outcome(action: Action, distribution: Distribution) -> Outcome:
    """A pause of a distribution that only holds keep waiting is a person's pause from now on."""
    if action is Action.PAUSE and distribution.is_held:
        return outcome_of(action, DistributionStatus.SENDING)
    return outcome_of(action, distribution.status)


def advance_task(distribution: Distribution) -> Task:
    """Work for the fan-out queue: bring this distribution forward."""
    return Task(kind="advance", organisation=distribution.organisation, distribution_id=distribution.distribution_id)
