"""Workbooks as Excel and LibreOffice write them, made by two public libraries."""

import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import openpyxl
import xlsxwriter


def workbook(*rows: Sequence[object]) -> bytes:
    """One sheet with these rows, its texts shared as Excel shares them."""
    return written(lambda book: _fill(book.add_worksheet("Liste"), rows))


def written(write: Callable[[Any], None]) -> bytes:
    """What xlsxwriter makes of it."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        write(book)
    return target.getvalue()


def opened(*rows: Sequence[object]) -> bytes:
    """The same by openpyxl, which writes other parts in another order."""
    book, target = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(target)
    return target.getvalue()


def inline(content: bytes) -> bytes:
    """Texts in the cells themselves, as LibreOffice's and many programs' exports have them."""
    source = openpyxl.load_workbook(io.BytesIO(content)).active
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True, "constant_memory": True}) as book:
        _fill(book.add_worksheet(), source.iter_rows(values_only=True))
    return target.getvalue()


def numbers(count: int) -> bytes:
    """A long list of numbers in one column."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True, "constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_string(0, 0, "phone")
        for number in range(1, count + 1):
            sheet.write_number(number, 0, 770_000_000 + number)
    return target.getvalue()


def with_part(content: bytes, name: str, size: int) -> bytes:
    """The archive with a part more, of so many zeroes."""
    target, block = io.BytesIO(content), bytes(1_000_000)
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w") as part:
        for _ in range(size // len(block)):
            part.write(block)
    return target.getvalue()


def _fill(sheet: Any, rows: Any) -> None:
    for number, row in enumerate(rows):
        sheet.write_row(number, 0, ["" if cell is None else cell for cell in row])
