"""The SMS that goes out if a WhatsApp message does not arrive: what starts it, and when.

A failure starts it. Time starts it too, but only if Meta is known to be reporting. As long as no status comes at all,
the message may have arrived, and the person would get it twice.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.messages.errors import Kind
from shared.messages.message import Message, Status
from shared.sending.unknown_outcome import LastHeard

LATEST = timedelta(hours=24)
"""A fallback by time starts this long after `sent_at` at the latest, even if Meta reports nothing."""

SLACK = timedelta(seconds=60)
"""A status on the number counts as reporting from this long before the fallback's own time."""

BACKLOG = timedelta(seconds=60)
"""After a silence, Meta's reports come in any order. After a `sent`, the fallback waits this long for a `delivered`."""

_FIRST_LOOK, _LAST_LOOK = timedelta(minutes=1), timedelta(minutes=60)


class Start(StrEnum):
    """What a failure means for the fallback of its message."""

    NOW = "now"
    """The message certainly did not reach this person and never will."""
    IN_TIME = "in_time"
    """A person may repair the cause. The fallback starts at its usual time, if the message was sent at all."""
    NEVER = "never"
    """Nothing may be sent any more, or nothing was to be sent."""


_NEVER = frozenset({"opted_out", "consent_missing", "cancelled", "erased", "already_sent"})

_NOW_FOR_EVERY_KIND = frozenset({"outcome_unknown"})
"""Meta has been silent for 24 hours. The fallback waits no longer, and the message itself is not sent again."""

_AT_THE_GATE = frozenset({"template_required", "field_invalid"})
"""WhatsApp cannot take the message, but SMS can: the session has closed without a template, or no queue can carry the
message."""


def start_after(kind: Kind, reason: str) -> Start:
    """Decides after a provider's answer or silence. `reason` is the message's own (api.md, Codes)."""
    if reason in _NEVER:
        return Start.NEVER
    return Start.NOW if kind is Kind.RECIPIENT or reason in _NOW_FOR_EVERY_KIND else Start.IN_TIME


def start_unsent(reason: str) -> Start:
    """Decides for a message that was never sent: after the gate's "never", a cancel or an erasure."""
    return Start.NOW if reason in _AT_THE_GATE else Start.NEVER


def next_check_after(row: Message, status: Status, at: datetime, start: Start) -> datetime | None:
    """When the agenda looks at `row` for its fallback after the move to `status`; None: not at all.

    `at` is the instant of the status; `start` goes with `failed`. A fallback that has begun is always completed. Proof
    that the message arrived ends the checks.
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
    """Fallbacks of a distribution wait because Meta reports nothing. The agenda looked at `noted_at` and looks again
    before `until`."""

    phone_number_id: str
    noted_at: datetime
    until: datetime

    def lasts(self, last_heard: LastHeard, now: datetime) -> bool:
        """Whether Meta has reported nothing on the number since."""
        has_reported = last_heard.last_heard_at is not None and last_heard.last_heard_at > self.noted_at
        return now < self.until and not has_reported


class Timing(StrEnum):
    """What the agenda does with a fallback whose `due_at` has come."""

    START = "start"
    BACKLOG = "backlog"
    """Meta reports again after a silence: look again when the late reports have come."""
    WAIT = "wait"
    """Meta reports nothing: the message may have arrived."""


def starts_by_time(row: Message) -> datetime | None:
    """When the fallback of a sent message starts, if Meta is reporting; None: it does not start by time."""
    if row.status is not Status.SENT or row.sent_at is None or row.fallback_minutes is None:
        return None
    return row.sent_at + timedelta(minutes=row.fallback_minutes)


def timing(row: Message, last_heard: LastHeard, now: datetime) -> Timing:
    """Whether a due fallback starts now. `last_heard` is for the number that sent the message.

    A fallback of a failed message, or one that has already begun, starts without waiting for Meta.
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
    """When the agenda looks again at a fallback that waits for Meta: after half of the time that it has already waited.

    So a short silence delays it little, and a day of silence costs about thirty looks. A `sent` of the message itself
    brings the look forward. The last look is 24 hours after `sent_at`.
    """
    latest = (row.sent_at or now) + LATEST
    if row.quality_hold:
        return latest
    waited = now - (starts_by_time(row) or now)
    return min(now + min(max(waited / 2, _FIRST_LOOK), _LAST_LOOK), latest)


def look_after_report(row: Message, last_heard: LastHeard, now: datetime) -> datetime | None:
    """When the agenda is to look at a sent message whose own status has come; None: nothing needs to be written.

    None means that the number's own record already proves that Meta reports, and that the planned look is soon enough.
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
