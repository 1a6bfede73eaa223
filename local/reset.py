"""POST /_local/reset: the running stack as it was when it had started, but for the clock, which only goes forwards."""

import json
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from local.runtime import FunctionPool
from local.schedules import Scheduler

SNAPSHOT_PATH = "/_stack/snapshot"
RESTORE_PATH = "/_stack/restore"
ACCESS_PATH = "/_stack/access"
SIMULATORS_RESET = "/_control/reset"
PATIENCE = 120.0
"""Seconds: longer than a sender waits for a departure."""
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """`scheduler` and `simulators_url` are None where there are none."""

    aws_url: str
    simulators_url: str | None
    pools: Mapping[str, FunctionPool]
    scheduler: Scheduler | None

    def remember(self) -> None:
        """This is the state to come back to."""
        post(f"{self.aws_url}{SNAPSHOT_PATH}")

    def now(self) -> None:
        """Returns when all is as remembered, and every function starts anew at its next event.

        The world is emptied first, so that whoever is at work finds nothing more to do, and once more when they are
        through, so that nothing of theirs is left.
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
        """Whoever is at work may ask for what has just gone, and be refused it."""
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
    """Ask one of the stack's own processes; no proxy stands between here and here."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, data=json.dumps(body).encode(), method="POST"), timeout=30):  # noqa: S310 - http, ours
        pass
