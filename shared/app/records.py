"""A batch of an SQS event source: every record gets an outcome of its own."""

from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any

import msgspec

from shared.app.runtime import Event
from shared.app.telemetry import LoggedTelemetry
from shared.storage.codec import decode


def is_batch(event: Event) -> bool:
    """Whether the event comes from a queue."""
    return "Records" in event


def comes_from(event: Event, queue_arns: Collection[str]) -> bool:
    """Whether a batch, which is always of one queue, is of one of these."""
    return any(record.get("eventSourceARN") in queue_arns for record in event["Records"])


async def each_record[T](
    event: Event,
    kind: type[T],
    work: Callable[[Sequence[T]], Coroutine[Any, Any, Sequence[bool]]],
    telemetry: LoggedTelemetry,
) -> dict[str, list[dict[str, str]]]:
    """ReportBatchItemFailures: the records that `work` (True: done) or the decoder could not handle come again."""
    return await each_read(event, lambda record: decode(record["body"], kind), work, telemetry)


async def each_read[T](
    event: Event,
    reader: Callable[[Event], T],
    work: Callable[[Sequence[T]], Coroutine[Any, Any, Sequence[bool]]],
    telemetry: LoggedTelemetry,
) -> dict[str, list[dict[str, str]]]:
    """The same, with a reader of whole records that raises MsgspecError for those it cannot read."""
    failed: list[str] = []
    read: list[tuple[str, T]] = []
    for record in event["Records"]:
        try:
            read.append((record["messageId"], reader(record)))
        except msgspec.MsgspecError as error:
            telemetry.crash(error, "record_unreadable")
            failed.append(record["messageId"])
    done = await work([value for _, value in read])
    failed += [identity for (identity, _), fine in zip(read, done, strict=True) if not fine]
    return {"batchItemFailures": [{"itemIdentifier": identity} for identity in failed]}


async def one_by_one[T](
    values: Sequence[T], work: Callable[[T], Coroutine[Any, Any, None]], telemetry: LoggedTelemetry
) -> list[bool]:
    """True for each value that was worked off; one that fails is told and does not stop the others."""
    done: list[bool] = []
    for value in values:
        try:
            await work(value)
        except Exception as error:
            telemetry.crash(error, type(value).__name__)
            done.append(False)
        else:
            done.append(True)
    return done
