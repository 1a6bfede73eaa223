"""A set of digests that costs little more than the digests: a million of Python's own bytes objects take 130 MB."""

_WIDTH = 16
_EMPTY = bytes(_WIDTH)
_FIRST_SLOTS = 1 << 10


class DigestSet:
    """Digests of sixteen bytes, spread evenly as a hash's are. Open addressing in a block two thirds full at most."""

    def __init__(self) -> None:
        self._table = bytearray(_FIRST_SLOTS * _WIDTH)
        self._mask = _FIRST_SLOTS - 1
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, digest: bytes) -> bool:
        """Whether it was not there yet. Raises ValueError for what is no digest of sixteen bytes, zeros among it."""
        if len(digest) != _WIDTH or digest == _EMPTY:
            raise ValueError("not a digest of sixteen bytes")
        place = self._place(digest)
        if self._table[place : place + _WIDTH] == digest:
            return False
        self._table[place : place + _WIDTH] = digest
        self._count += 1
        if 3 * self._count > 2 * (self._mask + 1):
            self._grow()
        return True

    def _place(self, digest: bytes) -> int:
        """Where it is, or where it would be."""
        table, mask = self._table, self._mask
        slot = int.from_bytes(digest[:8]) & mask
        while True:
            place = slot * _WIDTH
            found = table[place : place + _WIDTH]
            if found in (digest, _EMPTY):
                return place
            slot = (slot + 1) & mask

    def _grow(self) -> None:
        old = self._table
        self._mask = 2 * self._mask + 1
        self._table = bytearray(2 * len(old))
        for start in range(0, len(old), _WIDTH):
            digest = bytes(old[start : start + _WIDTH])
            if digest != _EMPTY:
                place = self._place(digest)
                self._table[place : place + _WIDTH] = digest
