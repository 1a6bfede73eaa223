"""Asks for exports, shows them, and makes their files.

A file is made in tasks of at most a minute, because a million rows may take longer than one function may run. Between
two tasks everything is stored: the finished parts, the rows after them (the remainder), and where reading goes on. Each
step first stores its bytes and then moves the export's state, on condition of the revision that it read. A worker that
is killed between the two leaves bytes that no state names: the next one reads the same rows again and stores the same
part, and the end removes what is not named.

A lease keeps two workers apart. A worker that was frozen for longer than its lease may still overwrite a part. Its
write of the state is then refused, and S3 refuses to put the parts together, because the part is not the one that the
state names. Then the file is begun again.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.base.events import Telemetry
from shared.base.ids import export_id
from shared.base.instants import Clock
from shared.base.refusal import FieldError, ProblemCode, Refusal
from shared.campaigns.distribution import DistributionStatus
from shared.campaigns.ports import Distributions, Task, TaskQueue
from shared.exports.export import (
    MOST_RESTARTS,
    MOST_ROWS,
    MOST_TRIES,
    SLICE,
    Export,
    ExportOrder,
    ExportQueue,
    ExportStatus,
    Kind,
)
from shared.exports.ports import ContentGoneError, ExportFiles, ExportStore, Rows, Wording
from shared.exports.sheet import Sheet

PART_BYTES = 8 * 1024 * 1024
"""A part is stored as soon as it has so many bytes. S3 wants 5 MiB at least. A million rows make about 60 parts of the
10,000 that S3 allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportDeps:
    """What asking for exports works with."""

    store: ExportStore
    files: ExportFiles
    distributions: Distributions
    tasks: TaskQueue
    telemetry: Telemetry
    clock: Clock


class Exports:
    """POST /v1/exports and GET /v1/exports/{export_id}."""

    def __init__(self, deps: ExportDeps) -> None:
        self._on = deps

    async def request(self, organisation: str, order: ExportOrder, subject: str) -> Export:
        """A new export, or the one with the same order that is not over: a repeated request makes no second file.

        Raises Refusal: `bad_request` and `unprocessable` for an order that makes no sense, `not_found` for an unknown
        distribution, `state_conflict` while that distribution is planned, or if too many exports wait.
        """
        check(order)
        await self._check_distribution(organisation, order)
        while True:
            queue = await self._on.store.queue(organisation)
            found = queue.same(order)
            if found is not None:
                export = await self._on.store.get(organisation, found.export_id)
                if export is not None and export.is_running:
                    return export
                queue = queue.without(found.export_id)  # over, and a worker was killed before it wrote that here
            if queue.is_full:
                raise Refusal(ProblemCode.STATE_CONFLICT, exports_wait=str(len(queue.waiting)))
            export = self._new(queue, order)
            await self._on.store.create(export)
            if await self._on.store.save_queue(queue.with_export(export)):
                break
        await self._on.tasks.put([Task(kind="export", organisation=organisation)])
        self._on.telemetry.event("export_requested", organisation=organisation, sub=subject, kind=order.kind)
        return export

    async def get(self, organisation: str, identity: str) -> tuple[Export, str | None]:
        """An export, and the signed URL of its file once it is done. Raises Refusal `not_found`."""
        export = await self._on.store.get(organisation, identity)
        if export is None or export.expires_at <= self._on.clock.now():
            raise Refusal(ProblemCode.NOT_FOUND)
        is_done = export.status is ExportStatus.DONE
        return export, await self._on.files.url(export) if is_done else None

    def _new(self, queue: ExportQueue, order: ExportOrder) -> Export:
        return Export(
            organisation=queue.organisation,
            export_id=export_id(queue.organisation, queue.made + 1, repr(order)),
            order=order,
            created_at=self._on.clock.now(),
        )

    async def _check_distribution(self, organisation: str, order: ExportOrder) -> None:
        if order.distribution_id is None:
            return
        distribution = await self._on.distributions.get(organisation, order.distribution_id)
        if distribution is None:
            raise Refusal(ProblemCode.NOT_FOUND)
        if order.kind is not Kind.MESSAGES and distribution.status is DistributionStatus.PLANNING:
            raise Refusal(ProblemCode.STATE_CONFLICT, status=distribution.status)


def check(order: ExportOrder) -> None:
    """Whether the fields of an order go together. Raises Refusal: `bad_request` for a field that is missing or does not
    belong to the kind, `unprocessable` for a time span that ends before it begins."""
    wrong = tuple(_misplaced(order))
    if wrong:
        raise Refusal(ProblemCode.BAD_REQUEST, wrong)
    if order.since is not None and order.until is not None and order.until < order.since:
        error = FieldError(field="to", code="field_invalid", facts={"before": "from"})
        raise Refusal(ProblemCode.UNPROCESSABLE, (error,))


def _misplaced(order: ExportOrder) -> list[FieldError]:
    given = {
        "campaign_id": order.campaign_id,
        "status": order.status,
        "from": order.since,
        "to": order.until,
    }
    if order.kind is Kind.MESSAGES:
        both = order.campaign_id is not None and order.distribution_id is not None
        facts = {"only_one_of": "campaign_id / distribution_id"}
        return [FieldError(field="distribution_id", code="field_invalid", facts=facts)] if both else []
    missing = [FieldError(field="distribution_id", code="field_invalid", facts={"missing": "distribution_id"})]
    facts = {"only_for": Kind.MESSAGES}
    return (missing if order.distribution_id is None else []) + [
        FieldError(field=name, code="field_invalid", facts=facts) for name, value in given.items() if value is not None
    ]


class _LostError(Exception):
    """Another worker has moved the export on. This one stops; it has changed nothing."""


class _BrokenError(Exception):
    """What was stored of the file is gone or was overwritten, so it must be begun again."""


class _HopelessError(Exception):
    """No later attempt can make the file. `export` is its state as far as it was read."""

    def __init__(self, export: Export, reason: str) -> None:
        super().__init__(reason)
        self.export = export
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportWorkDeps:
    """What making files works with. `part_bytes`: tests use small parts."""

    store: ExportStore
    files: ExportFiles
    rows: Rows
    wording: Wording
    tasks: TaskQueue
    telemetry: Telemetry
    clock: Clock
    part_bytes: int = PART_BYTES


class ExportWork:
    """Tasks: the exports of an organisation, one after the other."""

    def __init__(self, deps: ExportWorkDeps) -> None:
        self._on = deps

    async def work(self, organisation: str, until: datetime) -> None:
        """Work for a slice at the first export that waits, and at those after it. Puts another task on the queue if
        there is more to do. Stops if another worker has the export."""
        ends = min(until, self._on.clock.now() + SLICE)
        while True:
            queue = await self._on.store.queue(organisation)
            if not queue.waiting:
                return
            if self._on.clock.now() >= ends:
                break
            first = queue.waiting[0]
            export = await self._on.store.get(organisation, first.export_id)
            if export is None or not export.is_running:
                await self._on.store.save_queue(queue.without(first.export_id))
            elif export.is_taken(self._on.clock.now()) or not await self._advance(export, ends):
                return
        await self._on.tasks.put([Task(kind="export", organisation=organisation)])

    async def _advance(self, export: Export, ends: datetime) -> bool:
        """Work at an export. Returns False if another worker has it."""
        now = self._on.clock.now()
        is_over = export.tries >= MOST_TRIES or export.expires_at <= now
        reason = export.fails_for or ("no_progress" if is_over else None)
        try:
            if reason is None:
                taken = await _saved(self._on.store, export.taken(now))
                await _Slice(self._on, taken, ends).work()
            else:
                await self._fail(export, reason)
        except _HopelessError as error:
            return await self._fails(error.export, error.reason)
        except _LostError:
            return False
        return True

    async def _fails(self, export: Export, reason: str) -> bool:
        try:
            await self._fail(export, reason)
        except _LostError:
            return False
        return True

    async def _fail(self, export: Export, reason: str) -> None:
        """Remove what the export has stored, then say that it has failed.

        The first write makes sure that no other worker has finished the file meanwhile. The last comes after the
        removal, so that nothing remains of a failed export.
        """
        failing = await _saved(self._on.store, replace(export.taken(self._on.clock.now()), fails_for=reason))
        await self._on.files.clean(failing, keep_file=False)
        await _saved(self._on.store, failing.ended(ExportStatus.FAILED))
        self._on.telemetry.warning_event("export_failed", organisation=export.organisation, reason=reason)


class _Slice:
    """The work of one task at one export.

    `_export` is the saved state with what was read since. Its revision is that of the saved state, and so belongs to
    this worker alone.
    """

    def __init__(self, on: ExportWorkDeps, export: Export, ends: datetime) -> None:
        self._on = on
        self._export = export
        self._ends = ends
        self._sheet = Sheet(export.order, on.wording)
        self._unstored = bytearray()

    async def work(self) -> None:
        """Read until the end of the list or of the time. Raises _LostError and _HopelessError."""
        try:
            await self._make()
        except _BrokenError:
            if self._export.restarts >= MOST_RESTARTS:
                raise _HopelessError(self._export, "parts_gone") from None
            await self._save(self._export.begun_again())

    async def _make(self) -> None:
        await self._open()
        while not self._export.is_read:
            await self._read_page()
            if len(self._unstored) >= self._on.part_bytes:
                await self._store_part()
            if not self._export.is_read and self._on.clock.now() >= self._ends:
                return await self._lie_down()
        if self._unstored or not self._export.parts:
            await self._store_part()
        return await self._finish()

    async def _open(self) -> None:
        """Go on where the last slice ended."""
        if self._export.upload_id is None:
            upload_id = await self._on.files.begin(self._export)
            await self._save(replace(self._export, upload_id=upload_id))
        if self._export.remainder is not None:
            found = await self._on.files.read_remainder(self._export)
            if found is None:
                raise _BrokenError
            self._unstored += found
        elif not self._export.parts:
            self._unstored += self._sheet.header()

    async def _read_page(self) -> None:
        export = self._export
        try:
            page = await self._on.rows.page(export.organisation, export.order, export.position)
        except ContentGoneError:
            raise _HopelessError(export, "content_gone") from None
        rows = export.rows + len(page.items)
        if rows > MOST_ROWS:
            raise _HopelessError(replace(export, rows=MOST_ROWS), "too_many_rows")
        self._unstored += self._sheet.rows(page.items)
        self._export = replace(export, rows=rows, position=page.position, is_read=page.position is None)

    async def _store_part(self) -> None:
        self._check_lease()
        part = await self._on.files.put_part(self._export, len(self._export.parts) + 1, bytes(self._unstored))
        if part is None:
            raise _BrokenError
        await self._save(replace(self._export, parts=(*self._export.parts, part), remainder=None, tries=0))
        self._unstored.clear()

    async def _lie_down(self) -> None:
        """Store what fills no part yet, and give the lease back."""
        number = self._export.revision if self._unstored else None
        if number is not None:
            await self._on.files.put_remainder(self._export, number, bytes(self._unstored))
        await self._save(replace(self._export, remainder=number, lease_until=None, tries=0))

    async def _finish(self) -> None:
        """Each step finds what an earlier attempt has done."""
        self._check_lease()
        if not await self._on.files.complete(self._export):
            raise _BrokenError
        await self._on.files.clean(self._export, keep_file=True)
        await self._save(self._export.ended(ExportStatus.DONE))
        self._on.telemetry.event("export_done", organisation=self._export.organisation, rows=self._export.rows)

    def _check_lease(self) -> None:
        if not self._export.is_taken(self._on.clock.now()):
            raise _LostError

    async def _save(self, export: Export) -> None:
        self._export = await _saved(self._on.store, export)


async def _saved(store: ExportStore, export: Export) -> Export:
    """The export with its new revision. Raises _LostError if it has changed since it was read."""
    saved = await store.save(export)
    if saved is None:
        raise _LostError
    return saved
