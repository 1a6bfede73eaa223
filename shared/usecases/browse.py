"""Reading: the log, a campaign's history, a distribution with its counts and rejected rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from shared.domain.distribution import Counts, Distribution, DistributionStatus
from shared.domain.held_runs import held_rows
from shared.domain.holds import RunHold
from shared.domain.message import Message
from shared.domain.refusal import Fault, ProblemCode, Refusal
from shared.domain.status import Status
from shared.usecases.frozen import Plans
from shared.usecases.holding import HoldStore, scopes_of_message
from shared.usecases.ports import Distributions, Log, LogQuery, Page

FIRST_FAULTS = 20
"""How many rejected rows a distribution shows of itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionView:
    """A distribution as people see it. Before it is confirmed nothing counts."""

    distribution: Distribution
    counts: Counts
    faults: Sequence[Fault]
    held: Mapping[RunHold, int] = field(default_factory=dict)
    """What keeps how many of its rows pending."""


class Browse:
    """Reads for people; changes nothing."""

    def __init__(self, log: Log, distributions: Distributions, holds: HoldStore, plans: Plans) -> None:
        self._log = log
        self._holds = holds
        self._distributions = distributions
        self._plans = plans

    async def message(self, organisation: str, message_id: str) -> Message:
        """Raises Refusal `not_found`."""
        message = await self._log.get(organisation, message_id)
        if message is None:
            raise Refusal(ProblemCode.NOT_FOUND)
        return message

    async def messages(self, query: LogQuery, position: str | None, limit: int) -> Page[Message]:
        """Newest first. A distribution's are found through its campaign's index."""
        if query.distribution_id is not None and query.campaign_id is None and query.enrollment_id is None:
            distribution = await self._distributions.get(query.organisation, query.distribution_id)
            if distribution is None:
                return Page(items=(), position=None)
            query = replace(query, campaign_id=distribution.campaign_id)
        return await self._log.page(query, position, limit)

    async def holds_of(self, organisation: str, messages: Iterable[Message]) -> Mapping[str, RunHold]:
        """By message ID: what keeps messages pending. Nothing is read where none of them waits."""
        waiting = [message for message in messages if message.waits]
        if not waiting:
            return {}
        keys = {(organisation, message.distribution_id) for message in waiting if message.distribution_id}
        channels = {(organisation, message.channel) for message in waiting}
        distributions, holds = await self._holds.read([(one, two) for one, two in keys if two], channels)
        found: dict[str, RunHold] = {}
        for message in waiting:
            standing = holds.get((organisation, message.channel))
            distribution = distributions.get((organisation, message.distribution_id or ""))
            held = standing.holding(scopes_of_message(message, distribution)) if standing else None
            if held is not None:
                scope, hold = held
                found[message.message_id] = RunHold(scope=scope, reason=hold.reason, since=hold.since)
        return found

    async def distribution(self, organisation: str, distribution_id: str) -> DistributionView:
        """Raises Refusal `not_found`."""
        return await self.view(await self._found(organisation, distribution_id))

    async def view(self, distribution: Distribution) -> DistributionView:
        """With counts that sum to `accepted` once it is confirmed."""
        plan = distribution.plan
        faults: Sequence[Fault] = ()
        if plan is not None and plan.rejected:
            faults = (
                await self._plans.read_faults(distribution.organisation, distribution.distribution_id, plan.attempt, 0)
                or ()
            )[:FIRST_FAULTS]
        counts, held = Counts(), dict[RunHold, int]()
        if plan is not None and distribution.epoch:
            chunks = await self._distributions.counts(distribution.organisation, distribution.distribution_id)
            for one in chunks.values():
                counts = counts.plus(one)
            counts = _with_the_rest(counts, distribution, plan.accepted)
            held = held_rows(distribution, {place: one.total for place, one in chunks.items()})
        return DistributionView(distribution=distribution, counts=counts, faults=faults, held=held)

    async def faults(
        self, organisation: str, distribution_id: str, part: int, start: int, limit: int
    ) -> tuple[Sequence[Fault], tuple[int, int] | None]:
        """Rejected rows from a place on, and the place where the next ones start."""
        distribution = await self._found(organisation, distribution_id)
        attempt = distribution.plan.attempt if distribution.plan else 0
        found: list[Fault] = []
        while distribution.plan is not None and len(found) < limit:
            faults = await self._plans.read_faults(organisation, distribution_id, attempt, part)
            if faults is None:
                return found, None
            taken = faults[start : start + limit - len(found)]
            found += taken
            start += len(taken)
            if start >= len(faults):
                part, start = part + 1, 0
        more = distribution.plan is not None and (
            start or await self._plans.read_faults(organisation, distribution_id, attempt, part) is not None
        )
        return found, (part, start) if more else None

    async def _found(self, organisation: str, distribution_id: str) -> Distribution:
        distribution = await self._distributions.get(organisation, distribution_id)
        if distribution is None:
            raise Refusal(ProblemCode.NOT_FOUND)
        return distribution


def _with_the_rest(counts: Counts, distribution: Distribution, accepted: int) -> Counts:
    """What has not moved is pending; after a cancel, what never came into the log is cancelled too.

    A status may be counted out before the batch that counted it in has written: below zero there is nothing to show.
    """
    counts = Counts(
        by_status={status: count for status, count in counts.by_status.items() if count > 0},
        by_reason={reason: count for reason, count in counts.by_reason.items() if count > 0},
    )
    rest = max(accepted - counts.total, 0)
    if distribution.status is not DistributionStatus.CANCELLED:
        return counts.plus(Counts(by_status={Status.PENDING: rest}))
    logged = sum(sum(run.rows_in(number) for number in range(run.logged)) for run in distribution.planned.runs)
    never = min(accepted - logged, rest)
    cancelled = Counts(by_status={Status.FAILED: never}, by_reason={"cancelled": never})
    return counts.plus(cancelled).plus(Counts(by_status={Status.PENDING: rest - never}))
