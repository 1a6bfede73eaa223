"""What the model is fed with: the template's numbers, what was measured, and AWS's quotas.

The template's are read from template.yaml. Measured ones are read from bench/results.json where it is there, under
"scale_inputs" by the names of `Measured`; else they are the defaults below, whose source stands beside them.
"""

import json
from dataclasses import dataclass, fields
from pathlib import Path

from tests.template.reading import Node, at, concurrency, events, number, read

RESULTS = Path(__file__).parents[1] / "results.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSource:
    """A queue's way into a function. `window`: seconds that a batch may take to fill."""

    concurrency: int
    batch: int
    window: int = 0


def event_source(function: str, queue: str) -> EventSource:
    """A queue's event source mapping, as the template sets it."""
    template = read()
    for owner, its in events(template, "SQS"):
        if owner == function and at(its, "Queue") == {"Fn::GetAtt": f"{queue}.Arn"}:
            window = number(its, "MaximumBatchingWindowInSeconds") if "MaximumBatchingWindowInSeconds" in its else 0
            return EventSource(concurrency=concurrency(template, its), batch=number(its, "BatchSize"), window=window)
    raise LookupError(f"{function} has no event of {queue}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Seconds, unless said otherwise. Each is the default until a benchmark's row of the same name says better."""

    whatsapp_call: float = 0.35
    """From claim to record. Meta's 0.2 to 0.3 s are the project's estimate, the rest three writes of 10 ms."""
    sms_call: float = 0.55
    """The same at Orange: an estimate."""
    void_queue_message: float = 0.1
    """A copy that came too late: admission, one booking, one enqueueing, about 10 ms each; and the batch around it."""
    chunk: float = 0.1
    """Logging and releasing a chunk of a quick lane, eight at a time, 10 ms an answer (`bench.fanout`, busy two-core
    machine). Of a slow lane, alone, it takes twice as long, and there it does not matter."""
    webhook: float = 0.03
    """A POST at the door: signature, one SendMessage."""
    status_batch: float = 0.15
    """Ten reports from the status queue, of one status each: reads, conditional updates on threads, one count."""
    log_item_writes: float = 1.0
    """Write units of a log item, and of each change of it (below 1 KB)."""
    indexes_of_a_row: float = 4.0
    """Indexes that a row of a campaign stands in: organisation, campaign, enrollment, person."""


def measured(results: Path = RESULTS) -> Measured:
    """The defaults, with what `make bench` has measured in their place."""
    return Measured(**figures_of(results))


def figures_of(results: Path = RESULTS) -> dict[str, float]:
    """What `make bench` has measured, by the names of `Measured`."""
    if not results.exists():
        return {}
    reported: Node = json.loads(results.read_text(encoding="utf-8"))
    scale = reported.get("scale_inputs") if isinstance(reported, dict) else None
    found = scale if isinstance(scale, dict) else {}
    known = {field.name for field in fields(Measured)}
    return {name: float(value) for name, value in found.items() if name in known and isinstance(value, (int, float))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """A limit of AWS. `raised_by`: what a person does about it."""

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
"""DynamoDB's write units a second of one partition, and so of one item."""
RATE_LIMIT_ITEM = Quota(
    name="DynamoDB partition: the busiest lane's item, writes/s",
    limit=PARTITION,
    raised_by="fixed; a lane is one item, written once a chunk",
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
"""Data keys that one environment may ask for beside its organisations' secrets: queues, tables, bucket, number key."""
