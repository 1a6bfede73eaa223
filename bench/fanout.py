"""Compares the fan-out with a loop of single sends: recipients a second, and whether twice the rows take twice the
time.

    python -m bench.fanout --rows 4000 20000 100000

Our side is the fan-out's own handler. It runs from the request over an uploaded file (`confirm` in it) to the last
queue message on the channel queue: plan, then log and release, chunk by chunk, one invocation after the other. There is
one distribution and one execution environment. The loop reads the same file and does what code samples do: a uuid4, a
JSON text and one `send_message` per row, without check, log or pace. It sends only enough rows to know its rate.

AWS is `bench.cloud`, and each answer takes 10 ms. The rate limit has the highest rate, 1,000 a second. So all send
slots lie within the 300 seconds that release looks ahead, and the clock need not move. No sender takes the queue
messages. The sides take turns: half of the loop before a distribution, half after it.
"""

import argparse
import csv
import io
import json
import statistics
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from botocore.session import Session

from bench.cards import Programme
from bench.planning import DEFAULTS
from bench.sender import Turn, timed
from bench.stand import CLOCK, ORGANISATION, Context, Stand, logged, stand, unheard
from bench.upload import pieces
from functions.bulk_fanout.app import build
from shared.app.runtime import Loop
from shared.campaigns.distribution import CHUNK_ROWS
from shared.messages.payload import Channel
from shared.storage.aws import Aws
from tests.unit.api.events import event as http_event

AWS_MS = 10.0
RATE = 1000
SIZES = (4_000, 20_000, 100_000)
WARM_UP = 200
LOOPED = 300
"""The loop's rows before, and again after, a distribution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FannedOut:
    """One distribution: the time until its plan was ready, and from then until its last queue message."""

    plan: Turn
    release: Turn

    @property
    def rate(self) -> float:
        """Recipients per second over the whole distribution."""
        return self.plan.messages / (self.plan.seconds + self.release.seconds)


class FanOut:
    """The fan-out's handler and its queue."""

    def __init__(self, place: Stand, channel: Channel) -> None:
        self._place = place
        self._channel = channel
        self._aws = Aws()
        self._handler = build(place.environment, CLOCK, loop=Loop(unheard))

    def run(self, rows: int) -> FannedOut:
        """Run a new distribution. Raises RuntimeError unless there is one queue message per row."""
        upload_id = str(uuid.uuid4())
        key = f"uploads/{ORGANISATION}/{upload_id}"
        self._aws.s3.put_object(Bucket="payload", Key=key, Body=b"".join(pieces("csv", rows)), ContentType="text/csv")
        before = self._queue_messages()
        plan = timed(rows, lambda: self._plan(upload_id))
        release = timed(rows, self._work_off)
        if self._queue_messages() - before != rows:
            raise RuntimeError(f"{self._queue_messages() - before} queue messages for {rows} rows")
        return FannedOut(plan=plan, release=release)

    def _plan(self, upload_id: str) -> None:
        body = {
            "campaign_id": upload_id,
            "channel": str(self._channel),
            "content": {"template": {"name": "vaccination_card", "language": "fr"}, "sms_encoding": "gsm7"},
            "defaults": {**DEFAULTS, "card_image": f"s3://cards/{ORGANISATION}/{{card_code}}.png"},
            "upload_id": upload_id,
            "confirm": True,
        }
        claims = {"organisation_id": ORGANISATION, "scope": "messaging.send"}
        headers = {"idempotency-key": upload_id}
        asked = http_event("POST /v1/distributions", body=body, headers=headers, claims=claims)
        answer = self._handler({**asked}, Context())
        if not isinstance(answer, dict) or answer["statusCode"] != 202:
            raise RuntimeError(f"not accepted: {answer}")
        self._invoke(next(self._tasks()))

    def _work_off(self) -> None:
        for task in self._tasks():
            self._invoke(task)

    def _tasks(self) -> Iterator[object]:
        """Yield the tasks on the fan-out's queue one by one, as its event source mapping delivers them."""
        while taken := self._place.ask("take", queue=self._place.queue("fanout"), most=1):
            yield taken

    def _invoke(self, records: object) -> None:
        answer = self._handler({"Records": records}, Context())
        if answer != {"batchItemFailures": []}:
            raise RuntimeError(f"a task failed: {answer}")

    def _queue_messages(self) -> int:
        waiting: Mapping[str, int] = self._place.ask("waiting")
        return waiting.get(self._place.queue(str(self._channel)), 0)


class SampleLoop:
    """The loop of a code sample: the default client, one message per row."""

    def __init__(self, place: Stand) -> None:
        self._sqs: Any = Session().create_client("sqs")
        self._url = place.queue("sample")

    def run(self, rows: int) -> Turn:
        """Send `rows` rows of the file."""
        text = b"".join(pieces("csv", rows)).decode()
        return timed(rows, lambda: self._send(text))

    def _send(self, text: str) -> None:
        for row in csv.DictReader(io.StringIO(text)):
            body = json.dumps({"message_id": str(uuid.uuid4()), **row})
            self._sqs.send_message(QueueUrl=self._url, MessageBody=body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A distribution and the loop around it. `ratio` is our recipients per second, divided by the loop's."""

    rows: int
    ratio: float
    rows_per_second: float
    loop_rows_per_second: float
    plan_seconds: float
    release_seconds: float
    plan_cpu_ms_a_row: float
    release_cpu_ms_a_row: float
    loop_cpu_ms_a_row: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The result of all sizes, the largest last.

    `*_r2` is `r_squared` of time, or of processor time (`cpu`). Release means log and release together. `chunk_seconds`
    is the time to log and release one chunk of the largest distribution.
    """

    aws_ms: float
    channel: Channel
    runs: Sequence[Comparison]
    plan_r2: float
    release_r2: float
    plan_cpu_r2: float
    release_cpu_r2: float
    chunk_seconds: float
    requests_a_row: Mapping[str, float]


def measure(channel: Channel = Channel.WHATSAPP, sizes: Sequence[int] = SIZES, aws_ms: float = AWS_MS) -> Found:
    """Measure each size, in this order. There must be two or more."""
    with stand(aws_ms=aws_ms) as place, logged():
        loop = Loop(unheard)
        loop.run(Programme(place).open(rate=RATE))
        loop.close()
        ours, sample = FanOut(place, channel), SampleLoop(place)
        ours.run(WARM_UP)
        sample.run(WARM_UP // 10)
        place.ask("reset")
        runs = [_compared(ours, sample, rows) for rows in sizes]
        counts: Mapping[str, int] = place.ask("counts")["requests"]
    last, total = runs[-1], sum(sizes)
    return Found(
        aws_ms=aws_ms,
        channel=channel,
        runs=runs,
        plan_r2=r_squared(sizes, [run.plan_seconds for run in runs]),
        release_r2=r_squared(sizes, [run.release_seconds for run in runs]),
        plan_cpu_r2=r_squared(sizes, [run.plan_cpu_ms_a_row * run.rows for run in runs]),
        release_cpu_r2=r_squared(sizes, [run.release_cpu_ms_a_row * run.rows for run in runs]),
        chunk_seconds=round(last.release_seconds / last.rows * CHUNK_ROWS, 4),
        requests_a_row={name: round(count / total, 4) for name, count in counts.items() if name != "sqs.SendMessage"},
    )


def _compared(ours: FanOut, sample: SampleLoop, rows: int) -> Comparison:
    before, mine, after = sample.run(LOOPED), ours.run(rows), sample.run(LOOPED)
    looped = (before.messages + after.messages) / (before.seconds + after.seconds)
    return Comparison(
        rows=rows,
        ratio=round(mine.rate / looped, 2),
        rows_per_second=round(mine.rate),
        loop_rows_per_second=round(looped, 1),
        plan_seconds=round(mine.plan.seconds, 3),
        release_seconds=round(mine.release.seconds, 3),
        plan_cpu_ms_a_row=round(mine.plan.cpu_ms, 4),
        release_cpu_ms_a_row=round(mine.release.cpu_ms, 4),
        loop_cpu_ms_a_row=round((before.cpu_ms + after.cpu_ms) / 2, 4),
    )


def r_squared(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """The coefficient of determination of a straight line: 1 means that the time grows exactly with the rows."""
    return round(statistics.correlation(sizes, seconds) ** 2, 5)


def main() -> int:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m bench.fanout", description=__doc__)
    parser.add_argument("--channel", type=Channel, choices=list(Channel), default=Channel.WHATSAPP)
    parser.add_argument("--rows", type=int, nargs="+", default=list(SIZES), help="two sizes or more")
    parser.add_argument("--aws-ms", type=float, default=AWS_MS)
    arguments = parser.parse_args()
    found = measure(arguments.channel, sorted(arguments.rows), arguments.aws_ms)
    sys.stdout.write(json.dumps(asdict(found), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
