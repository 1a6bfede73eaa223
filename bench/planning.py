"""Measures how long planning an upload takes, and the peak memory of the planning process.

    python -m bench.planning --rows 1000000 --form csv --channel sms

This process plans, with the real use case, reader, S3 and DynamoDB adapters. It talks to `bench.stub`, another process.
The peak is the operating system's figure (VmHWM), with interpreter and libraries. ru_maxrss would be wrong, because it
begins with the memory of the process that started this one.
"""

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.request import urlopen

from bench.upload import ATTRIBUTES, FORMS
from shared.base.json import JsonValue
from shared.campaigns.distribution import Distribution, DistributionStatus, Order, Schedule, Upload
from shared.integrations.integration import Dhis2Integration
from shared.messages.payload import Channel
from shared.storage.aws import Aws
from shared.storage.dynamodb.people import DynamoPeople
from shared.storage.files import S3Uploads
from shared.storage.plans import S3Plans
from shared.texts.content import Content
from tests.fakes.bulk import FakePlans, FakeUploads
from tests.fakes.office import DEMO, Office
from tests.fakes.rest import FakePeople

ROOT = Path(__file__).parents[1]
IDENTITY = "6f1d3f0e-2b7a-5c49-9d0a-0b5c1f5e7a11"
DEFAULTS: dict[str, JsonValue] = {
    "programme_name": "PEV",
    "verification_url": "https://v.example.org/c/{card_code}",
    "card_image": "https://cards.example.org/{card_code}.png",
    "consent": True,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What is compared: a form of upload, and a checkout of the code. `sys.executable` must have its packages."""

    form: str = "csv"
    checkout: Path = ROOT


def main() -> int:
    """Print one JSON object. Return 1 if not every row was accepted."""
    parser = argparse.ArgumentParser(prog="python -m bench.planning", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--form", choices=FORMS, default="csv")
    parser.add_argument("--channel", type=Channel, choices=list(Channel), default=Channel.SMS)
    arguments = parser.parse_args()
    with _stub(arguments.rows, arguments.form) as address:
        os.environ |= {
            "AWS_ENDPOINT_URL": address,
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
        }
        before, began = _cpu_seconds(), time.monotonic()
        planned = asyncio.run(_plan(arguments.form, arguments.channel))
        seconds, cpu = time.monotonic() - began, _cpu_seconds() - before
        with urlopen(f"{address}/_written", timeout=10) as answer:  # noqa: S310 - our own stub
            written = json.load(answer)
    plan = planned.planned
    # Of the process that reads a workbook. Where it takes less than this one had when it was started, that is told.
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    reported = {
        "rows": arguments.rows,
        "accepted": plan.accepted,
        "chunks": sum(run.chunks for run in plan.runs),
        "seconds": round(seconds, 1),
        "rows_per_second": round(arguments.rows / seconds),
        "cpu_seconds": round(cpu, 1),
        "peak_mb": round(_peak_kb() / 1024, 1),
        "child_peak_mb": round(child / 1024, 1),
        **written,
    }
    sys.stdout.write(json.dumps(reported) + "\n")
    return 0 if plan.accepted == arguments.rows else 1


def in_turns(sides: Mapping[str, Side], rows: int, turns: int = 3) -> dict[str, float]:
    """The median processor seconds of planning `rows` rows, for each side. The sides take turns, so that what else the
    machine does falls on all of them alike.
    """
    found: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(turns):
        for name, side in sides.items():
            found[name].append(float(measured(rows, side)["cpu_seconds"]))
    return {name: statistics.median(seconds) for name, seconds in found.items()}


def measured(rows: int, side: Side) -> dict[str, float]:
    """What this module prints, from a process of its own."""
    command = [sys.executable, "-m", "bench.planning", "--rows", str(rows), "--form", side.form]
    done = subprocess.run(command, cwd=side.checkout, capture_output=True, check=True, text=True)  # noqa: S603 - our own module
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _cpu_seconds() -> float:
    """Of this process and of the children that have ended: a workbook is read in one."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _peak_kb() -> int:
    """The peak memory of this process in kilobytes. Without VmHWM (not Linux), the unit is getrusage's own."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (peak,) = [line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
    return int(peak)


async def _plan(form: str, channel: Channel) -> Distribution:
    office, aws = Office(), Aws()
    made = Distribution(
        organisation=DEMO,
        distribution_id=IDENTITY,
        campaign_id="bench",
        channel=channel,
        schedule=Schedule(),
        confirm=False,
        request_hash="h",
        status=DistributionStatus.PLANNING,
        created_at=office.clock.now(),
        due_at=office.clock.now(),
    )
    await office.distributions.create(made)
    await office.integrations.put(Dhis2Integration(organisation=DEMO, attributes=ATTRIBUTES, program=None, version=1))
    upload = Upload(object_key="uploads/demo/u", version="1", format=form)
    order = Order(content=Content(template="vaccination_card"), defaults=DEFAULTS, upload=upload)

    class Plans(S3Plans):
        """Reading the order is not measured."""

        async def read_order(self, organisation: str, distribution_id: str, name: str) -> Order:
            return order

    office.plans = cast(FakePlans, Plans(aws, "payload", office.number_key.content))
    office.uploads = cast(FakeUploads, S3Uploads(aws, "payload"))
    office.people = cast(FakePeople, DynamoPeople(aws, "state"))
    await office.planning().plan_stored(DEMO, IDENTITY)
    return office.distributions.items[DEMO, IDENTITY]


@contextmanager
def _stub(rows: int, form: str) -> Iterator[str]:
    command = [sys.executable, "-m", "bench.stub", "--form", form, "--rows", str(rows)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module
        try:
            assert process.stdout is not None  # noqa: S101 - PIPE was asked for
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


if __name__ == "__main__":
    sys.exit(main())
