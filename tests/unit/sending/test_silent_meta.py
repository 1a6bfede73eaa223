"""A fallback by time while Meta reports nothing: it waits up to 24 hours, as long as the message may have arrived."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.base.ids import fallback_id, row_message_id
from shared.campaigns.distribution import Order
from shared.messages.errors import Kind, SendError
from shared.messages.fallback import BACKLOG
from shared.messages.message import Message, Status
from shared.messages.payload import Channel
from shared.texts.content import Content, FallbackOrder
from shared.webhooks.updates import Attempt, StatusReport
from tests.fakes.office import DEMO, WHATSAPP, Office, recipient

MINUTE = timedelta(minutes=1)
DAY = timedelta(hours=24)
AFTER = 10
WISH = FallbackOrder(content=Content(text="SMS pour {first_name}"), after_minutes=AFTER)
GONE = SendError(Kind.RECIPIENT, "131026", "not_on_whatsapp")
NUMBER = WHATSAPP.phone_number_id


@pytest.fixture
def office() -> Office:
    return Office()


def sent(office: Office, number: int = 8200, fallback: FallbackOrder | None = WISH) -> Message:
    made = office.single(number, Channel.WHATSAPP, fallback=fallback)
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=2))
    row = office.row(made.message_id)
    assert row.status is Status.SENT
    return row


def campaign(office: Office, people: int, key: str = "d") -> list[Message]:
    """Sent at the same time, each with a fallback."""
    rows = [recipient(number) for number in range(1, people + 1)]
    new = office.new_distribution(rows, channel=Channel.WHATSAPP, key=key, confirm=True)
    order = Order(content=new.order.content, defaults={}, fallback=WISH)
    made = office.run(office.planning().create(replace(new, order=order)))
    office.do_tasks()
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=2))
    return [office.row(row_message_id(made.distribution_id, number)) for number in range(1, people + 1)]


def report(message: Message, status: Status, at: datetime, error: SendError | None = None) -> StatusReport:
    key = Attempt(message_id=message.message_id, number=1)
    return StatusReport(
        attempt=key, provider_message_id="wamid.x", status=status, at=at, error=error, phone_number_id=NUMBER
    )


def tell(office: Office, message: Message, *statuses: Status, at: datetime | None = None) -> None:
    """`at`: Meta's time, by default now; earlier in a late report."""
    office.reported(*(report(message, status, at or office.clock.now()) for status in statuses))


def work(office: Office, time: timedelta) -> None:
    """In steps of a minute, with a tick and workers for each."""
    end = office.clock.now() + time
    while office.clock.now() < end:
        office.clock.instant = min(office.clock.now() + MINUTE, end)
        office.tick()
        for channel in Channel:
            office.deliver(channel)


def fell_back(office: Office, *messages: Message) -> list[bool]:
    """Which of them have an SMS that was sent."""
    found = [office.log.rows.get((DEMO, fallback_id(one.message_id))) for one in messages]
    return [row is not None and row.status is Status.SENT for row in found]


# ------------------------------------------------------------------------------------------------------ no report comes


@pytest.mark.parametrize("people", [1, 5])
def test_without_receipts_no_person_gets_both_and_all_get_an_sms_after_24_hours(office: Office, people: int) -> None:
    rows = campaign(office, people)
    work(office, timedelta(minutes=12))
    assert fell_back(office, *rows) == [False] * people
    assert not any(row.fell_back for row in office.log.rows.values())
    latest = min(row.sent_at for row in rows if row.sent_at) + DAY
    work(office, latest - office.clock.now() - MINUTE)
    assert not any(fell_back(office, *rows))
    work(office, 3 * MINUTE)
    assert all(fell_back(office, *rows))


def test_a_single_message_gets_its_fallback_after_24_hours_too(office: Office) -> None:
    row = sent(office)
    work(office, timedelta(hours=23))
    assert fell_back(office, row) == [False]
    work(office, timedelta(hours=1, minutes=2))
    assert fell_back(office, row) == [True]


def test_after_24_hours_it_still_waits_for_the_morning(office: Office) -> None:
    office.clock.instant = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)
    row = sent(office)
    work(office, DAY + 5 * MINUTE)
    assert fell_back(office, row) == [False]
    work(office, timedelta(hours=9))
    assert fell_back(office, row) == [True]


def test_a_fallback_due_after_24_hours_does_not_wait_for_reports(office: Office) -> None:
    row = sent(office, fallback=replace(WISH, after_minutes=1500))
    work(office, timedelta(minutes=1499))
    assert fell_back(office, row) == [False]
    work(office, 3 * MINUTE)
    assert fell_back(office, row) == [True]


def test_a_day_of_silence_costs_few_checks_and_few_log_lines(office: Office) -> None:
    sent(office)
    before = office.points.passed.copy()
    lines = len(office.telemetry.events)
    work(office, DAY - MINUTE)
    looks = office.points.passed - before
    assert 20 < looks["log.move_next_check"] <= 36
    assert looks["last_heard_store.read"] == looks["log.move_next_check"], (
        "what was heard is asked for with each look, nothing more"
    )
    assert looks["plans.read_payload"] == looks["log.fall_back"] == 0
    reported = [name for name in office.telemetry.names()[lines:] if name != "tick"]
    assert set(reported) == {"agenda_worked_off", "fallbacks_wait", "task_begun"}


def test_a_batch_of_the_agenda_reads_a_numbers_last_report_once(office: Office) -> None:
    campaign(office, 40)
    office.clock.pass_by(minutes=AFTER)
    before = office.points.passed.copy()
    office.tick()
    asked = office.points.passed - before
    assert asked["log.move_next_check"] == 40
    assert asked["last_heard_store.read"] <= 8, "once for each shard"


def warnings(office: Office, row: Message) -> list[tuple[str, int | None]]:
    assert row.distribution_id is not None
    view = office.run(office.browse.distribution(DEMO, row.distribution_id))
    found = [(warning.code, warning.count) for warning in view.warnings]
    # From planning: the settings name no account, and no price for the fallbacks.
    return [one for one in found if one[0] not in ("template_status_unknown", "units_missing")]


def test_its_distribution_warns_meanwhile(office: Office) -> None:
    rows = campaign(office, 5)
    assert warnings(office, rows[0]) == []
    work(office, timedelta(minutes=12))
    assert warnings(office, rows[0]) == [("receipts_missing", 5)]
    tell(office, rows[0], Status.DELIVERED, at=rows[0].sent_at)
    assert warnings(office, rows[0]) == [("receipts_missing", 4)], "an old word"
    work(office, timedelta(hours=5))
    assert warnings(office, rows[0]) == [("receipts_missing", 4)]
    tell(office, rows[1], Status.DELIVERED)
    assert warnings(office, rows[0]) == [], "Meta reports again"


def test_there_is_no_warning_after_all_have_arrived_or_after_a_day(office: Office) -> None:
    rows, others = campaign(office, 2), campaign(office, 2, "e")
    work(office, timedelta(hours=1))
    for row in rows:
        tell(office, row, Status.DELIVERED, at=row.sent_at)
    assert warnings(office, rows[0]) == []
    assert warnings(office, others[0]) == [("receipts_missing", 2)]
    work(office, DAY)
    assert all(fell_back(office, *others))
    assert warnings(office, others[0]) == []


# ------------------------------------------------------------------------------------------------ which reports suffice


def test_its_own_sent_suffices_and_it_starts_in_time(office: Office) -> None:
    """No report follows it, and none about later messages."""
    rows = [sent(office, 8200 + number) for number in range(3)]
    tell(office, rows[0], Status.SENT)
    work(office, timedelta(minutes=AFTER + 1))
    assert fell_back(office, *rows) == [True, False, False]


def test_messages_claimed_at_one_instant_start_by_their_own_sent(office: Office) -> None:
    rows = campaign(office, 5)
    for row in rows:
        office.log.rows[DEMO, row.message_id] = replace(office.row(row.message_id), claimed_at=rows[0].claimed_at)
    office.reported(*(report(row, Status.SENT, office.clock.now()) for row in rows))
    work(office, timedelta(minutes=AFTER + 1))
    assert fell_back(office, *rows) == [True] * 5


def test_a_message_claimed_at_the_same_instant_proves_nothing_for_another(office: Office) -> None:
    rows = campaign(office, 2)
    for row in rows:
        office.log.rows[DEMO, row.message_id] = replace(office.row(row.message_id), claimed_at=rows[0].claimed_at)
    tell(office, rows[1], Status.SENT)
    work(office, timedelta(minutes=AFTER + 2))
    assert fell_back(office, *rows) == [False, True]


@pytest.mark.parametrize("status", [Status.SENT, Status.DELIVERED, Status.READ, Status.FAILED])
def test_a_status_of_a_message_claimed_later_suffices(office: Office, status: Status) -> None:
    row = sent(office)
    office.clock.pass_by(seconds=1)
    other = sent(office, 8201, None)
    office.reported(report(other, status, office.clock.now(), GONE if status is Status.FAILED else None))
    work(office, timedelta(minutes=AFTER + 1))
    assert fell_back(office, row) == [True]


@pytest.mark.parametrize(("minutes", "enough"), [(AFTER - 1.2, False), (AFTER - 0.8, True)])
def test_any_status_near_its_time_suffices(office: Office, minutes: float, enough: bool) -> None:
    """A person reads yesterday's message, so Meta is reporting."""
    earlier = sent(office, 8201, None)
    row = sent(office)
    assert row.claimed_at is not None
    office.clock.instant = row.claimed_at + timedelta(minutes=minutes)
    tell(office, earlier, Status.READ)
    work(office, timedelta(minutes=3))
    assert fell_back(office, row) == [enough]


def test_late_reports_on_earlier_messages_never_suffice(office: Office) -> None:
    """Meta repeats reports that our webhook did not accept. Their own time shows that they are old."""
    earlier = sent(office, 8201, None)
    row = sent(office)
    office.clock.pass_by(minutes=AFTER)
    tell(office, earlier, Status.SENT, Status.DELIVERED, at=earlier.sent_at)
    work(office, timedelta(hours=3))
    assert fell_back(office, row) == [False]


def test_a_time_in_the_future_proves_nothing(office: Office) -> None:
    earlier = sent(office, 8201, None)
    row = sent(office)
    tell(office, earlier, Status.READ, at=office.clock.now() + timedelta(days=365))
    work(office, timedelta(hours=3))
    assert fell_back(office, row) == [False]


def test_metas_clock_may_be_behind_ours(office: Office) -> None:
    row = sent(office)
    assert row.claimed_at is not None
    tell(office, row, Status.SENT, at=row.claimed_at - timedelta(seconds=1.9))
    work(office, timedelta(minutes=AFTER + 1))
    assert fell_back(office, row) == [True]


@pytest.mark.parametrize("owner", [(DEMO, "2"), ("another", NUMBER)])
def test_reports_to_another_number_or_organisation_prove_nothing(office: Office, owner: tuple[str, str]) -> None:
    """Meta calls one webhook. If one organisation gets reports of a shared number, the other may still get none."""
    row = sent(office)
    later = office.clock.now() + timedelta(hours=1)
    office.run(office.last_heard_store.note_reports(*owner, claimed_at=later, at=later))
    work(office, timedelta(hours=3))
    assert fell_back(office, row) == [False]


def test_a_failure_starts_it_at_once_after_any_silence(office: Office) -> None:
    rows = campaign(office, 2)
    office.reported(report(rows[0], Status.FAILED, office.clock.now(), GONE))
    work(office, 2 * MINUTE)
    assert fell_back(office, *rows) == [True, False]


# --------------------------------------------------------------------------------------------- held by Meta for a while


@pytest.mark.parametrize("reported", [False, True])
def test_a_message_that_meta_holds_for_assessment_waits_24_hours(office: Office, reported: bool) -> None:
    office.provider.holds = True
    row = sent(office)
    office.provider.holds = False
    other = sent(office, 8201, None)
    tell(office, other, Status.DELIVERED)
    if reported:
        tell(office, row, Status.SENT)
    work(office, DAY - 2 * MINUTE)
    assert fell_back(office, row) == [False]
    work(office, 4 * MINUTE)
    assert fell_back(office, row) == [True]


def test_a_held_message_that_meta_then_delivers_has_no_fallback(office: Office) -> None:
    office.provider.holds = True
    row = sent(office)
    work(office, timedelta(hours=3))
    tell(office, row, Status.DELIVERED)
    work(office, DAY)
    assert fell_back(office, row) == [False]


# --------------------------------------------------------------------------------------------------------- late reports


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("gap", [timedelta(0), timedelta(seconds=45)])
def test_after_a_silence_a_delivered_message_has_no_fallback(office: Office, gap: timedelta, backwards: bool) -> None:
    """`sent` and `delivered` come late and in any order, and the agenda looks in between."""
    rows = campaign(office, 5)
    instant = office.clock.now()
    work(office, timedelta(hours=2))
    order = (Status.DELIVERED, Status.SENT) if backwards else (Status.SENT, Status.DELIVERED)
    for status in order:
        for row in rows[:4]:
            tell(office, row, status, at=instant)
        office.tick()
        office.clock.pass_by(seconds=gap.total_seconds())
        office.tick()
    tell(office, rows[4], Status.SENT, at=instant)
    work(office, timedelta(minutes=3))
    assert fell_back(office, *rows) == [False, False, False, False, True]


def test_its_own_late_sent_moves_the_next_check_forward(office: Office) -> None:
    row = sent(office)
    work(office, timedelta(hours=6))
    planned = office.row(row.message_id).due_at
    assert planned is not None
    assert planned > office.clock.now() + BACKLOG
    tell(office, row, Status.SENT, at=row.sent_at)
    assert office.row(row.message_id).due_at == office.clock.now() + BACKLOG
    work(office, 2 * MINUTE)
    assert fell_back(office, row) == [True]


def test_once_meta_reports_again_it_starts_within_half_the_silence(office: Office) -> None:
    """Meta reports on other messages, never on this one."""
    row = sent(office)
    work(office, timedelta(minutes=AFTER + 20))
    other = sent(office, 8201, None)
    tell(office, other, Status.SENT, Status.DELIVERED)
    work(office, timedelta(minutes=12))
    assert fell_back(office, row) == [True]


def test_a_sent_that_settles_an_unknown_outcome_late_waits_for_its_delivered(office: Office) -> None:
    office.provider.answers = [SendError(Kind.UNKNOWN, "ReadTimeout", "outcome_unknown")]
    made = office.single(8200, Channel.WHATSAPP, fallback=WISH)
    office.deliver(Channel.WHATSAPP, within=timedelta(seconds=2))
    instant = office.clock.now()
    work(office, timedelta(hours=2))
    row = office.row(made.message_id)
    assert row.unknown_since is not None
    tell(office, row, Status.SENT, at=instant)
    office.tick()
    assert office.row(made.message_id).due_at == office.clock.now() + BACKLOG
    tell(office, row, Status.DELIVERED, at=instant)
    work(office, DAY)
    assert fell_back(office, row) == [False]


def test_reports_on_an_earlier_attempt_do_not_count_for_the_next(office: Office) -> None:
    """The message failed because its session had closed, and was sent again as its template. That attempt waits for its
    own reports."""
    row = sent(office)
    office.log.rows[DEMO, row.message_id] = replace(row, fallback_template="vaccination_card/fr")
    tell(office, row, Status.SENT)
    assert office.row(row.message_id).reporting
    closed = SendError(Kind.RECIPIENT, "131047", "template_required")
    office.reported(report(row, Status.FAILED, office.clock.now(), closed))
    assert not office.row(row.message_id).reporting


@pytest.mark.parametrize("point", ["last_heard_store.note_reports", "log.note_reporting"])
def test_a_consumer_that_dies_before_its_write_gets_the_report_again(office: Office, point: str) -> None:
    row = sent(office)
    office.points.kill_before = (point, office.points.passed[point] + 1)
    with pytest.raises(BaseException, match=point):
        tell(office, row, Status.SENT)
    office.points.kill_before = None
    tell(office, row, Status.SENT)
    work(office, timedelta(minutes=AFTER + 1))
    assert fell_back(office, row) == [True]


@pytest.mark.parametrize("point", ["last_heard_store.read", "log.move_next_check", "log.note_reporting"])
def test_an_agenda_killed_while_it_postpones_checks_again(office: Office, point: str) -> None:
    row = sent(office)
    work(office, timedelta(minutes=AFTER + 1))
    if point == "log.note_reporting":
        tell(office, sent(office, 8201, None), Status.SENT)
    office.clock.pass_by(minutes=2)
    office.points.kill_before = (point, office.points.passed[point] + 1)
    with pytest.raises(BaseException, match=point):
        work(office, 10 * MINUTE)
    office.points.kill_before = None
    tell(office, row, Status.SENT)
    work(office, 3 * MINUTE)
    assert fell_back(office, row) == [True]
    assert len([one for one in office.log.rows.values() if one.channel is Channel.SMS]) == 1
