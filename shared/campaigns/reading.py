"""Reading: the log, a campaign's history, a distribution with its counts, rejected rows and duplicates."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from shared.base.caches import TtlCache
from shared.base.instants import Clock, from_microseconds
from shared.base.refusal import ApiWarning, FieldError, ProblemCode, Refusal
from shared.campaigns.counts import Fallbacks, not_below_zero, unlisted, with_missing_receipts
from shared.campaigns.distribution import RELEASING, Counts, Distribution, DistributionStatus, together
from shared.campaigns.ports import Distributions
from shared.campaigns.stored_content import DuplicateRow, Plans
from shared.holds.hold import Holds, RunHold
from shared.holds.keeper import HoldStore, held_rows, scopes_of_message, settled_by
from shared.integrations.balances import Balance, Balances, is_about_units, shortage_warnings
from shared.integrations.integration import Integrations, SmsIntegration, WhatsAppIntegration
from shared.messages.errors import SendError
from shared.messages.message import Message, Status
from shared.messages.payload import Channel
from shared.messages.ports import Log, LogQuery, Page
from shared.pacing.daily_limit import NumberReader
from shared.pacing.rate_limit import CYCLE, SLOTS, SPAN, RateLimits
from shared.policy.gate import closed_hours, earliest_open
from shared.policy.hours import Window, closes_at, parse_windows
from shared.recipients.countries import COVERED
from shared.sending.channel import settings_of
from shared.sending.last_heard import LastHeardStore

# The outlook of a distribution: when it will end, and which warnings of planning still apply. Units may have been
# bought and limits raised since it was planned.
#
# The end is estimated from its runs, one after the other, on the rate limit's bulk share, in open hours only.


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The rows of one run. `country`: any country of its time zone."""

    country: str
    rows: int


def bulk_seconds(rows: int, rate: int) -> float:
    """How many seconds the bulk share of a rate limit needs for these messages."""
    return rows * CYCLE * SPAN / ((CYCLE - 1) * SLOTS * rate * 1_000_000)


def estimated_end(
    loads: Sequence[Load], channel: Channel, *, start: datetime, rate: int, peak: tuple[Window, ...] = ()
) -> datetime:
    """The instant of the last slot, if nothing else uses the rate limit after `start` and the distribution is not
    paused."""
    waiting = {load.country: bulk_seconds(load.rows, rate) for load in loads if load.rows}
    now = start
    while waiting:
        opens = {country: earliest_open(channel, country, now, peak) for country in waiting}
        country = min(waiting, key=lambda one: opens[one])
        now = max(now, opens[country])
        closes = _closes(channel, country, now, peak)
        remaining = waiting.pop(country)
        stays = remaining if closes is None else min(remaining, (closes - now).total_seconds())
        now += timedelta(seconds=stays)
        if remaining > stays:
            waiting[country] = remaining - stays
    return now


def _closes(channel: Channel, country: str, instant: datetime, peak: tuple[Window, ...]) -> datetime | None:
    if channel is not Channel.SMS:
        return None
    return closes_at(instant, COVERED[country].zone, closed_hours(country, peak))


BALANCE_KNOWN_FOR = timedelta(seconds=15)
"""How old a known balance may be, so that a page of distributions asks the provider once."""


def _is_of_the_account(warning: ApiWarning) -> bool:
    """Whether the warning is about what the provider's account may still send."""
    return warning.code == "daily_limit_exceeded" or is_about_units(warning)


@dataclass(frozen=True, slots=True, kw_only=True)
class Foretold:
    """`estimated_end` None: it cannot be estimated, because the distribution is paused, held in part, or over."""

    estimated_end: datetime | None
    warnings: tuple[ApiWarning, ...]


class Outlook:
    """Reads; changes nothing. Used by one worker: settings and balances are read once for many distributions."""

    def __init__(
        self,
        integrations: Integrations,
        rate_limits: RateLimits,
        balances: Balances,
        number: NumberReader,
        clock: Clock,
    ) -> None:
        self._integrations = integrations
        self._rate_limits = rate_limits
        self._balances = balances
        self._number = number
        self._clock = clock
        self._known = TtlCache(self._read_balances, BALANCE_KNOWN_FOR)

    async def of(self, distribution: Distribution, counts: Counts) -> Foretold:
        """`counts`: those of its rows, as they are shown."""
        plan = distribution.planned
        if distribution.status not in (DistributionStatus.PLANNED, DistributionStatus.PAUSED, *RELEASING):
            return Foretold(estimated_end=None, warnings=_without_account(plan.warnings))
        integration = await settings_of(self._integrations, distribution.organisation, distribution.channel)
        if integration is None:
            return Foretold(estimated_end=None, warnings=plan.warnings)
        return Foretold(
            estimated_end=await self._end(distribution, integration),
            warnings=await self._warnings(distribution, integration, counts),
        )

    async def _end(
        self, distribution: Distribution, integration: WhatsAppIntegration | SmsIntegration
    ) -> datetime | None:
        """Released messages go at their booked slots, the rest after all booked slots of the rate limit."""
        runs = distribution.planned.runs
        waits = distribution.status is DistributionStatus.PAUSED or distribution.status_reason is not None
        if waits or any(run.hold is not None for run in runs) or not runs:
            return None
        now = self._clock.now()
        rate_limit = await self._rate_limits.state(integration.rate_limit)
        released = max(now, distribution.last_send_slot or now)
        waiting = [Load(country=run.country, rows=sum(run.sizes(run.chunks))) for run in runs]
        if not any(load.rows for load in waiting):
            return released
        wished = max(now, distribution.schedule.at or now)
        last = estimated_end(
            waiting,
            distribution.channel,
            start=max(wished, from_microseconds(max(rate_limit.next_bulk, rate_limit.not_before))),
            rate=rate_limit.rate(integration.rate_per_second),
            peak=parse_windows(distribution.planned.peak),
        )
        return max(last, released)

    async def _warnings(
        self, distribution: Distribution, integration: WhatsAppIntegration | SmsIntegration, counts: Counts
    ) -> tuple[ApiWarning, ...]:
        """Warnings about the account are determined again, for the rows that are still to go. If the account cannot be
        read, planning's warnings stay."""
        plan = distribution.planned
        if not any(map(_is_of_the_account, plan.warnings)):
            return plan.warnings
        anew: tuple[ApiWarning, ...] | None
        if isinstance(integration, SmsIntegration):
            remaining = await self._known.get(integration.organisation, self._clock.now())
            anew = (
                shortage_warnings(remaining, _segments_to_go(distribution, counts)) if remaining is not None else None
            )
        else:
            pending = counts.of(Status.PENDING) if distribution.was_confirmed else plan.accepted
            anew = await self._number.limit_warnings(integration, min(plan.people, pending))
            if not all(map(_is_of_the_account, anew)):
                anew = None
        return plan.warnings if anew is None else (*_without_account(plan.warnings), *anew)

    async def _read_balances(self, organisations: Collection[str]) -> Mapping[str, Sequence[Balance]]:
        found: dict[str, Sequence[Balance]] = {}
        for organisation in organisations:
            integration = await settings_of(self._integrations, organisation, Channel.SMS)
            if isinstance(integration, SmsIntegration):
                try:
                    found[organisation] = await self._balances.of(integration)
                except SendError:
                    continue
        return found


def _segments_to_go(distribution: Distribution, counts: Counts) -> Mapping[str, int]:
    planned = {price.country: price.segments for price in distribution.planned.prices}
    return {country: needed - counts.segments.get(country, 0) for country, needed in planned.items()}


def _without_account(warnings: Sequence[ApiWarning]) -> tuple[ApiWarning, ...]:
    return tuple(warning for warning in warnings if not _is_of_the_account(warning))


FIRST_FIELD_ERRORS = 20
"""How many rejected rows a distribution shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionView:
    """A distribution as people see it. Before it is confirmed its counts are empty."""

    distribution: Distribution
    counts: Counts
    field_errors: Sequence[FieldError]
    held: Mapping[RunHold, int] = field(default_factory=dict)
    """How many of its rows each hold keeps pending."""
    fallbacks: Counts = field(default_factory=Counts)
    """The SMS that replace its messages: those that went and those that are to go."""
    warnings: Sequence[ApiWarning] = ()
    """The present warnings; of those found at planning, the ones that still apply."""
    estimated_end: datetime | None = None
    """None: it cannot be estimated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """A message as people see it. Its row does not repeat what its distribution says for all rows."""

    message: Message
    hold: RunHold | None
    """The hold that keeps it pending."""
    created_by: str | None
    """Who asked for it, or for its distribution; None: the token named none."""
    template: str | None
    """The name of the template that it was made with, or that it went as; None: none."""
    language: str | None
    """The language of its text; None: unknown."""
    next_attempt_at: datetime | None
    """When it is tried next. None: it does not wait, or a hold or its distribution keeps it waiting."""


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

    async def message(self, organisation: str, message_id: str) -> MessageView:
        """A message. Raises Refusal `not_found`."""
        message = await self._log.get(organisation, message_id)
        if message is None:
            raise Refusal(ProblemCode.NOT_FOUND)
        return (await self.views(organisation, [message]))[0]

    async def messages(self, query: LogQuery, position: str | None, limit: int) -> Page[Message]:
        """Messages, newest first."""
        found = await self._by_campaign(query)
        return await self._log.page(found, position, limit) if found else Page(items=(), position=None)

    async def stretch(self, query: LogQuery, position: str | None, about: int) -> Page[MessageView]:
        """The same list for reading all of it: roughly `about` messages, as people see them."""
        found = await self._by_campaign(query)
        if found is None:
            return Page(items=(), position=None)
        page = await self._log.stretch(found, position, about)
        return Page(items=await self.views(query.organisation, page.items), position=page.position)

    async def _by_campaign(self, query: LogQuery) -> LogQuery | None:
        """Messages of a distribution are found by its campaign's index. None: there is no such distribution."""
        if query.distribution_id is None or query.campaign_id is not None or query.enrollment_id is not None:
            return query
        distribution = await self._distributions.get(query.organisation, query.distribution_id)
        return replace(query, campaign_id=distribution.campaign_id) if distribution else None

    async def views(self, organisation: str, messages: Sequence[Message]) -> Sequence[MessageView]:
        """The messages as people see them. Their distributions, and the holds of those that wait, are read at once."""
        owners = {(organisation, message.chunk.distribution_id) for message in messages if message.chunk}
        channels = {(organisation, message.channel) for message in messages if message.waits}
        distributions, holds = await self._holds.read(owners, channels) if owners or channels else ({}, {})
        return [
            _seen(
                message,
                distributions.get((organisation, message.chunk.distribution_id)) if message.chunk else None,
                holds.get((organisation, message.channel)),
            )
            for message in messages
        ]

    async def distribution(self, organisation: str, distribution_id: str) -> DistributionView:
        """A distribution. Raises Refusal `not_found`."""
        return await self.view(await self._found(organisation, distribution_id))

    async def view(self, distribution: Distribution) -> DistributionView:
        """A distribution as people see it. Once it is confirmed, the sum of its counts is `accepted`."""
        plan = distribution.plan
        field_errors: Sequence[FieldError] = distribution.file_errors
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
        """Rejected rows from a place on, or why the file was refused, and the place of the next ones. Raises Refusal
        `not_found`."""
        found = await self._found(organisation, distribution_id)
        plan = found.plan
        if plan is None:
            return found.file_errors[start:], None
        read = partial(self._plans.read_field_errors, organisation, distribution_id, plan.attempt)
        return await _page_of(read, part, start, limit)

    async def duplicates(
        self, organisation: str, distribution_id: str, part: int, start: int, limit: int
    ) -> tuple[Sequence[DuplicateRow], tuple[int, int] | None]:
        """Duplicates from a place on, and the place of the next ones. Raises Refusal `not_found`."""
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
    """A page of items that are stored in parts, and the place of the next one."""
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


def _seen(message: Message, distribution: Distribution | None, holds: Holds | None) -> MessageView:
    scopes = scopes_of_message(message, distribution)
    held = holds.holding(scopes) if holds is not None and message.waits else None
    is_kept = held is not None or (distribution is not None and not distribution.may_leave)
    template, _, language = _template(message, distribution).partition("/")
    return MessageView(
        message=message,
        hold=RunHold(scope=held[0], reason=held[1].reason, since=held[1].since) if held is not None else None,
        created_by=distribution.created_by if distribution is not None else message.created_by,
        template=template or None,
        language=language[:2] or message.language,
        next_attempt_at=message.due_at if message.waits and not is_kept else None,
    )


def _template(message: Message, distribution: Distribution | None) -> str:
    """Its template, with the language if that is known here; empty: none. A text whose session has closed goes as
    another one than it was made with."""
    if message.as_template:
        return message.fallback_template or ""
    return (distribution.template if distribution is not None else message.template) or ""


def _with_the_rest(counts: Counts, distribution: Distribution, accepted: int) -> Counts:
    """Rows without a move are pending."""
    counts = not_below_zero(counts)
    rest = max(accepted - counts.total, 0)
    lost = unlisted(distribution, min(accepted - distribution.planned.logged_rows, rest))
    return counts.plus(lost).plus(Counts(by_status={Status.PENDING: rest - lost.total}))
