"""The SMS that goes out where a WhatsApp message does not arrive: what starts it, and when.

A failure starts it. So does time, but only once Meta is known to be reporting: while no status comes at all, the
message may well have arrived, and the SMS would be a second one.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.messages.errors import Kind
from shared.messages.message import Message, Status
from shared.sending.unknown_outcome import LastHeard

LATEST = timedelta(hours=24)
"""A fallback by time starts so long after `sent_at` at the latest, whatever Meta reports or does not."""

SLACK = timedelta(seconds=60)
"""A status on the number counts as reporting from so long before the fallback's own time."""

BACKLOG = timedelta(seconds=60)
"""After a silence Meta's reports come in any order: a `sent` waits so long for its `delivered`."""

_FIRST_LOOK, _LAST_LOOK = timedelta(minutes=1), timedelta(minutes=60)


class Start(StrEnum):
    """What a failure means for the fallback of its message."""

    NOW = "now"
    """The message surely has not reached this person, and never will."""
    IN_TIME = "in_time"
    """Somebody may mend what went wrong: the fallback goes when it would have gone, if the message was sent at all."""
    NEVER = "never"
    """Nothing may go, or nothing was meant to go any more."""


_NEVER = frozenset({"opted_out", "consent_missing", "cancelled", "erased", "already_sent"})

_WHATEVER_THE_KIND = frozenset({"outcome_unknown"})
"""24 hours without a word of Meta's: nobody waits any longer, and the message is not sent again beside its fallback."""

_AT_THE_GATE = frozenset({"template_required", "field_invalid"})
"""The session has closed and no template stands ready, or no queue takes the message: WhatsApp is shut, SMS is not."""


def start_after(kind: Kind, reason: str) -> Start:
    """After a provider's word, or its silence; `reason` is the message's own (api.md, Codes)."""
    if reason in _NEVER:
        return Start.NEVER
    return Start.NOW if kind is Kind.RECIPIENT or reason in _WHATEVER_THE_KIND else Start.IN_TIME


def start_unsent(reason: str) -> Start:
    """After the gate's "never", a cancel, an erasure: the message was never sent."""
    return Start.NOW if reason in _AT_THE_GATE else Start.NEVER


def next_check_after(row: Message, status: Status, at: datetime, start: Start) -> datetime | None:
    """When the agenda looks at `row` again once it has come to `status`, for its fallback's sake; None: not at all.

    `at` is the instant of the status; `start` goes with `failed`. A fallback that has begun is brought to its end
    whatever else fails; that the message arrived ends the watch.
    """
    if row.fallback_minutes is None or status not in (Status.SENT, Status.FAILED):
        return None
    after = timedelta(minutes=row.fallback_minutes)
    if status is Status.SENT:
        return at + after
    if start is Start.NEVER:
        return None
    if row.fell_back:
        return row.due_at
    if start is Start.NOW:
        return at
    return row.sent_at + after if row.sent_at else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Fallbacks of a distribution waited for Meta, when the agenda looked at `noted_at`; the next look is before
    `until`."""

    phone_number_id: str
    noted_at: datetime
    until: datetime

    def lasts(self, last_heard: LastHeard, now: datetime) -> bool:
        """Whether Meta has told of nothing on the number since."""
        has_reported = last_heard.last_heard_at is not None and last_heard.last_heard_at > self.noted_at
        return now < self.until and not has_reported


class Timing(StrEnum):
    """What the agenda does with a fallback whose `due_at` has come."""

    START = "start"
    BACKLOG = "backlog"
    """Meta reports again after a silence: look once more when the backlog has come."""
    WAIT = "wait"
    """Meta reports nothing: the message may have arrived."""


def starts_by_time(row: Message) -> datetime | None:
    """When the fallback of a sent message is to start, if Meta is reporting; None where it does not start by time."""
    if row.status is not Status.SENT or row.sent_at is None or row.fallback_minutes is None:
        return None
    return row.sent_at + timedelta(minutes=row.fallback_minutes)


def timing(row: Message, last_heard: LastHeard, now: datetime) -> Timing:
    """Whether a fallback that is due starts now. `last_heard` is of the number that the message left by.

    What has failed, or has begun already, waits for nobody.
    """
    starts_at = starts_by_time(row)
    if starts_at is None or row.fell_back or row.sent_at is None or now - row.sent_at >= LATEST:
        return Timing.START
    if row.quality_hold:
        return Timing.WAIT
    if row.reporting:
        return Timing.START
    if not _is_reporting(row, last_heard):
        return Timing.WAIT
    return Timing.BACKLOG if _has_waited(row, starts_at) else Timing.START


def next_look(row: Message, now: datetime) -> datetime:
    """When the agenda looks again at a fallback that waits for Meta: after half the time that it has waited already.

    So a short silence delays it little, and a day of silence costs some thirty looks. A `sent` of the message itself
    brings the look forward. 24 hours after `sent_at` is the last one.
    """
    latest = (row.sent_at or now) + LATEST
    if row.quality_hold:
        return latest
    waited = now - (starts_by_time(row) or now)
    return min(now + min(max(waited / 2, _FIRST_LOOK), _LAST_LOOK), latest)


def look_after_report(row: Message, last_heard: LastHeard, now: datetime) -> datetime | None:
    """A status of the sent message itself has come: when the agenda is to look at it, if that has to be written down.

    None: what is known of the number says as much, and the look that is planned comes soon enough.
    """
    starts_at = starts_by_time(row)
    if starts_at is None or row.due_at is None or row.reporting or row.fell_back:
        return None
    if now >= starts_at:
        return min(row.due_at, now + BACKLOG) if row.due_at > now else now + BACKLOG
    return None if last_heard.is_past(row.claimed_at) else row.due_at


def _is_reporting(row: Message, last_heard: LastHeard) -> bool:
    if row.claimed_at is None or row.fallback_minutes is None:
        return False
    around = row.claimed_at + timedelta(minutes=row.fallback_minutes) - SLACK
    has_reported = last_heard.last_heard_at is not None and last_heard.last_heard_at > around
    return has_reported or last_heard.is_past(row.claimed_at)


def _has_waited(row: Message, starts_at: datetime) -> bool:
    return row.due_at is not None and row.due_at - starts_at >= _FIRST_LOOK
