"""Reading: the log, a campaign's history, a distribution with its counts and rejected rows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.domain.distribution import Counts, Distribution, DistributionStatus
from shared.domain.message import Message
from shared.domain.refusal import Fault, ProblemCode, Refusal
from shared.domain.status import Status
from shared.usecases.frozen import Plans
from shared.usecases.ports import Distributions, Log, LogQuery, Page

FIRST_FAULTS = 20
"""How many rejected rows a distribution shows of itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionView:
    """A distribution as people see it. Before it is confirmed nothing counts."""

    distribution: Distribution
    counts: Counts
    faults: Sequence[Fault]


class Browse:
    """Reads for people; changes nothing."""

    def __init__(self, log: Log, distributions: Distributions, plans: Plans) -> None:
        self._log = log
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
        counts = Counts()
        if plan is not None and distribution.epoch:
            chunks = await self._distributions.counts(distribution.organisation, distribution.distribution_id)
            for one in chunks.values():
                counts = counts.plus(one)
            counts = _with_the_rest(counts, distribution, plan.accepted)
        return DistributionView(distribution=distribution, counts=counts, faults=faults)

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
