"""Lambda's execution environments, as threads of the stack's process.

An environment is one handler. It is built once and serves one invocation at a time. If no environment is free, the pool
makes one more, up to a limit; above the limit, invocations wait. A thread cannot be killed. So an invocation that runs
past its function's time-out counts as failed at once and its environment is never used again, but its code runs on.
"""

import json
import logging
import queue
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

log = logging.getLogger(__name__)

type Json = object
type Handler = Callable[[Json, "LambdaContext"], Json]


class FunctionTimeoutError(Exception):
    """The invocation took longer than the template allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionLimits:
    name: str
    arn: str
    timeout: timedelta
    memory_mb: int
    environments: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaContext:
    """The context that a handler gets, with the names and units of Lambda's own."""

    aws_request_id: str
    function_name: str
    invoked_function_arn: str
    memory_limit_in_mb: str
    deadline: float
    function_version: str = "$LATEST"
    log_group_name: str = "local"
    log_stream_name: str = "local"
    identity: None = None
    client_context: None = None

    def get_remaining_time_in_millis(self) -> int:
        """The remaining milliseconds of real time: a jump of the stack's clock takes nothing from an invocation."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Invocation:
    event: Json
    outcome: Future[Json] = field(default_factory=Future)


class _Environment:
    def __init__(self, pool: "FunctionPool", handler: Handler | None = None) -> None:
        self._pool = pool
        self._handler = handler
        self._work: queue.SimpleQueue[_Invocation | None] = queue.SimpleQueue()
        self.abandoned = False
        threading.Thread(target=self._run, name=f"{pool.limits.name}-environment", daemon=True).start()

    def take(self, invocation: _Invocation) -> None:
        self._work.put(invocation)

    def end(self) -> None:
        """End the thread of an idle environment, which frees what it holds."""
        self.abandoned = True
        self._work.put(None)

    def _run(self) -> None:
        while not self.abandoned:
            invocation = self._work.get()
            if invocation is None:
                return
            try:
                self._handler = self._handler or self._pool.make_handler()
                self._invoke(self._handler, invocation)
            except Exception as error:  # noqa: BLE001,RUF100 - a function may raise anything
                if not self._pool.is_closed:
                    log.exception("function failed", extra={"function": self._pool.limits.name})
                _settle(invocation.outcome, error=error)
            self._pool.give_back(self)

    def _invoke(self, handler: Handler, invocation: _Invocation) -> None:
        limits = self._pool.limits
        seconds = limits.timeout.total_seconds()
        context = LambdaContext(
            aws_request_id=str(uuid.uuid4()),
            function_name=limits.name,
            invoked_function_arn=limits.arn,
            memory_limit_in_mb=str(limits.memory_mb),
            deadline=time.monotonic() + seconds,
        )
        timer = threading.Timer(seconds, self._time_out, (invocation, context))
        timer.daemon = True
        timer.start()
        try:
            # Through JSON and back, as in Lambda: nothing is shared, and a value that is not JSON is the function's
            # error.
            answer = json.loads(json.dumps(handler(json.loads(json.dumps(invocation.event)), context)))
        finally:
            timer.cancel()
        _settle(invocation.outcome, answer=answer)

    def _time_out(self, invocation: _Invocation, context: LambdaContext) -> None:
        seconds = self._pool.limits.timeout.total_seconds()
        message = f"{context.function_name}: task timed out after {seconds:g} seconds; its thread runs on"
        log.error(message, extra={"request_id": context.aws_request_id})
        self._pool.abandon(self)
        _settle(invocation.outcome, error=FunctionTimeoutError(message))


def _settle(outcome: Future[Json], *, answer: Json = None, error: Exception | None = None) -> None:
    with suppress(InvalidStateError):  # the time-out has already set it
        if error is None:
            outcome.set_result(answer)
        else:
            outcome.set_exception(error)


class FunctionPool:
    """One function: its environments, and the invocations that wait for one."""

    def __init__(self, limits: FunctionLimits, make_handler: Callable[[], Handler]) -> None:
        self.limits = limits
        self.make_handler = make_handler
        self._lock = threading.Lock()
        self._idle: list[_Environment] = []
        self._working: set[_Environment] = set()
        self._waiting: deque[_Invocation] = deque()
        self._size = 0
        self.is_closed = False

    def submit(self, event: Json) -> Future[Json]:
        """Start an invocation. The future gives the answer, raises what the function raised, or raises
        FunctionTimeoutError.
        """
        invocation = _Invocation(event=event)
        with self._lock:
            if self._idle:
                self._set_to_work(self._idle.pop(), invocation)
            elif self._size < self.limits.environments:
                self._size += 1
                self._set_to_work(_Environment(self), invocation)
            else:
                self._waiting.append(invocation)
        return invocation.outcome

    def warm_up(self) -> None:
        """Build the first environment's handler now. Raises what the function's `build` raises."""
        handler = self.make_handler()
        with self._lock:
            self._size += 1
            self._idle.append(_Environment(self, handler))

    @property
    def is_busy(self) -> bool:
        """Whether an invocation runs or waits."""
        with self._lock:
            return bool(self._waiting) or self._size > len(self._idle)

    def close(self) -> None:
        """Stop logging failures: the stack ends, so functions that still run will fail."""
        self.is_closed = True

    def renew(self) -> None:
        """Make the next invocations use new environments, which remember nothing. Invocations under way run to their
        end.
        """
        with self._lock:
            for environment in self._idle:
                environment.end()
            for environment in self._working:
                environment.abandoned = True
            self._size = 0
            self._idle.clear()
            self._working.clear()

    def give_back(self, environment: _Environment) -> None:
        with self._lock:
            if environment.abandoned:
                return
            self._working.discard(environment)
            if self._waiting:
                self._set_to_work(environment, self._waiting.popleft())
            else:
                self._idle.append(environment)

    def abandon(self, environment: _Environment) -> None:
        with self._lock:
            if environment.abandoned:
                return
            environment.abandoned = True
            self._working.discard(environment)
            if self._waiting:
                self._set_to_work(_Environment(self), self._waiting.popleft())
            else:
                self._size -= 1

    def _set_to_work(self, environment: _Environment, invocation: _Invocation) -> None:
        self._working.add(environment)
        environment.take(invocation)
