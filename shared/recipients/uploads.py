"""Reads the rows of an upload in one pass with bounded memory: CSV, NDJSON, or DHIS2's tracker JSON."""

import csv
import io
import itertools
import re
from collections.abc import Iterator, Sequence
from io import BufferedReader
from typing import TYPE_CHECKING, Self, override

import ijson

from shared.base.json import NO_CHARACTER, JsonObject, JsonValue, parse
from shared.base.refusal import FieldError
from shared.campaigns.stored_content import Readable
from shared.policy.eligibility import Row
from shared.recipients.recipient import FIELDS
from shared.texts.content import carriable

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


# DHIS2's tracker JSON, one tracked entity or enrollment at a time (reference/dhis2.md).
#
# Read event by event: what is held at once is one entity, whatever the file holds, however deep it is nested and
# however long a string in it is.


_LISTS = frozenset({"trackedEntities", "enrollments", "instances"})
"""The envelopes' lists; `instances` is that of 2.40 and older."""

_IDENTITIES = frozenset({"trackedEntity", "enrollment"})
"""What a bare tracked entity or enrollment has, and an envelope has not."""

_DEEPEST = 64

_LONGEST = 200_000
"""Parser events of one value: far beyond any entity with all its events, and some tens of megabytes."""

_LARGEST = 4 * 1024 * 1024
"""Bytes of one value, or of all that stands before the list."""

_PARSED_AT_ONCE = 64 * 1024

_MARK = b"\xef\xbb\xbf"

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u(?P<half>[dD][89a-fA-F][0-9a-fA-F]{2})|.?)",
    re.DOTALL,
)

_LONGEST_ESCAPE = 12
"""Bytes of a surrogate pair."""

_NO_CHARACTER = f"\\u{ord(NO_CHARACTER):04x}".encode()

type _Event = tuple[str, str | int | float | bool | None]


class TrackerError(Exception):
    """Not what DHIS2's tracker answers. Holds nothing of the file."""


class _Measured:
    """The file as the parser reads it, which takes a block when it has told all of the one before.

    A string is held whole until its end. One that never ends is seen by the parser's silence.
    """

    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        head = file.read(len(_MARK))
        self._remaining = b"" if head == _MARK else head
        self.taken = 0
        self.silent = 0

    def read(self, size: int) -> bytes:
        """The next block, half surrogate pairs replaced: the parser takes them for other characters, or fails."""
        while size:  # the parser asks for no bytes once, to see what kind they are
            block = self._file.read(size)
            self.taken += len(block)
            self.silent += len(block)
            if self.silent > _LARGEST:
                raise TrackerError("one value is too long")
            text = self._remaining + block
            end = _end_of_escapes(text) if block else len(text)
            self._remaining = text[end:]
            if end or not block:
                return _ESCAPE.sub(lambda escape: _NO_CHARACTER if escape["half"] else escape[0], text[:end])
        return b""


def _end_of_escapes(text: bytes) -> int:
    """Up to where `text` cuts no escape. What comes after it may be the beginning of one."""
    if b"\\" in text[1 - _LONGEST_ESCAPE :]:
        latest = len(text) - _LONGEST_ESCAPE
        return next((one.start() for one in _ESCAPE.finditer(text) if one.start() > latest), len(text))
    return len(text)


def entities(file: BufferedReader) -> Iterator[tuple[JsonValue, int]]:
    """The entries of an envelope's list, or the bare object of GET /trackedEntities/{uid}, as they stand.

    Each with the bytes that were read for it, to a block. Raises TrackerError, also in the middle.
    """
    measured = _Measured(file)
    try:
        events = _events(measured)
        if next(events) != ("start_map", None):
            raise TrackerError("no object")
        began = 0
        for value in _members(events, measured):
            yield value, measured.taken - began
            began = measured.taken
        for _ in events:  # what stands after the object is refused by the parser
            pass
    except (ijson.JSONError, UnicodeDecodeError) as error:
        raise TrackerError(type(error).__name__) from None


def _events(measured: _Measured) -> Iterator[_Event]:
    for event in ijson.basic_parse(measured, use_float=True, buf_size=_PARSED_AT_ONCE):
        measured.silent = 0
        yield event


def _members(events: Iterator[_Event], measured: _Measured) -> Iterator[JsonValue]:
    bare: JsonObject = {}
    enveloped = False
    for event, name in events:
        if event == "end_map":
            break
        first = next(events)
        if name in _LISTS and first[0] == "start_array" and not _IDENTITIES & bare.keys():
            enveloped = True
            yield from _entries(events, measured)
            continue
        value = _value(first, events, measured)
        if enveloped and name in _IDENTITIES:
            raise TrackerError("the enrollments of an entity stand before it")
        if not enveloped:
            if measured.taken > _LARGEST + _PARSED_AT_ONCE or len(bare) == _LONGEST:
                raise TrackerError("no list of tracked entities or enrollments at the beginning")
            bare[str(name)] = value
    if _IDENTITIES & bare.keys():
        yield bare
    elif not enveloped:
        raise TrackerError("no list of tracked entities or enrollments")


def _entries(events: Iterator[_Event], measured: _Measured) -> Iterator[JsonValue]:
    for event in events:
        if event[0] == "end_array":
            return
        yield _value(event, events, measured)


def _value(first: _Event, events: Iterator[_Event], measured: _Measured) -> JsonValue:
    """The value that begins with `first`."""
    builder = ijson.ObjectBuilder()
    event, depth, length, most = first, 0, 0, measured.taken + _LARGEST
    while True:
        builder.event(*event)
        length += 1
        depth += event[0] in ("start_map", "start_array")
        depth -= event[0] in ("end_map", "end_array")
        if depth == 0:
            value: JsonValue = builder.value
            return value
        if depth > _DEEPEST or length > _LONGEST or measured.taken > most:
            raise TrackerError("one entity is too deep or too long")
        event = next(events)
