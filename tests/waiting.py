"""What a test does while it waits for another process: it looks until a state is there, with one patience for all."""

import time
from collections.abc import Callable
from functools import cache

import httpx2

PATIENCE = 300.0
"""Seconds after which a state that a test waits for counts as never coming. No test waits so long if all is well. No
test asserts how long something took, so one bound is enough for everything."""


def until[T](look: Callable[[], T], there: Callable[[T], bool], every: float = 0.2) -> T:
    """Look every so many seconds until what `look` returns is `there`. A failure's message shows the last look."""
    deadline = time.monotonic() + PATIENCE
    while not there(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(every)
    return found


@cache
def http() -> httpx2.Client:
    """The client for servers on this machine, shared by all tests of a process.

    It reads no certificates: a client that does costs 20 ms of processor time, more than most requests. It keeps no
    connections, because a stack may stop between two requests.
    """
    unkept = httpx2.Limits(max_keepalive_connections=0)
    return httpx2.Client(verify=False, trust_env=False, timeout=PATIENCE, limits=unkept)
