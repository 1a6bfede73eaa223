"""Moves the stack's clock so that what falls due on the way happens in order.

The clock stops at the instant of each one-time schedule, and at each minute in which an item of a table's agenda falls
due, because the tick finds it then. A distribution that is sending has an item every minute. In a long jump the
agenda's stops are further apart, so that there are at most sixty. At each stop this happens:

- All waits on the clock move to that instant (queues' delays and visibility time-outs, items' time to live, sleeping
  functions, the simulators' receipts), and the functions do their work.
- The schedules fire, one-time ones by their times, recurring ones once, and the functions do their work again.

So a release that is planned for 08:00 happens at 08:00, even if the jump ends in the night. At the end of the jump the
same happens, but the jump does not wait for the functions. Between two stops messages have no order, as in AWS.

The clock moves only while no function works: the pollers receive nothing, and the work under way ends first. Otherwise
a slow machine might claim a message before the jump and find its lease expired after it.
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
"""How often a stop checks whether the functions still work. A campaign that is sending would keep it there for ever. On
an idle machine these checks take about five seconds. They are counted, because a busy machine needs more time for a
check, as it does for the work."""
MOST_AGENDA_STOPS = 60
MINUTE = timedelta(minutes=1)
_IDLE_LOOKS = 4
_LOOK_SECONDS = 0.05


type Still = Callable[[], AbstractContextManager[None]]
"""A context within which no function works."""

type NextDue = Callable[[datetime], datetime | None]
"""Returns the first instant after the given one at which an item of a table's agenda falls due, or None."""


class Jump:
    """Moves the clock, one jump at a time.

    `busy` tells whether a function works or is about to. `hurry` is set during a jump, so that no batch waits for its
    window.
    """

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
        """Move the clock to `instant` and return when it is there. Raises BackwardsError."""
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
        """The next stop, or None. It is computed again after each stop, because what fires may make new ones.

        `earliest` limits only the stops of the agenda.
        """
        stops = self._scheduler.one_time_until(until)[:1]
        due = self._next_due(self._clock.now())
        if due is not None:
            stops.append(max(_minute_from(due), earliest))
        return min((stop for stop in stops if stop <= until), default=None)

    def _move_to(self, instant: datetime) -> None:
        with self._still():
            if instant > self._clock.now():  # the clock runs on during a stop and may be past it
                self._clock.advance_to(instant)

    def _settle(self) -> None:
        idle_looks, looks = 0, 0
        while idle_looks < _IDLE_LOOKS and looks < MOST_LOOKS:
            looks += 1
            idle_looks = 0 if self._busy() else idle_looks + 1
            time.sleep(_LOOK_SECONDS)


def _minute_from(instant: datetime) -> datetime:
    """The instant of the tick that finds an item: the first whole minute that is not before `instant`."""
    return datetime.fromtimestamp(-(-instant.timestamp() // 60) * 60, UTC)
