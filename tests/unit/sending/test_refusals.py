"""The effects of Meta's codes, in an answer and in a status webhook."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.campaigns.distribution import PAUSED_BY_USER, Distribution, DistributionStatus
from shared.holds.keeper import MOST_ALIKE
from shared.messages.errors import Kind, Scope, SendError
from shared.messages.message import Status
from shared.messages.payload import Channel
from shared.policy.consent import ConsentState
from shared.providers.meta.errors import CODES, error_from_code
from shared.texts.content import Content
from shared.webhooks.updates import Attempt, StatusReport
from tests.fakes.office import DEMO, WHATSAPP, Office, recipient

COUNT = 3


@pytest.fixture
def office() -> Office:
    return Office()


def campaign(
    office: Office,
    key: str = "d",
    channel: Channel = Channel.WHATSAPP,
    *,
    template: str = "vaccination_card",
    country: str = "SN",
) -> Distribution:
    phones = {"SN": "+22177000{:04d}", "MG": "+26132000{:04d}"}
    rows = [recipient(number, phone=phones[country].format(number)) for number in range(1, COUNT + 1)]
    new = office.new_distribution(rows, channel=channel, key=key, confirm=True)
    new = replace(new, order=replace(new.order, content=Content(template=template)))
    made = office.run(office.planning().create(new))
    office.do_tasks()
    return made


def statuses(office: Office) -> list[tuple[DistributionStatus, str | None]]:
    return [(one.status, one.status_reason) for one in office.distributions.items.values()]


def failed(office: Office, message_id: str, error: SendError, *, ago: timedelta = timedelta(0)) -> None:
    key = Attempt(message_id=message_id, number=1)
    at = office.clock.now() - ago
    report = StatusReport(attempt=key, provider_message_id="wamid.x", status=Status.FAILED, at=at, error=error)
    office.reported(report, report)


KINDS = {code: rule for code, rule in CODES.items() if code not in (131047, 131053)}
"""Without the codes after which a message is sent once more by itself (test_session_messages.py,
test_new_upload.py)."""


@pytest.mark.parametrize("code", sorted(KINDS))
def test_every_code_in_an_answer(office: Office, code: int) -> None:
    """The outcome of a single message, by the kind that the table gives the code."""
    error = KINDS[code].error(str(code))
    office.provider.answers = [error]
    message = office.single(channel=Channel.WHATSAPP)
    [queue_message] = office.queue.take()
    office.run(office.step(Channel.WHATSAPP).send_all([queue_message]))
    row = office.row(message.message_id)
    match error.kind:
        case Kind.RECIPIENT | Kind.BUG:
            assert (row.status, row.reason, row.due_at) == (Status.FAILED, error.reason, None)
        case Kind.UNKNOWN:
            assert (row.status, row.unknown_since) == (Status.PENDING, office.clock.now())
        case _:
            assert (row.status, row.lease_until) == (Status.PENDING, None)
            assert row.due_at is not None
    held = office.rate_limits.held_until(WHATSAPP.rate_limit) > office.clock.now()
    assert held is (error.kind is Kind.THROTTLED and not error.person_only)
    assert [queue_message.message_id for queue_message in office.queue.waiting] == (
        [message.message_id] if held else []
    )


@pytest.mark.parametrize("code", sorted(KINDS))
def test_every_code_in_a_status(office: Office, code: int) -> None:
    """`failed` proves that the message did not arrive. It fails with its own reason; after a stop error it is sent once
    more."""
    message = office.single(channel=Channel.WHATSAPP)
    office.deliver(Channel.WHATSAPP)
    error = error_from_code(code)
    failed(office, message.message_id, error)
    row = office.row(message.message_id)
    if error.kind is Kind.STOP:
        assert (row.status, row.is_open, row.failed_at) == (Status.SENT, True, None)
        return
    own = error.kind in (Kind.RECIPIENT, Kind.BUG)
    assert (row.status, row.reason) == (Status.FAILED, error.reason if own else "provider_rejected")
    calls = office.provider.calls
    office.clock.pass_by(hours=25)
    office.tick()
    office.deliver(Channel.WHATSAPP)
    assert office.provider.calls == calls, "nothing is retried, 131049 least of all"


def test_code_1_is_tried_a_few_times_and_then_fails(office: Office) -> None:
    office.provider.answers = [CODES[1].error("1") for _ in range(30)]
    message = office.single(channel=Channel.WHATSAPP)
    office.deliver(Channel.WHATSAPP)
    for _ in range(30):
        office.clock.pass_by(hours=1)
        office.tick()
        office.deliver(Channel.WHATSAPP, within=timedelta(seconds=5))
    row = office.row(message.message_id)
    assert (row.status, row.reason, row.attempts) == (Status.FAILED, "provider_rejected", 5)
    assert office.provider.calls == 5
    assert "request_refused_as_wrong" in office.telemetry.warning_events


def refusing(office: Office, rows: int, answers: list[SendError | None]) -> list[str | None]:
    """One worker sends a distribution's rows one by one. Returns their outcomes."""
    made = office.distribute(rows, channel=Channel.WHATSAPP)
    office.do_tasks()
    queue_messages = sorted(office.queue.take(), key=lambda queue_message: queue_message.slot_at)
    office.provider.answers = [*answers]
    step = office.step(Channel.WHATSAPP)
    for queue_message in queue_messages:
        office.run(step.send_all([queue_message]))
    assert [queue_message.chunk.distribution_id for queue_message in queue_messages if queue_message.chunk] == [
        made.distribution_id
    ] * rows
    return [office.row(queue_message.message_id).reason for queue_message in queue_messages]


@pytest.mark.parametrize("code", [132008, 132012, 132018])
def test_a_parameter_refused_for_all_people_holds_the_template(office: Office, code: int) -> None:
    found = refusing(office, MOST_ALIKE + 1, [CODES[code].error(str(code)) for _ in range(MOST_ALIKE)])
    assert found[:MOST_ALIKE] == ["provider_rejected"] * (MOST_ALIKE - 1) + [None]
    assert statuses(office) == [(DistributionStatus.PAUSED, "template_disabled")]


STOPS = sorted((code, rule.scope) for code, rule in CODES.items() if rule.kind is Kind.STOP)


@pytest.mark.parametrize("is_status", [False, True], ids=["answer", "status"])
@pytest.mark.parametrize(("code", "scope"), STOPS)
def test_a_stop_error_holds_its_scope(office: Office, code: int, scope: Scope, is_status: bool) -> None:
    """At once or later, it fails no list: held messages go on by themselves after the hold."""
    made = {
        "own": campaign(office),
        "other template": campaign(office, "other template", template="nutrition_card"),
        "other country": campaign(office, "other country", country="MG"),
        "sms": campaign(office, "sms", Channel.SMS),
    }
    error = CODES[code].error(str(code))
    queue_messages = office.queue.take()
    [queue_message] = [
        one for one in queue_messages if one.chunk and one.chunk.distribution_id == made["own"].distribution_id
    ][:1]
    office.provider.answers = [None if is_status else error]
    office.run(office.step(Channel.WHATSAPP).send_all([queue_message]))
    if is_status:
        failed(office, queue_message.message_id, error_from_code(code))
    office.meta.error = SendError(Kind.RETRY, "503", "")
    office.tick()
    office.do_tasks()
    held = {name for name, one in made.items() if office.distributions.items[DEMO, one.distribution_id].is_held}
    assert (
        held
        == {
            Scope.ACCOUNT: {"own", "other template", "other country"},
            Scope.TEMPLATE: {"own", "other country"},
            Scope.COUNTRY: {"own", "other template"},
        }[scope]
    )
    stored = office.distributions.items[DEMO, made["own"].distribution_id]
    assert stored.status_reason == error.reason
    row = office.row(queue_message.message_id)
    assert (row.status, row.is_open) == (Status.SENT if is_status else Status.PENDING, True)


def test_a_stop_error_of_an_older_epoch_pauses_no_distribution(office: Office) -> None:
    made = campaign(office)
    campaign(office, "other")
    [queue_message, *_] = office.queue.take()
    stored = office.distributions.items[DEMO, made.distribution_id]
    error = SendError(Kind.STOP, "131042", "payment_required", scope=Scope.ACCOUNT)
    step = office.step(Channel.WHATSAPP)
    office.run(office.distributions.save(stored.paused(PAUSED_BY_USER)))
    office.provider.answers = [error]
    office.run(step.send_all([queue_message]))
    assert [status for status, _ in statuses(office)] == [DistributionStatus.PAUSED, DistributionStatus.SENDING]


@pytest.mark.parametrize(("ago", "pauses"), [(timedelta(minutes=59), True), (timedelta(hours=1), False)])
def test_only_a_recent_report_of_a_stop_sets_a_hold(office: Office, ago: timedelta, pauses: bool) -> None:
    """Webhooks are repeated for days. Meanwhile the account may work again and its campaigns may be resumed."""
    campaign(office)
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=5))
    [row, *_] = office.log.rows.values()
    failed(office, row.message_id, error_from_code(131031), ago=ago)
    assert (statuses(office)[0][0] is DistributionStatus.PAUSED) is pauses


def test_an_opt_out_at_meta_is_a_revocation(office: Office) -> None:
    office.provider.answers = [CODES[131050].error("131050")]
    message = office.single(channel=Channel.WHATSAPP)
    office.deliver(Channel.WHATSAPP)
    row = office.row(message.message_id)
    assert row.reason == "opted_out"
    statement = office.people.records[DEMO, row.person].latest
    assert statement is not None
    assert (statement.state, statement.source) == (ConsentState.REVOKED, "whatsapp_131050")


def test_one_persons_limit_delays_only_that_person(office: Office) -> None:
    """131056: 1, 4, 16, … seconds, an hour at most. Meanwhile other people's messages leave."""
    office.provider.answers = [CODES[131056].error("131056")] * 40
    message = office.single(channel=Channel.WHATSAPP)
    waits = []
    office.deliver(Channel.WHATSAPP)
    while office.row(message.message_id).status is Status.PENDING:
        row = office.row(message.message_id)
        assert row.due_at is not None
        assert row.claimed_at is not None
        due_at = row.due_at
        waits.append((due_at - row.claimed_at).total_seconds())
        office.clock.instant = due_at
        office.tick()
        office.deliver(Channel.WHATSAPP, within=timedelta(seconds=2))
    assert [round(wait) for wait in waits[:8]] == [1, 4, 16, 64, 256, 1024, 3600, 3600]
    assert office.row(message.message_id).reason == "expired"
    assert office.rate_limits.held_until(WHATSAPP.rate_limit) < office.clock.now()
