"""What every Lambda function shares: settings read once from the environment, one event loop for its life."""

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

type Event = dict[str, Any]
"""An event as Lambda hands it over; each handler reads it into values of its own."""
type Answer = Mapping[str, object] | None


class Context(Protocol):
    """The part of Lambda's context that is looked at."""

    def get_remaining_time_in_millis(self) -> int:
        """Until the time-out."""
        ...


type Handler = Callable[[Event, Context], Answer]


class MissingSettingError(Exception):
    """The template did not give the function a variable that it needs."""


def read_settings[T: "DataclassInstance"](kind: Callable[..., T], environment: Mapping[str, str]) -> T:
    """A settings dataclass of strings, each field from the variable of its name in capitals.

    Raises MissingSettingError naming every variable that is absent. PUBLIC_BASE_URL and the like may be empty.
    """
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]  # the callable is the dataclass itself
    missing = [name.upper() for name in names if name.upper() not in environment]
    if missing:
        raise MissingSettingError(f"set these environment variables: {', '.join(missing)}")
    return kind(**{name: environment[name.upper()] for name in names})


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """See `Clock`."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """See `Clock`."""
        await asyncio.sleep(max(seconds, 0))


class Loop:
    """One event loop for the life of the execution environment: kept connections belong to it."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine."""
        return self._runner.run(work)


def lazily(build: Callable[[Mapping[str, str]], Handler]) -> Handler:
    """A handler that is built at its first event, so that importing the module does nothing."""
    built: list[Handler] = []

    def handler(event: Event, context: Context) -> Answer:
        if not built:
            built.append(build(os.environ))
        return built[0](event, context)

    return handler
