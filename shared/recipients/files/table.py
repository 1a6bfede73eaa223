"""What CSV and XLSX have in common: cells below titles."""

from collections.abc import Sequence

from shared.base.json import JsonObject
from shared.base.refusal import FieldError
from shared.policy.eligibility import Row


def row_of(number: int, line: int, names: Sequence[str | None], cells: Sequence[str], weight: int) -> Row:
    """The row under these titles. A row with cells beyond the last column is unreadable: its cells have moved."""
    if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
        return unreadable(number, line)
    raw: JsonObject = {name: _typed(cell) for name, cell in zip(names, cells, strict=False) if name is not None}
    return Row(number=number, line=line, raw=raw, weight=weight)


def unreadable(number: int, line: int | None = None) -> Row:
    """A row that cannot be read. The rows around it are not affected."""
    return Row(
        number=number,
        line=line,
        raw=None,
        field_error=FieldError(field="row", code="row_unreadable", facts={"unread": "broken"}),
    )


def _typed(cell: str) -> str:
    """The text in ="0042": people write it so that Excel does not make a number of it."""
    return cell[2:-1] if cell.startswith('="') and cell.endswith('"') else cell
