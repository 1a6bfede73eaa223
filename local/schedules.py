"""EventBridge Scheduler: reads the schedules that moto keeps, and invokes their targets when the stack's clock says so.

What one look finds due fires in order: one-time schedules by their times, then recurring ones, each once. Every minute
of a jump over a night would be hundreds of ticks of which each but the last finds what the next finds too.
"""

import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.clock import StackClock
from local.schedule_expressions import Timing, read_expression
from shared.base.instants import format_instant

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0  # how soon a new schedule is seen
_SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"

type Invoke = Callable[[str, object], Future[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """`begins` and `ends` bound a recurring one, both inclusive. `deletes_itself` once nothing of it is to come."""

    group: str
    name: str
    target_arn: str
    payload: str
    timing: Timing
    created: datetime
    begins: datetime
    ends: datetime | None
    deletes_itself: bool

    def first_due(self) -> datetime:
        """A rate without a start date begins at once."""
        return self.timing.at or self.begins

    def due_after(self, now: datetime) -> datetime | None:
        """Find the next firing once what was due by now has fired."""
        every = self.timing.every
        if every is None:
            return None
        following = self.begins + ((now - self.begins) // every + 1) * every
        return None if self.ends is not None and following > self.ends else following


def read_schedule(document: Mapping[str, Any]) -> Schedule:
    """Read what GetSchedule answers."""
    timing = read_expression(document["ScheduleExpression"], document.get("ScheduleExpressionTimezone"))
    created = document["CreationDate"].astimezone(UTC)
    starts, ends = document.get("StartDate"), document.get("EndDate")
    bounded = timing.every is not None  # the dates of a one-time schedule are ignored, as on AWS
    return Schedule(
        group=document.get("GroupName", "default"),
        name=document["Name"],
        target_arn=document["Target"]["Arn"],
        payload=document["Target"].get("Input", "{}"),
        timing=timing,
        created=created,
        begins=max(created, starts.astimezone(UTC)) if starts and bounded else created,
        ends=ends.astimezone(UTC) if ends and bounded else None,
        deletes_itself=document.get("ActionAfterCompletion") == "DELETE",
    )


class Firings:
    """What is due, in order; remembers what has fired."""

    def __init__(self) -> None:
        self._due: dict[tuple[str, str, datetime, datetime], datetime | None] = {}

    def take_due(self, schedules: Iterable[Schedule], now: datetime) -> list[tuple[datetime, Schedule]]:
        """Give what is due by now, each once: one-time ones by their time, then recurring ones as of now."""
        fired: list[tuple[datetime, Schedule]] = []
        for schedule in schedules:
            due = self.next_due(schedule)
            if due is None or due > now:
                continue
            self._due[_key(schedule)] = schedule.due_after(now)
            if schedule.ends is None or due <= schedule.ends:
                fired.append((schedule.timing.at or min(now, schedule.ends or now), schedule))
        return sorted(fired, key=lambda firing: (firing[1].timing.every is not None, firing[0]))

    def next_due(self, schedule: Schedule) -> datetime | None:
        """When it fires next; None once it never will again."""
        return self._due.setdefault(_key(schedule), schedule.first_due())


def _key(schedule: Schedule) -> tuple[str, str, datetime, datetime]:
    """One that was moved, or made anew under the same name, has not fired yet."""
    return schedule.group, schedule.name, schedule.created, schedule.first_due()


class Scheduler:
    """Looks once a second, and whenever somebody asks it to."""

    def __init__(self, scheduler: Any, clock: StackClock, invoke: Invoke) -> None:
        self._scheduler = scheduler
        self._clock = clock
        self._invoke = invoke
        self._firings = Firings()
        self._read: dict[tuple[str, str, datetime], Schedule] = {}
        self._looking = threading.Lock()
        self._stopping = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="scheduler", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.fire_due()
            except (BotoCoreError, ClientError):
                if not self._stopping.is_set():
                    log.exception("reading schedules failed")
            self._stopping.wait(LOOK_SECONDS)

    def fire_due(self) -> None:
        """Fire what is due now."""
        with self._looking:
            schedules = self._schedules()
            for due, schedule in self._firings.take_due(schedules, self._clock.now()):
                payload = json.loads(schedule.payload.replace(_SCHEDULED_TIME, format_instant(due)))
                function_name = schedule.target_arn.rpartition(":function:")[2]
                # Asynchronous, as Scheduler invokes: a slow tick holds up no other; its errors are in the log.
                self._invoke(function_name, payload)
                log.info("schedule fired", extra={"schedule": schedule.name, "due": format_instant(due)})
            for schedule in schedules:
                if schedule.deletes_itself and self._firings.next_due(schedule) is None:
                    self._scheduler.delete_schedule(Name=schedule.name, GroupName=schedule.group)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nothing fires meanwhile."""
        with self._looking:
            yield

    def one_time_until(self, instant: datetime) -> list[datetime]:
        """When one-time schedules fire from now up to an instant, in order."""
        with self._looking:
            due = {self._firings.next_due(one) for one in self._schedules() if one.timing.at is not None}
        return sorted(at for at in due if at is not None and self._clock.now() < at <= instant)

    def _schedules(self) -> list[Schedule]:
        pages = self._scheduler.get_paginator("list_schedules").paginate()
        return [self._details(one) for page in pages for one in page["Schedules"] if one["State"] == "ENABLED"]

    def _details(self, summary: Mapping[str, Any]) -> Schedule:
        key = (summary["GroupName"], summary["Name"], summary["LastModificationDate"])
        if key not in self._read:
            document = self._scheduler.get_schedule(Name=summary["Name"], GroupName=summary["GroupName"])
            self._read[key] = read_schedule(document)
        return self._read[key]
