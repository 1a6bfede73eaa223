"""Plan, confirm, release, pause, resume, cancel: every person gets one message, at any point where a worker may be
killed."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.base.instants import from_microseconds
from shared.base.refusal import ProblemCode, Refusal
from shared.campaigns.create import NewDistribution
from shared.campaigns.distribution import Action, Counts, Distribution, DistributionStatus, Schedule, ScheduleMode
from shared.campaigns.ports import Task
from shared.messages.errors import Kind, SendError
from shared.messages.message import Chunk, Status
from shared.messages.payload import Channel
from shared.policy.setting import CLOCKS_DIFFER, FURTHEST
from tests.fakes.office import DEMO, SMS, Office, recipient
from tests.fakes.world import MORNING

FANOUT_POINTS = (
    "distributions.get",
    "rate_limits.state",
    "plans.read_chunk",
    "log.add",
    "distributions.note_logged",
    "distributions.save",
    "rate_limits.book",
    "queue.put",
)


@pytest.fixture
def office() -> Office:
    return Office()


def stored(office: Office, made: Distribution) -> Distribution:
    return office.distributions.items[DEMO, made.distribution_id]


def sent_to(office: Office) -> Counter[str]:
    return Counter(number for number, _ in office.provider.accepted)


def test_a_campaign_sends_each_message_once_at_the_rate(office: Office) -> None:
    made = office.distribute(250)
    office.do_tasks()
    send_slots = sorted(queue_message.slot_at for queue_message in office.queue.waiting)
    assert len(send_slots) == 250
    for first, sixth in zip(send_slots, send_slots[5:], strict=False):
        assert sixth - first >= 1_000_000
    office.finish()
    assert set(sent_to(office).values()) == {1}
    assert len(sent_to(office)) == 250
    counts = office.run(office.browse.distribution(DEMO, made.distribution_id)).counts
    assert counts.by_status == {Status.SENT: 250}
    assert stored(office, made).status is DistributionStatus.COMPLETED


async def turn_by_turn(office: Office, task: Task) -> None:
    """A worker that continues the distribution for as long as it queues itself again."""
    office.tasks.tasks = [task]
    while office.tasks.tasks:
        await office.fanout().work(office.tasks.tasks.pop(), office.clock.now() + timedelta(minutes=5))


@pytest.mark.parametrize("point", FANOUT_POINTS)
@pytest.mark.parametrize(("rate", "nth"), [(5, 1), (5, 2), (5, 3), (20, 1), (20, 2)])
def test_a_fan_out_killed_anywhere_loses_and_doubles_no_message(
    office: Office, point: str, nth: int, rate: int
) -> None:
    """With one chunk in a step, and with two."""
    office.integrations.kept[DEMO, "sms"] = replace(SMS, rate_per_second=rate)
    made = office.distribute(250)
    [task] = office.tasks.tasks
    assert office.killed(turn_by_turn(office, task), (point, nth))
    office.run(turn_by_turn(office, task))
    office.finish()
    assert len(sent_to(office)) == 250
    assert set(sent_to(office).values()) == {1}
    assert stored(office, made).status is DistributionStatus.COMPLETED


def test_a_lost_task_is_found_by_the_tick_and_a_doubled_one_does_no_harm(office: Office) -> None:
    office.distribute(120)
    office.tasks.tasks.clear()
    office.tick()
    office.tick()
    office.finish()
    assert len(sent_to(office)) == 120
    assert set(sent_to(office).values()) == {1}


def test_a_rate_limit_is_booked_for_five_minutes_ahead_only(office: Office) -> None:
    made = office.distribute(1600)
    office.do_tasks()
    furthest = from_microseconds(max(queue_message.slot_at for queue_message in office.queue.waiting))
    chunk = timedelta(seconds=100 / 4.5)
    assert timedelta(seconds=300) <= furthest - office.clock.now() <= timedelta(seconds=302) + chunk
    assert stored(office, made).planned.runs[0].released < stored(office, made).planned.runs[0].chunks


def test_at_a_fast_rate_limit_two_writes_log_and_release_several_chunks(office: Office) -> None:
    made = office.distribute(2000, channel=Channel.WHATSAPP)
    [task] = office.tasks.tasks
    before = office.points.passed["distributions.save"]
    office.run(office.fanout().work(task, office.clock.now() + timedelta(minutes=5)))
    [run] = stored(office, made).planned.runs
    assert (run.logged, run.released) == (8, 8)
    assert office.points.passed["distributions.save"] - before == 2
    assert {queue_message.chunk.number for queue_message in office.queue.waiting if queue_message.chunk} == set(
        range(8)
    )
    assert len(office.log.rows) == len(office.queue.waiting) == 800
    assert len({queue_message.slot_at for queue_message in office.queue.waiting}) == 800


def test_a_fast_rate_limit_is_booked_for_five_minutes_and_a_turn(office: Office) -> None:
    office.integrations.kept[DEMO, "sms"] = replace(SMS, rate_per_second=20)
    office.distribute(7000)
    office.do_tasks()
    furthest = from_microseconds(max(queue_message.slot_at for queue_message in office.queue.waiting))
    assert timedelta(seconds=300) <= furthest - office.clock.now() <= timedelta(seconds=302 + 12)


def test_only_chunks_that_leave_before_nine_are_released(office: Office) -> None:
    """A chunk takes 5.8 s. Both of the first two chunks leave before nine, and one of the next two."""
    office.integrations.kept[DEMO, "sms"] = replace(SMS, rate_per_second=20)
    office.clock.instant = datetime(2026, 11, 23, 20, 59, 37, tzinfo=UTC)
    made = office.distribute(1000)
    office.do_tasks()
    nine = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
    assert all(from_microseconds(queue_message.slot_at) < nine for queue_message in office.queue.waiting)
    [run] = stored(office, made).planned.runs
    assert (run.logged, run.released) == (3, 3)


def test_the_log_is_not_read_for_ended_rows_while_queue_messages_wait(office: Office) -> None:
    made = office.distribute(250)
    office.do_tasks()
    before = office.points.passed["log.get_many"]
    office.clock.pass_by(seconds=50)
    office.tick()
    assert office.points.passed["log.get_many"] == before
    assert stored(office, made).status is DistributionStatus.SENDING
    office.finish()
    assert stored(office, made).status is DistributionStatus.COMPLETED
    assert office.points.passed["log.get_many"] > before


def test_nothing_is_booked_past_nine_in_the_evening(office: Office) -> None:
    office.clock.instant = datetime(2026, 11, 23, 20, 58, tzinfo=UTC)
    office.distribute(700)
    office.do_tasks()
    nine = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
    assert office.queue.waiting
    assert all(from_microseconds(queue_message.slot_at) < nine for queue_message in office.queue.waiting)
    office.deliver(within=timedelta(minutes=3))
    before = len(sent_to(office))
    office.clock.instant = nine + timedelta(hours=9, minutes=59)
    office.tick()
    office.deliver()
    assert len(sent_to(office)) == before
    office.clock.instant = nine + timedelta(hours=10)
    office.finish()
    assert len(sent_to(office)) == 700
    assert set(sent_to(office).values()) == {1}


def test_queue_messages_have_no_effect_after_a_pause_and_a_resume_sends_the_rest(office: Office) -> None:
    made = office.distribute(300)
    office.do_tasks()
    office.deliver(within=timedelta(seconds=27))
    before = len(sent_to(office))
    assert 100 < before < 200
    office.run(office.control.act(DEMO, made.distribution_id, Action.PAUSE))
    office.deliver(within=timedelta(minutes=3))
    assert len(sent_to(office)) == before
    resumed = office.run(office.control.act(DEMO, made.distribution_id, Action.RESUME))
    assert resumed.planned.runs[0].released == 1  # the first chunk has left, the second holds pending rows
    office.finish()
    assert len(sent_to(office)) == 300
    assert set(sent_to(office).values()) == {1}


def test_a_queue_message_from_before_the_pause_makes_no_call_after_the_resume(office: Office) -> None:
    """Its row is sent with the queue message of the resume: the pause withdrew the old send slot."""
    made = office.distribute(10)
    office.do_tasks()
    old = office.queue.take()
    office.run(office.control.act(DEMO, made.distribution_id, Action.PAUSE))
    office.run(office.control.act(DEMO, made.distribution_id, Action.RESUME))
    office.run(office.step(Channel.SMS).send_all(old))
    assert office.provider.calls == 0
    office.finish()
    assert sorted(sent_to(office).values()) == [1] * 10


def test_a_cancel_ends_the_pending_rows_and_counts_the_sent_ones(office: Office) -> None:
    made = office.distribute(300)
    office.do_tasks()
    office.deliver(within=timedelta(seconds=27))
    sent = len(sent_to(office))
    office.run(office.control.act(DEMO, made.distribution_id, Action.CANCEL))
    office.do_tasks()
    office.finish()
    view = office.run(office.browse.distribution(DEMO, made.distribution_id))
    assert view.counts.by_status == {Status.SENT: sent, Status.FAILED: 300 - sent}
    assert view.counts.by_reason == {"cancelled": 300 - sent}
    assert len(sent_to(office)) == sent


def listed(office: Office, distribution: Distribution) -> Counter[tuple[Status, str | None]]:
    """The rows of its log, by status and reason."""
    rows = office.log.rows.values()
    return Counter((row.status, row.reason) for row in rows if row.distribution_id == distribution.distribution_id)


def test_a_cancel_lists_the_rows_that_were_never_released(office: Office) -> None:
    made = office.distribute(3000)
    office.do_tasks()
    office.deliver(within=timedelta(seconds=27))
    sent = len(sent_to(office))
    assert len(office.log.rows) < 3000
    office.run(office.control.act(DEMO, made.distribution_id, Action.CANCEL))
    office.finish()
    assert listed(office, made) == {(Status.SENT, None): sent, (Status.FAILED, "cancelled"): 3000 - sent}
    never_sent = [row for row in office.log.rows.values() if row.status is Status.FAILED]
    assert {(row.attempts, row.due_at, row.failed_at is None) for row in never_sent} == {(0, None, False)}
    counts = office.run(office.browse.distribution(DEMO, made.distribution_id)).counts
    assert counts.by_status == {Status.SENT: sent, Status.FAILED: 3000 - sent}
    assert counts.by_reason == {"cancelled": 3000 - sent}


def test_a_long_cancel_takes_turns_and_continues(office: Office) -> None:
    made = office.distribute(5000)
    office.run(office.control.act(DEMO, made.distribution_id, Action.CANCEL))
    del office.tasks.tasks[:-1]
    seen: list[int] = []
    for _ in range(4):
        [task] = office.tasks.tasks
        office.tasks.tasks.clear()
        office.run(office.fanout().work(task, office.clock.now()))  # no time is left after the first batch of chunks
        seen.append(len(office.log.rows))
        view = office.run(office.browse.distribution(DEMO, made.distribution_id))
        assert view.counts.of(Status.FAILED) == seen[-1] == 5000 - view.counts.of(Status.PENDING)
    assert seen == [1600, 3200, 4800, 5000]
    assert not office.tasks.tasks
    office.finish()
    assert listed(office, made) == {(Status.FAILED, "cancelled"): 5000}
    assert office.points.passed["plans.read_chunk"] <= 3 * 50


@pytest.mark.parametrize(
    "point", ["plans.read_chunk", "log.add", "distributions.note_logged", "log.get_many", "distributions.set_counts"]
)
@pytest.mark.parametrize("nth", [1, 3])
def test_a_cancel_killed_while_it_logs_rows_is_completed(office: Office, point: str, nth: int) -> None:
    made = office.distribute(400, channel=Channel.WHATSAPP)
    office.run(office.control.act(DEMO, made.distribution_id, Action.CANCEL))
    task = office.tasks.tasks[-1]
    assert office.killed(office.fanout().work(task, office.clock.now() + timedelta(minutes=5)), (point, nth))
    office.finish(Channel.WHATSAPP)
    assert listed(office, made) == {(Status.FAILED, "cancelled"): 400}
    view = office.run(office.browse.distribution(DEMO, made.distribution_id))
    assert view.counts == Counts(by_status={Status.FAILED: 400}, by_reason={"cancelled": 400})


def test_a_doubled_task_does_not_prevent_the_second_pass_of_a_cancel(office: Office) -> None:
    """A lease is still running: only the second pass can end its row."""
    made = office.distribute(3)
    office.do_tasks()
    batch = office.queue.take(most=1)
    assert office.killed(office.step(Channel.SMS).send_all(batch), ("provider.send", 1))
    office.run(office.control.act(DEMO, made.distribution_id, Action.CANCEL))
    office.tasks.tasks *= 2
    office.do_tasks()
    assert stored(office, made).due_at is not None
    office.finish()
    assert listed(office, made) == {(Status.FAILED, "cancelled"): 2, (Status.FAILED, "outcome_unknown"): 1}


def test_a_distribution_cancelled_before_confirmation_has_no_counts(office: Office) -> None:
    rows = [recipient(number) for number in range(5)]
    made = office.run(office.planning().create(office.new_distribution(rows)))
    cancelled = office.run(office.control.act(DEMO, made.distribution_id, Action.CANCEL))
    assert cancelled.due_at is None
    office.finish()
    assert office.run(office.browse.view(cancelled)).counts == Counts()
    assert not office.log.rows


def test_a_cancel_during_the_logging_of_a_chunk_leaves_no_row_pending(office: Office) -> None:
    made = office.distribute(250)
    [task] = office.tasks.tasks
    assert office.killed(
        office.fanout().work(task, office.clock.now() + timedelta(minutes=5)), ("distributions.save", 1)
    )
    assert len(office.log.rows) == 100
    office.run(office.control.act(DEMO, made.distribution_id, Action.CANCEL))
    office.finish()
    assert {row.status for row in office.log.rows.values()} == {Status.FAILED}
    view = office.run(office.browse.distribution(DEMO, made.distribution_id))
    assert view.counts.by_status == {Status.FAILED: 250}
    assert office.provider.calls == 0


@pytest.mark.parametrize("nth", [1, 450, 800])
def test_a_cancel_during_the_logging_of_several_chunks_leaves_no_row_pending(office: Office, nth: int) -> None:
    made = office.distribute(1000, channel=Channel.WHATSAPP)
    [task] = office.tasks.tasks
    assert office.killed(office.fanout().work(task, office.clock.now() + timedelta(minutes=5)), ("log.add", nth))
    assert len(office.log.rows) == nth - 1
    office.run(office.control.act(DEMO, made.distribution_id, Action.CANCEL))
    office.finish(Channel.WHATSAPP)
    assert {row.status for row in office.log.rows.values()} <= {Status.FAILED}
    view = office.run(office.browse.distribution(DEMO, made.distribution_id))
    assert view.counts.by_status == {Status.FAILED: 1000}


def test_a_cancel_does_not_read_chunks_that_have_ended(office: Office) -> None:
    made = office.distribute(1000)
    office.do_tasks()
    office.deliver(within=timedelta(seconds=200))
    before = office.points.passed["plans.read_chunk"]
    assert len(sent_to(office)) >= 800
    office.run(office.control.act(DEMO, made.distribution_id, Action.CANCEL))
    office.do_tasks()
    assert office.points.passed["plans.read_chunk"] - before <= 2
    office.finish()
    assert stored(office, made).due_at is None
    view = office.run(office.browse.distribution(DEMO, made.distribution_id))
    assert view.counts.by_status == {Status.SENT: len(sent_to(office)), Status.FAILED: 1000 - len(sent_to(office))}


@pytest.mark.parametrize("point", ["plans.read_chunk", "log.move", "distributions.count", "distributions.save"])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_cancel_killed_anywhere_is_completed(office: Office, point: str, nth: int) -> None:
    made = office.distribute(300)
    office.do_tasks()
    office.deliver(within=timedelta(seconds=27))
    office.run(office.control.act(DEMO, made.distribution_id, Action.CANCEL))
    [task] = office.tasks.tasks
    office.killed(office.fanout().work(task, office.clock.now() + timedelta(minutes=5)), (point, nth))
    office.finish()
    sent = len(sent_to(office))
    view = office.run(office.browse.distribution(DEMO, made.distribution_id))
    assert view.counts.by_status == {Status.SENT: sent, Status.FAILED: 300 - sent}
    assert Status.PENDING not in {row.status for row in office.log.rows.values()}


def test_counts_that_are_too_high_hide_no_row_from_a_cancel(office: Office) -> None:
    """An ADD whose answer was lost is made twice."""
    made = office.distribute(100)
    office.do_tasks()
    chunk = Chunk(distribution_id=made.distribution_id, run=0, number=0)
    change = Counts(by_status={Status.SENT: 100})
    office.run(office.distributions.count(DEMO, chunk, change, began=office.clock.now()))
    office.run(office.control.act(DEMO, made.distribution_id, Action.CANCEL))
    office.finish()
    assert {row.status for row in office.log.rows.values()} == {Status.FAILED}
    view = office.run(office.browse.distribution(DEMO, made.distribution_id))
    assert view.counts.by_status == {Status.FAILED: 100}


@pytest.mark.parametrize("action", [Action.RESUME, Action.CANCEL])
def test_a_distribution_paused_until_its_chunks_expired_can_only_end(office: Office, action: Action) -> None:
    made = office.distribute(3000)
    office.do_tasks()
    office.deliver(within=timedelta(seconds=27))
    sent = len(sent_to(office))
    office.run(office.control.act(DEMO, made.distribution_id, Action.PAUSE))
    office.clock.pass_by(days=41)
    office.plans.objects.clear()
    office.run(office.control.act(DEMO, made.distribution_id, action))
    office.finish()
    ended = stored(office, made)
    assert (ended.status, ended.due_at) == (DistributionStatus.CANCELLED, None)
    assert ended.status_reason == ("expired" if action is Action.RESUME else None)
    assert Status.PENDING not in {row.status for row in office.log.rows.values()}
    view = office.run(office.browse.distribution(DEMO, made.distribution_id))
    assert view.counts.by_status == {Status.SENT: sent, Status.FAILED: 3000 - sent}


def test_rows_logged_by_a_dead_worker_end_although_their_chunks_have_expired(office: Office) -> None:
    """Its rows are in the log, but the distribution does not know it."""
    made = office.distribute(400)
    [task] = office.tasks.tasks
    assert office.killed(
        office.fanout().work(task, office.clock.now() + timedelta(minutes=5)), ("distributions.note_logged", 1)
    )
    assert len(office.log.rows) == 100
    assert stored(office, made).planned.logged_rows == 0
    office.run(office.control.act(DEMO, made.distribution_id, Action.PAUSE))
    office.clock.pass_by(days=41)
    office.plans.objects.clear()
    office.run(office.control.act(DEMO, made.distribution_id, Action.CANCEL))
    office.finish()
    assert {row.status for row in office.log.rows.values()} == {Status.FAILED}


def test_two_distributions_of_one_organisation_share_its_rate_limit(office: Office) -> None:
    """The later distribution neither waits for the end of the earlier one nor takes its slots."""
    pair = []
    for key, first in (("a", 1), ("b", 5001)):
        rows = [recipient(first + number) for number in range(3000)]
        pair.append(office.run(office.planning().create(office.new_distribution(rows, key=key, confirm=True))))
        office.do_tasks()
    begun = [stored(office, one).planned.runs[0].released for one in pair]
    for _ in range(6):
        office.deliver(within=timedelta(seconds=60))
        office.tick()
    gone = [stored(office, one).planned.runs[0].released - before for one, before in zip(pair, begun, strict=True)]
    assert sum(gone) >= 14
    assert min(gone) >= 5


FAR = MORNING + FURTHEST + CLOCKS_DIFFER + timedelta(seconds=1)


@pytest.mark.parametrize("at", [FAR, datetime.max.replace(tzinfo=UTC)])
def test_a_start_after_the_retention_is_refused(office: Office, at: datetime) -> None:
    new = office.new_distribution([recipient(1)])
    with pytest.raises(Refusal) as refused:
        office.run(office.planning().create(replace(new, schedule=Schedule(mode=ScheduleMode.AT, at=at))))
    assert [(field_error.field, field_error.code) for field_error in refused.value.field_errors] == [
        ("schedule.at", "field_invalid")
    ]
    with pytest.raises(Refusal) as refused:
        office.single(send_at=at)
    assert [(field_error.field, field_error.code) for field_error in refused.value.field_errors] == [
        ("send_at", "field_invalid")
    ]
    assert office.distributions.items == {}
    in_time = Schedule(mode=ScheduleMode.AT, at=MORNING + FURTHEST)
    assert office.run(office.planning().create(replace(new, schedule=in_time))).planned.accepted == 1


def test_a_stop_error_pauses_and_fails_no_row(office: Office) -> None:
    office.provider.answers = [SendError(Kind.STOP, "POL0001", "balance_empty")] * 10
    made = office.distribute(250)
    office.do_tasks()
    office.deliver(within=timedelta(seconds=3))
    paused = stored(office, made)
    assert (paused.status, paused.status_reason) == (DistributionStatus.PAUSED, "balance_empty")
    assert all(row.status is Status.PENDING for row in office.log.rows.values())
    office.provider.answers.clear()
    office.run(office.control.act(DEMO, made.distribution_id, Action.RESUME))
    office.finish()
    assert len(sent_to(office)) == 250
    assert set(sent_to(office).values()) == {1}


def test_counts_of_a_killed_worker_are_corrected_at_the_end(office: Office) -> None:
    made = office.distribute(30)
    office.do_tasks()
    batch = office.queue.take(most=3)
    assert office.killed(office.step(Channel.SMS).send_all(batch), ("distributions.count", 1))
    office.finish()
    view = office.run(office.browse.distribution(DEMO, made.distribution_id))
    assert view.counts.by_status == {Status.SENT: 30}
    assert view.distribution.status is DistributionStatus.COMPLETED


class TestPlanning:
    def test_rows_are_checked_numbered_and_counted(self, office: Office) -> None:
        rows = [recipient(1), recipient(2, phone="N/A"), recipient(1), recipient(3, phone="+22790000001"), recipient(4)]
        made = office.run(office.planning().create(office.new_distribution(rows)))
        assert made.plan is not None
        assert (made.status, made.plan.accepted, made.plan.rejected, made.plan.duplicates) == ("planned", 2, 2, 1)
        view = office.run(office.browse.distribution(DEMO, made.distribution_id))
        assert [(field_error.row, field_error.code) for field_error in view.field_errors] == [
            (2, "phone_missing"),
            (4, "country_not_covered"),
        ]
        assert office.log.rows == {}

    def test_each_country_has_a_run_of_its_own(self, office: Office) -> None:
        rows = [recipient(1), recipient(2, phone="+261320008200"), recipient(3)]
        made = office.run(office.planning().create(office.new_distribution(rows)))
        assert [(run.country, run.rows) for run in made.planned.runs] == [
            ("SN", 2),
            ("MG", 1),
        ]

    def test_the_same_key_gives_the_same_distribution_and_another_body_is_refused(self, office: Office) -> None:
        new = office.new_distribution([recipient(1)])
        first = office.run(office.planning().create(new))
        assert office.run(office.planning().create(new)) == first
        with pytest.raises(Refusal) as refused:
            office.run(office.planning().create(_other(new)))
        assert refused.value.code is ProblemCode.IDEMPOTENCY_KEY_REUSED

    @pytest.mark.parametrize("point", ["plans.write_order", "distributions.create", "plans.write_chunk"])
    def test_killed_while_planning_the_same_request_plans_again(self, office: Office, point: str) -> None:
        new = office.new_distribution([recipient(number) for number in range(1, 151)])
        assert office.killed(office.planning().create(new), (point, 1))
        if point == "plans.write_chunk":
            with pytest.raises(Refusal) as refused:
                office.run(office.planning().create(new))
            assert refused.value.code is ProblemCode.IDEMPOTENCY_IN_PROGRESS
        office.clock.pass_by(seconds=61)
        made = office.run(office.planning().create(new))
        assert (made.status, made.planned.accepted) == ("planned", 150)
        assert len(office.distributions.items) == 1

    def test_an_upload_with_a_repeated_task_is_planned_once(self, office: Office) -> None:
        csv = b"phone,first_name,card_code,verification_url\n770008201,A,C1,https://v/1\n770008202,B,C2,https://v/2\n"
        office.uploads.put(DEMO, "u", "csv", csv)
        new = _uploaded(office.new_distribution([], confirm=True))
        made = office.run(office.planning().create(new))
        assert made.status is DistributionStatus.PLANNING
        [task] = office.tasks.tasks
        assert task == Task(kind="plan", organisation=DEMO, distribution_id=made.distribution_id)
        office.tasks.tasks.append(task)
        office.finish()
        assert sorted(sent_to(office)) == ["+221770008201", "+221770008202"]

    def test_a_file_that_kills_three_planning_runs_is_rejected(self, office: Office) -> None:
        office.uploads.put(
            DEMO, "u", "csv", b"phone,first_name,card_code,verification_url\n770008201,A,C1,https://v/1\n"
        )
        made = office.run(office.planning().create(_uploaded(office.new_distribution([], confirm=True))))
        office.tasks.tasks.clear()
        for _ in range(3):
            assert office.killed(office.planning().plan_stored(DEMO, made.distribution_id), ("plans.write_chunk", 1))
            office.tick()  # its lease still holds
            assert stored(office, made).status is DistributionStatus.PLANNING
            office.clock.pass_by(minutes=17)
        office.tick()
        rejected = stored(office, made)
        assert (rejected.status, rejected.status_reason) == (DistributionStatus.REJECTED, "file_unreadable")

    def test_a_file_that_is_gone_is_rejected(self, office: Office) -> None:
        """It has expired or was erased."""
        office.uploads.put(DEMO, "u", "csv", b"phone,first_name\n770008201,A\n")
        made = office.run(office.planning().create(_uploaded(office.new_distribution([]))))
        office.run(office.uploads.erase(DEMO, "u"))
        office.do_tasks()
        rejected = stored(office, made)
        assert (rejected.status, rejected.status_reason) == (DistributionStatus.REJECTED, "file_unreadable")

    def test_a_plan_without_confirmation_expires(self, office: Office) -> None:
        made = office.run(office.planning().create(office.new_distribution([recipient(1)])))
        office.clock.pass_by(days=7, seconds=1)
        office.tick()
        expired = stored(office, made)
        assert (expired.status, expired.status_reason) == (DistributionStatus.CANCELLED, "expired")


def _other(new: NewDistribution) -> NewDistribution:
    return replace(new, request_hash="another")


def _uploaded(new: NewDistribution) -> NewDistribution:
    return replace(new, recipients=None, upload_id="u")
