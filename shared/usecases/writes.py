"""Writes that need not wait for each other: some under way at once, never more."""

import asyncio
from collections.abc import Coroutine
from typing import Any


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
