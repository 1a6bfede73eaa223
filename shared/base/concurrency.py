"""Many pieces of work of which none may stop another: each is carried to its end, then the first trouble is raised.

Reads and writes for many who ask one after another in a short time.

Writes that need not wait for each other: some under way at once, never more.

One at a time per key: the others wait and then find what the first one brought.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Hashable, Iterable, Mapping
from typing import Any
from weakref import WeakValueDictionary


async def gather_bounded(works: Iterable[Awaitable[object]]) -> None:
    """All at once. Returns or raises when the last has ended: nothing is still under way behind whoever asked."""
    _raise_first(await asyncio.gather(*map(_error_of, works)))


async def one_by_one(works: Iterable[Awaitable[object]]) -> None:
    """Each once the one before has ended, well or not. Of a generator nothing is made that is not begun."""
    _raise_first([await _error_of(work) for work in works])


async def _error_of(work: Awaitable[object]) -> Exception | None:
    try:
        await work
    except Exception as error:
        return error
    return None


def _raise_first(errors: Iterable[Exception | None]) -> None:
    for error in errors:
        if error is not None:
            raise error


class BatchLoader[K: Hashable, V]:
    """One read at a time: whoever asks while it is under way shares the next one.

    So each gets what stood there after they had asked, and a thousand who ask cost some reads and not a thousand.
    Nothing is remembered (`TtlCache` remembers). A write that says what it has done may stand in a read's place: it is
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


class Writes:
    """Starts writes as they come; waits only while `at_once` of them are under way."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._under_way: set[asyncio.Task[None]] = set()

    async def start(self, write: Coroutine[Any, Any, None]) -> None:
        """Start it. Raises what an earlier one raised; then `abandon` is due."""
        while len(self._under_way) >= self._at_once:
            await self._some_end()
        self._under_way.add(asyncio.create_task(write))

    async def finish(self) -> None:
        """Until all are done. Raises what one of them raised; then `abandon` is due."""
        while self._under_way:
            await self._some_end()

    async def abandon(self) -> None:
        """Give up what is under way; nothing is where all are done."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        self._under_way.clear()

    async def _some_end(self) -> None:
        done, self._under_way = await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


class SingleFlight:
    """Locks that live as long as somebody holds or awaits them, so that old keys take no room."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    def lock(self, key: Hashable) -> asyncio.Lock:
        """Use as `async with flights.lock(key):`."""
        return self._locks.setdefault(key, asyncio.Lock())
