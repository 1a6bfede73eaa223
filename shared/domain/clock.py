"""Time is passed in: nothing in `shared` asks the machine what time it is."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """What a use case knows of time."""

    def now(self) -> datetime:
        """The instant, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Give way for that long; at once where `seconds` is not positive."""
        ...
