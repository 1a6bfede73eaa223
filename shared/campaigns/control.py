"""What a person can do to a distribution: confirm, pause, resume, cancel.

Also the one-time schedules of waiting distributions: each starts a tick for its distribution when that may be sent.
They only make it faster: the distribution's own `due_at` decides, and the tick of every minute looks at it. So a
missing, late or doubled schedule does no harm, and its failure must not fail a request.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from shared.base.events import Telemetry
from shared.base.instants import Clock
from shared.base.refusal import ProblemCode, Refusal
from shared.campaigns.distribution import PAUSED_BY_USER, Action, Distribution, DistributionStatus, Outcome, outcome_of
from shared.campaigns.ports import Distributions, Task, TaskQueue
from shared.holds.keeper import HoldKeeper, scopes_of, settled_by
from shared.messages.payload import Channel
from shared.policy.gate import earliest_open
from shared.policy.hours import parse_windows
from shared.recipients.countries import COVERED

_ANYWHERE = "UTC"
"""WhatsApp has no closed hours, so its schedules need no country's zone."""


class Schedules(Protocol):
    """One-time schedules, one for each distribution. Each removes itself once it has run."""

    async def set(self, organisation: str, distribution_id: str, *, at: datetime, zone: str) -> None:
        """Start a tick for the distribution at that instant, never before; written in the local time of that IANA zone.
        Replaces an existing schedule.

        Never raises because of AWS: a failure writes a warning event.
        """
        ...

    async def remove(self, distribution_id: str) -> None:
        """Remove the schedule, if there is one. Never raises because of AWS."""
        ...


async def follow(schedules: Schedules, distribution: Distribution) -> None:
    """Adapt the schedule after a change: set if the distribution waits for its start, removed if nothing may be
    sent."""
    if distribution.status is DistributionStatus.SCHEDULED and distribution.due_at is not None:
        await wake(schedules, distribution, distribution.due_at)
    elif distribution.status in (DistributionStatus.PAUSED, DistributionStatus.CANCELLED):
        await schedules.remove(distribution.distribution_id)


async def wake(schedules: Schedules, distribution: Distribution, at: datetime) -> None:
    """Let a distribution be looked at as soon as one of its runs may be sent again."""
    await schedules.set(distribution.organisation, distribution.distribution_id, at=at, zone=_zone(distribution, at))


def _zone(distribution: Distribution, at: datetime) -> str:
    """The zone of a run that waits for this instant."""
    if distribution.channel is not Channel.SMS:
        return _ANYWHERE
    plan = distribution.planned
    peak = parse_windows(plan.peak)
    waiting = [run for run in plan.runs if not run.is_released] or list(plan.runs)
    opening = (run for run in waiting if earliest_open(distribution.channel, run.country, at, peak) <= at)
    return COVERED[next(opening, waiting[0]).country].zone


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
    """Confirm, pause, resume and cancel, by api.md's table.

    A person's decision is stored beside the holds: a pause of a held distribution lasts until a person resumes it, and
    a resume probes its holds at once.
    """

    def __init__(self, deps: ControlDeps) -> None:
        self._deps = deps

    async def act(self, organisation: str, identity: str, action: Action, by: str | None = None) -> Distribution:
        """The distribution after the action. `by` is the caller's name. An action that does not change the status
        leaves the name of who did it before. Raises Refusal `not_found` or `state_conflict`.
        """
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
                await follow(self._deps.schedules, distribution)  # its request may have died before this
                return distribution
            saved = await self._deps.distributions.save(await self._acted(distribution, action, outcome, by))
            if saved is None:
                continue
            self._deps.telemetry.event(
                "distribution_controlled", distribution_id=identity, action=action, status=saved.status
            )
            await follow(self._deps.schedules, saved)
            if saved.due_at is not None and saved.due_at <= self._deps.clock.now():
                await self._deps.tasks.put([advance_task(saved)])
            return saved

    async def _acted(
        self, distribution: Distribution, action: Action, outcome: Outcome, by: str | None
    ) -> Distribution:
        now = self._deps.clock.now()
        if action is Action.CONFIRM:
            return replace(distribution.confirmed(now), confirmed_by=by)
        distribution = replace(distribution, controlled_by=by)
        if outcome is Outcome.PAUSE:
            return distribution.paused(PAUSED_BY_USER)
        if outcome is Outcome.CANCEL:
            return distribution.cancelled(now)
        counts = await self._deps.distributions.counts(distribution.organisation, distribution.distribution_id)
        return distribution.resumed(now, settled_by(counts))

    async def _try_held(self, distribution: Distribution) -> None:
        """Done before the resume is written. If the request dies in between, an unneeded probe does no harm."""
        scopes = {one for run in distribution.planned.runs for one in scopes_of(distribution, run)}
        await self._deps.holding.try_now(distribution.organisation, distribution.channel, scopes)


def _outcome(action: Action, distribution: Distribution) -> Outcome:
    """A pause of a distribution that only holds keep waiting becomes a person's pause."""
    if action is Action.PAUSE and distribution.is_held:
        return outcome_of(action, DistributionStatus.SENDING)
    return outcome_of(action, distribution.status)


def advance_task(distribution: Distribution) -> Task:
    """Work for the fan-out queue: bring this distribution forward."""
    return Task(kind="advance", organisation=distribution.organisation, distribution_id=distribution.distribution_id)
