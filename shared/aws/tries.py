"""Tries again what AWS left undone of a batch. Its own clients repeat a whole call only."""

import time
from collections.abc import Iterator

_TRIES = 5
_PAUSE = 0.05
"""Seconds before the second try; each further one waits twice as long."""


def tries() -> Iterator[None]:
    """One after the other, with growing pauses between them; whoever has all done leaves the loop. Blocks."""
    for tried in range(_TRIES):
        if tried:
            time.sleep(_PAUSE * 2 ** (tried - 1))
        yield
