"""Exports on fakes: a list of rows, small parts, and workers that may die."""

import asyncio
import csv
import io
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from shared.campaigns.distribution import Distribution
from shared.exports.export import Export, ExportOrder, Kind, Language
from shared.exports.exporting import ExportDeps, Exports, ExportWork, ExportWorkDeps
from shared.exports.ports import ContentGoneError, Document
from shared.messages.ports import Page
from tests.fakes.bulk import FakeDistributions
from tests.fakes.exports import FakeExportFiles, FakeExports
from tests.fakes.rest import FakeTaskQueue
from tests.fakes.world import FakeClock, FakeTelemetry, KilledError, Points

DEMO = "demo"
ALL = ExportOrder(kind=Kind.DUPLICATES, language="en", distribution_id="d-1")
PART = 200
"""Bytes: about twenty rows."""


class PlainWording:
    """Texts that show what they stand for."""

    def title(self, column: str, language: Language) -> str:
        return f"{column} in {language}"

    def term(self, column: str, value: str, language: Language) -> str:
        return f"{value} in {language}"


@dataclass(slots=True)
class FakeRows:
    """Implements `Rows`: `count` rows, some on each page, and pages without any."""

    points: Points
    clock: FakeClock
    count: int = 100
    a_page: int = 7
    seconds_a_page: float = 1.0
    are_gone: bool = False

    async def page(self, organisation: str, order: ExportOrder, position: str | None) -> Page[Document]:
        await self.points("rows.page")
        self.clock.pass_by(seconds=self.seconds_a_page)
        if self.are_gone:
            raise ContentGoneError
        begin, was_empty, _ = (position or "0").partition("+")
        start = int(begin)
        if start % 3 == 1 and not was_empty:
            return Page(items=(), position=f"{start}+")
        end = min(start + self.a_page, self.count)
        items: list[Document] = [{"row": number, "enrollment_id": f"e{number}"} for number in range(start, end)]
        return Page(items=items, position=str(end) if end < self.count else None)


@dataclass(slots=True)
class ExportWorld:
    """One organisation that exports a list."""

    points: Points = field(default_factory=Points)
    clock: FakeClock = field(default_factory=FakeClock)
    telemetry: FakeTelemetry = field(default_factory=FakeTelemetry)
    store: FakeExports = field(init=False)
    files: FakeExportFiles = field(init=False)
    rows: FakeRows = field(init=False)
    tasks: FakeTaskQueue = field(init=False)
    distributions: FakeDistributions = field(init=False)

    def __post_init__(self) -> None:
        self.store = FakeExports(self.points)
        self.files = FakeExportFiles(self.points, smallest_part=PART)
        self.rows = FakeRows(self.points, self.clock)
        self.tasks = FakeTaskQueue(self.points)
        self.distributions = FakeDistributions(self.points)

    def exports(self) -> Exports:
        return Exports(
            ExportDeps(
                store=self.store,
                files=self.files,
                distributions=self.distributions,
                tasks=self.tasks,
                telemetry=self.telemetry,
                clock=self.clock,
            )
        )

    def worker(self) -> ExportWork:
        return ExportWork(
            ExportWorkDeps(
                store=self.store,
                files=self.files,
                rows=self.rows,
                wording=PlainWording(),
                tasks=self.tasks,
                telemetry=self.telemetry,
                clock=self.clock,
                part_bytes=PART,
            )
        )

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(work)

    def keep(self, distribution: Distribution) -> None:
        self.distributions.items[distribution.organisation, distribution.distribution_id] = distribution

    def ask(self, order: ExportOrder = ALL) -> Export:
        return self.run(self.exports().request(DEMO, order, "officer"))

    def work(self) -> None:
        """One task of a worker."""
        self.run(self.worker().work(DEMO, self.clock.now() + timedelta(minutes=10)))

    def killed(self, before: tuple[str, int]) -> bool:
        """Whether a worker got as far as this point, where it dies. Its task is not put on the queue again."""
        self.points.kill_before = (before[0], self.points.passed[before[0]] + before[1])
        try:
            self.work()
        except KilledError:
            return True
        finally:
            self.points.kill_before = None
        return False

    def finish(self, tasks: int = 60) -> None:
        """The ticks until nothing waits, and the tasks that workers put on the queue."""
        for _ in range(tasks):
            if not self.run(self.store.due(self.clock.now(), 10)):
                return
            self.work()
            self.clock.pass_by(minutes=1)
        raise AssertionError("the export has no end")

    def state(self, export: Export) -> Export:
        return self.store.items[export.organisation, export.export_id]

    def is_clean(self) -> bool:
        """Whether nothing remains but finished files."""
        return not (self.files.uploads or self.files.remainders)

    def file(self, export: Export) -> bytes:
        return self.files.files[export.organisation, export.export_id]

    def read(self, export: Export) -> Sequence[Sequence[str]]:
        """The rows of the file, without its header."""
        text = self.file(export).decode("utf-8-sig")
        header, *rows = csv.reader(io.StringIO(text, newline=""))
        assert header == [f"{name} in en" for name in ("row", "duplicate_of", "recipient", "enrollment_id")]
        return rows

    def is_whole(self, export: Export) -> bool:
        """Whether each row is in the file once, in order."""
        return self.read(export) == [[str(number), "", "", f"e{number}"] for number in range(self.rows.count)]
