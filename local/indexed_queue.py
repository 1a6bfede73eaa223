"""The messages of one standard queue, found by state and by receipt handle without a scan.

All instants are epoch milliseconds. The class is not safe for threads: the server's lock guards it.
"""

import heapq
from collections.abc import Callable, Iterator
from itertools import count
from typing import Protocol


class QueuedMessage(Protocol):
    """The attributes of moto's Message that the index reads."""

    id: str
    receipt_handle: str | None
    visible_at: float
    delayed_until: float
    approximate_receive_count: int


class IndexedMessages[M: QueuedMessage]:
    """The messages of a queue.

    `_ready` may be received now. `_waiting` are delayed or in flight, and become ready by themselves.
    """

    def __init__(self, now_ms: Callable[[], float]) -> None:
        self._now_ms = now_ms
        self._ready: dict[str, M] = {}
        self._waiting: dict[str, M] = {}
        self._in_flight: set[str] = set()
        self._due: list[tuple[float, int, M]] = []
        self._order = count()
        self._by_handle: dict[str, M] = {}

    def __iter__(self) -> Iterator[M]:
        yield from list(self._ready.values())
        yield from list(self._waiting.values())

    def __len__(self) -> int:
        return len(self._ready) + len(self._waiting)

    def append(self, message: M) -> None:
        self.place(message)

    def place(self, message: M) -> None:
        """Put a message in its place after it was added or received, or after its visibility changed."""
        self.remove(message)
        if message.receipt_handle:
            self._by_handle[message.receipt_handle] = message
        back_at = max(message.visible_at, message.delayed_until)
        if back_at <= self._now_ms():
            self._ready[message.id] = message
            return
        self._waiting[message.id] = message
        if message.approximate_receive_count:
            self._in_flight.add(message.id)
        heapq.heappush(self._due, (back_at, next(self._order), message))

    def remove(self, message: M) -> None:
        self._ready.pop(message.id, None)
        self._waiting.pop(message.id, None)
        self._in_flight.discard(message.id)

    def forget_handles(self, handles: list[str | None]) -> None:
        for handle in handles:
            if handle:
                self._by_handle.pop(handle, None)

    def by_handle(self, handle: str) -> M | None:
        return self._by_handle.get(handle)

    def is_in_flight(self, message: M) -> bool:
        self._settle()
        return message.id in self._in_flight

    def ready(self) -> dict[str, M]:
        """The messages that may be received now, oldest first."""
        self._settle()
        return self._ready

    def counts(self) -> tuple[int, int, int]:
        """The numbers of messages that are ready, in flight and delayed."""
        self._settle()
        return len(self._ready), len(self._in_flight), len(self._waiting) - len(self._in_flight)

    def next_due_ms(self) -> float | None:
        return self._due[0][0] if self._due else None

    def _settle(self) -> None:
        now = self._now_ms()
        while self._due and self._due[0][0] <= now:
            back_at, _, message = heapq.heappop(self._due)
            is_current = max(message.visible_at, message.delayed_until) == back_at
            if is_current and self._waiting.pop(message.id, None) is not None:
                self._in_flight.discard(message.id)
                self._ready[message.id] = message
