"""A fallback by time that is due, while Meta reports nothing: it waits, 24 hours at most."""

from datetime import datetime, timedelta

from shared.domain.fallback import BACKLOG, Silence, Timing, next_look, timing
from shared.domain.message import Message
from shared.usecases.ports import Log, Telemetry
from shared.usecases.pulse import LastHeard, Pulse
from shared.usecases.side_by_side import side_by_side

_LATE = timedelta(minutes=5)
"""By which the agenda may be late for a look: a silence is over only then."""


class FallbackWaits:
    """Puts off what has to wait. For one batch of the agenda; `flush` when it is through."""

    def __init__(self, log: Log, pulse: Pulse, heard: LastHeard, telemetry: Telemetry) -> None:
        self._log = log
        self._pulse = pulse
        self._heard = heard
        self._telemetry = telemetry
        self._waiting = 0
        self._silences: dict[tuple[str, str], Silence] = {}

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
                self._note(parent, now, look_at)
                if parent.due_at is not None:
                    await self._log.rewatch(*key, seen=parent.due_at, due_at=look_at)
        return True

    async def flush(self) -> None:
        """Write down, once for each distribution, that its fallbacks wait for Meta."""
        silences, self._silences = self._silences, {}
        waiting, self._waiting = self._waiting, 0
        await side_by_side(self._pulse.note_silence(*owner, silence) for owner, silence in silences.items())
        if waiting:
            self._telemetry.event("fallbacks_wait", messages=waiting)

    def _note(self, parent: Message, now: datetime, look_at: datetime) -> None:
        """What Meta itself holds for assessment is no missing receipt."""
        if parent.quality_hold:
            return
        self._waiting += 1
        if parent.distribution_id is None or parent.lane is None:
            return
        owner = (parent.organisation, parent.distribution_id)
        until = look_at + _LATE
        if owner in self._silences:
            until = max(until, self._silences[owner].until)
        self._silences[owner] = Silence(phone_number_id=parent.lane, noted_at=now, until=until)
