"""Four workers on one rate limit: how much of the provider's rate they use, and whether they ever exceed it.

    python -m bench.pace --channel sms --rate 5 --seconds 60

Both shares of the rate limit are booked as release and single sends book them. The queue messages lie on the stub's
queue. Each worker is a process with several execution environments of the sender: enough for the queue messages that
are under way (they arrive a second early, and the call takes time). The stub throttles every message above the rate in
any second, as the providers do.
"""

import argparse
import json
import math
import queue
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import batched

from bench.cards import Programme
from bench.sender import BUILDS
from bench.stand import CLOCK, ORGANISATION, Context, NotMeasuredError, Stand, stand, unheard
from shared.app.runtime import Handler, Loop, SystemClock
from shared.messages.payload import Channel
from shared.messages.queue_message import QueueMessage
from shared.pacing.rate_limit import CYCLE, RateLimit, Share
from shared.storage.aws import Aws
from shared.storage.dynamodb.rate_limits import DynamoRateLimits
from shared.storage.queues import SqsChannelQueue
from tests.fakes.office import SMS, WHATSAPP

WORKERS = 4
BATCH = 10
AWS_MS, PROVIDER_MS = 5.0, 100.0
HEAD_START = timedelta(seconds=4)
"""The time between booking and the first send slot. In it the rows are logged and the workers start."""
WARM_UP = WORKERS * BATCH
"""The least number of messages before the measured ones. A cold worker's first batch takes a second. Its late messages
come together with punctual ones, and the provider throttles some of them.
"""
IN_FLIGHT_SECONDS = 2.5
"""The environments together hold the messages of this many seconds."""
RATE_LIMITS = {Channel.SMS: SMS.rate_limit, Channel.WHATSAPP: WHATSAPP.rate_limit}
IDLE_SECONDS = 0.02
SWITCHES = 0.0005
"""Seconds after which a working thread lets another one run. With Python's default of 5 ms, environments that share a
process would delay each other. On Lambda each has its own process.
"""


def measure(channel: Channel, rate: int, seconds: int) -> dict[str, float]:
    """Measure one rate limit, both shares together. Raises NotMeasuredError if the messages did not leave in time."""
    with stand(aws_ms=AWS_MS, provider_ms=PROVIDER_MS, provider_rate=rate) as place:
        loop = Loop(unheard)
        programme = Programme(place)
        loop.run(programme.open(rate=rate))
        with workers(place, channel, rate):
            warm_up = max(WARM_UP, 2 * WORKERS * BATCH * environments_for(rate))
            _wait(place, len(loop.run(_load(programme, place, channel, rate, warm_up))), seconds)
            place.ask("reset")
            send_slots = loop.run(_load(programme, place, channel, rate, rate * seconds))
            _wait(place, len(send_slots), seconds)
            taken, throttled = place.ask("taken"), place.ask("throttled")
        loop.close()
    return {**summed(taken, send_slots, rate), "throttled": throttled}


def summed(taken: Sequence[tuple[str, float]], send_slots: Mapping[str, int], rate: int) -> dict[str, float]:
    """Return the figures of the messages with these send slots.

    `taken` has the number and the instant of every call. On a slow machine it may still hold messages of the warm-up.
    They count only for the most in a second.
    """
    instants = {to.removeprefix("tel:"): at for to, at in taken}
    late = {to: instants[to] - at / 1_000_000 for to, at in send_slots.items() if to in instants}
    if len(late) < 2:
        raise NotMeasuredError(f"{len(late)} of {len(send_slots)} messages reached the provider in time")
    return {
        **figures([instants[to] for to in late], rate),
        "most_in_a_second": busiest(sorted(instants.values())),
        **uneven(list(late.values())),
    }


def figures(instants: Sequence[float], rate: int) -> dict[str, float]:
    """Return which part of the rate was achieved from the first call to the last (two or more), and the most in any
    second.
    """
    ordered = sorted(instants)
    span = ordered[-1] - ordered[0]
    return {
        "messages": len(ordered),
        "seconds": round(span, 2),
        "achieved": round((len(ordered) - 1) / span / rate, 4),
        "most_in_a_second": busiest(ordered),
    }


def uneven(late: Sequence[float]) -> dict[str, float]:
    """How much later than the most punctual message the others came, in ms, each against its send slot. One or more."""
    first = min(late)
    ordered = sorted(one - first for one in late)
    at = {"p50": len(ordered) // 2, "p99": len(ordered) * 99 // 100, "most": len(ordered) - 1}
    return {f"uneven_ms_{name}": round(ordered[place] * 1000, 1) for name, place in at.items()}


def busiest(ordered: Sequence[float]) -> int:
    """The largest number of instants in any half-open second."""
    first = most = 0
    for last, at in enumerate(ordered):
        while at - ordered[first] >= 1:
            first += 1
        most = max(most, last - first + 1)
    return most


async def _load(programme: Programme, place: Stand, channel: Channel, rate: int, total: int) -> dict[str, int]:
    """Log, book and queue `total` messages of both shares.

    Returns each number's send slot in microseconds since 1970.
    """
    aws = Aws()
    express = total // CYCLE
    bulk = await programme.queue_messages(channel, total - express)
    single = [replace(one, chunk=None, epoch=None) for one in await programme.queue_messages(channel, express)]
    rate_limits, rate_limit = (
        DynamoRateLimits(aws, "StateTable", CLOCK),
        replace(RATE_LIMITS[channel], organisation=ORGANISATION),
    )
    earliest = CLOCK.now() + HEAD_START
    queue_messages = [*await _booked(rate_limits, rate_limit, Share.BULK, rate, earliest, bulk)]
    queue_messages += await _booked(rate_limits, rate_limit, Share.EXPRESS, rate, earliest, single)
    queue_messages.sort(key=lambda one: one.slot_at)
    await SqsChannelQueue(aws, {channel: place.queue(str(channel))}).offer(queue_messages, CLOCK.now())
    return {one.payload.to: one.slot_at for one in queue_messages}


async def _booked(
    rate_limits: DynamoRateLimits,
    rate_limit: RateLimit,
    share: Share,
    rate: int,
    earliest: datetime,
    queue_messages: Sequence[QueueMessage],
) -> list[QueueMessage]:
    booked: list[QueueMessage] = []
    for chunk in batched(queue_messages, 100, strict=False):
        booking = await rate_limits.book(rate_limit, share, rate=rate, earliest=earliest, count=len(chunk))
        booked += [one.with_slot(at) for one, at in zip(chunk, booking.send_slots, strict=True)]
    return booked


def _wait(place: Stand, total: int, seconds: int) -> None:
    """Wait until all messages were accepted, or until a fifth more than `seconds` is over. Then what was accepted
    counts.
    """
    give_up = time.monotonic() + 1.2 * seconds + HEAD_START.total_seconds()
    while len(place.ask("taken")) < total and time.monotonic() < give_up:
        time.sleep(0.5)


def environments_for(rate: int) -> int:
    """The number of environments of each worker."""
    return math.ceil(rate * IN_FLIGHT_SECONDS / BATCH / WORKERS)


@contextmanager
def workers(place: Stand, channel: Channel, rate: int) -> Iterator[None]:
    """Run the worker processes, with this process's clock. They send the messages of the stub's queue."""
    ahead = (CLOCK.now() - datetime.now(UTC)).total_seconds()
    command = [sys.executable, "-m", "bench.pace", "--work-at", place.address]
    command += ["--channel", str(channel), "--ahead", str(ahead), "--rate", str(rate)]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(subprocess.Popen(command, stdout=subprocess.DEVNULL))  # noqa: S603 - our own module
            for _ in range(WORKERS)
        ]
        try:
            yield
        finally:
            for process in processes:
                process.terminate()


def work(place: Stand, channel: Channel, ahead: timedelta, environments: int) -> None:
    """Run one worker until it is ended: execution environments that get one batch after another."""
    sys.setswitchinterval(SWITCHES)
    clock, aws = SystemClock(datetime.now(UTC) + ahead), Aws()
    idle: queue.SimpleQueue[Handler] = queue.SimpleQueue()
    for _ in range(environments):
        idle.put(BUILDS[channel](place.environment, clock, aws, loop=Loop(unheard)))

    def carry(handler: Handler, records: object) -> None:
        if handler({"Records": records}, Context()) != {"batchItemFailures": []}:
            sys.stderr.write("a batch was not sent\n")
        idle.put(handler)

    with ThreadPoolExecutor(environments) as threads:
        while True:
            handler = idle.get()
            while not (records := place.ask("take", queue=place.queue(str(channel)), most=BATCH)):
                time.sleep(IDLE_SECONDS)
            threads.submit(carry, handler, records)


def main() -> int:
    """Print one JSON object. Return 1 if nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.pace", description=__doc__)
    parser.add_argument("--channel", type=Channel, choices=list(Channel), default=Channel.SMS)
    parser.add_argument("--rate", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--work-at", help=argparse.SUPPRESS)
    parser.add_argument("--ahead", type=float, default=0.0, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work_at:
        ahead = timedelta(seconds=arguments.ahead)
        work(Stand(address=arguments.work_at), arguments.channel, ahead, environments_for(arguments.rate))
    try:
        found = measure(arguments.channel, arguments.rate, arguments.seconds)
    except NotMeasuredError as error:
        sys.stderr.write(f"not measured: {error}\n")
        return 1
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
