"""Reads the rows of an upload in one pass with bounded memory: CSV, XLSX, NDJSON, or DHIS2's tracker JSON."""

from collections.abc import Iterator

from shared.base.json import parse
from shared.base.refusal import ApiWarning
from shared.campaigns.distribution import Column
from shared.campaigns.stored_content import Readable
from shared.policy.eligibility import Row
from shared.recipients.files.csv import CsvTable
from shared.recipients.files.header import Header, columns_of
from shared.recipients.files.kinds import HEAD, Kind, kind_of_file
from shared.recipients.files.table import unreadable
from shared.recipients.files.text import Lines, Refilled, buffered, fill, utf_8, utf_8_of
from shared.recipients.files.tracker import Pages, TrackerError, entities
from shared.recipients.files.unreadable import UnreadableFileError, not_this_format
from shared.recipients.files.workbook import Workbooks, WorkbookTable

MOST_ROWS = 1_000_000

_MAY_BE: dict[str, tuple[Kind, ...]] = {
    "csv": ("text",),
    "xlsx": ("workbook", "zip"),  # whose first part may have any name
    "ndjson": ("text", "json"),
    "dhis2": ("text", "json"),
}


class RowReader:
    """The rows of one file. `columns` and `warnings` are known once the rows have been read."""

    def __init__(self, file: Readable, form: str, workbooks: Workbooks) -> None:
        """`form`: the upload's format, one of api.md's."""
        self._file = file
        self._form = form
        self._workbooks = workbooks
        self._table: CsvTable | WorkbookTable | None = None
        self._pages = Pages()

    def rows(self) -> Iterator[Row]:
        """Every row that is not blank, at least one. Raises UnreadableFileError, also in the middle.

        Numbers are the file's own, from 1: blank data rows of a table count, a line of NDJSON has its own number. So an
        error names the place where the officer finds the row.
        """
        count = 0
        for count, row in enumerate(self._rows(), start=1):
            if count > MOST_ROWS:
                raise not_this_format("too_many_rows", line=row.line)
            yield row
        if not count:
            raise UnreadableFileError("file_empty")

    @property
    def columns(self) -> tuple[Column, ...] | None:
        """How each column was read. None: the format has no columns, or the file has no titles."""
        return columns_of(self._header) if self._header else None

    @property
    def warnings(self) -> tuple[ApiWarning, ...]:
        """What the officer should know about how the file was read."""
        return (*_warnings_of(self._header), *self._warnings_of_pages())

    @property
    def _header(self) -> Header | None:
        return self._table.header if self._table else None

    def _rows(self) -> Iterator[Row]:
        head = fill(self._file, HEAD)
        kind, file = kind_of_file(head), Refilled(head, self._file)
        if not head:
            raise UnreadableFileError("file_empty")
        if kind not in _MAY_BE[self._form]:
            raise not_this_format("another_kind", format=self._form, looks_like=kind)
        match self._form:
            case "csv":
                self._table = CsvTable(Lines(utf_8_of(file)))
                return self._table.rows()
            case "xlsx":
                self._table = WorkbookTable(self._workbooks.rows(file))
                return self._table.rows()
            case "ndjson":
                return _ndjson(file)
            case _:
                return self._dhis2(file)

    def _dhis2(self, file: Readable) -> Iterator[Row]:
        number = 0
        try:
            for number, (entity, weight) in enumerate(entities(buffered(utf_8(file)), self._pages), start=1):
                if isinstance(entity, dict):
                    yield Row(number=number, raw={"dhis2": entity}, weight=weight)
                else:
                    yield unreadable(number)
        except TrackerError as error:
            read = str(number) if number else ""
            raise not_this_format(error.why, format="dhis2", rows=read) from None

    def _warnings_of_pages(self) -> tuple[ApiWarning, ...]:
        pages = self._pages
        if not pages.are_missing:
            return ()
        total = {"total": str(pages.total)} if pages.total is not None else {}
        return (ApiWarning(code="pages_missing", facts={"read": str(pages.entities), **total}),)


def _ndjson(file: Readable) -> Iterator[Row]:
    lines = Lines(utf_8(file))
    for number, line in enumerate(lines, start=1):
        lines.begin_row()
        if line.strip():
            yield _json_row(number, line)


def _json_row(number: int, line: str) -> Row:
    try:
        value = parse(line)
    except ValueError:
        return unreadable(number, number)
    if not isinstance(value, dict):
        return unreadable(number, number)
    return Row(number=number, line=number, raw=value, weight=len(line))


def _warnings_of(header: Header | None) -> tuple[ApiWarning, ...]:
    if header is None:
        return ()
    skipped = (ApiWarning(code="lines_skipped", count=header.record),) if header.record else ()
    if not header.unknown:
        return skipped
    titles = ", ".join(header.unknown)
    return (*skipped, ApiWarning(code="unknown_columns", count=len(header.unknown), facts={"columns": titles[:200]}))
