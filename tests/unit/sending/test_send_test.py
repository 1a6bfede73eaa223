"""Test sends: if no provider was called, the refusal is our own, and the log shows that nothing was sent."""

from datetime import UTC, datetime

import pytest

from shared.base.refusal import ProblemCode, Refusal
from shared.messages.message import Message, Status
from shared.messages.payload import Channel
from shared.sending.test_send import NewTestSend
from tests.fakes.office import DEMO, Office

GOOD = "+221770008200"


@pytest.fixture
def office() -> Office:
    return Office()


def sent(office: Office, to: str, channel: Channel = Channel.SMS) -> Message:
    settings = office.run(office.settings.read(DEMO, channel))
    new = NewTestSend(to=to, language="fr", message_id="t-1", created_by="officer-7")
    return office.run(office.send_test().send(office.step(channel), settings, new))


def refused(office: Office, to: str, channel: Channel = Channel.SMS) -> Refusal:
    with pytest.raises(Refusal) as caught:
        sent(office, to, channel)
    return caught.value


def test_a_country_that_is_not_covered_is_refused_before_anything_is_logged(office: Office) -> None:
    refusal = refused(office, "+33612345678")
    assert refusal.code is ProblemCode.UNPROCESSABLE
    assert [(field_error.field, field_error.code) for field_error in refusal.field_errors] == [
        ("to", "country_not_covered")
    ]
    assert office.provider.calls == 0
    assert office.log.rows == {}


def test_whatsapp_reaches_every_country(office: Office) -> None:
    assert sent(office, "+33612345678", Channel.WHATSAPP).status is Status.SENT


def test_quiet_hours_begin_between_the_check_and_the_call(office: Office) -> None:
    """No call was made. The answer names the quiet hours, and the message ends as not sent."""
    office.clock.instant = datetime(2026, 11, 24, 20, 59, 59, 500_000, tzinfo=UTC)
    assert refused(office, GOOD).code is ProblemCode.QUIET_HOURS
    assert office.provider.calls == 0
    row = office.row("t-1")
    assert (row.status, row.reason, row.attempts) == (Status.FAILED, "expired", 0)
