"""What a queue's poller has received and not deleted.

After SQS has hidden a message and before the poller reads SQS's answer, the message is neither on the queue nor at a
function. On a busy machine that takes long. The comparison of SQS's count of hidden messages with the poller's own
shows whether a message is on its way.
"""

import threading
from collections.abc import Iterable


class InFlight:
    """The message IDs that the poller is working on or has kept. Any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._working: set[str] = set()
        self._kept: set[str] = set()

    def received(self, ids: Iterable[str]) -> None:
        """Note messages that the poller has received and will invoke the function with."""
        with self._lock:
            self._working.update(ids)
            self._kept -= self._working

    def finished(self, ids: Iterable[str], kept: Iterable[str]) -> None:
        """Note the end of an invocation. `kept` are those of `ids` that stay hidden until their visibility time-out."""
        with self._lock:
            self._working.difference_update(ids)
            self._kept.update(kept)

    @property
    def is_working(self) -> bool:
        """Whether the poller holds a message that it has not deleted or kept yet."""
        with self._lock:
            return bool(self._working)

    def has_on_the_way(self, hidden: int) -> bool:
        """Whether a message is between the queue and its end. `hidden` is SQS's count of hidden messages."""
        with self._lock:
            if not hidden:
                self._kept.clear()  # all are visible again, or dead letters
            return bool(self._working) or hidden > len(self._kept)
