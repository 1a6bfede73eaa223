"""What a queue's poller received and did not delete.

Between SQS hiding a message and the poller reading SQS's answer, the message is neither on the queue nor at a function.
On a busy machine that takes long. SQS's count of hidden messages, compared with what the poller knows, tells that a
message is on its way.
"""

import threading
from collections.abc import Iterable


class InFlight:
    """Message IDs by what became of them. Any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._working: set[str] = set()
        self._kept: set[str] = set()

    def received(self, ids: Iterable[str]) -> None:
        """The poller has them now and will invoke the function with them."""
        with self._lock:
            self._working.update(ids)
            self._kept -= self._working

    def finished(self, ids: Iterable[str], kept: Iterable[str]) -> None:
        """The function answered. `kept`: those of `ids` that stay hidden until their visibility time-out."""
        with self._lock:
            self._working.difference_update(ids)
            self._kept.update(kept)

    @property
    def is_working(self) -> bool:
        """Whether the poller holds a message that it has not deleted or kept yet."""
        with self._lock:
            return bool(self._working)

    def has_on_the_way(self, hidden: int) -> bool:
        """Whether, of so many messages that SQS hides, one is neither deleted nor kept by the poller."""
        with self._lock:
            if not hidden:
                self._kept.clear()  # they are visible again, or dead letters
            return bool(self._working) or hidden > len(self._kept)
