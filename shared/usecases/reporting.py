"""Writes down that Meta is reporting, once for a batch of statuses: on its numbers, and on messages whose fallback may
start in time because of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.clock import Clock
from shared.domain.doubt import Beat
from shared.domain.fallback import Start, look_after_report, watch_after
from shared.domain.message import Message, earliest
from shared.domain.receipt import Attempt, StatusReport
from shared.domain.status import Status
from shared.usecases.ports import Log, Moved
from shared.usecases.pulse import Pulse
from shared.usecases.side_by_side import side_by_side

type _Number = tuple[str, str]


@dataclass(slots=True)
class _Heard:
    claimed_at: datetime | None = None
    at: datetime | None = None


class Reporting:
    """For one batch at a time; `flush` when it is through. What a killed worker had not written comes again with its
    documents."""

    def __init__(self, log: Log, pulse: Pulse, clock: Clock) -> None:
        self._log = log
        self._pulse = pulse
        self._clock = clock
        self._numbers: dict[_Number, _Heard] = {}
        self._sent: dict[tuple[str, str], Message] = {}

    def hear(self, organisation: str, report: StatusReport) -> None:
        """A status came, whosever the message is. An instant that is still to come is none of Meta's clock."""
        if report.phone_number_id:
            heard = self._of((organisation, report.phone_number_id))
            heard.at = _later(heard.at, min(report.at, self._clock.now()))

    def note(self, moved: Moved, attempt: Attempt, report: StatusReport) -> None:
        """What the status was about: a row that says when its latest attempt was claimed."""
        before = moved.before
        if before is None or before.claimed_at is None or attempt.number != before.attempts:
            return
        if before.lane is not None:
            heard = self._of((before.organisation, before.lane))
            heard.claimed_at = _later(heard.claimed_at, before.claimed_at)
        key = (before.organisation, before.message_id)
        if report.status is Status.SENT and before.fallback_minutes is not None:
            self._sent[key] = _sent(before, report) if moved.won else before
        else:
            self._sent.pop(key, None)  # it has arrived or failed since

    async def flush(self) -> None:
        """Numbers first: where a number's own word is enough, no row is written."""
        numbers, self._numbers = self._numbers, {}
        sent, self._sent = self._sent, {}
        beats: dict[_Number, Beat] = {}

        async def write(number: _Number, heard: _Heard) -> None:
            beats[number] = await self._pulse.heard(*number, claimed_at=heard.claimed_at, at=heard.at)

        await side_by_side(write(*one) for one in numbers.items())
        await side_by_side(self._mark(row, beats) for row in sent.values())

    async def _mark(self, row: Message, beats: Mapping[_Number, Beat]) -> None:
        beat = beats.get((row.organisation, row.lane or ""), Beat())
        due_at = look_after_report(row, beat, self._clock.now())
        if due_at is not None:
            key = (row.organisation, row.message_id)
            await self._log.note_reporting(*key, attempt=row.attempts, due_at=due_at)

    def _of(self, number: _Number) -> _Heard:
        return self._numbers.setdefault(number, _Heard())


def _later(known: datetime | None, told: datetime) -> datetime:
    return told if known is None else max(known, told)


def _sent(before: Message, report: StatusReport) -> Message:
    """The row as the move has left it, as far as its fallback is concerned."""
    due_at = watch_after(before, Status.SENT, report.at, Start.NEVER)
    return replace(before, status=Status.SENT, sent_at=earliest(before.sent_at, report.at), due_at=due_at)
