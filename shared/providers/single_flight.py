"""One at a time per key: the others wait and then find what the first one brought."""

import asyncio
from collections.abc import Hashable
from weakref import WeakValueDictionary


class SingleFlight:
    """Locks that live as long as somebody holds or awaits them, so that old keys take no room."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    def lock(self, key: Hashable) -> asyncio.Lock:
        """Use as `async with flights.lock(key):`."""
        return self._locks.setdefault(key, asyncio.Lock())
