"""The clock, the points at which a test may kill a worker, and the collected events.

tests/contract holds the fakes to the same behaviour as the AWS adapters.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from shared.base.events import EVENTS

MORNING = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


class KilledError(BaseException):
    """The worker's process dies. No code of ours catches this."""


@dataclass(slots=True)
class FakeClock:
    """A sleep moves the time on, for all sleepers at once. The time never moves by itself."""

    instant: datetime = MORNING

    def now(self) -> datetime:
        return self.instant

    async def sleep(self, seconds: float) -> None:
        wakes_at = self.instant + timedelta(seconds=max(seconds, 0))
        await asyncio.sleep(0)
        self.instant = max(self.instant, wakes_at)

    def pass_by(self, **time: float) -> datetime:
        self.instant += timedelta(**time)
        return self.instant


@dataclass(slots=True)
class Points:
    """Every call of a fake passes one of these points. A test may kill the worker there."""

    kill_before: tuple[str, int] | None = None
    passed: Counter[str] = field(default_factory=Counter)

    async def __call__(self, name: str) -> None:
        await asyncio.sleep(0)
        self.passed[name] += 1
        if self.kill_before == (name, self.passed[name]):
            raise KilledError(name)


def tokens() -> Callable[[], str]:
    """Random elsewhere: each token differs, and each run draws the same ones."""
    numbers = itertools.count(1)
    return lambda: f"token-{next(numbers)}"


class FakeTelemetry:
    """Collects events; warning events also in a list of their own. An event that `shared.base.events` does not list is
    an error."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []
        self.warning_events: list[str] = []

    def event(self, name: str, **fields: str | int | float | bool | None) -> None:
        listed = EVENTS[name]
        assert fields.keys() <= listed.fields, (name, fields.keys() - listed.fields)
        self.events.append((name, dict(fields)))

    def warning_event(self, name: str, **fields: str | int | float | bool | None) -> None:
        assert EVENTS[name].is_warning, name
        self.event(name, **fields)
        self.warning_events.append(name)

    def names(self) -> list[str]:
        return [name for name, _ in self.events]
