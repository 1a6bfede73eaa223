"""Tries again what AWS left undone of a batch. Its own clients repeat a whole call only."""

from collections.abc import Iterator

from shared.aws.session import Aws

_PAUSE = 0.05
"""Seconds before the second try; each further one waits twice as long."""


def tries(aws: Aws, times: int = 5) -> Iterator[None]:
    """One after the other, with growing pauses between them; whoever has all done leaves the loop. Blocks."""
    for tried in range(times):
        if tried:
            aws.wait(_PAUSE * 2 ** (tried - 1))
        yield
