"""The local stack's time: starts where it is told, runs on by itself, and can be moved forwards."""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from shared.base.instants import format_instant


class BackwardsError(ValueError):
    """The clock was told to go back; deadlines that have passed cannot be made to come again."""


class StackClock:
    """`shared.base.instants.Clock` for every thread and event loop of the stack; a jump wakes whoever sleeps past
    it."""

    def __init__(self, start: datetime, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._origin = start.astimezone(UTC) - timedelta(seconds=monotonic())
        self._sleepers: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._listeners: list[Callable[[datetime], None]] = []

    def now(self) -> datetime:
        return self._origin + timedelta(seconds=self._monotonic())

    def on_jump(self, listener: Callable[[datetime], None]) -> None:
        """Have `listener` called with the new instant after each jump, in the thread that jumps."""
        self._listeners.append(listener)

    def advance_to(self, instant: datetime) -> None:
        with self._lock:
            ahead = instant - self.now()
            if ahead < timedelta(0):
                raise BackwardsError(f"the clock is at {format_instant(self.now())} and only goes forwards")
            self._origin += ahead
            sleepers = list(self._sleepers)
        for loop, wake in sleepers:
            with suppress(RuntimeError):  # the loop was closed meanwhile, and with it the sleeper
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
