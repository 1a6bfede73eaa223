"""Consents, recorded by themselves or given with a recipient: which statement counts, and from when."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.base.json import JsonObject
from shared.base.refusal import Refusal
from shared.campaigns.distribution import Action, Distribution, DistributionStatus
from shared.messages.errors import Kind, SendError
from shared.messages.fallbacks import Fallbacks
from shared.messages.message import Status
from shared.messages.payload import Channel
from shared.policy.consent import ConsentState, given_in, objection
from shared.policy.consents import ConsentEntry, Consents
from shared.texts.content import Content, FallbackOrder
from tests.fakes.consents import granted, revoked
from tests.fakes.office import DEMO, Office, recipient

PHONE = "+221770008200"
TOLERATED = timedelta(minutes=5)
UPLOAD: dict[str, Any] = {"recipients": None, "upload_id": "u-1"}


@pytest.fixture
def office() -> Office:
    return Office()


def consents(office: Office) -> Consents:
    return Consents(office.people, office.integrations, office.number_key, office.clock)


def statement(granted: bool, at: datetime | None = None, phone: str = PHONE) -> ConsentEntry:
    return ConsentEntry(phone=phone, granted=granted, source="register", recorded_at=at)


def record(office: Office, *entries: ConsentEntry) -> None:
    office.run(consents(office).record(DEMO, entries, several=True))


def state(office: Office, phone: str = PHONE) -> ConsentState | None:
    found = office.run(consents(office).look_up(DEMO, phone))
    return found.state if found else None


def stop(office: Office, said_at: datetime | None = None) -> None:
    """Records a STOP as the webhook's consumer does."""
    said = revoked(said_at or office.clock.now(), received=office.clock.now())
    office.run(office.people.record(DEMO, office.number_key.person(DEMO, PHONE), [said]))


def agreed(at: datetime) -> JsonObject:
    return recipient(8200, consent={"granted_at": at.isoformat(), "source": "register"})


def plan(office: Office, at: datetime, *, confirm: bool = False) -> Distribution:
    new = office.new_distribution([agreed(at)], confirm=confirm)
    return office.run(office.planning().create(new))


def confirm(office: Office, made: Distribution) -> None:
    office.run(office.control.act(DEMO, made.distribution_id, Action.CONFIRM))


def outcome(office: Office) -> tuple[Status, str | None]:
    office.do_tasks()
    office.deliver(within=timedelta(minutes=5))
    [message] = office.log.rows.values()
    return message.status, message.reason


def field_errors(office: Office, at: datetime) -> list[tuple[str, str]]:
    with pytest.raises(Refusal) as refused:
        office.single(8200, consent={"granted_at": at.isoformat(), "source": "register"})
    return [(field_error.field, field_error.code) for field_error in refused.value.field_errors]


@pytest.mark.parametrize("ahead", [TOLERATED + timedelta(seconds=1), timedelta(days=183), timedelta(days=400)])
def test_a_consent_dated_ahead_is_refused(office: Office, ahead: timedelta) -> None:
    at = office.clock.now() + ahead
    assert field_errors(office, at) == [("consent.granted_at", "field_invalid")]
    with pytest.raises(Refusal) as refused:
        record(office, statement(True), statement(True, at))
    assert [(field_error.row, field_error.field, field_error.code) for field_error in refused.value.field_errors] == [
        (2, "recorded_at", "field_invalid")
    ]
    assert office.people.records == {}
    made = plan(office, at, confirm=True)
    assert (made.status, made.planned.rejected) == (DistributionStatus.REJECTED, 1)


def test_a_date_up_to_five_minutes_ahead_counts_as_now(office: Office) -> None:
    stop(office)
    office.clock.pass_by(minutes=1)
    record(office, statement(True, office.clock.now() + TOLERATED))
    assert state(office) is ConsentState.GRANTED
    assert office.run(consents(office).look_up(DEMO, PHONE)) == granted(office.clock.now())
    stop(office)
    assert state(office) is ConsentState.REVOKED


@pytest.mark.parametrize("ahead", [timedelta(0), TOLERATED])
def test_a_consent_that_came_with_a_plan_does_not_outlive_a_stop(office: Office, ahead: timedelta) -> None:
    """Planned, then STOP, then confirmed: the grant was received with the plan."""
    made = plan(office, office.clock.now() + ahead)
    office.clock.pass_by(minutes=1)
    stop(office)
    office.clock.pass_by(minutes=1)
    confirm(office, made)
    assert outcome(office) == (Status.FAILED, "opted_out")


def test_a_consent_that_came_with_a_plan_does_not_outlive_a_late_stop(office: Office) -> None:
    """The webhook came after the plan. Its time is before the date of the grant."""
    said_at = office.clock.now() - timedelta(days=2)
    made = plan(office, office.clock.now() - timedelta(days=1))
    office.clock.pass_by(minutes=1)
    stop(office, said_at)
    confirm(office, made)
    assert outcome(office) == (Status.FAILED, "opted_out")


def test_a_plan_made_after_the_stop_may_contain_a_later_grant(office: Office) -> None:
    stop(office, office.clock.now() - timedelta(days=2))
    office.clock.pass_by(minutes=1)
    plan(office, office.clock.now() - timedelta(days=1), confirm=True)
    assert outcome(office) == (Status.SENT, None)


def test_a_files_grants_are_received_at_the_request_also_if_planned_later(office: Office) -> None:
    row = json.dumps(agreed(office.clock.now() - timedelta(days=1))).encode()
    office.uploads.put(DEMO, "u-1", "ndjson", row)
    made = office.run(office.planning().create(replace(office.new_distribution([], confirm=True), **UPLOAD)))
    office.clock.pass_by(minutes=1)
    stop(office, office.clock.now() - timedelta(days=2))
    office.clock.pass_by(minutes=30)
    office.do_tasks()
    assert office.distributions.items[DEMO, made.distribution_id].planned.rejected == 1


@pytest.mark.parametrize("channel", list(Channel))
def test_a_resend_contains_no_newer_grant(office: Office, channel: Channel) -> None:
    office.provider.answers = [SendError(Kind.RECIPIENT, "x", "undeliverable")]
    at = office.clock.now() - timedelta(days=1)
    made = office.single(8200, channel, consent={"granted_at": at.isoformat(), "source": "register"})
    office.deliver(channel)
    assert office.row(made.message_id).status is Status.FAILED
    office.clock.pass_by(minutes=1)
    stop(office, at - timedelta(days=1))
    office.clock.pass_by(minutes=1)
    with pytest.raises(Refusal) as refused:
        office.run(office.resends().resend(DEMO, made.message_id))
    assert [field_error.code for field_error in refused.value.field_errors] == ["opted_out"]


def test_a_fallback_contains_no_newer_grant(office: Office) -> None:
    at = office.clock.now() - timedelta(days=1)
    wish = FallbackOrder(content=Content(text="Bonjour"), after_minutes=10)
    consent: JsonObject = {"granted_at": at.isoformat(), "source": "register"}
    made = office.single(8200, Channel.WHATSAPP, fallback=wish, consent=consent)
    office.deliver(Channel.WHATSAPP)
    office.clock.pass_by(minutes=1)
    stop(office, at - timedelta(days=1))
    office.clock.pass_by(minutes=1)
    fallbacks = Fallbacks(
        log=office.log, plans=office.plans, integrations=office.integrations, telemetry=office.telemetry
    )
    sms = office.run(fallbacks.begin(office.row(made.message_id), office.clock.now()))
    assert sms is not None
    payload = office.run(office.plans.read_payload(sms.payload))
    known = office.people.records[DEMO, sms.person]
    assert payload is not None
    assert objection(Channel.SMS, known, given_in(payload)) == "opted_out"


def test_the_latest_of_a_persons_statements_in_one_request_counts_in_any_order(office: Office) -> None:
    now = office.clock.now()
    early, late = statement(True, now - timedelta(days=2)), statement(False, now - timedelta(days=1))
    record(office, late, early)
    assert state(office) is ConsentState.REVOKED
    record(office, statement(False), statement(True))
    assert state(office) is ConsentState.GRANTED


@pytest.mark.parametrize("order", [1, -1])
def test_a_history_in_one_request_is_ordered_by_its_dates(office: Office, order: int) -> None:
    now = office.clock.now()
    history = [statement(False, now - timedelta(days=2)), statement(True, now - timedelta(days=1))]
    record(office, *history[::order])
    assert state(office) is ConsentState.GRANTED


def test_a_revocation_received_after_a_grant_ends_it_with_any_dates(office: Office) -> None:
    now = office.clock.now()
    record(office, statement(True, now - timedelta(days=1)))
    office.clock.pass_by(minutes=1)
    record(office, statement(False, now - timedelta(days=2)))
    assert state(office) is ConsentState.REVOKED
    office.clock.pass_by(minutes=1)
    record(office, statement(True, now - timedelta(days=1, hours=1)))
    assert state(office) is ConsentState.GRANTED


def test_a_register_that_is_imported_every_night_revokes_nothing_again(office: Office) -> None:
    now = office.clock.now()
    for _ in range(3):
        record(office, statement(False, now - timedelta(days=2)), statement(True, now - timedelta(days=1)))
        assert state(office) is ConsentState.GRANTED
        office.clock.pass_by(hours=24)


def test_a_thousand_statements_are_recorded_all_or_none(office: Office) -> None:
    many = [statement(True, phone=f"+22177000{number:04d}") for number in range(1000)]
    with pytest.raises(Refusal) as refused:
        record(office, *many[:999], statement(True, phone="N/A"))
    assert [(field_error.row, field_error.field) for field_error in refused.value.field_errors] == [(1000, "phone")]
    assert office.people.records == {}
    record(office, *many)
    assert {state(office, one.phone) for one in many} == {ConsentState.GRANTED}


@pytest.mark.parametrize("channel", list(Channel))
def test_revoked_blocks_both_channels(office: Office, channel: Channel) -> None:
    record(office, statement(False))
    with pytest.raises(Refusal) as refused:
        office.single(8200, channel)
    assert [field_error.code for field_error in refused.value.field_errors] == ["opted_out"]
