"""The dedupe index of a plan: which marks (`shared.duplicates.dedupe_key`) belong to which row. It contains no numbers
and no cards.

A record has 12 bytes: eight of the mark's digest, four for the row. Records are sorted and found by bisection. A
million rows with three marks each take 36 MB. With eight bytes, comparing a million rows with a million others gives a
wrong match once in 18 million times.
"""

import sys
from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

_PRINT = 8

_ROW = 4

_RECORD = _PRINT + _ROW

_UNDECIDED = 1 << 31

_PARTS = 256


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark: a digest of at least eight bytes, and whether it decides for its row."""

    digest: bytes
    decides: bool


def number_of(row: int, *, decides: bool) -> int:
    """A row (below 2^31) and `decides` as one number. Among the rows of a digest, those for which it decides sort
    first.
    """
    return row if decides else row | _UNDECIDED


def row_in(number: int) -> tuple[int, bool]:
    """The (row, decides) of such a number."""
    return number & (_UNDECIDED - 1), number < _UNDECIDED


class DedupeIndex:
    """Collects a plan's marks in any order."""

    def __init__(self) -> None:
        self._parts = [bytearray() for _ in range(_PARTS)]

    def add(self, mark: Mark, row: int) -> None:
        """Add one mark of one row."""
        self.add_number(mark.digest, number_of(row, decides=mark.decides))

    def add_number(self, digest: bytes, number: int) -> None:
        """The same, for a mark's digest and its row's `number_of`."""
        self._parts[digest[0]] += digest[:_PRINT] + number.to_bytes(_ROW)

    def book(self) -> bytes:
        """All records, sorted. Parts are sorted one by one, so that a million objects are never in memory at once."""
        return b"".join(b"".join(sorted(_records(part))) for part in self._parts)


def rows_of(book: bytes, marks: Sequence[Mark]) -> Iterator[int]:
    """The rows that are the same message as the one with these marks. A row may come twice."""
    for mark in marks:
        wanted = mark.digest[:_PRINT]
        place = _first(book, wanted)
        while place < len(book) and book[place : place + _PRINT] == wanted:
            row, decides = row_in(int.from_bytes(book[place + _PRINT : place + _RECORD]))
            if not (mark.decides or decides):
                break  # no later record decides
            yield row
            place += _RECORD


def same_rows(mine: bytes, theirs: bytes) -> "Pairs":
    """The rows of two indexes that are the same message."""
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
    """Pairs (row of one index, row of another), found by the first."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = array("Q", numbers)

    def of(self, row: int) -> Iterator[int]:
        """The other index's rows that are the same message as this row."""
        place = bisect_left(self._numbers, row << 32)
        while place < len(self._numbers) and self._numbers[place] >> 32 == row:
            yield self._numbers[place] & (1 << 32) - 1
            place += 1


def without(book: bytes, rows: Collection[int]) -> bytes:
    """The index without these rows: a person's data no longer leads to them."""
    return only(book, lambda row: row not in rows)


def only(book: bytes, keeps: Callable[[int], bool]) -> bytes:
    """The index of the rows that `keeps` accepts."""
    words = array("I", book)  # four bytes each: two for the digest, one for the row
    if sys.byteorder == "little":
        words.byteswap()
    remaining, start = bytearray(), 0
    for place, number in enumerate(words[2::3]):
        if not keeps(number & (_UNDECIDED - 1)):
            remaining += book[start : place * _RECORD]
            start = (place + 1) * _RECORD
    return bytes(remaining + book[start:])


def _first(book: bytes, wanted: bytes) -> int:
    """The place of the first record that is not below the wanted digest."""
    places = range(0, len(book), _RECORD)
    return bisect_left(places, wanted, key=lambda place: book[place : place + _PRINT]) * _RECORD


def _part(book: bytes, number: int) -> bytes:
    """The records whose digest begins with this byte."""
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
