"""Work that outlives a request, held so that it is neither collected nor forgotten at the end."""

import asyncio
from collections.abc import Coroutine


class Background:
    """A set of running tasks. A failure in one is raised by the loop's exception handler: it would be a bug here."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def busy(self) -> int:
        """How many are running."""
        return len(self._tasks)

    async def stop(self) -> None:
        """Cancel all, and wait until they have gone."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
