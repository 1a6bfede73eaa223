"""The recorded stack, in a process of its own. Its code may be any checkout."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import httpx2
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from local.tokens import ALL_SCOPES, TokenRequest, load_key, mint

START = datetime(2026, 11, 23, 6, 5, tzinfo=UTC)
"""Five past an hour: sums of whole hours stay in one hour as long as the script does not move the clock. At this time
Senegal has quiet hours and Madagascar has not."""
PATIENCE = 240.0
"""Seconds that the script waits before it gives up."""
JUMP_SECONDS = 600.0
LOOK_SECONDS = 0.06
IDLE_LOOKS = 3
IDLE_LOOKS_AFTER_A_JUMP = 12
"""After a jump the tick may not have queued its tasks yet."""
LONG_POLL_SECONDS = 21.0
"""Longer than a poll of a queue lasts (local/poller.py)."""
SOON = 2.5
"""Seconds: longer than the delay of a message with the next send slot."""
HASH_SEED = "0"
"""Where the product lists the elements of a set, their order depends on Python's hash seed."""
STACK_NAME = "oomus-messaging"
ORANGE_RATE = 500
"""Far above our rate, because the simulated Orange measures by arrival: it must throttle nothing."""


class NeverCameError(Exception):
    """The script waited longer than `PATIENCE`."""


class Waiting:
    """Delayed messages. If their number has not changed for a while, none is due soon."""

    def __init__(self) -> None:
        self._messages = 0
        self._since = time.monotonic()

    def may_be_due(self, messages: int) -> bool:
        """Whether one of `messages` delayed messages may be due soon."""
        if messages != self._messages:
            self._messages, self._since = messages, time.monotonic()
        return messages > 0 and time.monotonic() - self._since < SOON


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A running stack, from outside."""

    base_url: str
    state: Mapping[str, Any]
    """stack.json of the stack: addresses and the template's outputs."""
    key: RSAPrivateKey
    client: httpx2.Client
    waiting: Waiting

    @property
    def simulators_url(self) -> str:
        return str(self.state["simulators_url"])

    def now(self) -> datetime:
        found = self.client.get(f"{self.base_url}/_local/clock").raise_for_status().json()["now"]
        return datetime.fromisoformat(found)

    def jump_to(self, instant: datetime) -> None:
        """Moves the clock, forwards only."""
        body = {"now": instant.astimezone(UTC).isoformat()}
        self.client.post(f"{self.base_url}/_local/clock", json=body, timeout=JUMP_SECONDS).raise_for_status()

    def move_to(self, instant: datetime) -> None:
        """Moves the clock, and waits until all due work is done."""
        self.jump_to(instant)
        self.settle(IDLE_LOOKS_AFTER_A_JUMP)

    def forward(self, **by: float) -> None:
        """Moves the clock on; `by` as for timedelta."""
        self.move_to(self.now() + timedelta(**by))

    def token(
        self, organisation: str | None, scopes: Sequence[str] = ALL_SCOPES, *, subject: str = "an-officer",
        lifetime: timedelta = timedelta(days=30),
    ) -> str:  # fmt: skip
        request = TokenRequest(
            issuer=self.base_url, organisation=organisation, scopes=scopes, subject=subject, lifetime=lifetime
        )
        return mint(self.key, request, self.now())

    def control(self, path: str, **body: Any) -> None:
        """POST /_control/<path> of docs/simulators.md."""
        self.client.post(f"{self.simulators_url}/_control/{path}", json=body).raise_for_status()

    def aws(self, service: str) -> Any:
        return _aws(service, str(self.state["aws_url"]))

    @contextmanager
    def closed(self, queue: str) -> Iterator[None]:
        """Meanwhile no message of the queue reaches its function. `queue`: its logical ID, for example SmsQueue.

        A long poll under way could still bring a message, so this waits until it is over.
        """
        self._turn_valve(queue, 0)
        time.sleep(LONG_POLL_SECONDS)
        try:
            yield
        finally:
            self._turn_valve(queue, None)

    def _turn_valve(self, queue: str, messages: int | None) -> None:
        body = {"queue": f"{STACK_NAME}-{queue}", "messages": messages}
        self.client.post(f"{self.base_url}/_local/valve", json=body).raise_for_status()

    def settle(self, looks: int = IDLE_LOOKS) -> None:
        """Waits until nothing moves: no queue has a visible message, and no simulator is about to call.

        A message that is due later than `SOON` does not count, for example the second part of an erasure.
        """
        sqs = self.aws("sqs")
        urls = [url for name, url in self.state["outputs"].items() if name.endswith("QueueUrl")]
        deadline = time.monotonic() + PATIENCE
        cooldown = 0
        while cooldown < looks:
            at_work, later = self._at_work(sqs, urls)
            cooldown = 0 if at_work or self.waiting.may_be_due(later) else cooldown + 1
            if time.monotonic() > deadline:
                raise NeverCameError(f"the stack is still at work: {at_work} messages or calls, {later} later")
            time.sleep(LOOK_SECONDS)

    def _at_work(self, sqs: Any, urls: Sequence[str]) -> tuple[int, int]:
        """How much is under way, and how many messages are delayed."""
        busy = int(self.client.get(f"{self.simulators_url}/_control/receipts?provider=none").json()["busy"])
        names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
        counts = [sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"] for url in urls]
        now, taken, later = (sum(int(count[name]) for count in counts) for name in names)
        return busy + now + taken, later


@cache
def _aws(service: str, url: str) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=url,
        region_name="eu-west-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def until[T](look: Callable[[], T], there: Callable[[T], bool], *, pause: float = LOOK_SECONDS) -> T:
    """Calls `look` until its result is `there`, and returns it. NeverCameError shows the last result."""
    deadline = time.monotonic() + PATIENCE
    while not there(found := look()):
        if time.monotonic() > deadline:
            raise NeverCameError(str(found)[:2000])
        time.sleep(pause)
    return found


@contextmanager
def started(root: Path, log_path: Path) -> Iterator[Stack]:
    """`make run` of the checkout at `root`, on a free port. Its log goes to `log_path`."""
    own = ("META_GRAPH_URL", "ORANGE_API_URL", "CARD_HOSTS", "CARD_BUCKETS", "DOCKER", "PYTHONPATH")
    inherited = {name: value for name, value in os.environ.items() if name not in own}
    environment = inherited | {"PORT": "0", "NOW": START.isoformat(), "HURRY": "1", "PYTHONHASHSEED": HASH_SEED}
    with (
        log_path.open("w") as log,
        httpx2.Client(timeout=60, trust_env=False) as client,
        subprocess.Popen(
            [sys.executable, "-m", "local", "run"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=root,
            env=environment,
        ) as process,
    ):
        try:
            base_url = process.stdout.readline().strip() if process.stdout else ""
            if not base_url:
                raise NeverCameError(f"the stack did not start:\n{log_path.read_text()[-4000:]}")
            directory = root / ".local" / base_url.rpartition(":")[2]
            stack = Stack(
                base_url=base_url,
                state=json.loads((directory / "stack.json").read_text()),
                key=load_key(directory / "key.pem"),
                client=client,
                waiting=Waiting(),
            )
            stack.control("settings", orange_rate_per_second=ORANGE_RATE)
            yield stack
        finally:
            process.terminate()
