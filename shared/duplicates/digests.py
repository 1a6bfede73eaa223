"""Digests of sixteen bytes by the million, at little more than their own size: as Python's bytes objects a million of
them take 93 MB in a set, and three dicts of a million take 335 MB."""

from collections.abc import Iterator

_WIDTH = 16

_NUMBER = 4

_SLOT = _WIDTH + _NUMBER

_EMPTY = bytes(_WIDTH)

_FIRST_SLOTS = 1 << 10

_PARTS = 256


class DigestCount:
    """Counts how many different digests it was given. It keeps each one as often as it comes: 16 MB for a million."""

    def __init__(self) -> None:
        self._parts = [bytearray() for _ in range(_PARTS)]

    def add(self, digest: bytes) -> None:
        """Take a digest of sixteen bytes."""
        self._parts[digest[0]] += digest

    def different(self) -> int:
        """How many different ones there are. Looks at a part at a time, so that no million objects exist at once."""
        return sum(len({bytes(part[at : at + _WIDTH]) for at in range(0, len(part), _WIDTH)}) for part in self._parts)


class DigestMap:
    """Digest of sixteen bytes → a number below 2^32. Digests are spread evenly, as a hash's are: open addressing in a
    block two thirds full at most."""

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._table = bytearray(_FIRST_SLOTS * _SLOT)
        self._mask = _FIRST_SLOTS - 1
        self._count = 0

    def get(self, digest: bytes) -> int | None:
        """Its number; None where it has none."""
        place = self._place(digest)
        if self._table[place : place + _WIDTH] != digest:
            return None
        return int.from_bytes(self._table[place + _WIDTH : place + _SLOT])

    def put(self, digest: bytes, number: int) -> None:
        """Give it a number, instead of the one that it has. Raises ValueError for what is no digest of sixteen bytes,
        zeros among it."""
        if len(digest) != _WIDTH or digest == _EMPTY:
            raise ValueError("not a digest of sixteen bytes")
        place = self._place(digest)
        self._count += self._table[place : place + _WIDTH] != digest
        self._table[place : place + _SLOT] = digest + number.to_bytes(_NUMBER)
        if 3 * self._count > 2 * (self._mask + 1):
            self._grow()

    def drain(self) -> Iterator[tuple[bytes, int]]:
        """All of them, in no order; the map is empty from then on."""
        table = self._table
        self._clear()
        for start in range(0, len(table), _SLOT):
            digest = bytes(table[start : start + _WIDTH])
            if digest != _EMPTY:
                yield digest, int.from_bytes(table[start + _WIDTH : start + _SLOT])

    def _place(self, digest: bytes) -> int:
        """Where it is, or where it would be."""
        table, mask = self._table, self._mask
        slot = int.from_bytes(digest[:8]) & mask
        while True:
            place = slot * _SLOT
            found = table[place : place + _WIDTH]
            if found in (digest, _EMPTY):
                return place
            slot = (slot + 1) & mask

    def _grow(self) -> None:
        old = self._table
        self._mask = 2 * self._mask + 1
        self._table = bytearray(2 * len(old))
        for start in range(0, len(old), _SLOT):
            digest = bytes(old[start : start + _WIDTH])
            if digest != _EMPTY:
                place = self._place(digest)
                self._table[place : place + _SLOT] = old[start : start + _SLOT]
