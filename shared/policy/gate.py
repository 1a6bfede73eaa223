"""The gate: the one place that says whether a message may leave now. Every path asks it, at planning and just before
the call: single, bulk, retry, resume, redrive, fallback.

The 24-hour session that a person's own message opens: inside it WhatsApp takes free text.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.messages.payload import Channel
from shared.policy.consent import ConsentRecord, Given, objection
from shared.policy.hours import ClosedHours, Window, next_open
from shared.recipients.countries import COVERED

LENGTH = timedelta(hours=24)
"""Meta's customer service window (reference/whatsapp.md, section 5.4)."""


def session_until(written_at: datetime, received_at: datetime) -> datetime | None:
    """Until when a message keeps the session open, that instant excluded; None if that is over when it is heard of.

    A message stamped later than it was heard of counts from then: no clock of Meta's makes a session longer. One that
    was delivered again days later opens nothing.
    """
    until = min(written_at, received_at) + LENGTH
    return until if received_at < until else None


type Decision = Go | NotBefore | Never


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    """It may leave now. `as_template`: not as it is written, because its session has closed, but as its template."""

    as_template: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NotBefore:
    """It may leave, but not before `at`, which becomes the message's `scheduled_for`."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Never:
    """It may not leave; `reason` is one of api.md's row codes."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GateInput:
    """What the gate looks at of one message. `not_before` is the schedule's own wish; `peak` the off-peak bar."""

    channel: Channel
    country: str
    given: Given
    recorded: ConsentRecord | None
    not_before: datetime | None = None
    peak: tuple[Window, ...] = ()
    exempt_from_consent: bool = False
    """A test send to a number of the administrator's own, or the one answer to a person's STOP."""
    session_text: bool = False
    """A WhatsApp text of one's own: only inside the 24 hours that a person's own message opens."""
    session_until: datetime | None = None
    """Until when the person's session is open, that instant excluded; None where there is none."""
    has_template: bool = False
    """A template stands ready in case the session has closed."""


def gate(gate_input: GateInput, now: datetime) -> Decision:
    """Go, not before T, or never because R. Quiet hours and peak hours bind SMS only."""
    if gate_input.channel is Channel.SMS and gate_input.country not in COVERED:
        return Never(reason="country_not_covered")
    if not gate_input.exempt_from_consent:
        reason = objection(gate_input.channel, gate_input.recorded, gate_input.given)
        if reason is not None:
            return Never(reason=reason)
    wished = max(now, gate_input.not_before or now)
    as_template = gate_input.session_text and not _session_is_open(gate_input, wished)
    if as_template and not gate_input.has_template:
        return Never(reason="template_required")
    opens = earliest_open(gate_input.channel, gate_input.country, wished, gate_input.peak)
    return Go(as_template=as_template) if opens <= now else NotBefore(at=opens)


def _session_is_open(gate_input: GateInput, instant: datetime) -> bool:
    return gate_input.session_until is not None and instant < gate_input.session_until


def closed_hours(country: str, peak: tuple[Window, ...] = ()) -> ClosedHours:
    """The daily windows, in the country's own time, in which no SMS leaves."""
    return ClosedHours(windows=(COVERED[country].quiet_hours, *peak))


def earliest_open(channel: Channel, country: str, instant: datetime, peak: tuple[Window, ...] = ()) -> datetime:
    """The first instant at or after `instant` at which the channel is open where the recipient lives."""
    if channel is not Channel.SMS:
        return instant
    return next_open(instant, COVERED[country].zone, closed_hours(country, peak))
