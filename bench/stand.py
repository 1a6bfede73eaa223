"""What every bench needs: the stub of AWS and the providers, and the functions' environment variables for it."""

import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

from shared.app.runtime import SystemClock
from tests.template.reading import mapping, read

ORGANISATION = "0f8a2c5e-bench-5c49-9d0a-0b5c1f5e7a11"
"""As long as an organisation's name is likely to be in the worst case, because each row holds it five times."""
SECRETS = "bench"
NUMBER_KEY = "bench/number-key"
CLOCK = SystemClock(datetime(2026, 11, 23, 10, tzinfo=UTC))
"""The clock of every function. It starts in the morning, because at night no SMS would leave."""
AWS_NAMES = (
    "AWS_ENDPOINT_URL",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
)
"""The variables that boto3 reads."""
QUEUES = ("whatsapp", "sms", "status", "fanout")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """The stub's address and its control calls."""

    address: str

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables of all functions."""
        queues = {f"{name.upper()}_QUEUE_URL": self.queue(name) for name in QUEUES}
        return queues | {
            "LOG_TABLE": "LogTable",
            "STATE_TABLE": "StateTable",
            "PAYLOAD_BUCKET": "payload",
            "SECRETS_PREFIX": SECRETS,
            "NUMBER_KEY_SECRET_ID": NUMBER_KEY,
            "META_GRAPH_URL": f"{self.address}/meta",
            "ORANGE_API_URL": f"{self.address}/orange",
            "CARD_HOSTS": "cards.example.org",
            "CARD_BUCKETS": "cards",
            "PUBLIC_BASE_URL": "https://api.example.org",
            "SCHEDULE_GROUP": "bench",
            "SCHEDULE_TARGET_ARN": "arn:aws:lambda:eu-west-1:123456789012:function:bench",
            "SCHEDULE_ROLE_ARN": "arn:aws:iam::123456789012:role/bench",
            "CLOCK_STARTS_AT": "",
            "MESSAGE_RETENTION_DAYS": "400",
            "SECRETS_KEY": "alias/bench",
            "DEAD_LETTER_QUEUE_ARNS": "",
        }

    def queue(self, name: str) -> str:
        """Return the URL of a queue."""
        return f"{self.address}/123456789012/{name}"

    def ask(self, path: str, **query: object) -> Any:
        """Make a control call: counts, reset, taken, sent, waiting, take."""
        asked = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in query.items())
        with urlopen(f"{self.address}/_{path}?{asked}", timeout=30) as answer:  # noqa: S310 - our own stub
            return json.load(answer)


class Context:
    """Stands in for Lambda's context."""

    def get_remaining_time_in_millis(self) -> int:
        """A minute: more than an invocation needs here."""
        return 60_000


class NotMeasuredError(Exception):
    """The machine was too slow for this part, so there are no figures. The text says why."""


def unheard(error: Exception, where: str) -> None:
    """Raise the exception of a background task, because it would spoil the figures."""
    raise RuntimeError(where) from error


@contextmanager
def stand(*, aws_ms: float = 0.0, provider_ms: float = 0.0, provider_rate: int = 0) -> Iterator[Stand]:
    """Run the stub, with this process's boto3 pointed at it. Afterwards boto3's variables are as before."""
    before = {name: os.environ.get(name) for name in AWS_NAMES}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        resources = Path(folder) / "resources.json"
        resources.write_text(json.dumps(mapping(read(), "Resources")))
        command = [sys.executable, "-m", "bench.cloud", "--resources", str(resources)]
        command += ["--aws-ms", str(aws_ms), "--provider-ms", str(provider_ms)]
        command += ["--provider-rate", str(provider_rate)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module
            try:
                assert process.stdout is not None  # noqa: S101 - PIPE was asked for
                made = Stand(address=process.stdout.readline().strip())
                os.environ |= dict(
                    zip(AWS_NAMES, (made.address, "eu-west-1", "eu-west-1", "bench", "bench"), strict=True)
                )
                yield made
            finally:
                process.terminate()
                for name, value in before.items():
                    os.environ.pop(name, None)
                    os.environ |= {name: value} if value is not None else {}


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """Collect what the functions log, instead of printing it."""
    out, sys.stdout = sys.stdout, io.StringIO()
    try:
        yield sys.stdout
    finally:
        sys.stdout = out
