"""A CSV as Excel, LibreOffice and DHIS2 save it: any separator, `sep=`, lines above the titles, quoted line breaks."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.policy.eligibility import Row
from shared.recipients.files.header import MOST_SKIPPED, Header, find_header, without_header
from shared.recipients.files.table import row_of, unreadable
from shared.recipients.files.text import Lines
from shared.recipients.files.unreadable import UnreadableFileError

if TYPE_CHECKING:
    from _csv import Reader as CsvReader


_SEPARATORS = (",", ";", "\t", "|")

_SEP = re.compile(r"\"?sep=(?P<separator>[^\"\r\n])\"?[\r\n]*", re.IGNORECASE)
"""Excel's own first line."""

_MOST_LINES, _MOST_CHARACTERS = 60, 256 * 1024
"""How much of the file's beginning is searched for the titles. A title may have line breaks."""


@dataclass(slots=True, kw_only=True)
class _Look:
    """The first records that are not blank, read with this separator. Lines of the head count from 0."""

    separator: str
    cells: list[Sequence[str]] = field(default_factory=list)
    begins: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    unclosed: int | None = None
    """The line with a quotation mark that is not closed. The records after it cannot be separated."""


class CsvTable:
    """The rows of one file. `header` is known once the first row was read."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self.header: Header | None = None

    def rows(self) -> Iterator[Row]:
        """Every row that is not blank; blank ones count. Raises UnreadableFileError, also in the middle."""
        head = self._head()
        separator, ends, self.header = _begin(head, self._lines.number - len(head))
        self._lines.put_back(head[ends:])
        reader = csv.reader(self._lines, delimiter=separator, strict=True)
        for number, (line, cells) in enumerate(_records(reader, self._lines), start=1):
            if cells is None:
                yield unreadable(number, line)
            elif any(cell.strip() for cell in cells):
                yield row_of(number, line, self.header.names, cells, self._lines.taken)

    def _head(self) -> list[str]:
        """The first lines, beginning with the first that is not blank."""
        head: list[str] = []
        characters = 0
        for line in self._lines:
            self._lines.begin_row()
            if head or line.strip():
                head.append(line)
                characters += len(line)
            if len(head) == _MOST_LINES or characters > _MOST_CHARACTERS:
                break
        return head


def _begin(head: Sequence[str], above: int) -> tuple[str, int, Header]:
    """The separator, how many of the first lines are taken with the titles, and the titles.

    `above`: how many blank lines stand above. The separator is the one with which most titles are known.
    """
    given = _SEP.fullmatch(head[0]) if head and not above else None
    separators = (given["separator"],) if given else _SEPARATORS
    looks = [_look(head, one, begins=1 if given else 0) for one in separators]
    found = [(look, header) for look in looks if (header := find_header(look.cells)) is not None]
    if not found:
        raise _refusal(looks, above)
    look, header = max(found, key=lambda one: one[1].known)
    return look.separator, look.ends[header.record], header


def _refusal(looks: Sequence[_Look], above: int) -> UnreadableFileError:
    unclosed = [look.unclosed for look in looks if look.unclosed is not None]
    if unclosed:
        return UnreadableFileError("quote_unclosed", line=above + min(unclosed) + 1)
    look = max(looks, key=lambda one: max(map(len, one.cells), default=0))
    return without_header(look.cells, [above + begins + 1 for begins in look.begins])


def _look(head: Sequence[str], separator: str, *, begins: int) -> _Look:
    """The first records: as many as are allowed above the titles, and the titles."""
    look = _Look(separator=separator)
    reader = csv.reader(head[begins:], delimiter=separator, strict=True)
    skipped = begins
    while len(look.cells) <= MOST_SKIPPED:
        try:
            cells = next(reader)
        except StopIteration:
            return look
        except csv.Error:
            if skipped + reader.line_num > begins + 1:
                look.unclosed = begins
                return look
            cells = []
        ends = skipped + reader.line_num
        if any(cell.strip() for cell in cells):
            look.cells.append(cells)
            look.begins.append(begins)
            look.ends.append(ends)
        begins = ends
    return look


def _records(reader: "CsvReader", lines: Lines) -> Iterator[tuple[int, list[str] | None]]:
    """The records, each with the line on which it begins. None: its quotation marks are broken within one line.

    If the damage covers several lines, the beginning of the next row is not known, so the file is refused.
    """
    while True:
        begins = lines.begin_row()
        try:
            yield begins, next(reader)
        except StopIteration:
            return
        except csv.Error:
            if lines.number > begins:
                raise UnreadableFileError("quote_unclosed", line=begins) from None
            yield begins, None
