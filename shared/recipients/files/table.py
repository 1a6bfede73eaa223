"""What CSV and XLSX have in common: cells below titles."""

from collections.abc import Sequence

from shared.base.json import JsonObject
from shared.base.refusal import FieldError
from shared.policy.eligibility import Row


def row_of(number: int, line: int, names: Sequence[str | None], cells: Sequence[str], weight: int) -> Row:
    """The row below these titles. One with cells beyond the last column cannot be read: it has moved."""
    if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
        return unreadable(number, line)
    raw: JsonObject = {name: _typed(cell) for name, cell in zip(names, cells, strict=False) if name is not None}
    return Row(number=number, line=line, raw=raw, weight=weight)


def unreadable(number: int, line: int | None = None) -> Row:
    """A row that stands alone and cannot be read."""
    return Row(number=number, line=line, raw=None, field_error=FieldError(field="row", code="row_unreadable"))


def _typed(cell: str) -> str:
    """="0042" is how a text is kept from becoming a number in Excel."""
    return cell[2:-1] if cell.startswith('="') and cell.endswith('"') else cell
