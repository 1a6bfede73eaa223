"""The dedupe index of a plan: which marks (`shared.duplicates.dedupe_key`) stand in which row. It holds neither
numbers nor cards. A record is 12 bytes; they are sorted, and found by bisection.

A million rows with three marks each take 36 MB. Of a digest it keeps eight bytes: among a million times a million
pairs, one that only looks the same comes up once in 18 million times.
"""

import sys
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

_PRINT = 8

_ROW = 4

_RECORD = _PRINT + _ROW

_UNDECIDED = 1 << 31

_PARTS = 256


@dataclass(frozen=True, slots=True)
class Print:
    """A mark: a digest of eight bytes or more, and whether it decides for its row."""

    digest: bytes
    decides: bool


def number_of(row: int, *, decides: bool) -> int:
    """A row below 2^31 and what its mark does, as one number. Of a digest's rows the ones that it decides for sort
    first."""
    return row if decides else row | _UNDECIDED


def row_in(number: int) -> tuple[int, bool]:
    """(row, decides) of such a number."""
    return number & (_UNDECIDED - 1), number < _UNDECIDED


class DedupeIndex:
    """Gathers a plan's marks in any order."""

    def __init__(self) -> None:
        self._parts = [bytearray() for _ in range(_PARTS)]

    def add(self, mark: Print, row: int) -> None:
        """Note one mark of one row."""
        record = mark.digest[:_PRINT] + number_of(row, decides=mark.decides).to_bytes(_ROW)
        self._parts[record[0]] += record

    def book(self) -> bytes:
        """All of them in order: a part at a time, so that no million objects are sorted at once."""
        return b"".join(b"".join(sorted(_records(part))) for part in self._parts)


def rows_of(book: bytes, marks: Sequence[Print]) -> Iterator[int]:
    """The rows that are one message with the one that has these marks; a row may come twice."""
    for mark in marks:
        wanted = mark.digest[:_PRINT]
        place = _first(book, wanted)
        while place < len(book) and book[place : place + _PRINT] == wanted:
            row, decides = row_in(int.from_bytes(book[place + _PRINT : place + _RECORD]))
            if not (mark.decides or decides):
                break  # those that decide come first
            yield row
            place += _RECORD


def same_rows(mine: bytes, theirs: bytes) -> "Pairs":
    """Which rows of two books are one message."""
    found = array("Q")
    for part in range(_PARTS):
        here, there = _rows_by_digest(_part(mine, part)), _rows_by_digest(_part(theirs, part))
        for digest in here.keys() & there.keys():
            others = [row for row, _ in there[digest]]
            decided = [row for row, decides in there[digest] if decides]
            for row, decides in here[digest]:
                found.extend(row << 32 | other for other in (others if decides else decided))
    return Pairs(sorted(found))


class Pairs:
    """(row of one book, row of another), found by the first."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = array("Q", numbers)

    def of(self, row: int) -> Iterator[int]:
        """The other rows that are one with this row."""
        place = bisect_left(self._numbers, row << 32)
        while place < len(self._numbers) and self._numbers[place] >> 32 == row:
            yield self._numbers[place] & (1 << 32) - 1
            place += 1


def without(book: bytes, rows: Collection[int]) -> bytes:
    """The book without some rows: nothing leads from a person to them any more."""
    gone = {number_of(row, decides=decides) for row in rows for decides in (True, False)}
    words = array("I", book)  # of four bytes: two of the digest, one of the row
    if sys.byteorder == "little":
        words.byteswap()
    remaining, start = bytearray(), 0
    for place, number in enumerate(words[2::3]):
        if number in gone:
            remaining += book[start : place * _RECORD]
            start = (place + 1) * _RECORD
    return bytes(remaining + book[start:])


def _first(book: bytes, wanted: bytes) -> int:
    """Where the records begin that are not below the wanted digest."""
    places = range(0, len(book), _RECORD)
    return bisect_left(places, wanted, key=lambda place: book[place : place + _PRINT]) * _RECORD


def _part(book: bytes, number: int) -> bytes:
    """The records whose digests begin with that byte."""
    start = _first(book, bytes([number]))
    end = _first(book, bytes([number + 1])) if number + 1 < _PARTS else len(book)
    return book[start:end]


def _rows_by_digest(part: bytes) -> dict[bytes, list[tuple[int, bool]]]:
    found: dict[bytes, list[tuple[int, bool]]] = {}
    for record in _records(part):
        found.setdefault(record[:_PRINT], []).append(row_in(int.from_bytes(record[_PRINT:])))
    return found


def _records(part: bytes | bytearray) -> list[bytes]:
    return [bytes(part[start : start + _RECORD]) for start in range(0, len(part), _RECORD)]
