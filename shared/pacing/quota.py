"""How often we may call others. A quota limits the calls in a sliding window of time, not per clock minute. After a
provider did not answer, a cooldown pauses the calls to it for a minute, so that not every request waits for its
time-out.

A quota's instants are whole microseconds since 1970.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.base.instants import Clock
from shared.integrations.integration import SmsIntegration, WhatsAppIntegration

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """At most `calls` in any period as long as `span`."""

    calls: int
    span: timedelta

    def recent(self, counted: Sequence[int], now: int) -> tuple[int, ...]:
        """Those of the `counted` calls that are in the window, earliest first."""
        return tuple(sorted(at for at in counted if at > now - self.span // _MICROSECOND))

    def wait(self, counted: Sequence[int], now: int) -> timedelta | None:
        """How long to wait for the next call, if no other call is counted meanwhile; None if it is allowed now."""
        recent = self.recent(counted, now)
        if len(recent) < self.calls:
            return None
        return (recent[-self.calls] - now) * _MICROSECOND + self.span


_LASTS = timedelta(minutes=1)


class Cooldown:
    """Remembers, in this process, which integrations not to call for a minute. Saving the settings ends the pause,
    because it may have solved the problem.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[tuple[str, int], datetime] = {}

    def begin(self, integration: WhatsAppIntegration | SmsIntegration) -> None:
        """The provider could not be called with these settings."""
        now = self._clock.now()
        self._until = {key: until for key, until in self._until.items() if until > now}
        self._until[integration.organisation, integration.version] = now + _LASTS

    def holds(self, integration: WhatsAppIntegration | SmsIntegration) -> bool:
        """Whether it is too early to call again."""
        until = self._until.get((integration.organisation, integration.version))
        return until is not None and self._clock.now() < until
