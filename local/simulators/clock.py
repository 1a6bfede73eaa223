"""The stack's clock: the machine's, moved by an offset that the stack tells."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Protocol

from shared.base.instants import Clock


class MovableClock(Clock, Protocol):
    """A clock that can be told what time it is; from there it runs on."""

    def set(self, now: datetime) -> None:
        """Go to `now` (aware)."""
        ...


class OffsetClock:
    """Real seconds, counted from another instant. A jump forwards wakes whoever sleeps past it."""

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
