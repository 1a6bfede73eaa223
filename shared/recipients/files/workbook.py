"""An XLSX as a table. Another process reads the workbook (`Workbooks`), because the library reads a sheet whole, and a
prepared file could make it take any amount of memory and time."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Protocol

from shared.campaigns.stored_content import Readable
from shared.policy.eligibility import Row
from shared.recipients.files.header import MOST_SKIPPED, Header, find_header, without_header
from shared.recipients.files.table import row_of
from shared.recipients.files.unreadable import not_this_format

MOST_WORKBOOK_ROWS = 100_000

type SheetRow = tuple[int, Sequence[str]]
"""The row's number in the sheet, from 1, and its cells from column A on."""


class Workbooks(Protocol):
    """Reads workbooks, each in a process with a limit of memory and time."""

    def rows(self, file: Readable) -> Iterator[SheetRow]:
        """The rows of the first sheet that is not hidden; blank ones are left out. Raises UnreadableFileError, also in
        the middle."""
        ...


class WorkbookTable:
    """The rows of one workbook. `header` is known once the first row was read."""

    def __init__(self, rows: Iterator[SheetRow]) -> None:
        self._rows = rows
        self.header: Header | None = None

    def rows(self) -> Iterator[Row]:
        """Every row that is not blank; blank ones count. `line` is the row's number that the spreadsheet shows."""
        first = list(itertools.islice(self._rows, MOST_SKIPPED + 1))
        self.header = find_header([cells for _, cells in first])
        if self.header is None:
            raise without_header([cells for _, cells in first], [line for line, _ in first])
        titles = first[self.header.record][0]
        rest = itertools.chain(first[self.header.record + 1 :], self._rows)
        for count, (line, cells) in enumerate(rest, start=1):
            if count > MOST_WORKBOOK_ROWS:
                raise not_this_format("too_many_workbook_rows", line=line)
            yield row_of(line - titles, line, self.header.names, cells, sum(map(len, cells)))
