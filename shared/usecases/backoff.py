"""How long a lane is held after a throttle: longer each time that nothing got through in between.

No jitter: what was held departs by the timetable, one after the other, and never all at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.timetable import Lane

LONGEST = timedelta(seconds=60)
"""To which doubling leads. What the provider itself asks for may be longer."""


@dataclass(frozen=True, slots=True)
class _Hold:
    until: datetime
    lasts: timedelta


class Backoff:
    """One worker's memory of the throttles that it heard, by lane."""

    def __init__(self) -> None:
        self._holds: dict[Lane, _Hold] = {}

    def throttled(self, lane: Lane, now: datetime, asked: timedelta) -> datetime:
        """Until when nothing may depart. `asked` is the least.

        Messages that had left before the last hold was known are refused for the same reason: they do not lengthen it.
        """
        last = self._holds.get(lane)
        if last is None:
            lasts = asked
        elif now < last.until:
            return self._hold(lane, max(last.until, now + asked), max(last.lasts, asked))
        else:
            lasts = max(asked, min(2 * last.lasts, LONGEST))
        return self._hold(lane, now + lasts, lasts)

    def passed(self, lane: Lane, now: datetime) -> None:
        """The provider took a message. One that had left before the hold proves nothing."""
        last = self._holds.get(lane)
        if last is not None and now >= last.until:
            del self._holds[lane]

    def _hold(self, lane: Lane, until: datetime, lasts: timedelta) -> datetime:
        self._holds[lane] = _Hold(until, lasts)
        return until
