"""How long a lane is held after a throttle: longer each time that nothing got through in between.

No jitter: what was held departs by the timetable, one after the other, and never all at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.lru import LruCache

LONGEST = timedelta(seconds=60)
"""To which doubling leads. What the provider itself asks for may be longer."""


@dataclass(frozen=True, slots=True)
class _Hold:
    until: datetime
    lasts: timedelta


class Backoff:
    """One worker's memory of the throttles that it heard, by rate limit (`LaneState.rate_limit_id`)."""

    def __init__(self) -> None:
        self._holds: LruCache[str, _Hold] = LruCache()

    def throttled(self, rate_limit: str, now: datetime, asked: timedelta) -> datetime:
        """Until when nothing may depart. `asked` is the least.

        Messages that had left before the last hold was known are refused for the same reason: they do not lengthen it.
        """
        last = self._holds.get(rate_limit)
        if last is None:
            lasts = asked
        elif now < last.until:
            return self._hold(rate_limit, max(last.until, now + asked), max(last.lasts, asked))
        else:
            lasts = max(asked, min(2 * last.lasts, LONGEST))
        return self._hold(rate_limit, now + lasts, lasts)

    def passed(self, rate_limit: str, now: datetime) -> None:
        """The provider took a message. One that had left before the hold proves nothing."""
        last = self._holds.get(rate_limit)
        if last is not None and now >= last.until:
            del self._holds[rate_limit]

    def _hold(self, rate_limit: str, until: datetime, lasts: timedelta) -> datetime:
        self._holds[rate_limit] = _Hold(until, lasts)
        return until
