"""POST /v1/distributions: make a distribution and plan it, from inline rows or from an upload. POST
/v1/distributions/{distribution_id}/retry: the same, from failed rows of another distribution."""

import dataclasses
from collections.abc import AsyncIterable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.base.events import Telemetry
from shared.base.ids import distribution_id, retry_id
from shared.base.instants import Clock
from shared.base.json import JsonObject
from shared.base.refusal import FieldError, ProblemCode, Refusal
from shared.campaigns.control import Schedules, advance_task, follow
from shared.campaigns.distribution import (
    UNCONFIRMED_LIFE,
    Distribution,
    DistributionStatus,
    Order,
    Plan,
    Retry,
    Schedule,
    ScheduleMode,
    Upload,
    lapsed,
)
from shared.campaigns.planning import Planner, in_windows
from shared.campaigns.ports import Distributions, Task, TaskQueue
from shared.campaigns.retry import FailedRows
from shared.campaigns.stored_content import Plans, Readable, Uploads
from shared.duplicates.already_sent import AlreadySent, Comparison
from shared.duplicates.dedupe_key import RowsAcceptedAgain
from shared.messages.payload import Channel
from shared.policy.eligibility import Row
from shared.policy.setting import SettingReader, check, check_fallback, check_instant, check_with
from shared.recipients.files.reader import RowReader
from shared.recipients.files.unreadable import UnreadableFileError, not_this_format
from shared.recipients.files.workbook import Workbooks

UPLOAD_LEASE = timedelta(minutes=16)
"""Longer than the planning function's time-out: a lease past its end means that the run is dead."""

MOST_ATTEMPTS = 3
"""A file that has killed this many planning runs will kill the next one too (design.md, Plan)."""

INLINE_LEASE = timedelta(seconds=60)
"""Longer than the gateway waits. A run that takes longer writes under its own prefix, and its plan is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDistribution:
    """The request; its shape is checked already. Rows come inline or by upload."""

    organisation: str
    key: str
    request_hash: str
    campaign_id: str
    channel: Channel
    order: Order
    schedule: Schedule
    confirm: bool
    upload_id: str | None
    recipients: Sequence[JsonObject] | None = field(repr=False)
    created_by: str | None = None
    """The caller's name; None: the token names none."""
    name: str | None = None
    """What people call the distribution."""

    @property
    def distribution_id(self) -> str:
        """The ID that belongs to the key. A key counts per route."""
        make = distribution_id if self.order.retry is None else retry_id
        return make(self.organisation, self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRetry:
    """The request to retry the failed rows of the distribution `source`; its shape is checked already. `reasons` None:
    the usual ones (`shared.campaigns.retry.EXCLUDED`)."""

    organisation: str
    key: str
    request_hash: str
    source: str
    reasons: tuple[str, ...] | None
    confirm: bool
    created_by: str | None = None
    """The caller's name; None: the token names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningDeps:
    """What planning works with."""

    distributions: Distributions
    plans: Plans
    failed_rows: FailedRows
    uploads: Uploads
    workbooks: Workbooks
    planner: Planner
    already: AlreadySent
    settings: SettingReader
    tasks: TaskQueue
    schedules: Schedules
    telemetry: Telemetry
    clock: Clock
    draw: Callable[[], str]
    """Makes a random token."""


class Planning:
    """Makes distributions and plans them."""

    def __init__(self, deps: PlanningDeps) -> None:
        self._deps = deps

    async def create(self, new: NewDistribution) -> Distribution:
        """The distribution of this Idempotency-Key: planned (inline rows) or planning (an upload, a retry).

        Raises Refusal. If it is raised before the distribution is stored, the key stays unused.
        """
        identity = new.distribution_id
        existing = await self._deps.distributions.get(new.organisation, identity)
        if existing is None:
            order = await self._checked(new)
            name = await self._deps.plans.write_order(new.organisation, identity, order)
            new_distribution = self._new_distribution(new, identity, name)
            existing = await self._deps.distributions.create(new_distribution)
            if existing is None:
                return await self._begin(new_distribution, new)
        return await self._again(existing, new)

    async def retry(self, new: NewRetry) -> Distribution:
        """The retry of this Idempotency-Key, planning. Raises Refusal as `create`, and `not_found`; `state_conflict` if
        the distribution has no row to retry, or not yet, or its stored content has expired.
        """
        existing = await self._deps.distributions.get(new.organisation, retry_id(new.organisation, new.key))
        if existing is not None:
            return _same(existing, new.request_hash)
        source = await self._deps.distributions.get(new.organisation, new.source)
        if source is None:
            raise Refusal(ProblemCode.NOT_FOUND)
        retry = Retry(source=new.source, reasons=new.reasons)
        await self._check_source(source, retry)
        order = await self._deps.plans.read_order(source.organisation, source.distribution_id, source.order)
        if order is None:
            raise Refusal(ProblemCode.STATE_CONFLICT, status=source.status, gone="expired")
        return await self.create(
            NewDistribution(
                organisation=new.organisation,
                key=new.key,
                request_hash=new.request_hash,
                campaign_id=source.campaign_id,
                channel=source.channel,
                order=dataclasses.replace(order, defaults={}, upload=None, retry=retry),
                # The start that the source was to have is past.
                schedule=Schedule() if source.schedule.mode is ScheduleMode.AT else source.schedule,
                confirm=new.confirm,
                upload_id=None,
                recipients=None,
                created_by=new.created_by,
                name=source.name,
            )
        )

    async def _check_source(self, source: Distribution, retry: Retry) -> None:
        """Rows that have failed stay so, apart from late proof of arrival. So a retry need not wait for the end of the
        distribution; only the rows of a cancel must all have ended."""
        if not source.was_confirmed:
            raise _no_retry(source, "not_sent")
        if source.status is DistributionStatus.CANCELLED and not source.swept:
            raise _no_retry(source, "ending")
        failed_rows = self._deps.failed_rows
        chunks = await failed_rows.chunks(source, retry)
        if not chunks:
            raise _no_retry(source, "none")
        if await failed_rows.has_expired(source, chunks):
            raise Refusal(ProblemCode.STATE_CONFLICT, status=source.status, gone="expired")
        if not await failed_rows.may_have_rows(source, retry, chunks):
            raise _no_retry(source, "replaced")

    async def plan_stored(self, organisation: str, identity: str) -> None:
        """Plan the rows of an upload or a retry: a task of the fan-out queue, which may come twice."""
        distribution = await self._deps.distributions.get(organisation, identity)
        if distribution is None or distribution.status is not DistributionStatus.PLANNING:
            return
        taken = await self._take(distribution, UPLOAD_LEASE)
        if taken is None:
            return
        order = await self._deps.plans.read_order(organisation, identity, taken.order)
        if order is not None and order.retry is not None:
            await self._save(taken, await self._retried(taken, order, order.retry))
        elif order is not None and order.upload is not None:
            await self._save(taken, await self._uploaded(taken, order, order.upload))
        else:
            await self._save(taken, _rejected(taken, "expired"))

    async def _uploaded(self, taken: Distribution, order: Order, upload: Upload) -> Distribution:
        file = await self._deps.uploads.open(upload)
        try:
            reader = self._reader(file, upload, taken.attempt)
            plan = await self._plan(taken, order, in_windows(reader.rows()), needs_dhis2=upload.format == "dhis2")
        except UnreadableFileError as error:
            self._deps.telemetry.event("upload_unreadable", distribution_id=taken.distribution_id, why=str(error))
            refused = dataclasses.replace(taken, file_errors=(error.field_error,))
            return _rejected(refused, "file_unreadable")
        planned = self._planned(taken, dataclasses.replace(plan, warnings=(*plan.warnings, *reader.warnings)))
        return dataclasses.replace(planned, columns=reader.columns)

    async def _retried(self, taken: Distribution, order: Order, retry: Retry) -> Distribution:
        source = await self._deps.distributions.get(taken.organisation, retry.source)
        if source is None or taken.attempt > MOST_ATTEMPTS:
            return _without_rows(taken, FieldError(field="row", code="row_unreadable", facts={"unread": "tries"}))
        chunks = await self._deps.failed_rows.chunks(source, retry)
        windows = self._deps.failed_rows.windows(source, retry, chunks)
        planned = self._planned(taken, await self._plan(taken, order, windows, source=source))
        plan = planned.planned
        if plan.accepted or plan.rejected or plan.duplicates:
            return planned
        return _without_rows(taken, FieldError(field="reasons", code="field_invalid", facts={"retry": "replaced"}))

    def _reader(self, file: Readable | None, upload: Upload, attempt: int) -> RowReader:
        """Raises UnreadableFileError where the file is gone, or has killed every run that read it."""
        if file is None or attempt > MOST_ATTEMPTS:
            raise not_this_format("gone" if file is None else "tries")
        return RowReader(file, upload.format, self._deps.workbooks)

    async def _checked(self, new: NewDistribution) -> Order:
        """The order, with the upload's version. Raises Refusal if the whole request is impossible."""
        check(new.channel, new.order.content)
        check_instant("schedule.at", new.schedule.at, self._deps.clock.now())
        settings = await self._deps.settings.read(
            new.organisation, new.channel, needs_dhis2=any("dhis2" in row for row in new.recipients or ())
        )
        check_with(settings, new.order.content)
        check_fallback(settings, new.order.content, new.order.fallback)
        if new.upload_id is None:
            return new.order
        upload = await self._deps.uploads.find(new.organisation, new.upload_id)
        if upload is None:
            raise Refusal(ProblemCode.UPLOAD_MISSING)
        if upload.format == "dhis2":
            await self._deps.settings.read(new.organisation, new.channel, needs_dhis2=True)
        return dataclasses.replace(new.order, upload=upload)

    def _new_distribution(self, new: NewDistribution, identity: str, order: str) -> Distribution:
        now = self._deps.clock.now()
        inline = new.recipients is not None
        return Distribution(
            organisation=new.organisation,
            distribution_id=identity,
            campaign_id=new.campaign_id,
            channel=new.channel,
            schedule=new.schedule,
            confirm=new.confirm,
            request_hash=new.request_hash,
            status=DistributionStatus.PLANNING,
            created_at=now,
            created_by=new.created_by,
            name=new.name,
            skip_already_sent=new.order.skip_already_sent,
            template=new.order.content.template,
            order=order,
            upload_id=new.upload_id,
            planning_until=now + INLINE_LEASE if inline else None,
            planner=self._deps.draw(),
            due_at=now + (UPLOAD_LEASE if inline else timedelta(minutes=1)),
        )

    async def _begin(self, distribution: Distribution, new: NewDistribution) -> Distribution:
        if new.recipients is None:
            task = Task(
                kind="plan", organisation=distribution.organisation, distribution_id=distribution.distribution_id
            )
            await self._deps.tasks.put([task])
            return distribution
        return await self._plan_inline(distribution, new, new.recipients)

    async def _again(self, existing: Distribution, new: NewDistribution) -> Distribution:
        """The key was used before: the same request gets the same distribution, another one is refused."""
        _same(existing, new.request_hash)
        if existing.status is not DistributionStatus.PLANNING or new.recipients is None:
            return existing
        taken = await self._take(existing, INLINE_LEASE)
        if taken is None:
            raise Refusal(ProblemCode.IDEMPOTENCY_IN_PROGRESS)
        return await self._plan_inline(taken, new, new.recipients)

    async def _take(self, distribution: Distribution, lease: timedelta) -> Distribution | None:
        """Take over a planning without a live lease, under a prefix of its own. None: another worker has it."""
        now = self._deps.clock.now()
        if distribution.planning_until is not None and distribution.planning_until > now:
            return None
        until = now + lease
        return await self._deps.distributions.save(
            dataclasses.replace(
                distribution,
                attempt=distribution.attempt + (distribution.planning_until is not None),
                planning_until=until,
                planner=self._deps.draw(),
                due_at=now + UPLOAD_LEASE,
            )
        )

    async def _plan_inline(
        self, distribution: Distribution, new: NewDistribution, recipients: Sequence[JsonObject]
    ) -> Distribution:
        rows = (Row(number=number, raw=raw) for number, raw in enumerate(recipients, start=1))
        needs_dhis2 = any("dhis2" in row for row in recipients)
        plan = await self._plan(distribution, new.order, in_windows(rows), needs_dhis2=needs_dhis2)
        return await self._save(distribution, self._planned(distribution, plan))

    async def _plan(
        self,
        distribution: Distribution,
        order: Order,
        windows: AsyncIterable[Sequence[Row]],
        *,
        needs_dhis2: bool = False,
        source: Distribution | None = None,
    ) -> Plan:
        """`source`: the distribution whose failed rows they are."""
        settings = await self._deps.settings.read(
            distribution.organisation, distribution.channel, needs_dhis2=needs_dhis2
        )
        defaults, starts_at = dict(order.defaults), distribution.schedule.at
        frame = settings.frame(
            order.content,
            defaults,
            not_before=starts_at,
            fallback=order.fallback,
            received_at=distribution.created_at,
        )
        compared_at = self._deps.clock.now() if order.skip_already_sent else None
        comparison = await self._comparison(distribution, source, skips=order.skip_already_sent)
        now = self._deps.clock.now()
        plan = await self._deps.planner.plan(distribution, windows, frame, settings, now, comparison=comparison)
        return dataclasses.replace(plan, compared_at=compared_at)

    async def _comparison(self, distribution: Distribution, source: Distribution | None, *, skips: bool) -> Comparison:
        already = self._deps.already
        if source is None:
            return Comparison(earlier=await already.before(distribution) if skips else None)
        first = await already.index_of(source)
        earlier = await already.before_retry(distribution, source, first) if skips else None
        return Comparison(earlier=earlier, accepted=RowsAcceptedAgain(first))

    def _planned(self, distribution: Distribution, plan: Plan) -> Distribution:
        now = self._deps.clock.now()
        planned = dataclasses.replace(distribution, plan=plan, planning_until=None)
        if not plan.accepted:
            return dataclasses.replace(planned, status=DistributionStatus.REJECTED, due_at=None)
        if planned.confirm:
            return dataclasses.replace(planned.confirmed(now), confirmed_by=planned.created_by)
        return dataclasses.replace(planned, status=DistributionStatus.PLANNED, due_at=now + UNCONFIRMED_LIFE)

    async def _save(self, taken: Distribution, outcome: Distribution) -> Distribution:
        """Store the outcome. If the distribution was cancelled or taken over meanwhile, that result stays."""
        saved = await self._deps.distributions.save(outcome)
        if saved is None:
            earlier = await self._deps.distributions.get(taken.organisation, taken.distribution_id)
            return earlier or taken
        self._deps.telemetry.event(
            "distribution_planned",
            distribution_id=saved.distribution_id,
            status=saved.status,
            accepted=saved.plan.accepted if saved.plan else 0,
            rejected=saved.plan.rejected if saved.plan else 0,
        )
        await follow(self._deps.schedules, saved)
        if saved.epoch:
            await self._deps.tasks.put([advance_task(saved)])
        return saved


def _same(existing: Distribution, request_hash: str) -> Distribution:
    """The distribution that a repeated request answers. Raises Refusal if its key was used for another request."""
    if existing.request_hash != request_hash:
        raise Refusal(ProblemCode.IDEMPOTENCY_KEY_REUSED)
    return existing


def _no_retry(source: Distribution, why: str) -> Refusal:
    return Refusal(ProblemCode.STATE_CONFLICT, status=source.status, retry=why)


def _without_rows(distribution: Distribution, why: FieldError) -> Distribution:
    """A retry that found no row, or could not be planned."""
    return _rejected(dataclasses.replace(distribution, file_errors=(why,)), None)


def _rejected(distribution: Distribution, reason: str | None) -> Distribution:
    return dataclasses.replace(
        distribution,
        status=DistributionStatus.REJECTED,
        status_reason=reason,
        planning_until=None,
        due_at=None,
    )


def expired(distribution: Distribution, now: datetime) -> Distribution | None:
    """The distribution cancelled, if it was not confirmed within seven days; None: it may still be confirmed."""
    if distribution.status is not DistributionStatus.PLANNED or now < distribution.created_at + UNCONFIRMED_LIFE:
        return None
    return lapsed(distribution, now)
