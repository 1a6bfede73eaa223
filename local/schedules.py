"""EventBridge Scheduler: reads the schedules that moto keeps, and invokes their targets when the stack's clock says so.

After a jump of the clock, one-time schedules fire in the order of their times; a recurring one fires once, at the end.
Every minute of a jump over a night would be hundreds of ticks of which each but the last finds what the next finds too.
"""

import json
import logging
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from botocore.exceptions import BotoCoreError, ClientError

from local.clock import StackClock, format_instant

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0  # how soon a new schedule is seen
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"

type Invoke = Callable[[str, object], Future[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Either `every` or `at` is set. `deletes_itself` after its last firing."""

    group: str
    name: str
    target_arn: str
    payload: str
    created: datetime
    every: timedelta | None
    at: datetime | None
    deletes_itself: bool

    def first_due(self) -> datetime:
        """A rate without a start date begins at once."""
        return self.at or self.created

    def due_after(self, now: datetime) -> datetime | None:
        """Find the next firing once what was due by now has fired."""
        if self.every is None:
            return None
        return self.created + ((now - self.created) // self.every + 1) * self.every


class ExpressionError(ValueError):
    """A schedule expression that is not rate(...) or at(...)."""


def read_schedule(document: Mapping[str, Any]) -> Schedule:
    """Read what GetSchedule answers; ExpressionError for cron, which the product has not."""
    expression = document["ScheduleExpression"]
    every = at = None
    if rate := _RATE.fullmatch(expression):
        every = timedelta(**{f"{rate[2]}s": int(rate[1])})
    elif instant := _AT.fullmatch(expression):
        zone = ZoneInfo(document.get("ScheduleExpressionTimezone") or "UTC")
        at = datetime.fromisoformat(instant[1]).replace(tzinfo=zone).astimezone(UTC)
    else:
        raise ExpressionError(expression)
    return Schedule(
        group=document.get("GroupName", "default"),
        name=document["Name"],
        target_arn=document["Target"]["Arn"],
        payload=document["Target"].get("Input", "{}"),
        created=document["CreationDate"].astimezone(UTC),
        every=every,
        at=at,
        deletes_itself=document.get("ActionAfterCompletion") == "DELETE",
    )


class Firings:
    """What is due, in order; remembers what has fired."""

    def __init__(self) -> None:
        self._due: dict[tuple[str, str, datetime], datetime | None] = {}

    def take_due(self, schedules: Iterable[Schedule], now: datetime) -> list[tuple[datetime, Schedule]]:
        """Give what is due by now, each once: one-time ones by their time, then recurring ones as of now."""
        fired: list[tuple[datetime, Schedule]] = []
        for schedule in schedules:
            key = (schedule.group, schedule.name, schedule.first_due())
            due = self._due.setdefault(key, schedule.first_due())
            if due is None or due > now:
                continue
            self._due[key] = schedule.due_after(now)
            fired.append((schedule.at or now, schedule))
        return sorted(fired, key=lambda firing: (firing[1].every is not None, firing[0]))


class Scheduler:
    def __init__(self, scheduler: Any, clock: StackClock, invoke: Invoke) -> None:
        self._scheduler = scheduler
        self._clock = clock
        self._invoke = invoke
        self._firings = Firings()
        self._read: dict[tuple[str, str, datetime], Schedule | None] = {}
        self._wake = threading.Event()
        self._stopping = threading.Event()
        clock.on_jump(lambda _now: self._wake.set())

    def start(self) -> None:
        threading.Thread(target=self._run, name="scheduler", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                self.fire_due()
            except (BotoCoreError, ClientError):
                if not self._stopping.is_set():
                    log.exception("reading schedules failed")
            self._wake.wait(LOOK_SECONDS)

    def fire_due(self) -> None:
        for due, schedule in self._firings.take_due(self._schedules(), self._clock.now()):
            payload = json.loads(schedule.payload.replace(_SCHEDULED_TIME, format_instant(due)))
            function_name = schedule.target_arn.rpartition(":function:")[2]
            # Asynchronous, as Scheduler invokes: a slow tick holds up no other; its environment logs what it raises.
            self._invoke(function_name, payload)
            log.info("schedule fired", extra={"schedule": schedule.name, "due": format_instant(due)})
            if schedule.every is None and schedule.deletes_itself:
                self._scheduler.delete_schedule(Name=schedule.name, GroupName=schedule.group)

    def _schedules(self) -> list[Schedule]:
        pages = self._scheduler.get_paginator("list_schedules").paginate()
        listed = [summary for page in pages for summary in page["Schedules"] if summary["State"] == "ENABLED"]
        found = (self._details(summary) for summary in listed)
        return [schedule for schedule in found if schedule is not None]

    def _details(self, summary: Mapping[str, Any]) -> Schedule | None:
        key = (summary["GroupName"], summary["Name"], summary["LastModificationDate"])
        if key not in self._read:
            document = self._scheduler.get_schedule(Name=summary["Name"], GroupName=summary["GroupName"])
            try:
                self._read[key] = read_schedule(document)
            except ExpressionError as error:
                log.warning("schedule %s never fires: %s is not understood here", summary["Name"], error)
                self._read[key] = None
        return self._read[key]
