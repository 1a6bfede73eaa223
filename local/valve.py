"""Limits how many messages the stack takes off a queue.

A test that acts in the middle of a campaign sets a limit first; otherwise a slow machine might be through before it
acts. A jump of the clock shuts all valves, so that no function works while the time changes.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Valve:
    """The valve of one queue. It is open until `allow` or `shut` limits it. Any thread may call it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._remaining: int | None = None
        self._shut = 0

    def allow(self, messages: int | None) -> None:
        """Let `messages` more messages through, counted from now; None means no limit.

        A long poll that is under way may still bring messages. They are counted too.
        """
        with self._changed:
            self._remaining = messages
            self._changed.notify_all()

    @contextmanager
    def shut(self) -> Iterator[None]:
        """Within this context the poller asks for no messages."""
        with self._changed:
            self._shut += 1
        try:
            yield
        finally:
            with self._changed:
                self._shut -= 1
                self._changed.notify_all()

    def wait(self, at_most: int) -> int:
        """Wait until the valve is open. Returns how many messages the poller may receive, at most `at_most`."""
        with self._changed:
            self._changed.wait_for(lambda: not self._shut and (self._remaining is None or self._remaining > 0))
            return at_most if self._remaining is None else min(at_most, self._remaining)

    def took(self, messages: int) -> None:
        """Count messages as received. A negative number counts messages that go back to the queue."""
        with self._changed:
            if self._remaining is not None:
                self._remaining -= messages
                self._changed.notify_all()
