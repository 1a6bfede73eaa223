"""After a provider could not be asked, it is left alone for a minute: requests must not each wait for its time-out."""

from datetime import datetime, timedelta

from shared.base.instants import Clock
from shared.integrations.integration import SmsIntegration, WhatsAppIntegration

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
