"""The queues. Bodies are encrypted by the queue; every message's group is its organisation, so that none crowds out
the others (fair queues)."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import batched
from typing import TYPE_CHECKING

from shared.aws.codec import encode
from shared.aws.session import Aws
from shared.aws.tries import tries
from shared.domain.dispatch import Dispatch
from shared.domain.instants import from_microseconds
from shared.domain.payload import Channel
from shared.usecases.ports import Task
from shared.usecases.receive import Report

if TYPE_CHECKING:
    from types_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

_AT_ONCE = 10
_LONGEST_BATCH = 900_000
"""Bytes; SQS takes 1 MiB a batch, attributes included."""
_LONGEST_DELAY = 900
_EARLY = 1.0
"""Seconds before its departure at which a message may reach its sender, who waits out the rest."""


class QueueError(Exception):
    """SQS kept refusing some messages of a batch, or called some our fault."""


class SqsChannelQueue:
    """`ChannelQueue`: delays each message until shortly before it departs."""

    def __init__(self, aws: Aws, urls: Mapping[Channel, str]) -> None:
        self._aws = aws
        self._urls = urls

    async def put(self, dispatches: Sequence[Dispatch], now: datetime) -> None:
        """See `ChannelQueue`."""
        for channel in {dispatch.channel for dispatch in dispatches}:
            mine = [dispatch for dispatch in dispatches if dispatch.channel is channel]
            entries = [_entry(encode(one), one.organisation, _delay(one, now)) for one in mine]
            await put_all(self._aws, self._urls[channel], entries)


class SqsTaskQueue:
    """`TaskQueue`."""

    def __init__(self, aws: Aws, url: str) -> None:
        self._aws = aws
        self._url = url

    async def put(self, tasks: Sequence[Task], *, delay: int = 0) -> None:
        """See `TaskQueue`."""
        entries = [_entry(encode(task), task.organisation or "agenda", delay) for task in tasks]
        await put_all(self._aws, self._url, entries)


class SqsStatusQueue:
    """`StatusQueue`."""

    def __init__(self, aws: Aws, url: str) -> None:
        self._aws = aws
        self._url = url

    async def put(self, reports: Sequence[Report], *, delay: int = 0) -> None:
        """See `StatusQueue`."""
        await put_all(self._aws, self._url, [_entry(encode(one), one.organisation, delay) for one in reports])


async def put_all(aws: Aws, url: str, entries: Iterable["SendMessageBatchRequestEntryTypeDef"]) -> None:
    """Send all entries, ten at a time, refused ones again. Raises QueueError if some are refused to the end."""
    await aws.run_all([partial(_send, aws, url, batch) for batch in _batches(entries)])


def _entry(body: bytes, group: str, delay: int) -> "SendMessageBatchRequestEntryTypeDef":
    return {"Id": "", "MessageBody": body.decode(), "MessageGroupId": group, "DelaySeconds": delay}


def _delay(dispatch: Dispatch, now: datetime) -> int:
    ahead = (from_microseconds(dispatch.departs_at) - now).total_seconds() - _EARLY
    return min(max(math.floor(ahead), 0), _LONGEST_DELAY)


def _batches(
    entries: Iterable["SendMessageBatchRequestEntryTypeDef"],
) -> Iterable[list["SendMessageBatchRequestEntryTypeDef"]]:
    for ten in batched(entries, _AT_ONCE, strict=False):
        batch: list[SendMessageBatchRequestEntryTypeDef] = []
        size = 0
        for entry in ten:
            length = len(entry["MessageBody"].encode())
            if batch and size + length > _LONGEST_BATCH:
                yield batch
                batch, size = [], 0
            batch.append({**entry, "Id": str(len(batch))})
            size += length
        yield batch


def _send(aws: Aws, url: str, batch: Sequence["SendMessageBatchRequestEntryTypeDef"]) -> None:
    """What is our own fault is refused for good; the rest is still sent before that is raised."""
    waiting = {entry["Id"]: entry for entry in batch}
    faulty = 0
    for _ in tries(aws):
        answer = aws.sqs.send_message_batch(QueueUrl=url, Entries=list(waiting.values()))
        failed = answer.get("Failed", ())
        faulty += sum(one["SenderFault"] for one in failed)
        waiting = {one["Id"]: waiting[one["Id"]] for one in failed if not one["SenderFault"]}
        if not waiting:
            break
    if waiting or faulty:
        raise QueueError(f"{len(waiting) + faulty} of {len(batch)} messages refused")
