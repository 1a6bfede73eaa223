"""Which messages are the same message (api.md, Duplicates and messages already sent).

One phone may get several messages, for example for brothers and sisters. So two rows with the same phone are compared
by what distinguishes cards. The same card code means the same message. If either row has no code, the same enrolment
does. If either row has neither, the same text and picture do. If nothing can be compared, the messages are different.

A row has one mark for each of the three values that it has. A mark *decides* for its row if the row has no better one.
Two rows are the same message if they share a mark that decides for at least one of them.
"""

import hashlib
import json
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from struct import Struct

from shared.duplicates.dedupe_index import DedupeIndex, Mark, number_of, only, row_in
from shared.messages.payload import Payload

_KEPT = 8
"""Bytes of a digest that are stored, as in the dedupe index."""

_CODE, _ENROLLMENT, _CONTENT = range(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class DedupeKey:
    """The key by which a message is recognised: keyed digests of 16 bytes, which lead to no number and no card."""

    code: bytes | None
    enrollment: bytes | None
    content: bytes

    @property
    def marks(self) -> tuple[Mark, ...]:
        """One mark for each value that the message has, the best one first."""
        return tuple(Mark(digest=digest, decides=decides) for _, digest, decides in _levels(self))

    @property
    def text(self) -> str:
        """The key as text for a table: 16 hex digits per mark, with a `!` after the one that decides."""
        return " ".join(mark.digest[:_KEPT].hex() + "!" * mark.decides for mark in self.marks)


def dedupe_key(person: str, card_code: str | None, enrollment_id: str | None, payload: Payload) -> DedupeKey:
    """The key of a message to `person`, the keyed hash of a number."""
    return DedupeKey(
        code=_digest(person, "code", card_code) if card_code else None,
        enrollment=_digest(person, "enrollment", enrollment_id) if enrollment_id else None,
        content=_digest(person, "content", _content(payload)),
    )


def marks_in(text: str) -> tuple[Mark, ...]:
    """The marks in a key's text."""
    return tuple(Mark(digest=bytes.fromhex(one.rstrip("!")), decides=one.endswith("!")) for one in text.split())


class AcceptedRows:
    """The accepted rows of a file, for the comparison with later rows: up to three digests per row.

    For each mark, only its first row is compared. That is enough: if a mark decides for a row, every later row with
    this mark is a duplicate, so only the first row of a mark can have one that decides.
    """

    def __init__(self) -> None:
        self._first = (DigestMap(), DigestMap(), DigestMap())
        self._later = DedupeIndex()

    def take(self, key: DedupeKey, row: int) -> int | None:
        """Accept the row (None), or return the accepted row that it duplicates: the first one that matches.

        If the accepted row has no code, it takes over the duplicate's code.
        """
        levels = _levels(key)
        match = min(self._matches(levels), default=None)
        if match is None:
            for level, digest, decides in levels:
                number = number_of(row, decides=decides)
                if self._first[level].put_new(digest, number) is not None:
                    self._later.add_number(digest, number)
            return None
        first, level = match
        if key.code is not None and level != _CODE:
            self._take_over(first, level, key)
        return first

    def _matches(self, levels: Sequence["_Level"]) -> Iterator[tuple[int, int]]:
        """The (row, level) pairs that match one of the marks."""
        for level, digest, decides in levels:
            found = self._first[level].get(digest)
            if found is not None:
                row, decides_there = row_in(found)
                if decides or decides_there:
                    yield row, level

    def _take_over(self, row: int, level: int, duplicate: DedupeKey) -> None:
        """Give the accepted row the duplicate's code. The row's previous mark then no longer decides."""
        digest = next(digest for one, digest, _ in _levels(duplicate) if one == level)
        self._first[level].put(digest, number_of(row, decides=False))
        code = Mark(digest=duplicate.code or b"", decides=True)
        known = self._first[_CODE].get(code.digest)
        if known is None or row_in(known)[0] > row:
            self._first[_CODE].put(code.digest, number_of(row, decides=True))
            if known is not None:
                self._later.add(code, row_in(known)[0])
        else:
            self._later.add(code, row)

    def book(self) -> bytes:
        """The dedupe index of all rows (`shared.duplicates.dedupe_index`). It empties this object, so that memory never
        holds both.
        """
        for table in self._first:
            for digest, number in table.drain():
                self._later.add_number(digest, number)
        return self._later.book()


class RowsAcceptedAgain:
    """The accepted rows of a retry. None of them duplicates another, because their first plan compared them. Their card
    codes are not stored, so their marks are those of the first plan's dedupe index.
    """

    def __init__(self, first: bytes) -> None:
        """`first`: the dedupe index of the first plan."""
        self._first = first
        self._rows = bytearray()
        """One byte for each row up to the last one: 1 if it was accepted."""

    def take(self, _: DedupeKey, row: int) -> int | None:
        """Accept the row."""
        self._rows.extend(bytes(max(0, row + 1 - len(self._rows))))
        self._rows[row] = 1
        return None

    def book(self) -> bytes:
        """The dedupe index of the accepted rows."""
        return only(self._first, lambda row: row < len(self._rows) and self._rows[row] == 1)


type _Level = tuple[int, bytes, bool]
"""A mark of a key: which of the three values it is of, its digest, and whether it decides."""


def _levels(key: DedupeKey) -> list[_Level]:
    """One for each value that the message has, the best one first. A tuple costs a third of a `Mark`."""
    found: list[_Level] = []
    if key.code is not None:
        found.append((_CODE, key.code, True))
    if key.enrollment is not None:
        found.append((_ENROLLMENT, key.enrollment, not found))
    found.append((_CONTENT, key.content, not found))
    return found


def _content(payload: Payload) -> str:
    """What the person receives: the text, the picture, and the target of a template's button."""
    button = payload.template.button.suffix if payload.template and payload.template.button else None
    return json.dumps([payload.text, payload.card_image, button])


def _digest(person: str, kind: str, value: str) -> bytes:
    return hashlib.sha256(f"{person}\n{kind}\n{value}".encode("utf-8", "surrogatepass")).digest()[:_WIDTH]


# Maps and counts of digests that need little more memory than the digests themselves. A million of Python's bytes
# objects take 93 MB in a set; three dicts of a million take 335 MB.


_WIDTH = 16

_HALVES = Struct(">QQ")
"""A digest as two numbers. Numbers in arrays are compared without an object for each slice of bytes."""

_FIRST_SLOTS = 1 << 10

_PARTS = 256


class DigestCount:
    """Counts the different digests that it was given. It stores every one, repeated ones too: 16 MB for a million."""

    def __init__(self) -> None:
        self._parts = [bytearray() for _ in range(_PARTS)]

    def add(self, digest: bytes) -> None:
        """Add a digest of sixteen bytes."""
        self._parts[digest[0]] += digest

    def different(self) -> int:
        """The number of different digests. It counts part by part, so that a million objects never exist at once."""
        return sum(len({bytes(part[at : at + _WIDTH]) for at in range(0, len(part), _WIDTH)}) for part in self._parts)


class DigestMap:
    """A map from digests of sixteen bytes to numbers below 2^32 - 1. It uses open addressing in three arrays, at most
    two thirds full; that works because digests are evenly distributed.
    """

    def __init__(self) -> None:
        self._clear(_FIRST_SLOTS)

    def _clear(self, slots: int) -> None:
        self._highs, self._lows = array("Q", [0]) * slots, array("Q", [0]) * slots
        self._numbers = array("I", [0]) * slots  # one more than the number; 0 is a free slot
        self._mask = slots - 1
        self._count = 0

    def get(self, digest: bytes) -> int | None:
        """The digest's number; None if it has none."""
        number = self._numbers[self._slot(*_HALVES.unpack(digest))]
        return number - 1 if number else None

    def put(self, digest: bytes, number: int) -> None:
        """Set the digest's number. Raises struct.error if `digest` has not sixteen bytes."""
        if self.put_new(digest, number) is not None:
            self._numbers[self._slot(*_HALVES.unpack(digest))] = number + 1

    def put_new(self, digest: bytes, number: int) -> int | None:
        """Set the digest's number if it has none (None), or return the number that it has."""
        high, low = _HALVES.unpack(digest)
        slot = self._slot(high, low)
        if known := self._numbers[slot]:
            return known - 1
        self._highs[slot], self._lows[slot], self._numbers[slot] = high, low, number + 1
        self._count += 1
        if 3 * self._count > 2 * (self._mask + 1):
            self._grow()
        return None

    def drain(self) -> Iterator[tuple[bytes, int]]:
        """All digests with their numbers, in no order. The map is empty afterwards."""
        slots = zip(self._highs, self._lows, self._numbers, strict=True)
        self._clear(_FIRST_SLOTS)
        for high, low, number in slots:
            if number:
                yield _HALVES.pack(high, low), number - 1

    def _slot(self, high: int, low: int) -> int:
        """The slot of the digest, or the free slot where it belongs."""
        highs, numbers, mask = self._highs, self._numbers, self._mask
        slot = high & mask
        while numbers[slot] and (highs[slot] != high or self._lows[slot] != low):
            slot = (slot + 1) & mask
        return slot

    def _grow(self) -> None:
        old, count = zip(self._highs, self._lows, self._numbers, strict=True), self._count
        self._clear(2 * (self._mask + 1))
        self._count = count
        for high, low, number in old:
            if number:
                slot = self._slot(high, low)
                self._highs[slot], self._lows[slot], self._numbers[slot] = high, low, number
