"""An unknown outcome on WhatsApp: no person gets two messages, except in the one case that design.md allows."""

from datetime import timedelta

import pytest

from shared.campaigns.distribution import Action
from shared.messages.errors import Kind, SendError
from shared.messages.message import Message, Status
from shared.messages.payload import Channel
from shared.webhooks.updates import Attempt, StatusReport
from tests.fakes.office import DEMO, WHATSAPP, Office

UNKNOWN = SendError(Kind.UNKNOWN, "ReadTimeout", "outcome_unknown")
NUMBER = (DEMO, WHATSAPP.phone_number_id)


@pytest.fixture
def office() -> Office:
    return Office()


def with_unknown_outcome(office: Office) -> Message:
    """Its answer was lost a moment ago; Meta did take it."""
    office.provider.answers = [UNKNOWN]
    message = office.single(channel=Channel.WHATSAPP)
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=5))
    assert office.row(message.message_id).unknown_since is not None
    return message


def another(office: Office, number: int = 8300) -> Message:
    """Sent later, on the same number."""
    office.clock.pass_by(seconds=5)
    message = office.single(number, channel=Channel.WHATSAPP)
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=5))
    return message


def tell(office: Office, message: Message, status: Status = Status.DELIVERED, attempt: int = 1) -> None:
    key = Attempt(message_id=message.message_id, number=attempt)
    office.reported(StatusReport(attempt=key, provider_message_id="wamid.x", status=status, at=office.clock.now()))


def wait(office: Office, **time: float) -> None:
    """In steps of five minutes, with a tick and workers for each."""
    for _ in range(int(timedelta(**time).total_seconds()) // 300):
        office.clock.pass_by(minutes=5)
        office.tick()
        office.deliver(Channel.WHATSAPP)


def test_it_is_resent_once_after_a_report_on_a_later_message(office: Office) -> None:
    message = with_unknown_outcome(office)
    tell(office, another(office))
    wait(office, minutes=10)
    assert office.provider.calls == 2
    wait(office, minutes=15)
    row = office.row(message.message_id)
    assert (row.status, row.attempts, row.resent, row.due_at) == (Status.SENT, 2, True, None)
    keys = [key for _, key in office.provider.accepted if key.startswith(message.message_id)]
    assert keys == [f"{message.message_id}.1", f"{message.message_id}.2"]


def test_it_is_never_sent_a_third_time(office: Office) -> None:
    message = with_unknown_outcome(office)
    tell(office, another(office))
    office.provider.answers = [UNKNOWN, UNKNOWN, UNKNOWN]
    wait(office, minutes=30)
    calls = office.provider.calls
    tell(office, another(office, 8301), Status.SENT)
    wait(office, hours=25)
    row = office.row(message.message_id)
    assert (row.status, row.reason, row.attempts) == (Status.FAILED, "outcome_unknown", 2)
    assert len([key for _, key in office.provider.accepted if key.startswith(message.message_id)]) == 2
    assert calls <= office.provider.calls <= calls + 2


@pytest.mark.parametrize("received", ["nothing", "an earlier one", "another number", "held"])
def test_without_such_a_report_it_waits_and_ends_after_a_day(office: Office, received: str) -> None:
    earlier = another(office)
    message = with_unknown_outcome(office)
    match received:
        case "an earlier one":
            tell(office, earlier)
        case "another number":
            office.run(
                office.last_heard_store.note_reports(DEMO, "2", claimed_at=office.clock.now() + timedelta(hours=1))
            )
        case "held":
            office.provider.holds = True
            tell(office, another(office, 8302))
            office.provider.holds = False
    calls = office.provider.calls
    wait(office, hours=23)
    assert office.row(message.message_id).status is Status.PENDING
    wait(office, hours=2)
    row = office.row(message.message_id)
    assert (row.status, row.reason, row.due_at) == (Status.FAILED, "outcome_unknown", None)
    assert office.provider.calls == calls


@pytest.mark.parametrize("status", [Status.SENT, Status.DELIVERED, Status.READ])
@pytest.mark.parametrize("attempt", [1, 2])
def test_a_status_of_any_attempt_settles_it_and_ends_the_next_check(
    office: Office, status: Status, attempt: int
) -> None:
    message = with_unknown_outcome(office)
    if attempt == 2:
        tell(office, another(office))
        office.provider.answers = [UNKNOWN]
        wait(office, minutes=30)
        assert office.row(message.message_id).attempts == 2
    tell(office, message, status)
    row = office.row(message.message_id)
    assert (row.status, row.due_at, row.unknown_since, row.lease_until) == (status, None, None, None)
    calls = office.provider.calls
    wait(office, hours=25)
    assert (office.row(message.message_id).status, office.provider.calls) == (status, calls)


def test_a_failure_of_the_first_attempt_does_not_change_the_second(office: Office) -> None:
    message = with_unknown_outcome(office)
    tell(office, another(office))
    wait(office, minutes=30)
    tell(office, message, Status.FAILED, attempt=1)
    assert office.row(message.message_id).status is Status.SENT
    tell(office, message, Status.FAILED, attempt=2)
    assert office.row(message.message_id).status is Status.FAILED


@pytest.mark.parametrize(
    "point", ["log.resend", "plans.read_payload", "rate_limits.book", "queue.put", "log.move_next_check"]
)
def test_a_killed_agenda_loses_nothing_and_doubles_nothing(office: Office, point: str) -> None:
    message = with_unknown_outcome(office)
    tell(office, another(office))
    office.clock.pass_by(minutes=16)
    office.run(office.fanout().tick())
    assert any(
        office.killed(office.fanout().work(task, office.clock.now() + timedelta(minutes=5)), (point, 1))
        for task in office.tasks.tasks
    )
    wait(office, hours=1)
    row = office.row(message.message_id)
    assert (row.status, row.attempts) == (Status.SENT, 2)


def test_a_paused_distribution_resends_nothing(office: Office) -> None:
    office.provider.answers = [UNKNOWN]
    made = office.distribute(1, channel=Channel.WHATSAPP)
    office.do_tasks()
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=10))
    [message] = office.log.rows.values()
    office.run(office.control.act(DEMO, made.distribution_id, Action.PAUSE))
    tell(office, another(office))
    calls = office.provider.calls
    wait(office, hours=2)
    assert office.provider.calls == calls
    assert office.row(message.message_id).unknown_since is not None
    assert office.distributions.items[DEMO, made.distribution_id].status == "paused"


def test_a_message_that_meta_holds_back_is_recorded(office: Office) -> None:
    office.provider.holds = True
    another(office)
    assert office.last_heard_store.last_heard_of[NUMBER].held is not None
    assert "message_held_by_provider" in office.telemetry.names()
