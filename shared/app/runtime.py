"""Lambda's runtime, for every function: settings read once from the environment, one event loop for its life, and
batches of an SQS event source."""

import asyncio
import os
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from shared.app.telemetry import LoggedTelemetry
from shared.base.instants import from_rfc3339
from shared.storage.codec import decode

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


type Event = dict[str, Any]
"""An event as Lambda passes it. Each handler reads it into values of its own."""

type Answer = Mapping[str, object] | None


class Context(Protocol):
    """The part of Lambda's context that we use."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the time-out."""
        ...


type Handler = Callable[[Event, Context], Answer]


class MissingSettingError(Exception):
    """The template did not give the function a variable that it needs."""


def read_settings[T: "DataclassInstance"](kind: Callable[..., T], environment: Mapping[str, str]) -> T:
    """A settings dataclass of strings. Each field gets the variable of its name in capitals.

    Raises MissingSettingError with the names of all absent variables. A variable may be empty, like PUBLIC_BASE_URL.
    """
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]  # the callable is the dataclass itself
    missing = [name.upper() for name in names if name.upper() not in environment]
    if missing:
        raise MissingSettingError(f"set these environment variables: {', '.join(missing)}")
    return kind(**{name: environment[name.upper()] for name in names})


def days(text: str) -> timedelta:
    """A variable that holds a number of days. Raises MissingSettingError if it does not."""
    if not text.isdecimal() or int(text) < 1:
        raise MissingSettingError(f"a number of days is needed, not {text!r}")
    return timedelta(days=int(text))


class SystemClock:
    """The machine's time. With `starts_at` (aware): a clock that shows this instant when it is made, and runs on."""

    def __init__(self, starts_at: datetime | None = None) -> None:
        self._ahead = starts_at - datetime.now(UTC) if starts_at is not None else timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0))


def system_clock(environment: Mapping[str, str]) -> SystemClock:
    """The clock of a function that got none: the machine's time, unless CLOCK_STARTS_AT has a value.

    The variable is empty in every deployed function. Only `sam local` sets it (events/env.json) to an RFC 3339 instant:
    a container has the machine's time, and at night no SMS would be sent. The clock starts there at the first event of
    the execution environment.

    Raises MissingSettingError if the variable is absent, ValueError if it is not an instant with a zone.
    """
    if "CLOCK_STARTS_AT" not in environment:
        raise MissingSettingError("set these environment variables: CLOCK_STARTS_AT")
    text = environment["CLOCK_STARTS_AT"]
    if not text:
        return SystemClock()
    return SystemClock(from_rfc3339(text))


class Loop:
    """One event loop for the life of the execution environment, because kept connections belong to it.

    `tell` gets exceptions that no code awaited. asyncio itself would write their text into the log.
    """

    def __init__(self, tell: Callable[[Exception, str], None]) -> None:
        self._runner = asyncio.Runner()
        self._tell = tell

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine and return its result."""
        self._runner.get_loop().set_exception_handler(self._unheard)
        return self._runner.run(work)

    def close(self) -> None:
        """Close the loop, if the process outlives it. On Lambda both end together."""
        self._runner.close()

    def _unheard(self, _: asyncio.AbstractEventLoop, context: Mapping[str, object]) -> None:
        error = context.get("exception")
        self._tell(error if isinstance(error, Exception) else RuntimeError(), "event_loop")


def lazily(build: Callable[[Mapping[str, str]], Handler]) -> Handler:
    """A handler that is built at its first event, so that importing the module runs nothing."""
    built: list[Handler] = []

    def handler(event: Event, context: Context) -> Answer:
        if not built:
            built.append(build(os.environ))
        return built[0](event, context)

    return handler


def is_batch(event: Event) -> bool:
    """Whether the event comes from a queue."""
    return "Records" in event


def comes_from(event: Event, queue_arns: Collection[str]) -> bool:
    """Whether the batch comes from one of these queues. A batch always comes from one queue."""
    return any(record.get("eventSourceARN") in queue_arns for record in event["Records"])


async def each_record[T](
    event: Event,
    kind: type[T],
    work: Callable[[Sequence[T]], Coroutine[Any, Any, Sequence[bool]]],
    telemetry: LoggedTelemetry,
) -> dict[str, list[dict[str, str]]]:
    """Handle a batch. Returns ReportBatchItemFailures: the records that could not be decoded, or for which `work`
    returned False. They come again."""
    return await each_read(event, lambda record: decode(record["body"], kind), work, telemetry)


async def each_read[T](
    event: Event,
    reader: Callable[[Event], T],
    work: Callable[[Sequence[T]], Coroutine[Any, Any, Sequence[bool]]],
    telemetry: LoggedTelemetry,
) -> dict[str, list[dict[str, str]]]:
    """`each_record` with a reader of whole records; it raises MsgspecError for records that it cannot read."""
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
    """Run `work` for each value. Returns True for each that succeeded; a failure is logged and does not stop the
    others."""
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
