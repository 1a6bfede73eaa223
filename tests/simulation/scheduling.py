"""Decides which task runs next and which process dies: every call of a fake passes here, before and after its effect.

Workers, ticks, webhooks and clients are tasks on one loop. A seeded pause at every await decides which one goes on. A
worker is a process, which its tasks know by a context variable. Once it is dead, none of them does anything more.
"""

import asyncio
import functools
import hashlib
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, override

from shared.messages.ports import Page
from tests.fakes.world import FakeClock, KilledError, Points
from tests.simulation.faults import Dice

SHORT, LONG = 0.004, 0.03
"""Seconds of an AWS call, usually and sometimes."""
SLOW = 0.5
LONGEST_REPEAT = 1.0
"""Seconds until AWS's client repeats a write whose answer was lost. Others may write in between."""
S3 = ("plans",)
SECRETS = ("secrets",)
QUEUES = ("queue", "tasks", "statuses", "dead")
READS_INDEX = ("log.due", "log.parked", "distributions.due", "holds.due")


class UnavailableError(Exception):
    """AWS refuses, or its answer was lost."""


@dataclass(slots=True, eq=False)
class Process:
    """One invocation of a function, or one request. After its time-out it is dead like a killed one."""

    role: str
    number: int
    ends_at: datetime
    dead: bool = False
    finished: bool = False

    def has_died(self, now: datetime) -> bool:
        """Whether it was killed or reached its time-out before its work was done."""
        return self.dead or (not self.finished and now >= self.ends_at)

    def must_live(self, now: datetime) -> None:
        """Raises KilledError if it is dead."""
        if self.dead or now >= self.ends_at:
            self.die()

    def die(self) -> None:
        """Kills it at once, with all its tasks."""
        self.dead = True
        raise KilledError(self.role)


CURRENT: ContextVar[Process | None] = ContextVar("process", default=None)
ANYWHERE = {"fanout": "fanout_killed", "consumer": "consumer_killed", "api": "api_killed"}
"""Roles that may die at any point. A sender's deaths have names of their own."""


class Interleaving(Points):
    """`Points` that also pause, kill and fail calls."""

    def __init__(self, dice: Dice, clock: FakeClock) -> None:
        super().__init__()
        self._dice = dice
        self._clock = clock
        self._trace = hashlib.sha256()
        self.steps = 0
        self.kept: set[tuple[object, ...]] = set()
        """Messages (organisation, ID) whose claim the log did not give back."""
        self.spoken: list[str] | None = None

    @property
    def trace(self) -> str:
        """A hash of every step of the run, in order."""
        return self._trace.hexdigest()

    def note(self, *words: object) -> None:
        """Adds a step to the trace."""
        self.steps += 1
        line = f"{self._clock.instant:%d %H:%M:%S.%f} {' '.join(map(str, words))}"
        self._trace.update(line.encode())
        if self.spoken is not None:
            self.spoken.append(line)

    def here(self) -> Process | None:
        """The running process, or None. Raises KilledError if it is dead."""
        process = CURRENT.get()
        if process is not None:
            process.must_live(self._clock.instant)
        return process

    @override
    async def __call__(self, name: str) -> None:
        """Before a call takes effect."""
        self.here()
        await self._pause(name)
        process = self.here()
        if process is None:
            return
        self.note(process.role, process.number, name)
        self._may_kill(process, name, before=True)
        self._may_fail(name)

    async def after(self, name: str) -> None:
        """After the effect, before the caller gets the answer."""
        process = self.here()
        if process is None:
            return
        self._may_kill(process, name, before=False)
        if name.partition(".")[0] not in (*S3, *SECRETS, *QUEUES) and self._dice.breaks("dynamodb_answer_lost"):
            raise UnavailableError(f"no answer from {name}")

    def _may_kill(self, process: Process, name: str, *, before: bool) -> None:
        fault = ANYWHERE.get(process.role) if before else None
        if process.role == "sender" and name == "log.claim":
            fault = "killed_before_claim" if before else "killed_between_claim_and_call"
        if fault is not None and self._dice.breaks(fault):
            self.note(fault)
            process.die()

    def _may_fail(self, name: str) -> None:
        store = name.partition(".")[0]
        if store in QUEUES:
            return
        fault = "s3_fails" if store in S3 else "dynamodb_throttles"
        fault = "secrets_manager_throttles" if store in SECRETS else fault
        if self._dice.breaks(fault) or (store == "log" and self._dice.breaks("dead_lettered")):
            raise UnavailableError(f"{name} is refused")

    async def _pause(self, name: str) -> None:
        random, store = self._dice.random, name.partition(".")[0]
        if self._dice.breaks("worker_stalls"):
            await asyncio.sleep(self._dice.between(1, 70))
        elif store not in (*S3, *SECRETS, *QUEUES) and self._dice.breaks("dynamodb_slow"):
            await asyncio.sleep(random.random() * SLOW)
        else:
            await asyncio.sleep(random.random() * (LONG if random.random() < 0.1 else SHORT))

    def observe(self, prefix: str, store: object) -> None:
        """Makes all calls of a fake pass here."""
        for name, method in inspect.getmembers(store, inspect.iscoroutinefunction):
            if not name.startswith("_") and name != "add_all":
                setattr(store, name, self._around(f"{prefix}.{name}", method))

    def _around(self, name: str, method: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        """The fake itself passes the point before the call. The call runs twice if AWS's client repeats it."""

        @functools.wraps(method)
        async def whole(*args: Any, **kwargs: Any) -> Any:
            if name in READS_INDEX and self._dice.breaks("index_lags"):
                return []
            if name == "log.page" and args[0].provider_message_id is not None and self._dice.breaks("index_lags"):
                return Page(items=(), position=None)
            try:
                found = await method(*args, **kwargs)
                if name in WRITES and self._dice.breaks("own_write_met_again"):
                    await asyncio.sleep(self._dice.between(0, LONGEST_REPEAT))
                    self.note("again", name)
                    found = await method(*args, **kwargs)
                    if name == "distributions.count":  # AWS's client reports its repetition, and the adapter does this
                        await method.__self__.want_recount(*args[:2], kwargs["began"])  # type: ignore[attr-defined]
                await self.after(name)
            except UnavailableError:
                if name == "log.give_back":
                    self.kept.add(args[:2])
                raise
            return found

        return whole


WRITES = (
    *(
        "log.add",
        "log.claim",
        "log.move",
        "log.give_back",
        "log.mark_unknown",
        "log.note_card",
        "log.resend",
        "log.postpone",
    ),
    *("log.card_taken", "log.retry_message", "log.unlink"),
    *("log.note_reporting", "last_heard_store.note_reports", "last_heard_store.note_silence"),
    *("log.note_reached", "sums.write"),
    *(
        "log.move_next_check",
        "log.fall_back",
        "log.mark_dead",
        "log.redrive",
        "people.record",
        "receipts.name",
        "receipts.park",
    ),
    *("log.park", "holds.save"),
    *("distributions.create", "distributions.save", "distributions.count", "distributions.set_counts"),
    *("rate_limits.book", "rate_limits.hold", "cards.failed", "cards.served"),
)
"""Writes that AWS's client repeats if it gets no answer."""


async def as_process[T](process: Process, work: Awaitable[T]) -> T:
    """Runs work as that process. Call it in a task of its own, because it changes the context."""
    CURRENT.set(process)
    done = await work
    process.finished = True
    return done


def ends_after(now: datetime, seconds: float) -> datetime:
    """When a process reaches its time-out."""
    return now + timedelta(seconds=seconds)
