"""Two caches for what a worker remembers between batches: `LruCache` holds a limited number of entries, `TtlCache`
holds facts for a limited time. A worker may live for hours and meet any number of organisations, accounts and lists.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterator, Mapping, MutableMapping
from datetime import datetime, timedelta
from typing import override

MANY = 1_000
"""Entries. A worker meets fewer than this while any of them still matters; they take some hundred kilobytes."""


class LruCache[K: Hashable, V](MutableMapping[K, V]):
    """Holds at most `most` entries. When it is full, it forgets the entry that was read or written longest ago."""

    def __init__(self, most: int = MANY) -> None:
        self._most = most
        self._kept: dict[K, V] = {}

    @override
    def __getitem__(self, key: K) -> V:
        value = self._kept.pop(key)
        self._kept[key] = value
        return value

    @override
    def __setitem__(self, key: K, value: V) -> None:
        self._kept.pop(key, None)
        self._kept[key] = value
        if len(self._kept) > self._most:
            del self._kept[next(iter(self._kept))]

    @override
    def __delitem__(self, key: K) -> None:
        del self._kept[key]

    @override
    def __contains__(self, key: object) -> bool:
        return key in self._kept

    @override
    def __iter__(self) -> Iterator[K]:
        return iter(self._kept)

    @override
    def __len__(self) -> int:
        return len(self._kept)


class TtlCache[K: Hashable, V]:
    """Reads facts in batches and remembers them for `age`.

    Callers that ask at the same time share one read, so a batch of ten messages costs one request and not ten. The age
    of a fact counts from the instant before its read. Use it in one event loop only.
    """

    def __init__(self, read: Callable[[Collection[K]], Awaitable[Mapping[K, V]]], age: timedelta) -> None:
        self._read = read
        self._age = age
        self._known: dict[K, tuple[datetime, V | None]] = {}
        self._asked: set[K] = set()
        self._round: asyncio.Task[Mapping[K, V | None]] | None = None

    async def get(self, key: K, now: datetime) -> V | None:
        """The fact, at most `age` old at `now`; None if the read did not return one. Raises what the read raises."""
        if key in self._known and now - self._known[key][0] <= self._age:
            return self._known[key][1]
        self._asked.add(key)
        if self._round is None:
            self._round = asyncio.ensure_future(self._read_asked(now))
        return (await asyncio.shield(self._round))[key]

    def forget(self, key: K) -> None:
        """Drop the fact: the next `get` reads it again."""
        self._known.pop(key, None)

    async def _read_asked(self, now: datetime) -> Mapping[K, V | None]:
        """One read for all keys asked for so far. All callers continue together, so their next questions share a read
        again.
        """
        try:
            await asyncio.sleep(0)
        finally:
            keys, self._asked, self._round = self._asked, set(), None
        found = await self._read(keys)
        facts = {one: found.get(one) for one in keys}
        self._known = {old: known for old, known in self._known.items() if now - known[0] <= self._age}
        self._known |= {one: (now, fact) for one, fact in facts.items()}
        return facts
