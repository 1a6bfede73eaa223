"""Reads and writes for many who ask one after another in a short time."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping


class Gathered[K: Hashable, V]:
    """One read at a time: whoever asks while it is under way shares the next one.

    So each gets what stood there after they had asked, and a thousand who ask cost some reads and not a thousand.
    Nothing is remembered (`Fresh` remembers). A write that says what it has done may stand in a read's place: it is
    done when the answer comes. For one event loop.
    """

    def __init__(self, read: Callable[[Collection[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._read = read
        self._asked: set[K] = set()
        self._next: asyncio.Task[Mapping[K, V]] | None = None
        self._last: asyncio.Task[Mapping[K, V]] | None = None

    async def get(self, key: K) -> V | None:
        """What stands there; None where nothing does. Raises what the read raises."""
        self._asked.add(key)
        if self._next is None:
            self._next = self._last = asyncio.ensure_future(self._read_asked(self._last))
        return (await asyncio.shield(self._next)).get(key)

    async def _read_asked(self, before: "asyncio.Task[Mapping[K, V]] | None") -> Mapping[K, V]:
        try:
            if before is None or before.done():
                await asyncio.sleep(0)
            else:
                await asyncio.wait([before])  # its trouble is for those who shared it
        finally:
            keys, self._asked, self._next = self._asked, set(), None
        return await self._read(keys)
