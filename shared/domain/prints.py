"""Which number and card stand in which row of a plan, without either: 12 bytes a row, sorted, read by bisection.

A million rows take 12 MB. A print is eight bytes: among a million times a million pairs, one that only looks the same
comes up once in 18 million times.
"""

from bisect import bisect_left
from collections.abc import Collection

_PRINT = 8
_ROW = 4
_RECORD = _PRINT + _ROW


class Prints:
    """Gathers a plan's prints in any order. A print is 16 hex digits; rows count from 1."""

    def __init__(self) -> None:
        self._parts = [bytearray() for _ in range(256)]

    def add(self, sameness: str, row: int) -> None:
        """Note one row."""
        record = bytes.fromhex(sameness) + row.to_bytes(_ROW)
        self._parts[record[0]] += record

    def book(self) -> bytes:
        """All of them in order: a part at a time, so that no million objects are sorted at once."""
        return b"".join(b"".join(sorted(_records(part))) for part in self._parts)


def row_of(book: bytes, sameness: str) -> int | None:
    """The row with that print; None where there is none."""
    wanted = bytes.fromhex(sameness)

    def print_at(place: int) -> bytes:
        return book[place * _RECORD : place * _RECORD + _PRINT]

    place = bisect_left(range(len(book) // _RECORD), wanted, key=print_at)
    if print_at(place) != wanted:
        return None
    return int.from_bytes(book[place * _RECORD + _PRINT : (place + 1) * _RECORD])


def without(book: bytes, rows: Collection[int]) -> bytes:
    """The book without some rows: nothing leads from a person to them any more."""
    gone = {row.to_bytes(_ROW) for row in rows}
    return b"".join(record for record in _records(book) if record[_PRINT:] not in gone)


def _records(part: bytes | bytearray) -> list[bytes]:
    return [bytes(part[start : start + _RECORD]) for start in range(0, len(part), _RECORD)]
