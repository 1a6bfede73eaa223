"""The inputs of the model: the template's numbers, the measurements, and AWS's quotas.

The template's numbers are read from template.yaml. Measurements are read from "scale_inputs" in bench/results.json, by
the names of `Measured`. Without that file the defaults below count; each has its source beside it.
"""

import json
from dataclasses import dataclass, fields
from pathlib import Path

from tests.template.reading import Node, at, concurrency, events, number, read

RESULTS = Path(__file__).parents[1] / "results.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSource:
    """An event source mapping. `window` is how many seconds a batch may take to fill."""

    concurrency: int
    batch: int
    window: int = 0


def event_source(function: str, queue: str) -> EventSource:
    """Return a queue's event source mapping from the template. Raises LookupError."""
    template = read()
    for owner, its in events(template, "SQS"):
        if owner == function and at(its, "Queue") == {"Fn::GetAtt": f"{queue}.Arn"}:
            window = number(its, "MaximumBatchingWindowInSeconds") if "MaximumBatchingWindowInSeconds" in its else 0
            return EventSource(concurrency=concurrency(template, its), batch=number(its, "BatchSize"), window=window)
    raise LookupError(f"{function} has no event of {queue}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The measurements, in seconds unless a field says otherwise. bench/results.json replaces these defaults."""

    whatsapp_call: float = 0.35
    """From claim to record. Meta's 0.2 to 0.3 s are the project's estimate, the rest are three writes of 10 ms."""
    sms_call: float = 0.55
    """The same for Orange: an estimate."""
    void_queue_message: float = 0.1
    """A queue message that came too late: the gate check, one booking and one enqueueing, about 10 ms each, and the
    batch around it.
    """
    chunk: float = 0.1
    """Logging and releasing a chunk of a fast rate limit, eight at a time, with 10 ms an answer (`bench.fanout`, busy
    two-core machine). A chunk of a slow rate limit takes twice as long, which does not matter there.
    """
    webhook: float = 0.03
    """A POST to the webhook: signature and one SendMessage."""
    status_batch: float = 0.15
    """Ten reports from the status queue with one status each: reads, conditional updates on threads, one count."""
    log_item_writes: float = 1.0
    """Write units of a log item, and of each change of it (below 1 KB)."""
    indexes_of_a_row: float = 4.0
    """Indexes that hold a campaign's row: organisation, campaign, enrolment, person."""


def measured(results: Path = RESULTS) -> Measured:
    """Return the defaults, replaced by what `make bench` has measured."""
    return Measured(**figures_of(results))


def figures_of(results: Path = RESULTS) -> dict[str, float]:
    """Return what `make bench` has measured, by the names of `Measured`."""
    if not results.exists():
        return {}
    reported: Node = json.loads(results.read_text(encoding="utf-8"))
    scale = reported.get("scale_inputs") if isinstance(reported, dict) else None
    found = scale if isinstance(scale, dict) else {}
    known = {field.name for field in fields(Measured)}
    return {name: float(value) for name, value in found.items() if name in known and isinstance(value, (int, float))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """A limit of AWS. `raised_by` is how to raise it."""

    name: str
    limit: float
    raised_by: str
    source: str


SOURCE_READ = "AWS's page, as read in 2026-11"
FROM_MEMORY = "AWS's page, from memory: not read for this"
NEW_ACCOUNT = Quota(
    name="Lambda concurrency of a new account",
    limit=10,
    raised_by="ask for 1,000 before the first campaign (Service Quotas, L-B99A9384)",
    source=FROM_MEMORY,
)
LAMBDA = Quota(name="Lambda concurrency", limit=1000, raised_by="Service Quotas, L-B99A9384", source=FROM_MEMORY)
IN_FLIGHT = Quota(
    name="SQS in flight on a queue", limit=120_000, raised_by="fixed for standard queues", source=FROM_MEMORY
)
TABLE = Quota(
    name="DynamoDB log table with its indexes, write units/s",
    limit=40_000,
    raised_by="Service Quotas, table-level write throughput",
    source=SOURCE_READ,
)
FIRST_PEAK = Quota(
    name="DynamoDB on-demand table that was never busy, write units/s",
    limit=4_000,
    raised_by="WarmThroughput on the table and its indexes, or a first day below it: it doubles its peak in 30 minutes",
    source=FROM_MEMORY,
)
PARTITION = 1_000
"""DynamoDB's limit of write units a second for one partition, and so for one item."""
RATE_LIMIT_ITEM = Quota(
    name="DynamoDB partition: the busiest rate limit's item, writes/s",
    limit=PARTITION,
    raised_by="fixed; a rate limit is one item, written once a chunk",
    source=SOURCE_READ,
)
INDEX_SHARD = Quota(
    name="DynamoDB partition: the busiest shard of by_organisation, writes/s",
    limit=PARTITION,
    raised_by="fixed; LIST_SHARDS in shared/storage/dynamodb/message_item.py",
    source=SOURCE_READ,
)
EDGE = Quota(
    name="API Gateway, requests/s",
    limit=10_000,
    raised_by="Service Quotas; 2,500 in Cape Town, Milan and other newer regions",
    source=SOURCE_READ,
)
SCHEDULER = Quota(
    name="EventBridge Scheduler, invocations/s", limit=1_000, raised_by="Service Quotas", source=FROM_MEMORY
)
KMS = Quota(
    name="KMS symmetric requests/s",
    limit=10_000,
    raised_by="Service Quotas; more by default in the large regions",
    source=FROM_MEMORY,
)
LOGS = Quota(
    name="CloudWatch Logs PutLogEvents/s",
    limit=5_000,
    raised_by="Service Quotas; less by default in small regions",
    source=FROM_MEMORY,
)
KEYS_OF_AN_ENVIRONMENT = 6
"""The data keys that one environment may ask for, without its organisations' secrets: queues, tables, bucket, number
key.
"""
