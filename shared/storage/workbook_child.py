"""Reads one workbook from standard input and writes its first sheet's rows to standard output, as JSON lines.

    python -m shared.storage.workbook_child < list.xlsx

A process of its own (`shared.storage.workbooks`), because calamine reads a sheet whole: a few kilobytes can name a cell
in the last column of the last row, or unpack to gigabytes. The limits set here end this process and nothing else. It
has no credentials in its environment and opens no connection.

A row is `[number, [cells]]`; the last line is `{"why": null}`, or why the file is refused.
"""

import io
import resource
import signal
import sys
import zipfile
from collections.abc import Iterator
from typing import BinaryIO

import msgspec
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from shared.recipients.files.cells import LONGEST_ROW, text_of

MOST_MEMORY = 768 * 1024 * 1024
"""Address space. A hundred thousand rows of thirty columns take half of it."""

MOST_SECONDS = 90
"""Of the processor."""

MOST_PACKED = 50_000_000

MOST_UNPACKED = 400_000_000

_BLOCK = 1024 * 1024

_ROWS_AT_ONCE = 500


class RefusedError(Exception):
    """The workbook is not read; the text is a word of `shared.api.texts`."""


def main() -> None:
    """Reads and writes. The last line says whether the file was read."""
    set_limits()
    try:
        write_rows(sys.stdin.buffer, sys.stdout.buffer)
        why = None
    except RefusedError as error:
        why = str(error)
    except MemoryError:
        why = "workbook_too_big"
    except (CalamineError, zipfile.BadZipFile):
        why = "workbook_broken"
    sys.stdout.buffer.write(msgspec.json.encode({"why": why}))


def set_limits() -> None:
    """Set the limits. Without memory the process aborts itself; at the limit of time the system ends it."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # the parent has gone: so does this process
    if sys.platform == "linux":  # elsewhere, on an engineer's own machine, it cannot be lowered
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS + 5))


def write_rows(source: BinaryIO, target: BinaryIO) -> None:
    """Raises RefusedError, CalamineError, BadZipFile."""
    packed = source.read(MOST_PACKED + 1)
    if len(packed) > MOST_PACKED:
        raise RefusedError("workbook_too_large")
    file = io.BytesIO(packed)
    refuse_bombs(file)
    file.seek(0)
    encoder = msgspec.json.Encoder()
    rows: list[tuple[int, list[str]]] = []
    for row in rows_of(first_sheet(CalamineWorkbook.from_filelike(file))):
        rows.append(row)
        if len(rows) == _ROWS_AT_ONCE:
            target.write(encoder.encode_lines(rows))
            rows = []
    target.write(encoder.encode_lines(rows))


def refuse_bombs(file: BinaryIO) -> None:
    """Counts the unpacked bytes, because the sizes that the archive states may be false."""
    unpacked = 0
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            with archive.open(member) as part:
                while block := part.read(_BLOCK):
                    unpacked += len(block)
                    if unpacked > MOST_UNPACKED:
                        raise RefusedError("workbook_unpacks_too_large")


def first_sheet(workbook: CalamineWorkbook) -> CalamineSheet:
    """The first sheet that is not hidden; if all are hidden, the first one."""
    sheets = [one for one in workbook.sheets_metadata if one.typ is SheetTypeEnum.WorkSheet]
    if not sheets:
        raise RefusedError("workbook_without_sheet")
    seen = (one for one in sheets if one.visible is SheetVisibleEnum.Visible)
    return workbook.get_sheet_by_name(next(seen, sheets[0]).name)


def rows_of(sheet: CalamineSheet) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, as the spreadsheet shows them, each with its row number."""
    if sheet.start is None:
        return
    first, column = sheet.start
    indent = [""] * column
    for number, values in enumerate(sheet.iter_rows(), start=first + 1):
        cells = [text_of(value) for value in values]
        if not any(map(str.strip, cells)):
            continue
        if sum(map(len, cells)) > LONGEST_ROW:
            raise RefusedError("line_too_long")
        yield number, indent + cells


if __name__ == "__main__":
    main()
