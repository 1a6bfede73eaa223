"""Helpers for concurrent work in one event loop:

- `gather_bounded` and `one_by_one` run many pieces of work; a failure of one does not stop the others.
- `BatchLoader` joins single reads into batches.
- `Writes` runs a limited number of writes at once.
- `SingleFlight` gives one lock per key: callers with the same key wait, and then find what the first one has done.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Hashable, Iterable, Mapping
from typing import Any
from weakref import WeakValueDictionary


async def gather_bounded(works: Iterable[Awaitable[object]]) -> None:
    """Run all `works` at once, and return when all have ended: no work goes on in the background. Raises the first
    error.
    """
    _raise_first(await asyncio.gather(*map(_error_of, works)))


async def one_by_one(works: Iterable[Awaitable[object]]) -> None:
    """Run each work after the previous one has ended, even if that one failed. Raises the first error.

    A generator makes each work only when its turn comes.
    """
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
    """Joins single reads into batches, with one read at a time: keys asked for during a read go into the next one.

    So each caller gets data that was read after its question, and a thousand callers cost a few reads. Nothing is
    remembered (`TtlCache` does that). `read` may also be a write that returns its results. Use it in one event loop
    only.
    """

    def __init__(self, read: Callable[[Collection[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._read = read
        self._asked: set[K] = set()
        self._next: asyncio.Task[Mapping[K, V]] | None = None
        self._last: asyncio.Task[Mapping[K, V]] | None = None

    async def get(self, key: K) -> V | None:
        """What the read returns for `key`; None if it returns nothing for it. Raises what the read raises."""
        self._asked.add(key)
        if self._next is None:
            self._next = self._last = asyncio.ensure_future(self._read_asked(self._last))
        return (await asyncio.shield(self._next)).get(key)

    async def _read_asked(self, before: "asyncio.Task[Mapping[K, V]] | None") -> Mapping[K, V]:
        try:
            if before is None or before.done():
                await asyncio.sleep(0)
            else:
                await asyncio.wait([before])  # raises nothing: the callers of that read get its error
        finally:
            keys, self._asked, self._next = self._asked, set(), None
        return await self._read(keys)


class Writes:
    """Starts writes as they come. It waits only while `at_once` writes are running."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._under_way: set[asyncio.Task[None]] = set()

    async def start(self, write: Coroutine[Any, Any, None]) -> None:
        """Start `write`. Raises the error of an earlier write; then call `abandon`."""
        while len(self._under_way) >= self._at_once:
            await self._some_end()
        self._under_way.add(asyncio.create_task(write))

    async def finish(self) -> None:
        """Wait until all writes are done. Raises the error of one of them; then call `abandon`."""
        while self._under_way:
            await self._some_end()

    async def abandon(self) -> None:
        """Cancel the running writes and wait for their end. Does nothing if all are done."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        self._under_way.clear()

    async def _some_end(self) -> None:
        done, self._under_way = await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


class SingleFlight:
    """One lock per key. A lock that no task holds or awaits is removed, so old keys take no memory."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    def lock(self, key: Hashable) -> asyncio.Lock:
        """Use as `async with flights.lock(key):`."""
        return self._locks.setdefault(key, asyncio.Lock())
