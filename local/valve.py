"""How many messages a queue's mapping may still take.

A test that acts in the middle of a campaign turns it down first: then there is a middle, however slow the machine is. A
jump of the clock shuts all of them, so that no time flies while a function is at work.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Valve:
    """Open until it is turned down or shut."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._remaining: int | None = None
        self._shut = 0

    def allow(self, messages: int | None) -> None:
        """So many more, counted from now; None: all. What a long poll under way brings is taken all the same, and
        counted."""
        with self._changed:
            self._remaining = messages
            self._changed.notify_all()

    @contextmanager
    def shut(self) -> Iterator[None]:
        """Nothing is asked for meanwhile."""
        with self._changed:
            self._shut += 1
        try:
            yield
        finally:
            with self._changed:
                self._shut -= 1
                self._changed.notify_all()

    def wait(self, at_most: int) -> int:
        """Returns, once it is open, how many may be taken, `at_most` or fewer."""
        with self._changed:
            self._changed.wait_for(lambda: not self._shut and (self._remaining is None or self._remaining > 0))
            return at_most if self._remaining is None else min(at_most, self._remaining)

    def took(self, messages: int) -> None:
        """So many were received. Those that come back to their queue are given back by a negative number."""
        with self._changed:
            if self._remaining is not None:
                self._remaining -= messages
                self._changed.notify_all()
