"""The order of consents: the statement that is later in date and in receipt counts, in any order of arrival."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.messages.payload import Channel
from shared.policy.consent import (
    CLOCK_TOLERANCE,
    Consent,
    ConsentRecord,
    ConsentState,
    Given,
    is_too_far_ahead,
    objection,
)
from tests.fakes.consents import granted, record, revoked

THEN = datetime(2026, 3, 1, 9, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
DAY = timedelta(days=1)
GRANT, REVOCATION = record(granted(THEN)), record(revoked(THEN))
LATE_REVOCATION = record(revoked(THEN - DAY, received=THEN))
"""The person revoked a day before we received it."""


def dated(at: datetime, received: datetime | None = None, *, grants: bool = True) -> Given:
    return Given(granted=grants, at=at, received_at=received or at)


NOTHING = Given()
YES = Given(granted=True)
NO = Given(granted=False)
EARLIER = dated(THEN - MOMENT)
SAME = dated(THEN)
LATER = dated(THEN + MOMENT)
LATER_NO = dated(THEN + MOMENT, grants=False)
TOO_EARLY = dated(THEN + DAY, received=THEN - MOMENT)
"""It has a later date, but we received it before the revocation."""
BETWEEN = dated(THEN - MOMENT, received=THEN + MOMENT)
"""Given after the person said stop and before we knew it; we received it after we knew."""

MATRIX = [
    # recorded         given      WhatsApp           SMS
    (None, NOTHING, "consent_missing", None),
    (None, YES, None, None),
    (None, NO, "consent_missing", None),
    (None, EARLIER, None, None),
    (ConsentRecord(), NOTHING, "consent_missing", None),
    (GRANT, NOTHING, None, None),
    (GRANT, YES, None, None),
    (GRANT, NO, "consent_missing", None),
    (GRANT, LATER, None, None),
    (REVOCATION, NOTHING, "opted_out", "opted_out"),
    (REVOCATION, YES, "opted_out", "opted_out"),
    (REVOCATION, NO, "opted_out", "opted_out"),
    (REVOCATION, EARLIER, "opted_out", "opted_out"),
    (REVOCATION, SAME, "opted_out", "opted_out"),
    (REVOCATION, LATER, None, None),
    (REVOCATION, LATER_NO, "opted_out", "opted_out"),
    (REVOCATION, TOO_EARLY, "opted_out", "opted_out"),
    (REVOCATION, BETWEEN, "opted_out", "opted_out"),
    (LATE_REVOCATION, EARLIER, "opted_out", "opted_out"),
    (LATE_REVOCATION, BETWEEN, None, None),
]


@pytest.mark.parametrize(("recorded", "given", "whatsapp", "sms"), MATRIX)
def test_who_may_get_messages(
    recorded: ConsentRecord | None, given: Given, whatsapp: str | None, sms: str | None
) -> None:
    assert objection(Channel.WHATSAPP, recorded, given) == whatsapp
    assert objection(Channel.SMS, recorded, given) == sms


def test_a_date_may_be_at_most_five_minutes_ahead() -> None:
    assert timedelta(minutes=5) == CLOCK_TOLERANCE
    assert not is_too_far_ahead(THEN + timedelta(minutes=5), THEN)
    assert is_too_far_ahead(THEN + timedelta(minutes=5) + MOMENT, THEN)


def test_a_revocation_repeated_after_a_grant_is_not_a_new_one() -> None:
    stop, grant = revoked(THEN), granted(THEN + DAY)
    again = revoked(THEN, received=THEN + 2 * DAY)
    assert record(stop, grant, again).latest == grant
    another = revoked(THEN, "another source", received=THEN + 2 * DAY)
    assert record(stop, grant, another).latest == another


def test_a_grant_repeated_after_a_revocation_is_not_a_new_one() -> None:
    stop, grant = revoked(THEN - DAY, received=THEN + DAY), granted(THEN)
    again = granted(THEN, received=THEN + 2 * DAY)
    assert record(grant, stop, again).latest == stop


HOURS = st.integers(0, 6).map(lambda hours: THEN + timedelta(hours=hours))


@st.composite
def statements(draw: st.DrawFn) -> Consent:
    at, delay = draw(HOURS), timedelta(hours=draw(st.integers(0, 4)))
    make = granted if draw(st.booleans()) else revoked
    return make(at, draw(st.sampled_from(["a", "b"])), received=at + delay)


def counts(reported: list[Consent]) -> ConsentState | None:
    """The rule of api.md, read statement by statement. Each counts from its first receipt."""
    first = [
        one
        for one in reported
        if not any(
            (other.state, other.recorded_at, other.source) == (one.state, one.recorded_at, one.source)
            and other.received_at < one.received_at
            for other in reported
        )
    ]
    stops = [one for one in first if one.state is ConsentState.REVOKED]
    for one in first:
        outlived = all(one.recorded_at > stop.recorded_at and one.received_at >= stop.received_at for stop in stops)
        if one.state is ConsentState.GRANTED and outlived:
            return ConsentState.GRANTED
    return ConsentState.REVOKED if stops else None


@given(st.lists(statements(), max_size=8), st.data())
def test_the_order_of_arrival_does_not_matter(reported: list[Consent], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(reported), max_size=5)) if reported else []
    known = record()
    for one in data.draw(st.permutations([*reported, *again])):
        known = known.joined([one])
    assert known == record(*reported) == record(*reversed(reported))
    assert (known.latest.state if known.latest else None) == counts(reported)


@settings(max_examples=200)
@given(st.lists(statements(), min_size=9, max_size=60))
def test_a_record_stays_small_and_keeps_every_revocation_that_counts(reported: list[Consent]) -> None:
    known = record()
    for one in reported:
        known = known.joined([one])
    assert len(known.statements) <= 18
    expected = counts(reported)
    if expected is ConsentState.REVOKED:
        assert known.latest is not None
        assert known.latest.state is ConsentState.REVOKED
