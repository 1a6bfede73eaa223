"""The queues. SQS encrypts the bodies. Every message's group is its organisation, so that a busy organisation does not
delay the others (fair queues)."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import batched
from typing import TYPE_CHECKING

from shared.base.instants import from_microseconds
from shared.campaigns.ports import Task
from shared.messages.payload import Channel
from shared.messages.queue_message import QueueMessage
from shared.storage.aws import Aws, tries
from shared.storage.codec import encode_ascii
from shared.webhooks.ingress import Report

if TYPE_CHECKING:
    from types_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef


_AT_ONCE = 10

LONGEST = 900_000
"""Bytes of a body, and of all bodies of a batch. SQS takes 1 MiB for each, attributes included."""

_LONGEST_DELAY = 900

_EARLY = 1.0
"""A message may reach its sender this many seconds before its send slot. The sender waits the rest."""


_UNFIT = "InvalidMessageContents"
"""SQS's code for a body with characters that it refuses. SQS's other sender faults (a missing permission, for example)
affect every message and can be repaired."""


class QueueError(Exception):
    """SQS kept refusing some messages of a batch, or reported a sender fault for some."""


class SqsChannelQueue:
    """`OffersMessages`: delays each message until shortly before its send slot."""

    def __init__(self, aws: Aws, urls: Mapping[Channel, str]) -> None:
        self._aws = aws
        self._urls = urls

    async def offer(self, queue_messages: Sequence[QueueMessage], now: datetime) -> Sequence[QueueMessage]:
        refused: list[QueueMessage] = []
        for channel in {queue_message.channel for queue_message in queue_messages}:
            mine = [queue_message for queue_message in queue_messages if queue_message.channel is channel]
            entries = [_entry(body_of(one), one.organisation, _delay(one, now)) for one in mine]
            refused += [mine[place] for place in await _put(self._aws, self._urls[channel], entries)]
        return refused


class SqsTaskQueue:
    """`TaskQueue`."""

    def __init__(self, aws: Aws, url: str) -> None:
        self._aws = aws
        self._url = url

    async def put(self, tasks: Sequence[Task], *, delay: int = 0) -> None:
        entries = [_entry(encode_ascii(task), task.organisation or "agenda", delay) for task in tasks]
        await put_all(self._aws, self._url, entries)


class SqsStatusQueue:
    """`StatusQueue`."""

    def __init__(self, aws: Aws, url: str) -> None:
        self._aws = aws
        self._url = url

    async def put(self, reports: Sequence[Report], *, delay: int = 0) -> None:
        await put_all(self._aws, self._url, [_entry(encode_ascii(one), one.organisation, delay) for one in reports])


def body_of(queue_message: QueueMessage) -> str:
    """The body of a queue message."""
    return encode_ascii(queue_message)


async def put_all(aws: Aws, url: str, entries: Iterable["SendMessageBatchRequestEntryTypeDef"]) -> None:
    """Send all entries, ten at a time; refused ones again. Raises QueueError if some are refused at every attempt."""
    if unfit := await _put(aws, url, list(entries)):
        raise QueueError(f"{len(unfit)} messages that SQS never accepts")


async def _put(aws: Aws, url: str, entries: Sequence["SendMessageBatchRequestEntryTypeDef"]) -> Sequence[int]:
    """Send all entries. Returns the places of those that SQS never takes. Raises QueueError like `put_all`."""
    batches = list(_batches(entries))
    unfit = await aws.run_all([partial(_send, aws, url, list(batch.values())) for batch in batches])
    sent = {place for batch in batches for place in batch}
    refused = {
        place for batch, ids in zip(batches, unfit, strict=True) for place, one in batch.items() if one["Id"] in ids
    }
    return sorted(refused | (set(range(len(entries))) - sent))


def _entry(body: str, group: str, delay: int) -> "SendMessageBatchRequestEntryTypeDef":
    return {"Id": "", "MessageBody": body, "MessageGroupId": group, "DelaySeconds": delay}


def _delay(queue_message: QueueMessage, now: datetime) -> int:
    ahead = (from_microseconds(queue_message.slot_at) - now).total_seconds() - _EARLY
    return min(max(math.floor(ahead), 0), _LONGEST_DELAY)


def _batches(
    entries: Sequence["SendMessageBatchRequestEntryTypeDef"],
) -> Iterable[dict[int, "SendMessageBatchRequestEntryTypeDef"]]:
    """Batches, each by the entries' places. Entries whose body is too long for any batch are left out."""
    fitting = [(place, one) for place, one in enumerate(entries) if len(one["MessageBody"]) <= LONGEST]
    for ten in batched(fitting, _AT_ONCE, strict=False):
        batch: dict[int, SendMessageBatchRequestEntryTypeDef] = {}
        size = 0
        for place, entry in ten:
            length = len(entry["MessageBody"])  # ASCII: one byte for each character
            if batch and size + length > LONGEST:
                yield batch
                batch, size = {}, 0
            batch[place] = {**entry, "Id": str(len(batch))}
            size += length
        yield batch


def _send(aws: Aws, url: str, batch: Sequence["SendMessageBatchRequestEntryTypeDef"]) -> Collection[str]:
    """The IDs of the entries whose bodies SQS refuses. Other sender faults are not tried again; the remaining entries
    are still sent before QueueError is raised."""
    waiting = {entry["Id"]: entry for entry in batch}
    unfit: set[str] = set()
    faulty = 0
    for _ in tries(aws):
        answer = aws.sqs.send_message_batch(QueueUrl=url, Entries=list(waiting.values()))
        failed = answer.get("Failed", ())
        unfit |= {one["Id"] for one in failed if one["SenderFault"] and one["Code"].endswith(_UNFIT)}
        faulty += sum(one["SenderFault"] and one["Id"] not in unfit for one in failed)
        waiting = {one["Id"]: waiting[one["Id"]] for one in failed if not one["SenderFault"]}
        if not waiting:
            break
    if waiting or faulty:
        raise QueueError(f"{len(waiting) + faulty} of {len(batch)} messages refused")
    return unfit
