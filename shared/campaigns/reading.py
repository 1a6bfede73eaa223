"""Reading: the log, a campaign's history, a distribution with its counts, rejected rows and duplicates."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from shared.base.instants import Clock
from shared.base.refusal import ApiWarning, FieldError, ProblemCode, Refusal
from shared.campaigns.counts import Fallbacks, not_below_zero, unlisted, with_missing_receipts
from shared.campaigns.distribution import Counts, Distribution, together
from shared.campaigns.outlook import Outlook
from shared.campaigns.ports import Distributions
from shared.campaigns.stored_content import DuplicateRow, Plans
from shared.holds.hold import RunHold
from shared.holds.keeper import HoldStore, scopes_of_message
from shared.holds.runs import held_rows, settled_by
from shared.messages.message import Message
from shared.messages.ports import Log, LogQuery, Page
from shared.messages.status import Status
from shared.sending.last_heard import LastHeardStore

FIRST_FIELD_ERRORS = 20
"""How many rejected rows a distribution shows of itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionView:
    """A distribution as people see it. Before it is confirmed nothing counts."""

    distribution: Distribution
    counts: Counts
    field_errors: Sequence[FieldError]
    held: Mapping[RunHold, int] = field(default_factory=dict)
    """What keeps how many of its rows pending."""
    fallbacks: Counts = field(default_factory=Counts)
    """Of the SMS that went, or are to go, in place of its messages."""
    warnings: Sequence[ApiWarning] = ()
    """What is amiss now; of what planning found, what still holds."""
    estimated_end: datetime | None = None
    """None while it cannot be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowseDeps:
    """What reading works with."""

    log: Log
    distributions: Distributions
    holds: HoldStore
    plans: Plans
    last_heard_store: LastHeardStore
    outlook: Outlook
    clock: Clock


class Browse:
    """Reads for people; changes nothing."""

    def __init__(self, deps: BrowseDeps) -> None:
        self._log = deps.log
        self._holds = deps.holds
        self._distributions = deps.distributions
        self._plans = deps.plans
        self._last_heard_store = deps.last_heard_store
        self._outlook = deps.outlook
        self._clock = deps.clock

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
            known_holds = holds.get((organisation, message.channel))
            distribution = distributions.get((organisation, message.distribution_id or ""))
            held = known_holds.holding(scopes_of_message(message, distribution)) if known_holds else None
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
        field_errors: Sequence[FieldError] = ()
        if plan is not None and plan.rejected:
            field_errors = (
                await self._plans.read_field_errors(
                    distribution.organisation, distribution.distribution_id, plan.attempt, 0
                )
                or ()
            )[:FIRST_FIELD_ERRORS]
        counts, held = Counts(), dict[RunHold, int]()
        if plan is not None and distribution.was_confirmed:
            chunks = await self._distributions.counts(distribution.organisation, distribution.distribution_id)
            for one in chunks.values():
                counts = counts.plus(one)
            counts = with_missing_receipts(_with_the_rest(counts, distribution, plan.accepted), self._clock.now())
            held = held_rows(distribution, settled_by(chunks))
        view = DistributionView(distribution=distribution, counts=counts, field_errors=field_errors, held=held)
        if plan is not None:
            foretold = await self._outlook.of(distribution, counts)
            view = replace(view, estimated_end=foretold.estimated_end, warnings=foretold.warnings)
        is_under_way = plan is not None and plan.fallback is not None and distribution.was_confirmed
        return await self._with_fallbacks(view) if is_under_way else view

    async def _with_fallbacks(self, view: DistributionView) -> DistributionView:
        owner = (view.distribution.organisation, view.distribution.distribution_id)
        chunks = await self._distributions.counts(owner[0], Fallbacks(distribution_id=owner[1]))
        counts = not_below_zero(together(chunks.values()))
        waiting = view.counts.of(Status.SENT)
        silent = waiting > 0 and await self._is_silent(*owner)
        warnings = (ApiWarning(code="receipts_missing", count=waiting),) if silent else ()
        return replace(view, fallbacks=counts, warnings=(*view.warnings, *warnings))

    async def _is_silent(self, organisation: str, distribution_id: str) -> bool:
        """Whether fallbacks of the distribution wait because Meta reports nothing on its number."""
        silence = await self._last_heard_store.silence(organisation, distribution_id)
        now = self._clock.now()
        if silence is None or silence.until <= now:
            return False
        return silence.lasts(await self._last_heard_store.read(organisation, silence.phone_number_id), now)

    async def field_errors(
        self, organisation: str, distribution_id: str, part: int, start: int, limit: int
    ) -> tuple[Sequence[FieldError], tuple[int, int] | None]:
        """Rejected rows from a place on, and the place where the next ones start."""
        plan = (await self._found(organisation, distribution_id)).plan
        if plan is None:
            return (), None
        read = partial(self._plans.read_field_errors, organisation, distribution_id, plan.attempt)
        return await _page_of(read, part, start, limit)

    async def duplicates(
        self, organisation: str, distribution_id: str, part: int, start: int, limit: int
    ) -> tuple[Sequence[DuplicateRow], tuple[int, int] | None]:
        """Duplicates from a place on, and the place where the next ones start. Raises Refusal `not_found`."""
        plan = (await self._found(organisation, distribution_id)).plan
        if plan is None:
            return (), None
        read = partial(self._plans.read_duplicates, organisation, distribution_id, plan.attempt)
        return await _page_of(read, part, start, limit)

    async def _found(self, organisation: str, distribution_id: str) -> Distribution:
        distribution = await self._distributions.get(organisation, distribution_id)
        if distribution is None:
            raise Refusal(ProblemCode.NOT_FOUND)
        return distribution


async def _page_of[T](
    read: Callable[[int], Awaitable[Sequence[T] | None]], part: int, start: int, limit: int
) -> tuple[Sequence[T], tuple[int, int] | None]:
    """A page of what is stored in parts, and the place where the next one starts."""
    found: list[T] = []
    while len(found) < limit:
        items = await read(part)
        if items is None:
            return found, None
        taken = items[start : start + limit - len(found)]
        found += taken
        start += len(taken)
        if start >= len(items):
            part, start = part + 1, 0
    more = start or await read(part) is not None
    return found, (part, start) if more else None


def _with_the_rest(counts: Counts, distribution: Distribution, accepted: int) -> Counts:
    """What has not moved is pending."""
    counts = not_below_zero(counts)
    rest = max(accepted - counts.total, 0)
    lost = unlisted(distribution, min(accepted - distribution.planned.logged_rows, rest))
    return counts.plus(lost).plus(Counts(by_status={Status.PENDING: rest - lost.total}))
