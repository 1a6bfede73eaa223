"""The stack's clock in this process: the machine's clock plus an offset that the stack sets."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Protocol

from shared.base.instants import Clock


class MovableClock(Clock, Protocol):
    """A clock that can be set. It runs on from there."""

    def set(self, now: datetime) -> None:
        """Set the clock to `now`, which has a time zone."""
        ...


class OffsetClock:
    """The machine's clock plus an offset. A jump forwards wakes every task that sleeps until an instant before the new
    time.
    """

    def __init__(self) -> None:
        self._offset = timedelta()
        self._jumped = asyncio.Event()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    async def sleep(self, seconds: float) -> None:
        deadline = self.now() + timedelta(seconds=seconds)
        while (remaining := (deadline - self.now()).total_seconds()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(remaining):
                    await self._jumped.wait()

    def set(self, now: datetime) -> None:
        self._offset = now - datetime.now(UTC)
        woken, self._jumped = self._jumped, asyncio.Event()
        woken.set()
