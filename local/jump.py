"""Moves the stack's clock so that what falls due on the way happens in order.

The clock stops at the instant of each one-time schedule on the way, and at the minute in which an item of a table's
agenda falls due, where the tick finds it. A distribution under way looks again every minute: of a long jump those stops
are as far apart as sixty of them need to be. At each stop, first everything that is on the clock
comes to that instant at once (queues' delays and visibility time-outs, items' time to live, sleeping functions, the
simulators' receipts) and the functions do what there is to do; then the schedules fire, one-time ones by their times,
recurring ones once; and the functions work again. So a release planned for 08:00 happens at 08:00, though the jump
leads into the night. At the end the same happens, but nobody waits for the functions. Between two stops there is no
order among messages, as on AWS.

The clock moves only while no function works: nothing is taken up, and what is under way comes to its end first. Else a
slow machine would find a message claimed before the jump and its lease over after it.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta

from local.clock import BackwardsError, StackClock
from local.schedules import Scheduler
from shared.base.instants import format_instant

MOST_LOOKS = 80
"""How often a stop looks whether the functions still work; a campaign under way would keep it there. On an idle machine
about five seconds. Looks and not seconds, because a busy machine needs longer for a look as it does for the work."""
MOST_AGENDA_STOPS = 60
MINUTE = timedelta(minutes=1)
_IDLE_LOOKS = 4
_LOOK_SECONDS = 0.05


type Still = Callable[[], AbstractContextManager[None]]
"""Within it no function works."""

type NextDue = Callable[[datetime], datetime | None]
"""The first instant after the given one at which an item of a table's agenda falls due, if any does."""


class Jump:
    """One at a time. `busy`: whether any function works or is about to. `hurry` is set as long as it lasts: there are
    no windows for batches to fill while time flies."""

    def __init__(
        self,
        clock: StackClock,
        scheduler: Scheduler,
        busy: Callable[[], bool],
        next_due: NextDue,
        hurry: threading.Event,
        still: Still,
    ) -> None:
        self._still = still
        self._clock = clock
        self._scheduler = scheduler
        self._busy = busy
        self._next_due = next_due
        self._hurry = hurry
        self._jumping = threading.Lock()

    def to(self, instant: datetime) -> None:
        """Returns when the clock is there. Raises BackwardsError."""
        with self._jumping, self._hurried():
            if instant < self._clock.now():
                raise BackwardsError(f"the clock is at {format_instant(self._clock.now())} and only goes forwards")
            apart = max(MINUTE, (instant - self._clock.now()) / MOST_AGENDA_STOPS)
            earliest = self._clock.now()
            while stop := self._next_stop(instant, earliest):
                earliest = stop + apart
                self._move_to(stop)
                self._settle()
                self._scheduler.fire_due()
                self._settle()
            self._move_to(instant)
            self._scheduler.fire_due()

    @contextmanager
    def _hurried(self) -> Iterator[None]:
        always = self._hurry.is_set()
        self._hurry.set()
        try:
            yield
        finally:
            if not always:
                self._hurry.clear()

    def _next_stop(self, until: datetime, earliest: datetime) -> datetime | None:
        """Asked anew at each stop: what fires may make others. `earliest` holds for the agenda's stops alone."""
        stops = self._scheduler.one_time_until(until)[:1]
        due = self._next_due(self._clock.now())
        if due is not None:
            stops.append(max(_minute_from(due), earliest))
        return min((stop for stop in stops if stop <= until), default=None)

    def _move_to(self, instant: datetime) -> None:
        with self._still():
            if instant > self._clock.now():  # which runs on while things settle, and may have passed it
                self._clock.advance_to(instant)

    def _settle(self) -> None:
        idle_looks, looks = 0, 0
        while idle_looks < _IDLE_LOOKS and looks < MOST_LOOKS:
            looks += 1
            idle_looks = 0 if self._busy() else idle_looks + 1
            time.sleep(_LOOK_SECONDS)


def _minute_from(instant: datetime) -> datetime:
    """The tick that finds it: the first whole minute that is not before it."""
    return datetime.fromtimestamp(-(-instant.timestamp() // 60) * 60, UTC)
