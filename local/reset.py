"""POST /_local/reset brings the running stack back to its start. Only the clock stays, because it never goes back."""

import json
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from local.runtime import FunctionPool
from local.schedules import Scheduler

SNAPSHOT_PATH = "/_stack/snapshot"
RESTORE_PATH = "/_stack/restore"
ACCESS_PATH = "/_stack/access"
QUEUES_PATH = "/_stack/queues"
SIMULATORS_RESET = "/_control/reset"
PATIENCE = 120.0
"""Seconds: longer than a sender waits for its send slot."""
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """`scheduler` is None if the stack polls nothing, `simulators_url` if it has no simulators."""

    aws_url: str
    simulators_url: str | None
    pools: Mapping[str, FunctionPool]
    scheduler: Scheduler | None

    def remember(self) -> None:
        """Keep the present state as the one that `now` comes back to."""
        post(f"{self.aws_url}{SNAPSHOT_PATH}")

    def now(self) -> None:
        """Bring the state back, and make every function start again at its next event. Returns when all is done.

        moto and the simulators are emptied twice: first so that a working function finds nothing more to do, and again
        after it has ended, so that nothing remains of what it wrote.
        """
        with ExitStack() as held:
            if self.scheduler is not None:
                held.enter_context(self.scheduler.held())
            with self._refusals_unnoted():
                self._empty()
                self._settle()
                self._empty()
            for pool in self.pools.values():
                pool.renew()

    @contextmanager
    def _refusals_unnoted(self) -> Iterator[None]:
        """A function that still works may ask for a deleted resource. Its refusals are not noted."""
        post(f"{self.aws_url}{ACCESS_PATH}", is_open=False)
        try:
            yield
        finally:
            post(f"{self.aws_url}{ACCESS_PATH}", is_open=True)

    def _empty(self) -> None:
        if self.simulators_url is not None:
            post(f"{self.simulators_url}{SIMULATORS_RESET}")
        post(f"{self.aws_url}{RESTORE_PATH}")

    def _settle(self) -> None:
        give_up = time.monotonic() + PATIENCE
        while any(pool.is_busy for pool in self.pools.values()) and time.monotonic() < give_up:
            time.sleep(_LOOK_SECONDS)


def post(url: str, **body: object) -> None:
    """Call one of the stack's own processes, without a proxy."""
    with _opener().open(urllib.request.Request(url, data=json.dumps(body).encode(), method="POST"), timeout=30):  # noqa: S310 - http, ours
        pass


def read(url: str) -> Any:
    """Return the JSON that one of the stack's own processes answers, without a proxy."""
    with _opener().open(url, timeout=30) as answer:
        return json.load(answer)


@cache
def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))
