"""A fallback by time that is due, while Meta reports nothing: it waits, 24 hours at most."""

from datetime import datetime

from shared.domain.fallback import BACKLOG, Timing, next_look, timing
from shared.domain.message import Message
from shared.usecases.ports import Log, Telemetry
from shared.usecases.pulse import LastHeard


class FallbackWaits:
    """Puts off what has to wait."""

    def __init__(self, log: Log, heard: LastHeard, telemetry: Telemetry) -> None:
        self._log = log
        self._heard = heard
        self._telemetry = telemetry

    async def puts_off(self, parent: Message, now: datetime) -> bool:
        """Whether the fallback of this message waits; then the agenda looks again later."""
        key = (parent.organisation, parent.message_id)
        match timing(parent, await self._heard.of(parent), now):
            case Timing.START:
                return False
            case Timing.BACKLOG:
                await self._log.note_reporting(*key, attempt=parent.attempts, due_at=now + BACKLOG)
            case Timing.WAIT:
                look_at = next_look(parent, now)
                if parent.due_at is not None:
                    await self._log.rewatch(*key, seen=parent.due_at, due_at=look_at)
        return True
