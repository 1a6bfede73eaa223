"""Reads the rows of an upload in one pass with bounded memory: CSV, NDJSON, or DHIS2's tracker JSON."""

import csv
import io
import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Self, override

from shared.base.json import JsonObject, parse
from shared.base.refusal import FieldError
from shared.campaigns.stored_content import Readable
from shared.policy.eligibility import Row
from shared.recipients.recipient import FIELDS
from shared.recipients.tracker import TrackerError, entities
from shared.texts.characters import carriable

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

    from _typeshed import WriteableBuffer


MOST_ROWS = 1_000_000

_BLOCK = 256 * 1024

_LONGEST_LINE = 1024 * 1024
"""In characters; of a CSV it is the longest row, which quoted cells may spread over many lines."""


class UnreadableFileError(Exception):
    """The file as a whole is not what it says it is: not UTF-8, no header with `phone`, not JSON, or far too long."""


class RowReader:
    """The rows of one file; `unknown_columns` are known once they have been read."""

    def __init__(self, file: Readable, form: str) -> None:
        self._file = file
        self._form = form
        self.unknown_columns: tuple[str, ...] = ()

    def rows(self) -> Iterator[Row]:
        """Every row that is not blank. Raises UnreadableFileError, also in the middle.

        Numbers are the file's own, from 1: blank data rows of a CSV count, and a line of NDJSON has its line's number.
        So an officer finds the row where the error says it is.
        """
        forms = {"csv": self._csv, "ndjson": self._ndjson}
        for count, row in enumerate(forms.get(self._form, self._dhis2)(), start=1):
            if count > MOST_ROWS:
                raise UnreadableFileError(f"more than {MOST_ROWS} rows")
            yield row

    def _csv(self) -> Iterator[Row]:
        try:
            lines = _Lines(self._file)
            first = next((line for line in lines if line.strip()), "")
            delimiter = ";" if first.count(";") > first.count(",") else ","
            reader = csv.reader(itertools.chain((first,), lines), delimiter=delimiter, strict=True)
            names = _column_names(next(reader, []))
            self.unknown_columns = tuple(name for name in names if name not in FIELDS and name)
            for number, (line, cells) in enumerate(_records(reader, lines), start=1):
                if cells is None:
                    yield _unreadable(number, line)
                elif any(cell.strip() for cell in cells):
                    yield _csv_row(number, line, names, cells, lines.taken)
        except (UnicodeDecodeError, csv.Error) as error:
            raise UnreadableFileError(type(error).__name__) from None

    def _ndjson(self) -> Iterator[Row]:
        try:
            lines = _Lines(self._file)
            for number, line in enumerate(lines, start=1):
                lines.taken = 0
                if line.strip():
                    yield _json_row(number, line)
        except UnicodeDecodeError as error:
            raise UnreadableFileError(type(error).__name__) from None

    def _dhis2(self) -> Iterator[Row]:
        try:
            for number, (entity, weight) in enumerate(entities(_buffered(self._file)), start=1):
                if isinstance(entity, dict):
                    yield Row(number=number, raw={"dhis2": entity}, weight=weight)
                else:
                    yield _unreadable(number)
        except TrackerError as error:
            raise UnreadableFileError(str(error)) from None


class _Raw(io.RawIOBase):
    """The upload as the standard library's readers want it."""

    def __init__(self, file: Readable) -> None:
        self._source = file

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer)
        block = self._source.read(len(view))
        view[: len(block)] = block
        return len(block)


def _buffered(file: Readable) -> io.BufferedReader:
    return io.BufferedReader(_Raw(file), _BLOCK)


class _Lines:
    """Lines with their ends, decoded as they come, a byte order mark dropped.

    `taken` are the characters since it was last set to 0: what a row has taken so far. `number` is the last line's in
    the file, from 1.
    """

    def __init__(self, file: Readable) -> None:
        self._text = io.TextIOWrapper(_buffered(file), encoding="utf-8-sig", newline="")
        self.taken = 0
        self.number = 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._text.readline(_LONGEST_LINE + 1)
        if not line:
            raise StopIteration
        self.number += 1
        self.taken += len(line)
        if self.taken > _LONGEST_LINE:
            raise UnreadableFileError("a row beyond 1 MiB")
        return line


def _column_names(header: Sequence[str]) -> list[str]:
    names = [carriable(name).strip().lower() for name in header]
    if "phone" not in names:
        raise UnreadableFileError("no phone column")
    if any(names.count(name) > 1 for name in FIELDS):
        raise UnreadableFileError("a column stands twice")
    return names


def _records(reader: "CsvReader", lines: _Lines) -> Iterator[tuple[int, list[str] | None]]:
    """The records, each with the line on which it begins; None for one whose quoting is broken within its own line.

    Where the damage runs over several lines it is not known where the next row begins: that raises csv.Error.
    """
    while True:
        begins = lines.number + 1
        lines.taken = 0
        try:
            yield begins, next(reader)
        except StopIteration:
            return
        except csv.Error:
            if lines.number > begins:
                raise
            yield begins, None


def _csv_row(number: int, line: int, names: list[str], cells: list[str], weight: int) -> Row:
    if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
        return _unreadable(number, line)
    raw: JsonObject = {name: cell for name, cell in zip(names, cells, strict=False) if name in FIELDS}
    return Row(number=number, line=line, raw=raw, weight=weight)


def _json_row(number: int, line: str) -> Row:
    try:
        value = parse(line)
    except ValueError:
        return _unreadable(number, number)
    if not isinstance(value, dict):
        return _unreadable(number, number)
    return Row(number=number, line=number, raw=value, weight=len(line))


def _unreadable(number: int, line: int | None = None) -> Row:
    return Row(number=number, line=line, raw=None, field_error=FieldError(field="row", code="row_unreadable"))
