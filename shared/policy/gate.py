"""The gate: the one function that decides whether a message may be sent now.

Every path calls it, at planning and just before the call to the provider: single, bulk, retry, resume, redrive,
fallback. Also here: the 24-hour session that a person's own message opens, in which WhatsApp accepts free text.
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
    """The end (excluded) of the session that a person's message opens; None if it is over when we receive the message.

    If the message's time is later than our receipt, the receipt counts, so a wrong clock at Meta cannot make a session
    longer. A message that is delivered again days later opens no session.
    """
    until = min(written_at, received_at) + LENGTH
    return until if received_at < until else None


type Decision = Go | NotBefore | Never


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    """The message may be sent now. `as_template`: its session has closed, so its template replaces its text."""

    as_template: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NotBefore:
    """The message may be sent at `at`, not earlier. `at` becomes its `scheduled_for`."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Never:
    """The message may not be sent. `reason` is one of api.md's row codes."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GateInput:
    """The facts about one message that decide. `not_before`: the requested start. `peak`: the peak hours that an
    off-peak distribution avoids.
    """

    channel: Channel
    country: str
    given: Given
    recorded: ConsentRecord | None
    not_before: datetime | None = None
    peak: tuple[Window, ...] = ()
    exempt_from_consent: bool = False
    """True for a test send to a number of the administrator's own, and for the answer to a person's STOP."""
    session_text: bool = False
    """The message is a free WhatsApp text: allowed only in the 24 hours after the person's own message."""
    session_until: datetime | None = None
    """The end (excluded) of the person's session; None if there is none."""
    has_template: bool = False
    """The message has a template to send if the session has closed."""


def gate(gate_input: GateInput, now: datetime) -> Decision:
    """Decide. Quiet hours and peak hours apply to SMS only."""
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
    """The daily hours, in the country's local time, in which no SMS is sent."""
    return ClosedHours(windows=(COVERED[country].quiet_hours, *peak))


def earliest_open(channel: Channel, country: str, instant: datetime, peak: tuple[Window, ...] = ()) -> datetime:
    """The first instant from `instant` on at which the channel is open in the recipient's country."""
    if channel is not Channel.SMS:
        return instant
    return next_open(instant, COVERED[country].zone, closed_hours(country, peak))
