"""The SMS that goes out where a WhatsApp message does not arrive: what starts it, and when."""

from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.errors import Kind
from shared.domain.message import Message
from shared.domain.status import Status


class Start(StrEnum):
    """What a failure means for the fallback of its message."""

    NOW = "now"
    """The message surely has not reached this person, and never will."""
    IN_TIME = "in_time"
    """Somebody may mend what went wrong: the fallback goes when it would have gone, if the message was sent at all."""
    NEVER = "never"
    """Nothing may go, or nothing was meant to go any more."""


_NEVER = frozenset({"opted_out", "consent_missing", "cancelled", "erased"})
_WHATEVER_THE_KIND = frozenset({"outcome_unknown"})
"""24 hours without a word of Meta's: nobody waits any longer, and the message is not sent again beside its fallback."""
_AT_THE_GATE = frozenset({"template_required"})
"""The session has closed and no template stands ready: WhatsApp is shut, SMS is not."""


def start_after(kind: Kind, reason: str) -> Start:
    """After a provider's word, or its silence; `reason` is the message's own (api.md, Codes)."""
    if reason in _NEVER:
        return Start.NEVER
    return Start.NOW if kind is Kind.RECIPIENT or reason in _WHATEVER_THE_KIND else Start.IN_TIME


def start_unsent(reason: str) -> Start:
    """After the gate's "never", a cancel, an erasure: the message was never sent."""
    return Start.NOW if reason in _AT_THE_GATE else Start.NEVER


def watch_after(row: Message, status: Status, at: datetime, start: Start) -> datetime | None:
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
