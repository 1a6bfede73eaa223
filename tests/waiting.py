"""Waiting for another process: a test looks until a state is there, and all tests share one patience."""

import time
from collections.abc import Callable
from functools import cache

import httpx2

PATIENCE = 300.0
"""Seconds until a test gives up waiting for a state. No test waits so long if all is well, and no test asserts a
duration, so one limit is enough for everything."""


def until[T](look: Callable[[], T], there: Callable[[T], bool], every: float = 0.2) -> T:
    """Looks every `every` seconds until the result of `look` is `there`. A failure shows the last result."""
    deadline = time.monotonic() + PATIENCE
    while not there(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(every)
    return found


@cache
def http() -> httpx2.Client:
    """The client for servers on this machine, shared by all tests of a process.

    It reads no certificates: reading them would cost 20 ms of processor time, more than most requests. It keeps no
    connections, because a stack may stop between two requests.
    """
    unkept = httpx2.Limits(max_keepalive_connections=0)
    return httpx2.Client(verify=False, trust_env=False, timeout=PATIENCE, limits=unkept)
