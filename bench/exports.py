"""Measures how fast an export of messages is made, and the peak memory of the process that makes it.

    python -m bench.exports --rows 1000000

The real task reads the real adapter of the log, whose DynamoDB client answers from this process: it makes the answers
of a distribution's list and parses them as JSON, as botocore does. The parts are counted, checked and thrown away. So
the figures are our own cost, without the network. The peak is the operating system's figure (VmHWM), with interpreter
and libraries.
"""

import argparse
import asyncio
import json
import time
import zlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from shared.campaigns.distribution import Distribution, DistributionStatus, Schedule
from shared.exports.export import Export, ExportOrder, ExportStatus, Kind, Part
from shared.messages.message import Chunk, Message, PayloadRef, Price, Status
from shared.messages.payload import Channel
from shared.storage.aws import Aws
from shared.storage.dynamodb.items import attributes
from shared.storage.dynamodb.log import DynamoLog
from shared.storage.dynamodb.message_item import KEPT_FOR, LIST_SHARDS, to_item
from tests.fakes.exports import FakeExportFiles
from tests.fakes.office import DEMO, Office

IDENTITY = "6f1d3f0e-2b7a-5c49-9d0a-0b5c1f5e7a11"
NEWEST = datetime(2026, 11, 23, 10, tzinfo=UTC)
_MESSAGE = "00000000-0000-5000-8000-"


def main() -> int:
    """Print one JSON object. Return 1 if the file lacks a row."""
    parser = argparse.ArgumentParser(prog="python -m bench.exports", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    table, sink = _Table(rows), _Sink()
    office = _office(table, sink)
    before, began = time.process_time(), time.monotonic()
    done = asyncio.run(_exported(office))
    seconds, cpu = time.monotonic() - began, time.process_time() - before
    reported = {
        "rows": done.rows,
        "seconds": round(seconds, 1),
        "rows_per_second": round(rows / seconds),
        "cpu_seconds": round(cpu, 1),
        "file_mb": round(sink.bytes / 1e6, 1),
        "parts": sink.parts,
        "queries": table.queries,
        "batch_gets": table.gets,
        "peak_mb": round(_peak_kb() / 1024, 1),
    }
    print(json.dumps(reported))  # noqa: T201 - the command's result
    return 0 if (done.status, done.rows, sink.lines) == (ExportStatus.DONE, rows, rows + 1) else 1


async def _exported(office: Office) -> Export:
    order = ExportOrder(kind=Kind.MESSAGES, language="fr", distribution_id=IDENTITY)
    made = await office.app.exports.request(DEMO, order, "bench")
    await office.app.export_work.work(DEMO, office.clock.now() + timedelta(minutes=10))
    return office.export_store.items[DEMO, made.export_id]


def _office(table: "_Table", sink: "_Sink") -> Office:
    office = Office()
    aws = Aws()
    aws.__dict__["dynamodb"] = SimpleNamespace(query=table.query, batch_get_item=table.batch_get_item)
    office.log = cast("Any", DynamoLog(aws, "log", KEPT_FOR))
    office.export_files = sink
    office.put_together()
    distribution = Distribution(
        organisation=DEMO,
        distribution_id=IDENTITY,
        campaign_id="vaccination-2026",
        channel=Channel.SMS,
        schedule=Schedule(),
        confirm=True,
        request_hash="h",
        status=DistributionStatus.COMPLETED,
        created_at=NEWEST,
    )
    office.distributions.items[DEMO, IDENTITY] = distribution
    return office


class _Table:
    """A distribution's list of so many delivered messages: row n of a shard was accepted n ms before `NEWEST`."""

    def __init__(self, rows: int) -> None:
        self.queries = self.gets = 0
        self._rows = [len(range(shard, rows, LIST_SHARDS)) for shard in range(LIST_SHARDS)]
        self._newest = int(NEWEST.timestamp() * 1000)
        item = attributes(to_item(_message(), KEPT_FOR))
        self._item = json.dumps(item)

    def query(self, **asked: Any) -> Any:
        self.queries += 1
        values = asked["ExpressionAttributeValues"]
        *_, single, shard = values[":partition"]["S"].split("#")
        if single == "single":
            return {"Items": []}
        below, number = values[":below"]["S"], int(shard)
        first = 0 if below == "~" else self._newest - int(below.partition("#")[0])
        end = min(first + asked["Limit"], self._rows[number])
        found = [{"listed_at": {"S": self._place(number, row)}} for row in range(first, end)]
        answer = json.loads(json.dumps({"Items": found}))
        return answer | ({"LastEvaluatedKey": found[-1]} if end < self._rows[number] else {})

    def batch_get_item(self, RequestItems: Any) -> Any:  # noqa: N803 - DynamoDB's own name
        self.gets += 1
        [(name, asked)] = RequestItems.items()
        ids = [one["pk"]["S"].partition("#")[2] for one in asked["Keys"]]
        body = ",".join(self._item.replace(f"{_MESSAGE}000000000000", one) for one in ids)
        return {"Responses": {name: json.loads(f"[{body}]")}}

    def _place(self, shard: int, row: int) -> str:
        return f"{self._newest - row:013d}#{_MESSAGE}{row * LIST_SHARDS + shard:012d}"


class _Sink(FakeExportFiles):
    """Counts what would be stored."""

    def __init__(self) -> None:
        super().__init__(Office().points)
        self.bytes = self.lines = self.parts = 0

    async def put_part(self, export: Export, number: int, body: bytes) -> Part | None:
        self.bytes += len(body)
        self.lines += body.count(b"\r\n")
        self.parts += 1
        return Part(number=number, etag="etag", checksum=str(zlib.crc32(body)))

    async def complete(self, export: Export) -> bool:
        return len(export.parts) == self.parts


def _message() -> Message:
    return Message(
        organisation=DEMO,
        message_id=f"{_MESSAGE}000000000000",
        channel=Channel.SMS,
        accepted_at=NEWEST,
        recipient="+22177***4567",
        person="0123456789abcdef0123456789abcdef",
        country="SN",
        payload=PayloadRef(object_key=f"plans/{DEMO}/{IDENTITY}/1/run-00/chunk-000000.ndjson", row=1),
        status=Status.DELIVERED,
        provider_message_id="b8a90b8a-6b1a-4bb1-9b3e-0e2f7a3f3c55",
        campaign_id="vaccination-2026",
        enrollment_id="aEnrollmt01",
        chunk=Chunk(distribution_id=IDENTITY, run=0, number=0),
        segments=2,
        price=Price(amount=Decimal(24), currency="XOF"),
        sent_at=NEWEST,
        delivered_at=NEWEST,
        attempts=1,
    )


def _peak_kb() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0])


if __name__ == "__main__":
    raise SystemExit(main())
