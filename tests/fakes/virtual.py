"""An event loop on a FakeClock: if all tasks wait, it jumps to the time of the next one.

FakeClock alone moves on for all sleepers at once. On this loop each wakes at its own instant, in order, as on a real
clock but without waiting. So a test can tell apart what ten messages of a batch do within one second.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, override

from tests.fakes.office import Office
from tests.fakes.world import FakeClock


class OrderedClock(FakeClock):
    """Sleeps on the loop."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0))


class _Jumping(selectors.SelectSelector):
    """Moves the clock in place of waiting for a file. The fakes never wait for a file."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("every task waits, and none of them sleeps")
        self._clock.instant += timedelta(microseconds=-(-timeout * 1_000_000 // 1))
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` is the clock's time since the loop was made. Seconds since 1970 would be too coarse as a float: the
    loop's own comparisons would spin."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(_Jumping(clock))
        self._instants, self._began = clock, clock.instant

    @override
    def time(self) -> float:
        return (self._instants.instant - self._began).total_seconds()


class OrderedOffice(Office):
    """The office on such a loop."""

    def __init__(self) -> None:
        super().__init__(OrderedClock())

    @override
    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        with asyncio.Runner(loop_factory=lambda: VirtualLoop(self.clock)) as runner:
            return runner.run(work)
