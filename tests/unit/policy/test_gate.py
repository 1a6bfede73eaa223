from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.messages.payload import Channel
from shared.policy.consent import Given
from shared.policy.gate import Decision, GateInput, Go, Never, NotBefore, earliest_open, gate
from shared.recipients.countries import COVERED
from tests.fakes.consents import record, revoked


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NOON = utc("2026-11-23T12:00")
PEAK = ((time(8), time(10)), (time(17), time(21)))
SMS = GateInput(channel=Channel.SMS, country="SN", given=Given(), recorded=None)
WHATSAPP = GateInput(channel=Channel.WHATSAPP, country="SN", given=Given(granted=True), recorded=None)
STOPPED = record(revoked(utc("2026-03-01T09:00")))


def until(text: str) -> NotBefore:
    return NotBefore(at=utc(text))


@pytest.mark.parametrize(
    ("country", "now", "decision"),
    [
        # Dakar is on UTC.
        ("SN", "2026-11-23T20:59:59.999999", Go()),
        ("SN", "2026-11-23T21:00", until("2026-11-24T07:00")),
        ("SN", "2026-11-24T00:00", until("2026-11-24T07:00")),
        ("SN", "2026-11-24T06:59:59.999999", until("2026-11-24T07:00")),
        ("SN", "2026-11-24T07:00", Go()),
        # Antananarivo is at UTC+3 all year.
        ("MG", "2026-11-23T17:59:59.999999", Go()),
        ("MG", "2026-11-23T18:00", until("2026-11-24T04:00")),
        ("MG", "2026-11-24T03:59:59.999999", until("2026-11-24T04:00")),
        ("MG", "2026-11-24T04:00", Go()),
        # Cairo: UTC+2 in winter. Summer time began at midnight on Friday 24 April 2026; one hour is missing.
        ("EG", "2026-04-22T18:59:59.999999", Go()),
        ("EG", "2026-04-22T19:00", until("2026-04-23T05:00")),
        ("EG", "2026-04-23T19:00", until("2026-04-24T04:00")),
        ("EG", "2026-04-24T17:59:59.999999", Go()),
        ("EG", "2026-04-24T18:00", until("2026-04-25T04:00")),
        # It ends at midnight after Thursday 29 October: one hour comes twice.
        ("EG", "2026-10-29T17:59:59.999999", Go()),
        ("EG", "2026-10-29T18:00", until("2026-10-30T05:00")),
        ("EG", "2026-10-30T04:59:59.999999", until("2026-10-30T05:00")),
        ("EG", "2026-10-30T18:59:59.999999", Go()),
        ("EG", "2026-10-30T19:00", until("2026-10-31T05:00")),
    ],
)
def test_quiet_hours_apply_to_sms_in_the_recipients_country(country: str, now: str, decision: Decision) -> None:
    assert gate(replace(SMS, country=country), utc(now)) == decision
    assert gate(replace(WHATSAPP, country=country), utc(now)) == Go()


@pytest.mark.parametrize(
    ("now", "decision"),
    [
        ("2026-11-23T07:30", Go()),
        ("2026-11-23T08:00", until("2026-11-23T10:00")),
        ("2026-11-23T10:00", Go()),
        ("2026-11-23T17:00", until("2026-11-24T07:00")),  # peak and quiet hours touch: both are skipped
    ],
)
def test_peak_hours_apply_to_off_peak_sms(now: str, decision: Decision) -> None:
    assert gate(replace(SMS, peak=PEAK), utc(now)) == decision
    assert gate(replace(WHATSAPP, peak=PEAK), utc(now)) == Go()


@pytest.mark.parametrize(
    ("gate_input", "wish", "decision"),
    [
        (SMS, "2026-11-23T11:00", Go()),
        (SMS, "2026-11-23T12:00", Go()),
        (SMS, "2026-11-23T15:00", until("2026-11-23T15:00")),
        (SMS, "2026-11-23T22:00", until("2026-11-24T07:00")),
        (WHATSAPP, "2026-11-23T11:00", Go()),
        (WHATSAPP, "2026-11-23T22:00", until("2026-11-23T22:00")),
    ],
)
def test_a_requested_later_time(gate_input: GateInput, wish: str, decision: Decision) -> None:
    assert gate(replace(gate_input, not_before=utc(wish)), NOON) == decision


@pytest.mark.parametrize(
    ("gate_input", "decision"),
    [
        (replace(SMS, country="FR"), Never(reason="country_not_covered")),
        (replace(WHATSAPP, country="FR"), Go()),
        (replace(SMS, recorded=STOPPED), Never(reason="opted_out")),
        (replace(WHATSAPP, recorded=STOPPED), Never(reason="opted_out")),
        (replace(WHATSAPP, given=Given()), Never(reason="consent_missing")),
        (replace(WHATSAPP, given=Given(), exempt_from_consent=True), Go()),
        (replace(SMS, recorded=STOPPED, exempt_from_consent=True), Go()),
        (replace(SMS, country="FR", exempt_from_consent=True), Never(reason="country_not_covered")),
    ],
)
def test_people_who_get_no_message(gate_input: GateInput, decision: Decision) -> None:
    assert gate(gate_input, NOON) == decision


def test_never_is_answered_at_night_too() -> None:
    assert gate(replace(SMS, recorded=STOPPED), utc("2026-11-23T23:00")) == Never(reason="opted_out")


def test_a_test_sms_waits_for_the_morning_like_any_other() -> None:
    gate_input = replace(SMS, exempt_from_consent=True)
    assert gate(gate_input, utc("2026-11-23T23:00")) == until("2026-11-24T07:00")


instants = st.timedeltas(timedelta(), timedelta(days=730)).map(lambda after: utc("2026-01-01") + after)


@given(country=st.sampled_from(sorted(COVERED)), now=instants, off_peak=st.booleans())
def test_a_message_may_leave_at_the_answered_time(country: str, now: datetime, off_peak: bool) -> None:
    gate_input = replace(SMS, country=country, peak=PEAK if off_peak else ())
    decision = gate(gate_input, now)
    if isinstance(decision, NotBefore):
        assert now < decision.at <= now + timedelta(days=1, hours=1)
        assert gate(gate_input, decision.at) == Go()
        assert decision.at == earliest_open(Channel.SMS, country, now, gate_input.peak)


SESSION = replace(WHATSAPP, session_text=True, session_until=NOON)


@pytest.mark.parametrize(
    ("until", "decision"),
    [
        (NOON + timedelta(microseconds=1), Go()),
        (NOON, Never(reason="template_required")),
        (NOON - timedelta(microseconds=1), Never(reason="template_required")),
        (None, Never(reason="template_required")),
    ],
)
def test_a_free_text_leaves_only_inside_the_session(until: datetime | None, decision: Decision) -> None:
    """Twenty-four hours; the last instant is outside."""
    assert gate(replace(SESSION, session_until=until), NOON) == decision


def test_after_the_session_a_template_may_leave_instead() -> None:
    assert gate(replace(SESSION, has_template=True), NOON) == Go(as_template=True)
    assert gate(replace(SESSION, has_template=True), NOON - timedelta(seconds=1)) == Go()


def test_a_session_has_to_be_open_when_the_text_is_to_leave() -> None:
    later = replace(SESSION, session_until=NOON + timedelta(hours=1), not_before=NOON + timedelta(hours=1))
    assert gate(later, NOON) == Never(reason="template_required")
    sooner = replace(later, not_before=NOON + timedelta(minutes=59))
    assert gate(sooner, NOON) == NotBefore(at=NOON + timedelta(minutes=59))


def test_consent_comes_before_the_session() -> None:
    assert gate(replace(SESSION, recorded=STOPPED), NOON) == Never(reason="opted_out")
