"""EventBridge Scheduler: reads the schedules that moto keeps, and invokes their targets by the stack's clock.

One look fires what is due in order: one-time schedules by their times, then each recurring schedule once. A jump over a
night would otherwise fire hundreds of ticks, and each would find only what the last one finds too.
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

LOOK_SECONDS = 1.0  # a new schedule is seen within this time
_SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"

type Invoke = Callable[[str, object], Future[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A schedule. `begins` and `ends` bound a recurring one, both inclusive.

    If `deletes_itself` is set, the scheduler deletes it after its last firing.
    """

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
        """The first firing. A rate without a start date fires at once."""
        return self.timing.at or self.begins

    def due_after(self, now: datetime) -> datetime | None:
        """The next firing after what was due by `now` has fired; None if there is no other."""
        every = self.timing.every
        if every is None:
            return None
        following = self.begins + ((now - self.begins) // every + 1) * every
        return None if self.ends is not None and following > self.ends else following


def read_schedule(document: Mapping[str, Any]) -> Schedule:
    """Read the answer of GetSchedule."""
    timing = read_expression(document["ScheduleExpression"], document.get("ScheduleExpressionTimezone"))
    created = document["CreationDate"].astimezone(UTC)
    starts, ends = document.get("StartDate"), document.get("EndDate")
    bounded = timing.every is not None  # a one-time schedule ignores these dates, as on AWS
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
    """Finds the schedules that are due, in order, and remembers what has fired."""

    def __init__(self) -> None:
        self._due: dict[tuple[str, str, datetime, datetime], datetime | None] = {}

    def take_due(self, schedules: Iterable[Schedule], now: datetime) -> list[tuple[datetime, Schedule]]:
        """Return what is due by now, each schedule once, with its time.

        One-time schedules come first, by their times, then recurring ones with the time `now` (or their end, if that is
        before).
        """
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
        """The next firing; None if there is no other."""
        return self._due.setdefault(_key(schedule), schedule.first_due())


def _key(schedule: Schedule) -> tuple[str, str, datetime, datetime]:
    """The key has the times too, so that a schedule that was moved, or made anew under its name, counts as not fired
    yet.
    """
    return schedule.group, schedule.name, schedule.created, schedule.first_due()


class Scheduler:
    """Looks once a second, and whenever `fire_due` is called."""

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
                # Asynchronous, as in AWS: a slow tick does not delay the others, and its errors are in the log.
                self._invoke(function_name, payload)
                log.info("schedule fired", extra={"schedule": schedule.name, "due": format_instant(due)})
            for schedule in schedules:
                if schedule.deletes_itself and self._firings.next_due(schedule) is None:
                    self._scheduler.delete_schedule(Name=schedule.name, GroupName=schedule.group)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Fire nothing within this context."""
        with self._looking:
            yield

    def one_time_until(self, instant: datetime) -> list[datetime]:
        """When one-time schedules fire, after now and up to `instant`, in order."""
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
