"""Measures both sides of the webhook: a signed body of Meta is posted, and the status queue's batch is handled.

    python -m bench.webhook
    python -m bench.webhook --profile 10

AWS is `bench.cloud` and answers after 10 ms. The rows are real ones with status `sent`. For each message Meta reports
sent, delivered and read, with the person's number and user ID, as it does since April 2026. `sent` changes only the
instant, because the sender has already written the status. The first status of a person also writes the identity link
between the two; that happens after the move of the message and is measured too.

The time of "one status" is that of the invocation for the POST plus that of the invocation for the queue. The time on
the queue is AWS's and does not count. Bodies of 1 and 10 statuses are handled ten documents an invocation, as the
template sets it, and a body of 1,000 alone.
"""

import argparse
import cProfile
import io
import json
import pstats
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from statistics import quantiles
from typing import override

from bench.cards import Programme
from bench.hooks import Call, reported, signed
from bench.sender import Turn, timed
from bench.stand import CLOCK, Context, Stand, logged, stand, unheard
from functions.webhook.app import build
from shared.app.runtime import Handler, Loop
from shared.messages.payload import Channel
from shared.messages.queue_message import QueueMessage
from shared.storage.aws import Aws

AWS_MS = 10.0
A_BATCH = 10
STATUSES = ("sent", "delivered", "read")
APART = timedelta(milliseconds=12.5)
"""The time between the claims of two messages: 80 a second."""


class Webhook:
    """One environment of the function, and the queue between its invocations."""

    def __init__(self, place: Stand, handler: Handler) -> None:
        self._place = place
        self._handler = handler

    def post(self, call: Call) -> None:
        """Post one call of Meta. Raises RuntimeError if the answer is not 200."""
        answer = self._handler(dict(call), Context())
        if answer is None or answer["statusCode"] != 200:
            raise RuntimeError(f"not accepted: {answer}")

    def waiting(self, most: int) -> list[dict[str, object]]:
        """Take the next records off the queue, at most `most`."""
        taken: list[dict[str, object]] = self._place.ask("take", queue=self._place.queue("status"), most=most)
        return taken

    def work_off(self, records: Sequence[Mapping[str, object]]) -> None:
        """Run one invocation of the queue. Raises RuntimeError if it reports a failed record."""
        answer = self._handler({"Records": records}, Context())
        if answer != {"batchItemFailures": []}:
            raise RuntimeError(f"not handled: {answer}")

    def batches(self) -> Iterator[list[dict[str, object]]]:
        """Yield all that waits, in batches of the template's size."""
        while records := self.waiting(A_BATCH):
            yield records


def bodies(messages: Sequence[QueueMessage], a_body: int, statuses: Sequence[str] = STATUSES) -> list[Call]:
    """Return Meta's calls for these messages: each status of all of them, `a_body` statuses in a body."""
    values = [
        reported(
            f"wamid.{one.message_id}",
            status,
            one.slot_at // 1_000_000 + later,
            f"{one.message_id}.1",
            str(one.payload.to).lstrip("+"),
        )
        for later, status in enumerate(statuses)
        for one in messages
    ]
    return [signed(values[start : start + a_body]) for start in range(0, len(values), a_body)]


def one_by_one(webhook: Webhook, calls: Sequence[Call]) -> list[float]:
    """Handle each status alone in its body and its batch. Returns the milliseconds of each."""
    taken = []
    for call in calls:
        began = time.monotonic()
        webhook.post(call)
        posted = time.monotonic() - began
        records = webhook.waiting(A_BATCH)
        began = time.monotonic()
        webhook.work_off(records)
        taken.append((posted + time.monotonic() - began) * 1000)
    return taken


def in_bodies(webhook: Webhook, calls: Sequence[Call], statuses: int) -> Turn:
    """Post all bodies, then handle all of the queue."""

    def work() -> None:
        for call in calls:
            webhook.post(call)
        for records in webhook.batches():
            webhook.work_off(records)

    return timed(statuses, work)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The figures of statuses alone in their bodies, of bodies of a thousand, and rates by the size of bodies.

    `alone` is how many statuses were alone. The people of `p50_ms` and `p99_ms` are known, but not yet to this
    environment. `first_contact_p99_ms` is of `sent` for people who are not known yet, so that the invocation also
    writes their identity link.
    """

    alone: int
    p50_ms: float
    p99_ms: float
    first_contact_p99_ms: float
    seconds: Mapping[str, float]
    """Of each body of a thousand, by its status. The first body has people who are not known yet."""
    by_body: Mapping[int, Mapping[str, float]]

    @property
    def slowest(self) -> float:
        """The slowest of the bodies of a thousand."""
        return max(self.seconds.values())


def measure(alone: int = 120, small: int = 100, large: int = 1000) -> Measured:
    """Measure `alone` messages one status at a time, `small` in bodies of 1 and of 10, and `large` in one body."""
    with stand(aws_ms=AWS_MS) as place, logged():
        warm, known, unknown, ones, tens, thousand = _messages(place, (A_BATCH, alone, alone, small, small, large))
        loop = Loop(unheard)
        another, webhook = (Webhook(place, build(place.environment, CLOCK, loop=loop)) for _ in range(2))
        in_bodies(another, bodies(known, A_BATCH, STATUSES[:1]), alone)
        one_by_one(webhook, bodies(warm, 1))
        percents = _percents(one_by_one(webhook, bodies(known, 1)))
        first = _percents(one_by_one(webhook, bodies(unknown, 1, STATUSES[:1])))
        by_body = {
            size: _rates([in_bodies(webhook, bodies(lot, size), len(STATUSES) * small)])
            for size, lot in ((1, ones), (A_BATCH, tens))
        }
        whole = [in_bodies(webhook, bodies(thousand, large, (status,)), large) for status in STATUSES]
        loop.close()
    return Measured(
        alone=len(STATUSES) * alone,
        p50_ms=round(percents[49], 1),
        p99_ms=round(percents[98], 1),
        first_contact_p99_ms=round(first[98], 1),
        seconds={status: round(turn.seconds, 2) for status, turn in zip(STATUSES, whole, strict=True)},
        by_body={**by_body, large: _rates(whole)},
    )


def _percents(values: Sequence[float]) -> list[float]:
    return quantiles(values, n=100, method="inclusive")


def _rates(turns: Sequence[Turn]) -> dict[str, float]:
    """Statuses per second of processor time and of real time."""
    statuses = sum(turn.messages for turn in turns)
    cpu, wall = sum(turn.cpu_seconds for turn in turns), sum(turn.seconds for turn in turns)
    return {
        "per_core_second": round(statuses / cpu, 1),
        "per_second": round(statuses / wall, 1),
        "cpu_ms": round(cpu / statuses * 1000, 3),
    }


def _messages(place: Stand, counts: Sequence[int]) -> list[list[QueueMessage]]:
    """Make rows with status `sent`, in lots of these sizes."""
    loop = Loop(unheard)
    programme = Programme(place)
    loop.run(programme.open())
    lots = [loop.run(programme.sent(Channel.WHATSAPP, count, APART)) for count in counts]
    loop.close()
    return lots


class _OneThread(Aws):
    """Calls AWS on the same thread, so that a profile includes the call."""

    @override
    async def run[T](self, call: Callable[[], T]) -> T:
        return call()


def profile(a_body: int, messages: int) -> str:
    """Profile both invocations by own time. AWS answers at once and is called on the same thread."""
    with stand() as place, logged():
        (lot,) = _messages(place, (messages,))
        loop = Loop(unheard)
        webhook = Webhook(place, build(place.environment, CLOCK, _OneThread(), loop))
        calls = bodies(lot, a_body)
        profile = cProfile.Profile()
        profile.runcall(in_bodies, webhook, calls, len(STATUSES) * messages)
        loop.close()
    out = io.StringIO()
    pstats.Stats(profile, stream=out).sort_stats("tottime").print_stats(45)
    return out.getvalue()


def main() -> int:
    """Print one JSON object, or a profile."""
    parser = argparse.ArgumentParser(prog="python -m bench.webhook", description=__doc__)
    parser.add_argument("--profile", type=int, metavar="STATUSES_A_BODY")
    arguments = parser.parse_args()
    if arguments.profile:
        sys.stdout.write(profile(arguments.profile, 200))
    else:
        sys.stdout.write(json.dumps(asdict(measure()), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
