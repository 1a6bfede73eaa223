"""The CSV of an export: RFC 4180 in UTF-8 with a byte order mark, lines that end with CRLF.

Excel splits a CSV at the list separator of its language, so a French file has semicolons, and decimal commas. Times
are written as "2026-11-30 20:15:00": Excel reads that as a time in every language and shows it in the form of its own,
and day and month cannot be swapped. The title names the zone.

A cell that a spreadsheet might run as a formula gets an apostrophe (OWASP, CSV Injection). Masked numbers begin with a
plus sign and get it too: one rule without exceptions, and the number can still be read.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from shared.base.json import Renderable, render
from shared.exports.columns import COLUMNS, Column, Form
from shared.exports.export import ExportOrder, Language
from shared.exports.ports import Document, Wording

_SEPARATORS: dict[Language, str] = {"en": ",", "fr": ";"}

_FORMULA = re.compile(r"[\t\r\n]|[\s\x00-\x1f\x7f\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－＠]")
"""The beginning of a cell that may be run. Spreadsheets may skip blanks and invisible characters before the sign."""


class Sheet:
    """Writes the header and the rows of one export."""

    def __init__(self, order: ExportOrder, wording: Wording) -> None:
        self._language = order.language
        self._columns = COLUMNS[order.kind]
        self._wording = wording
        self._terms: dict[tuple[str, str], str] = {
            (column.field, term): wording.term(column.field, term, order.language)
            for column in self._columns
            for term in column.terms
        }

    def header(self) -> bytes:
        """The beginning of the file: the byte order mark and the titles."""
        titles = [self._wording.title(column.field, self._language) for column in self._columns]
        return "\ufeff".encode() + lines([titles], self._language)

    def rows(self, documents: Iterable[Document]) -> bytes:
        """A line for each document. A null or absent value is an empty cell."""
        found = ([self._cell(column, document) for column in self._columns] for document in documents)
        return lines(found, self._language)

    def _cell(self, column: Column, document: Document) -> str:
        value: Renderable = document
        for name in column.path:
            value = value.get(name) if isinstance(value, dict) else None
        if value is None:
            return ""
        if isinstance(value, str) and column.terms:
            return self._terms.get((column.field, value), value)
        return _shown(value, column.form, self._language)


def lines(rows: Iterable[Sequence[str]], language: Language) -> bytes:
    """Lines of a CSV. No cell can be run as a formula."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=_SEPARATORS[language])  # its lines end with CRLF
    writer.writerows([disarmed(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8", "replace")  # half a surrogate pair must not stop a file


def disarmed(cell: str) -> str:
    """The cell, with an apostrophe if a spreadsheet might run it."""
    return "'" + cell if _FORMULA.match(cell) else cell


def _shown(value: Renderable, form: Form, language: Language) -> str:
    match value:
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        case Decimal():
            text = format(value, "f")
        case str():
            text = value
        case _:
            text = render(value)
    return text.replace(".", ",") if form is Form.DECIMAL and language == "fr" else text
