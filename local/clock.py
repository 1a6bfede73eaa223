"""The local stack's clock. It starts at a given instant, runs on by itself, and can be moved forwards."""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from shared.base.instants import format_instant


class BackwardsError(ValueError):
    """The clock was told to go back. It refuses, because deadlines that have passed cannot come again."""


class StackClock:
    """The `shared.base.instants.Clock` of every thread and event loop of the stack.

    A jump wakes every task that sleeps until an instant before the new time.
    """

    def __init__(self, start: datetime, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._origin = start.astimezone(UTC) - timedelta(seconds=monotonic())
        self._sleepers: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._listeners: list[Callable[[datetime], None]] = []

    def now(self) -> datetime:
        return self._origin + timedelta(seconds=self._monotonic())

    def on_jump(self, listener: Callable[[datetime], None]) -> None:
        """Register `listener`. After each jump it is called with the new instant, in the thread that jumps."""
        self._listeners.append(listener)

    def advance_to(self, instant: datetime) -> None:
        with self._lock:
            ahead = instant - self.now()
            if ahead < timedelta(0):
                raise BackwardsError(f"the clock is at {format_instant(self.now())} and only goes forwards")
            self._origin += ahead
            sleepers = list(self._sleepers)
        for loop, wake in sleepers:
            with suppress(RuntimeError):  # the event loop has been closed, so its task has ended
                loop.call_soon_threadsafe(wake.set)
        for listener in self._listeners:
            listener(instant)

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            return
        deadline = self.now() + timedelta(seconds=seconds)
        sleeper = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._sleepers.add(sleeper)
        try:
            while (remaining := (deadline - self.now()).total_seconds()) > 0:
                sleeper[1].clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(remaining):
                        await sleeper[1].wait()
        finally:
            with self._lock:
                self._sleepers.discard(sleeper)
