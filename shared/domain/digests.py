"""Sets and maps of digests that cost little more than the digests: a million of Python's bytes objects take 130 MB."""

from collections.abc import Iterator

_WIDTH = 16
_NUMBER = 4
_EMPTY = bytes(_WIDTH)
_FIRST_SLOTS = 1 << 10


class _Table:
    """Digests of sixteen bytes, spread evenly as a hash's are, each with a few bytes beside it. Open addressing in a
    block two thirds full at most."""

    def __init__(self, beside: int) -> None:
        self._slot = _WIDTH + beside
        self._clear()

    def _clear(self) -> None:
        self._table = bytearray(_FIRST_SLOTS * self._slot)
        self._mask = _FIRST_SLOTS - 1
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def find(self, digest: bytes) -> bytes | None:
        """What stands beside it; None where it is not there."""
        place = self._place(digest)
        if self._table[place : place + _WIDTH] != digest:
            return None
        return bytes(self._table[place + _WIDTH : place + self._slot])

    def keep(self, digest: bytes, beside: bytes) -> bool:
        """Put it there, over what stood beside it; says whether it is new. Raises ValueError for what is no digest of
        sixteen bytes, zeros among it."""
        if len(digest) != _WIDTH or digest == _EMPTY:
            raise ValueError("not a digest of sixteen bytes")
        place = self._place(digest)
        is_new = self._table[place : place + _WIDTH] != digest
        self._table[place : place + self._slot] = digest + beside
        self._count += is_new
        if 3 * self._count > 2 * (self._mask + 1):
            self._grow()
        return is_new

    def drain(self) -> Iterator[tuple[bytes, bytes]]:
        """All of them with what stands beside, in no order. The table itself is empty from then on."""
        table = self._table
        self._clear()
        for start in range(0, len(table), self._slot):
            digest = bytes(table[start : start + _WIDTH])
            if digest != _EMPTY:
                yield digest, bytes(table[start + _WIDTH : start + self._slot])

    def _place(self, digest: bytes) -> int:
        """Where it is, or where it would be."""
        table, mask, width = self._table, self._mask, self._slot
        slot = int.from_bytes(digest[:8]) & mask
        while True:
            place = slot * width
            found = table[place : place + _WIDTH]
            if found in (digest, _EMPTY):
                return place
            slot = (slot + 1) & mask

    def _grow(self) -> None:
        old = self._table
        self._mask = 2 * self._mask + 1
        self._table = bytearray(2 * len(old))
        for start in range(0, len(old), self._slot):
            digest = bytes(old[start : start + _WIDTH])
            if digest != _EMPTY:
                place = self._place(digest)
                self._table[place : place + self._slot] = old[start : start + self._slot]


class DigestSet:
    """Digests of sixteen bytes, each once."""

    def __init__(self) -> None:
        self._table = _Table(0)

    def __len__(self) -> int:
        return len(self._table)

    def add(self, digest: bytes) -> bool:
        """Whether it was not there yet. Raises ValueError for what is no digest of sixteen bytes, zeros among it."""
        return self._table.keep(digest, b"")


class DigestMap:
    """Digest of sixteen bytes → a number below 2^32."""

    def __init__(self) -> None:
        self._table = _Table(_NUMBER)

    def __len__(self) -> int:
        return len(self._table)

    def get(self, digest: bytes) -> int | None:
        """Its number; None where it has none."""
        found = self._table.find(digest)
        return None if found is None else int.from_bytes(found)

    def put(self, digest: bytes, number: int) -> None:
        """Give it a number, instead of the one that it has."""
        self._table.keep(digest, number.to_bytes(_NUMBER))

    def drain(self) -> Iterator[tuple[bytes, int]]:
        """All of them, in no order; the map is empty from then on."""
        for digest, number in self._table.drain():
            yield digest, int.from_bytes(number)
