"""Tasks that outlive a request. They are kept so that Python does not collect them and a stop can cancel them."""

import asyncio
from collections.abc import Coroutine


class Background:
    """A set of running tasks. The event loop's exception handler reports a failure, which would be a bug here."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def busy(self) -> int:
        """How many tasks are running."""
        return len(self._tasks)

    async def stop(self) -> None:
        """Cancel all tasks and wait until they have ended."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
