"""A limit on calls that holds within every span of time, not only within the minutes of the clock.

Instants are whole microseconds since 1970.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """At most `calls` within any `span`."""

    calls: int
    span: timedelta

    def recent(self, counted: Sequence[int], now: int) -> tuple[int, ...]:
        """Those of the `counted` calls that still count, earliest first."""
        return tuple(sorted(at for at in counted if at > now - self.span // _MICROSECOND))

    def wait(self, counted: Sequence[int], now: int) -> timedelta | None:
        """None: one more call is allowed now. Else how long until one is, if nothing is counted meanwhile."""
        recent = self.recent(counted, now)
        if len(recent) < self.calls:
            return None
        return (recent[-self.calls] - now) * _MICROSECOND + self.span
