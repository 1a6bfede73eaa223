"""Consents as they are recorded and as they are named with a recipient: whose word counts, and from when."""

from datetime import datetime, timedelta

import pytest

from shared.domain.consent import Consent, ConsentState
from shared.domain.payload import Channel
from shared.domain.refusal import Refusal
from shared.domain.status import Status
from shared.usecases.people import ConsentEntry, Consents
from tests.fakes.office import DEMO, Office, recipient

PHONE = "+221770008200"
AHEAD = timedelta(days=400)


@pytest.fixture
def office() -> Office:
    return Office()


def consents(office: Office) -> Consents:
    return Consents(office.people, office.integrations, office.number_key, office.clock)


def word(granted: bool, at: datetime | None = None, phone: str = PHONE) -> ConsentEntry:
    return ConsentEntry(phone=phone, granted=granted, source="register", recorded_at=at)


def record(office: Office, *entries: ConsentEntry) -> None:
    office.run(consents(office).record(DEMO, entries, several=True))


def state(office: Office, phone: str = PHONE) -> ConsentState | None:
    found = office.run(consents(office).look_up(DEMO, phone))
    return found.state if found else None


def stop(office: Office) -> None:
    """As the webhook's consumer writes it."""
    said = Consent(state=ConsentState.REVOKED, recorded_at=office.clock.now(), source="STOP")
    office.run(office.people.record(DEMO, office.number_key.person(DEMO, PHONE), said))


def test_a_grant_dated_ahead_does_not_outlive_a_stop(office: Office) -> None:
    record(office, word(True, office.clock.now() + AHEAD))
    office.clock.pass_by(minutes=1)
    stop(office)
    assert state(office) is ConsentState.REVOKED


def test_nor_does_one_that_came_with_the_message(office: Office) -> None:
    ahead = (office.clock.now() + AHEAD).isoformat()
    row = recipient(8200, consent={"granted_at": ahead, "source": "register"})
    made = office.run(office.planning().create(office.new_distribution([row], confirm=True)))
    assert made.planned.accepted == 1
    office.clock.pass_by(minutes=1)
    stop(office)
    office.do_tasks()
    office.deliver(within=timedelta(minutes=5))
    [message] = office.log.rows.values()
    assert (message.status, message.reason) == (Status.FAILED, "opted_out")
    assert office.provider.calls == 0


def test_after_a_stop_a_grant_dated_ahead_counts_from_now(office: Office) -> None:
    stop(office)
    office.clock.pass_by(minutes=1)
    record(office, word(True, office.clock.now() + AHEAD))
    assert state(office) is ConsentState.GRANTED


def test_of_one_persons_words_in_one_request_the_latest_counts_whatever_their_order(office: Office) -> None:
    now = office.clock.now()
    early, late = word(True, now - timedelta(days=2)), word(False, now - timedelta(days=1))
    record(office, late, early)
    assert state(office) is ConsentState.REVOKED
    record(office, word(False), word(True))
    assert state(office) is ConsentState.GRANTED


def test_a_thousand_at_once_or_none(office: Office) -> None:
    many = [word(True, phone=f"+22177000{number:04d}") for number in range(1000)]
    with pytest.raises(Refusal) as refused:
        record(office, *many[:999], word(True, phone="N/A"))
    assert [(fault.row, fault.field) for fault in refused.value.faults] == [(1000, "phone")]
    assert office.people.words == {}
    record(office, *many)
    assert {state(office, one.phone) for one in many} == {ConsentState.GRANTED}


@pytest.mark.parametrize("channel", list(Channel))
def test_revoked_blocks_both_channels(office: Office, channel: Channel) -> None:
    record(office, word(False))
    with pytest.raises(Refusal) as refused:
        office.single(8200, channel)
    assert [fault.code for fault in refused.value.faults] == ["opted_out"]
