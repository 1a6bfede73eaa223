"""A local stack in a process of its own, from outside."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import httpx2
import pytest

from local.deployment import client
from local.processes import PROJECT_ROOT
from local.stack import STACK_NAME
from local.tokens import ALL_SCOPES, TokenRequest, load_key, mint
from shared.base.instants import format_instant, from_rfc3339
from tests.waiting import PATIENCE, http

START = "2026-11-23T10:00:00Z"
"""A Monday morning within the sending hours of all nine countries."""
LONG = 900.0
"""Seconds. A jump of the clock stops at each due time, and waits there for the functions."""
UNTHROTTLED = 500
"""Messages that the simulated Orange takes in a second: ten times our rate. It measures by arrival, and on a busy
machine those of several seconds arrive at once. Each throttle would cost up to a minute."""
TRESPASSER = "trespasser"
"""The session name of a test that tries forbidden calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningStack:
    """`python -m local run`, from outside. `control_url`: the simulators' control. `log_path`: all of standard
    error."""

    base_url: str
    log_path: Path
    pid: int

    @property
    def directory(self) -> Path:
        return PROJECT_ROOT / ".local" / self.base_url.rpartition(":")[2]

    @property
    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads((self.directory / "stack.json").read_text())
        return state

    @property
    def aws_url(self) -> str:
        return str(self.state["aws_url"])

    @property
    def simulators_url(self) -> str:
        return str(self.state["simulators_url"])

    @property
    def control_url(self) -> str:
        return f"{self.simulators_url}/_control"

    def output(self, name: str) -> str:
        """An output of the deployed template, for example LogTableName or WhatsAppQueueUrl."""
        return str(self.state["outputs"][name])

    def aws(self, service: str) -> Any:
        """A boto3 client for the stack's moto."""
        return client(service, self.aws_url, read_timeout=60)

    def now(self) -> datetime:
        return from_rfc3339(http().get(f"{self.base_url}/_local/clock").raise_for_status().json()["now"])

    def move_to(self, instant: datetime) -> None:
        """Moves the stack's clock, forwards only."""
        body = {"now": format_instant(instant)}
        http().post(f"{self.base_url}/_local/clock", json=body, timeout=LONG).raise_for_status()

    def begin_anew(self) -> None:
        """Empty the stack and move its clock to the next Monday, at the hour of START."""
        refused = self.access("refused")
        assert refused == set(), f"refused by the roles: {refused}"
        http().post(f"{self.base_url}/_local/reset").raise_for_status()
        self.set_simulators(orange_rate_per_second=UNTHROTTLED)
        start, week = from_rfc3339(START), timedelta(weeks=1)
        self.move_to(start + week * ((self.now() - start) // week + 1))

    def token(
        self,
        organisation: str | None = "demo",
        scopes: Sequence[str] = ALL_SCOPES,
        expires: float = 3600,
        subject: str | None = "an-officer",
    ) -> str:
        """Signs a JWT by the stack's clock. `expires`: seconds from now; negative for an expired token."""
        lifetime = timedelta(seconds=expires)
        request = TokenRequest(
            issuer=self.base_url, organisation=organisation, scopes=scopes, lifetime=lifetime, subject=subject
        )
        return mint(load_key(self.directory / "key.pem"), request, self.now())

    def api(
        self,
        organisation: str | None = "demo",
        scopes: Sequence[str] = ALL_SCOPES,
        transport: httpx2.BaseTransport | None = None,
        subject: str | None = "an-officer",
    ) -> httpx2.Client:
        """An HTTP client of the API with a token; use it in a `with`."""
        headers = {"authorization": f"Bearer {self.token(organisation, scopes, subject=subject)}"}
        return httpx2.Client(
            base_url=self.base_url, headers=headers, verify=False, timeout=PATIENCE, transport=transport
        )

    def on_queue(self, queue: str) -> int:
        """How many messages are on a queue or with its function, delayed ones included."""
        names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
        url = self.output(f"{queue}Url")
        found = self.aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    @contextmanager
    def taking_up(self, queue: str, messages: int) -> Iterator[None]:
        """Meanwhile at most so many messages of a queue reach its function. So a test can act in the middle of a
        campaign on any machine. `queue`: its logical ID, for example SmsQueue."""
        self._turn_valve(queue, messages)
        try:
            yield
        finally:
            self._turn_valve(queue, None)

    def _turn_valve(self, queue: str, messages: int | None) -> None:
        body = {"queue": f"{STACK_NAME}-{queue}", "messages": messages}
        http().post(f"{self.base_url}/_local/valve", json=body).raise_for_status()

    def set_simulators(self, **settings: Any) -> None:
        """docs/simulators.md, POST /_control/settings."""
        http().post(f"{self.control_url}/settings", json=settings).raise_for_status()

    def access(self, decision: Literal["allowed", "refused"]) -> set[tuple[str, ...]]:
        """What the functions' roles were allowed, as (role, Sid, action, resource of the statement), or refused, as
        (role, action, resource)."""
        found = http().get(f"{self.aws_url}/_stack/access").raise_for_status().json()[decision]
        name = f"{STACK_NAME}-"
        return {(role.removeprefix(name), *rest) for session, role, *rest in found if session != TRESPASSER}

    def log(self) -> str:
        """What the stack and its functions have written to standard error so far."""
        return self.log_path.read_text()


@contextmanager
def started(
    log_path: Path, command: Sequence[str] = (sys.executable, "-m", "local", "run"), **environment: str
) -> Iterator[RunningStack]:
    """What `make run` calls, or `command`, with an environment of its own, on a free port."""
    providers = ("META_GRAPH_URL", "ORANGE_API_URL", "CARD_HOSTS", "CARD_BUCKETS", "DOCKER")
    inherited = {name: value for name, value in os.environ.items() if name not in providers}
    with (
        log_path.open("w") as log,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=PROJECT_ROOT,
            env={**inherited, "PORT": "0", "NOW": START, "HURRY": "1", **environment},
        ) as process,
    ):
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        if not base_url:
            pytest.fail(f"the stack did not start:\n{log_path.read_text()}")
        running = RunningStack(base_url=base_url, log_path=log_path, pid=process.pid)
        try:
            yield running
            if process.poll() is None:  # no function was refused a permission, in any test
                refused = running.access("refused")
                assert refused == set(), f"refused by the roles: {refused}"
        finally:
            process.terminate()
