"""Whether Meta reports on a number's messages (`shared.sending.unknown_outcome`, `shared.messages.fallback`).

Once for a batch of statuses, it notes that Meta is reporting: on the numbers, and on messages whose fallback may start
in time because of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from shared.base.concurrency import gather_bounded
from shared.base.instants import Clock
from shared.messages.fallback import Silence, Start, look_after_report, next_check_after
from shared.messages.message import Message, Status, earliest
from shared.messages.payload import Channel
from shared.messages.ports import Log, Moved
from shared.sending.unknown_outcome import LastHeard
from shared.webhooks.updates import Attempt, StatusReport

STEP = timedelta(seconds=10)
"""A worker writes `last_heard_at` only if it moves by this much, so that a busy number is not written for every batch.
Less than a fallback's tolerance (`shared.messages.fallback.SLACK`)."""


class LastHeardStore(Protocol):
    """What an organisation last heard about its number. Instants only move forward.

    Each organisation has its own record, even if two share a number: Meta calls only one webhook, so the other
    organisation hears nothing about its messages.
    """

    async def note_reports(
        self, organisation: str, phone_number_id: str, *, claimed_at: datetime | None = None, at: datetime | None = None
    ) -> LastHeard:
        """Note that statuses came. `claimed_at`: when the latest of their messages was claimed. `at`: Meta's latest
        instant.

        Returns at least what is known by that. May leave out an `at` within `STEP` of the last.
        """
        ...

    async def held(self, organisation: str, phone_number_id: str, at: datetime) -> None:
        """Note that Meta took a message of this number but holds it for assessment."""
        ...

    async def note_silence(self, organisation: str, distribution_id: str, silence: Silence) -> None:
        """Note that fallbacks of a distribution wait because Meta reports nothing. A silence that ends sooner than the
        known one does not replace it."""
        ...

    async def silence(self, organisation: str, distribution_id: str) -> Silence | None:
        """The last silence that was noted, even if it is over; None: there was none."""
        ...

    async def read(self, organisation: str, phone_number_id: str) -> LastHeard:
        """The record, read consistently; an empty one if nothing was heard yet."""
        ...


class LastHeardReader:
    """Reads each number once for a batch. Later reports would only add to what was read."""

    def __init__(self, last_heard_store: LastHeardStore) -> None:
        self._last_heard_store = last_heard_store
        self._read: dict[tuple[str, str], LastHeard] = {}

    def forget(self) -> None:
        """Begin a new batch."""
        self._read.clear()

    async def of(self, message: Message) -> LastHeard:
        """The record of the number that sent a WhatsApp message; an empty one if no number sent it."""
        if message.sender is None or message.channel is not Channel.WHATSAPP:
            return LastHeard()
        number = (message.organisation, message.sender)
        if number not in self._read:
            self._read[number] = await self._last_heard_store.read(*number)
        return self._read[number]


type _Number = tuple[str, str]


@dataclass(slots=True)
class _Received:
    claimed_at: datetime | None = None
    at: datetime | None = None


class Reporting:
    """Used for one batch at a time; call `flush` at its end. If the worker dies before that, the webhook documents come
    again."""

    def __init__(self, log: Log, last_heard_store: LastHeardStore, clock: Clock) -> None:
        self._log = log
        self._last_heard_store = last_heard_store
        self._clock = clock
        self._numbers: dict[_Number, _Received] = {}
        self._sent: dict[tuple[str, str], Message] = {}

    def receive(self, organisation: str, report: StatusReport) -> None:
        """Note that a status came; its message need not be ours. An instant in the future is cut to now."""
        if report.phone_number_id:
            latest = self._of((organisation, report.phone_number_id))
            latest.at = _later(latest.at, min(report.at, self._clock.now()))

    def note(self, moved: Moved, attempt: Attempt, report: StatusReport) -> None:
        """Note the message of the status, if the status is about its latest attempt."""
        before = moved.before
        if before is None or before.claimed_at is None or attempt.number != before.attempts:
            return
        if before.sender is not None:
            latest = self._of((before.organisation, before.sender))
            latest.claimed_at = _later(latest.claimed_at, before.claimed_at)
        key = (before.organisation, before.message_id)
        if report.status is Status.SENT and before.fallback_minutes is not None:
            self._sent[key] = _sent(before, report) if moved.won else before
        else:
            self._sent.pop(key, None)  # it has arrived or failed since

    async def flush(self) -> None:
        """Writes the numbers first: if a number's record is enough, no row is written."""
        numbers, self._numbers = self._numbers, {}
        sent, self._sent = self._sent, {}
        last_heard_of: dict[_Number, LastHeard] = {}

        async def write(number: _Number, latest: _Received) -> None:
            last_heard_of[number] = await self._last_heard_store.note_reports(
                *number, claimed_at=latest.claimed_at, at=latest.at
            )

        await gather_bounded(write(*one) for one in numbers.items())
        await gather_bounded(self._mark(row, last_heard_of) for row in sent.values())

    async def _mark(self, row: Message, last_heard_of: Mapping[_Number, LastHeard]) -> None:
        last_heard = last_heard_of.get((row.organisation, row.sender or ""), LastHeard())
        due_at = look_after_report(row, last_heard, self._clock.now())
        if due_at is not None:
            key = (row.organisation, row.message_id)
            await self._log.note_reporting(*key, attempt=row.attempts, due_at=due_at)

    def _of(self, number: _Number) -> _Received:
        return self._numbers.setdefault(number, _Received())


def _later(known: datetime | None, reported: datetime) -> datetime:
    return reported if known is None else max(known, reported)


def _sent(before: Message, report: StatusReport) -> Message:
    """The row after the move, as far as its fallback is concerned."""
    due_at = next_check_after(before, Status.SENT, report.at, Start.NEVER)
    return replace(before, status=Status.SENT, sent_at=earliest(before.sent_at, report.at), due_at=due_at)
