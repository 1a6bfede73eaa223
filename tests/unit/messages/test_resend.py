"""Resending a failed message: one successor for any number of requests, through the same gate, with killed workers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.base.ids import resend_id
from shared.base.refusal import ProblemCode, Refusal
from shared.messages.errors import Kind, SendError
from shared.messages.message import Message, Status
from shared.messages.payload import Channel
from shared.messages.ports import Move
from shared.messages.single import NewMessage
from shared.providers.meta.errors import CODES, error_from_code
from shared.texts.content import Content
from shared.webhooks.updates import Attempt, StatusReport
from tests.fakes.consents import revoked
from tests.fakes.office import DEMO, WHATSAPP, Office, recipient

POINTS = (
    "log.get",
    "plans.read_payload",
    "people.consents",
    "plans.write_payload",
    "log.add",
    "rate_limits.book",
    "queue.put",
)


@pytest.fixture
def office() -> Office:
    return Office()


def failed(office: Office, channel: Channel = Channel.SMS, *, reason: str = "undeliverable") -> Message:
    """A single failed message without a queue message."""
    made = office.single(channel=channel)
    office.queue.waiting.clear()
    move = Move(status=Status.FAILED, at=office.clock.now(), reason=reason)
    office.run(office.log.move(DEMO, made.message_id, move))
    return office.row(made.message_id)


def resent(office: Office, parent: Message) -> Message:
    return office.run(office.resends().resend(DEMO, parent.message_id))


def refusal(office: Office, parent: Message) -> Refusal:
    rows = dict(office.log.rows)
    with pytest.raises(Refusal) as refused:
        resent(office, parent)
    assert office.log.rows == rows
    assert office.queue.waiting == []
    return refused.value


@pytest.mark.parametrize("channel", Channel)
def test_a_resend_is_a_message_of_its_own_that_names_its_parent(office: Office, channel: Channel) -> None:
    parent = failed(office, channel)
    successor = resent(office, parent)
    assert successor.message_id == resend_id(parent.message_id) != parent.message_id
    kept = ("campaign_id", "enrollment_id", "recipient", "person", "country", "channel", "segments", "price")
    assert [getattr(successor, name) for name in kept] == [getattr(parent, name) for name in kept]
    assert (successor.parent_message_id, successor.distribution_id) == (parent.message_id, None)
    assert successor.payload != parent.payload
    office.deliver(channel, within=timedelta(seconds=5))
    assert office.row(successor.message_id).status is Status.SENT
    assert office.row(parent.message_id).status is Status.FAILED
    assert [number for number, _ in office.provider.accepted] == ["+221770008200"]


@pytest.mark.parametrize("is_status", [False, True], ids=["answer", "status"])
def test_a_message_that_meta_withheld_is_resent_only_after_a_day(office: Office, is_status: bool) -> None:
    """131049: Meta punishes the account for retries."""
    office.provider.answers = [None if is_status else CODES[131049].error("131049")]
    parent = office.single(channel=Channel.WHATSAPP)
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=5))
    failed_at = office.row(parent.message_id).failed_at or office.clock.now()
    if is_status:
        key = Attempt(message_id=parent.message_id, number=1)
        error = error_from_code(131049)
        office.reported(
            StatusReport(attempt=key, provider_message_id="w", status=Status.FAILED, at=failed_at, error=error)
        )
    calls = office.provider.calls
    office.clock.pass_by(hours=3)
    successor = resent(office, parent)
    assert successor.scheduled_for == failed_at + timedelta(hours=24)
    office.clock.instant = failed_at + timedelta(hours=23, minutes=59)
    office.tick()
    office.deliver(Channel.WHATSAPP)
    assert office.provider.calls == calls
    office.clock.pass_by(minutes=1)
    office.tick()
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=5))
    assert office.row(successor.message_id).status is Status.SENT
    assert office.provider.calls == calls + 1


def test_after_that_day_a_resend_leaves_at_once(office: Office) -> None:
    office.provider.answers = [CODES[131049].error("131049")]
    parent = office.single(channel=Channel.WHATSAPP)
    office.deliver(Channel.WHATSAPP)
    office.clock.pass_by(hours=24)
    assert resent(office, parent).scheduled_for is None


def test_a_repeat_answers_the_same_and_sends_nothing(office: Office) -> None:
    parent = failed(office)
    first = resent(office, parent)
    office.deliver(within=timedelta(seconds=5))
    again = resent(office, parent)
    assert (again.message_id, again.scheduled_for) == (first.message_id, first.scheduled_for)
    assert office.queue.waiting == []
    arrived = Move(status=Status.DELIVERED, at=office.clock.now())
    # proof came late: the repeat still gets the same answer
    office.run(office.log.move(DEMO, parent.message_id, arrived))
    assert resent(office, parent).message_id == first.message_id
    assert len(office.provider.accepted) == 1


def test_a_failed_successor_may_be_resent_too(office: Office) -> None:
    parent = failed(office)
    successor = resent(office, parent)
    office.queue.waiting.clear()
    office.run(office.log.move(DEMO, successor.message_id, Move(status=Status.FAILED, at=office.clock.now())))
    third = resent(office, successor)
    assert third.parent_message_id == successor.message_id
    assert resent(office, parent).message_id == successor.message_id


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_resend_that_is_repeated_sends_one_message(office: Office, point: str) -> None:
    parent = failed(office)
    assert office.killed(office.resends().resend(DEMO, parent.message_id), (point, 1))
    successor = resent(office, parent)
    for _ in range(3):
        office.deliver(within=timedelta(seconds=61))
        office.tick()
    office.deliver(within=timedelta(seconds=61))
    assert len(office.provider.accepted) == 1
    assert office.row(successor.message_id).status is Status.SENT
    assert len(office.log.rows) == 2


@pytest.mark.parametrize("status", [Status.PENDING, Status.SENT, Status.DELIVERED, Status.READ])
def test_only_a_failed_message_is_resent(office: Office, status: Status) -> None:
    made = office.single()
    office.queue.waiting.clear()
    office.run(office.log.move(DEMO, made.message_id, Move(status=status, at=office.clock.now())))
    refused = refusal(office, made)
    assert (refused.code, refused.facts) == (ProblemCode.STATE_CONFLICT, {"status": str(status)})


def test_a_person_may_resend_a_message_with_an_unknown_outcome(office: Office) -> None:
    office.provider.answers = [SendError(Kind.UNKNOWN, "ReadTimeout", "outcome_unknown")]
    made = office.single()
    office.deliver(within=timedelta(seconds=5))
    assert office.row(made.message_id).reason == "outcome_unknown"
    resent(office, made)
    office.deliver(within=timedelta(seconds=5))
    assert len(office.provider.accepted) == 2


def test_a_row_of_a_distribution_is_resent_outside_it(office: Office) -> None:
    office.provider.answers = [SendError(Kind.RECIPIENT, "131026", "undeliverable")]
    distribution = office.distribute(1)
    office.do_tasks()
    office.deliver(within=timedelta(seconds=10))
    [row] = office.log.rows.values()
    successor = resent(office, row)
    office.deliver(within=timedelta(seconds=10))
    assert (successor.campaign_id, successor.chunk) == (distribution.campaign_id, None)
    counts = office.run(office.browse.distribution(DEMO, distribution.distribution_id)).counts
    assert counts.by_status == {Status.FAILED: 1}
    assert len(office.provider.accepted) == 1


def test_an_unknown_or_foreign_message_is_not_found(office: Office) -> None:
    parent = failed(office)
    for organisation, message_id in ((DEMO, "00000000-0000-5000-8000-000000000000"), ("other", parent.message_id)):
        with pytest.raises(Refusal) as refused:
            office.run(office.resends().resend(organisation, message_id))
        assert refused.value.code is ProblemCode.NOT_FOUND


@pytest.mark.parametrize("channel", Channel)
def test_a_person_who_opted_out_meanwhile_gets_no_resend(office: Office, channel: Channel) -> None:
    parent = failed(office, channel)
    office.run(office.people.record(DEMO, parent.person, [revoked(office.clock.now())]))
    refused = refusal(office, parent)
    assert refused.code is ProblemCode.UNPROCESSABLE
    assert [(field_error.field, field_error.code, field_error.row) for field_error in refused.field_errors] == [
        ("phone", "opted_out", None)
    ]


def test_a_resend_at_night_waits_for_the_morning(office: Office) -> None:
    office.clock.instant = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
    parent = failed(office)
    office.clock.instant = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)
    seven = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
    successor = resent(office, parent)
    assert (successor.scheduled_for, successor.due_at) == (seven, seven)
    assert office.queue.waiting == []
    assert resent(office, parent).scheduled_for == seven
    office.clock.instant = seven
    office.tick()
    office.deliver(within=timedelta(seconds=10))
    assert office.row(successor.message_id).status is Status.SENT


@pytest.mark.parametrize("gone", ["expired", "erased"])
def test_an_expired_or_erased_message_is_not_resent(office: Office, gone: str) -> None:
    parent = failed(office)
    if gone == "erased":
        office.run(office.log.unlink(DEMO, parent.message_id))
    else:
        office.run(office.plans.erase_payload(parent.payload))
    refused = refusal(office, parent)
    assert (refused.code, refused.facts) == (ProblemCode.STATE_CONFLICT, {"status": "failed", "gone": gone})


def test_without_settings_no_message_is_resent(office: Office) -> None:
    parent = failed(office)
    office.integrations.kept.clear()
    assert refusal(office, parent).code is ProblemCode.INTEGRATION_MISSING


def test_the_payload_is_stored_again(office: Office) -> None:
    parent = failed(office)
    successor = resent(office, parent)
    first = office.run(office.plans.read_payload(parent.payload))
    assert first is not None
    again = replace(first, resend_of=parent.message_id)
    assert office.run(office.plans.read_payload(successor.payload)) == again


def in_a_session(office: Office) -> Message:
    """A free text within the person's 24 hours, refused by Meta."""
    person = office.number_key.person(DEMO, "+221770008200")
    until = office.clock.now() + timedelta(hours=2)
    office.run(office.sessions.open(DEMO, WHATSAPP.phone_number_id, person, until))
    new = NewMessage(
        organisation=DEMO,
        key="session",
        request_hash="h",
        channel=Channel.WHATSAPP,
        campaign_id="c",
        recipient=recipient(8200),
        content=Content(text="Bonjour {first_name}"),
        send_at=None,
    )
    made = office.run(office.singles().create(new))
    office.queue.waiting.clear()
    office.run(office.log.move(DEMO, made.message_id, Move(status=Status.FAILED, at=office.clock.now())))
    return office.row(made.message_id)


@pytest.mark.parametrize("has_template", [True, False])
def test_a_resent_text_after_its_session_goes_as_its_template_or_not_at_all(office: Office, has_template: bool) -> None:
    if not has_template:
        office.integrations.kept[DEMO, "whatsapp"] = replace(WHATSAPP, default_template=None)
    parent = in_a_session(office)
    office.clock.pass_by(hours=3)
    if not has_template:
        refused = refusal(office, parent)
        assert [(field_error.field, field_error.code) for field_error in refused.field_errors] == [
            ("content.text", "template_required")
        ]
        return
    successor = resent(office, parent)
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=5))
    assert office.row(successor.message_id).status is Status.SENT
