"""The stack's clock: the machine's, moved by an offset that the stack tells."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Protocol

from shared.domain.clock import Clock


class MovableClock(Clock, Protocol):
    """A clock that can be told what time it is; from there it runs on."""

    def set(self, now: datetime) -> None:
        """Go to `now` (aware)."""
        ...


class OffsetClock:
    """Real seconds, counted from another instant. Sleeping takes real time whatever the offset."""

    def __init__(self) -> None:
        self._offset = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))

    def set(self, now: datetime) -> None:
        self._offset = now - datetime.now(UTC)
