"""How often we may ask others: a limit on calls that holds within every span of time, not only within the minutes of
the clock; and a cooldown of a minute after a provider could not be asked, because requests must not each wait for its
time-out.

Instants of a quota are whole microseconds since 1970.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.base.instants import Clock
from shared.integrations.integration import SmsIntegration, WhatsAppIntegration

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


_LASTS = timedelta(minutes=1)


class Cooldown:
    """Remembers, in this process, whom not to ask for a while. Changed settings end it: they may have mended it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[tuple[str, int], datetime] = {}

    def begin(self, integration: WhatsAppIntegration | SmsIntegration) -> None:
        """It could not be asked."""
        now = self._clock.now()
        self._until = {key: until for key, until in self._until.items() if until > now}
        self._until[integration.organisation, integration.version] = now + _LASTS

    def holds(self, integration: WhatsAppIntegration | SmsIntegration) -> bool:
        """Whether asking again would be too soon."""
        until = self._until.get((integration.organisation, integration.version))
        return until is not None and self._clock.now() < until
