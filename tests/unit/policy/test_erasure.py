"""Erasing a person: in every state of their messages, with killed workers and repetitions, without a change for
others."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.base.refusal import ProblemCode, Refusal
from shared.campaigns.distribution import Action, Distribution, DistributionStatus
from shared.messages.errors import Kind, SendError
from shared.messages.message import Chunk, Message, Status
from shared.messages.payload import Channel
from shared.messages.single import NewMessage
from shared.policy.consent import ConsentState
from shared.policy.erasure import PAUSES
from shared.recipients.number_key import IdentityLink
from shared.storage.codec import encode
from shared.texts.content import Content
from tests.fakes.consents import granted, record, revoked
from tests.fakes.office import DEMO, Office, recipient
from tests.fakes.world import FakeClock

NUMBER = "+221770000007"
"""The seventh recipient of every distribution here."""
ERASE_POINTS = (
    "people.replace",
    "tasks.put",
    "contacts.identity_links",
    "log.page",
    "log.get_many",
    "log.move",
    "plans.erase_payload",
    "log.unlink",
    "distributions.count",
    "distributions.page",
    "plans.erase_person",
    "traces.forget",
)


@pytest.fixture
def office() -> Office:
    return Office()


def person(office: Office) -> str:
    return office.number_key.person(DEMO, NUMBER)


def accept(office: Office) -> None:
    office.run(office.erasures().accept(DEMO, NUMBER))


def erase(office: Office) -> None:
    """The request and all its rounds, without other waiting tasks."""
    others, office.tasks.tasks = office.tasks.tasks, []
    accept(office)
    for pause in (*PAUSES, 0):
        assert {task.kind for task in office.tasks.tasks} == {"erase"}
        office.do_tasks()
        office.clock.pass_by(seconds=pause)
    assert office.tasks.tasks == []
    office.tasks.tasks = others


def is_forgotten(office: Office) -> bool:
    """Whether the number and its hash are nowhere but in the opt-out."""
    plans = encode(office.plans.objects).decode()
    is_known = any(row.person == person(office) for row in office.log.rows.values())
    known = any(person(office) in key for key in (*office.sessions.ends, *office.contacts.kept))
    return not (is_known or known or NUMBER in plans or person(office) in plans)


def is_opted_out(office: Office) -> bool:
    statement = office.people.records[DEMO, person(office)].latest
    return statement is not None and (statement.state, statement.source) == (ConsentState.REVOKED, "erasure")


def seventh(office: Office) -> Message:
    """The person's row of the distribution; it still has the masked number."""
    [row] = [row for row in office.log.rows.values() if row.payload.row == 7]
    return row


def planned(office: Office, count: int = 10, channel: Channel = Channel.SMS) -> Distribution:
    rows = [recipient(number) for number in range(1, count + 1)]
    return office.run(office.planning().create(office.new_distribution(rows, channel=channel)))


def confirm(office: Office, made: Distribution) -> None:
    office.run(office.control.act(DEMO, made.distribution_id, Action.CONFIRM))


def sums(office: Office, made: Distribution) -> tuple[dict[Status, int], dict[str, int], DistributionStatus]:
    view = office.run(office.browse.distribution(DEMO, made.distribution_id))
    return view.counts.by_status, view.counts.by_reason, view.distribution.status


ALL_BUT_ONE = ({Status.SENT: 9, Status.FAILED: 1}, {"erased": 1}, DistributionStatus.COMPLETED)


class TestWhereverTheMessageIs:
    def test_in_a_plan_without_confirmation(self, office: Office) -> None:
        made = planned(office)
        erase(office)
        assert is_forgotten(office)
        confirm(office, made)
        office.finish()
        assert sums(office, made) == ALL_BUT_ONE
        assert NUMBER not in [number for number, _ in office.provider.accepted]

    @pytest.mark.parametrize("is_finished", [False, True], ids=["planning", "completed"])
    def test_in_a_planning_run_that_died(self, office: Office, is_finished: bool) -> None:
        """Its plan was never adopted. Another one may have been since."""
        rows = [recipient(number) for number in range(1, 11)]
        new = office.new_distribution(rows, confirm=True)
        assert office.killed(office.planning().create(new), ("plans.write_dedupe_index", 1))
        if is_finished:
            office.clock.pass_by(seconds=61)
            office.run(office.planning().create(new))
            office.finish()
        erase(office)
        assert is_forgotten(office)

    def test_stored_by_a_request_that_died_before_it_was_logged(self, office: Office) -> None:
        new = NewMessage(
            organisation=DEMO,
            key="k",
            request_hash="h",
            channel=Channel.SMS,
            campaign_id="c",
            recipient=recipient(7),
            content=Content(template="vaccination_card"),
            send_at=None,
        )
        assert office.killed(office.singles().create(new), ("log.add", 1))
        erase(office)
        assert is_forgotten(office)

    def test_confirmed_and_not_logged(self, office: Office) -> None:
        made = office.distribute(10)
        erase(office)
        assert is_forgotten(office)
        office.finish()
        assert sums(office, made) == ALL_BUT_ONE
        assert seventh(office).person == ""

    def test_logged_and_not_released(self, office: Office) -> None:
        made = office.distribute(10)
        [task] = office.tasks.tasks
        until = office.clock.now() + timedelta(minutes=5)
        assert office.killed(office.fanout().work(task, until), ("rate_limits.book", 1))
        assert seventh(office).status is Status.PENDING
        erase(office)
        assert is_forgotten(office)
        assert (seventh(office).status, seventh(office).reason) == (Status.FAILED, "erased")
        office.finish()
        assert sums(office, made) == ALL_BUT_ONE

    def test_on_the_queue(self, office: Office) -> None:
        made = office.distribute(10)
        office.do_tasks()
        accept(office)
        office.do_tasks()
        assert (seventh(office).status, seventh(office).reason) == (Status.FAILED, "erased")
        assert is_forgotten(office)
        office.finish()
        assert sums(office, made) == ALL_BUT_ONE

    def test_on_the_queue_before_the_erasures_task_runs(self, office: Office) -> None:
        made = office.distribute(10)
        office.do_tasks()
        accept(office)
        erasing, office.tasks.tasks = office.tasks.tasks, []
        office.finish()
        assert len(office.provider.accepted) == 9
        assert seventh(office).reason == "opted_out"
        office.tasks.tasks = erasing
        office.finish()
        assert is_forgotten(office)
        assert sums(office, made)[0] == ALL_BUT_ONE[0]

    @pytest.mark.parametrize("channel", Channel)
    def test_claimed_by_a_sender(self, office: Office, channel: Channel) -> None:
        """It ends by its own outcome, and is erased afterwards."""
        made = office.distribute(10, channel=channel)
        office.do_tasks()
        queue_messages = [queue_message for queue_message in office.queue.take() if queue_message.payload.to == NUMBER]
        assert office.killed(office.step(channel).send_all(queue_messages), ("provider.send", 1))
        accept(office)
        office.do_tasks()
        assert seventh(office).status is Status.PENDING
        assert seventh(office).person == person(office)
        office.clock.pass_by(seconds=PAUSES[0])
        office.do_tasks()
        assert is_forgotten(office)
        assert seventh(office).reason != "erased"
        assert sums(office, made)[0][Status.PENDING] == 10

    def test_claimed_by_a_sender_and_given_back(self, office: Office) -> None:
        """It was certainly not sent. It waits again, and now it ends."""
        made = office.single(7)
        [queue_message] = office.queue.take()
        now = office.clock.now()
        office.run(office.log.claim(DEMO, made.message_id, token="t", now=now, lease_until=now + timedelta(seconds=90)))
        accept(office)
        office.do_tasks()
        assert office.row(made.message_id).status is Status.PENDING
        later = now + timedelta(minutes=1)
        given = office.log.give_back(DEMO, made.message_id, token="t", due_at=later, uses_attempt=True)
        assert office.run(given)
        office.clock.pass_by(seconds=PAUSES[0])
        office.do_tasks()
        assert office.row(made.message_id).reason == "erased"
        assert is_forgotten(office)
        office.run(office.step(Channel.SMS).send_all([queue_message]))
        assert office.provider.calls == 0

    @pytest.mark.parametrize("status", [Status.SENT, Status.DELIVERED, Status.READ, Status.FAILED])
    def test_in_an_ended_distribution(self, office: Office, status: Status) -> None:
        if status is Status.FAILED:
            office.provider.answers = [SendError(Kind.RECIPIENT, "131026", "undeliverable")]
        made = office.single(7)
        office.deliver(within=timedelta(seconds=5))
        before = office.row(made.message_id)
        erase(office)
        after = office.row(made.message_id)
        assert is_forgotten(office)
        assert (after.status, after.reason, after.recipient) == (before.status, before.reason, "+22177***0007")
        assert office.run(office.plans.read_payload(after.payload)) is None

    def test_sent_and_retried(self, office: Office) -> None:
        """Meta took it and later refused it: the erasure removes its second attempt (docs/internals/whatsapp.md)."""
        made = office.single(7, channel=Channel.WHATSAPP)
        office.deliver(Channel.WHATSAPP, within=timedelta(seconds=5))
        sent = office.row(made.message_id)
        assert sent.status is Status.SENT
        waiting = replace(sent, retrying=True, due_at=office.clock.now() + timedelta(minutes=1))
        office.log.rows[DEMO, made.message_id] = waiting
        erase(office)
        assert is_forgotten(office)
        ended = office.row(made.message_id)
        assert (ended.status, ended.reason, ended.due_at) == (Status.FAILED, "erased", None)
        assert office.provider.calls == 1

    def test_waiting_for_its_hour(self, office: Office) -> None:
        made = office.single(7, send_at=office.clock.now() + timedelta(hours=3))
        erase(office)
        assert is_forgotten(office)
        office.clock.pass_by(hours=4)
        office.tick()
        office.deliver(within=timedelta(seconds=5))
        assert office.row(made.message_id).reason == "erased"
        assert office.provider.calls == 0

    @pytest.mark.parametrize("action", [Action.PAUSE, Action.CANCEL])
    def test_in_a_paused_or_cancelled_distribution(self, office: Office, action: Action) -> None:
        made = office.distribute(250)
        [task] = office.tasks.tasks
        office.run(office.control.act(DEMO, made.distribution_id, action))
        office.tasks.tasks.clear()
        erase(office)
        assert is_forgotten(office)
        assert task.kind == "advance"

    def test_expired_chunks_of_old_distributions_hold_nothing(self, office: Office) -> None:
        made = planned(office)
        chunk = Chunk(distribution_id=made.distribution_id, run=0, number=0)
        del office.plans.objects[office.plans.chunk_key(DEMO, made.planned.attempt, chunk)]
        erase(office)
        assert is_opted_out(office)


class TestKilled:
    @pytest.mark.parametrize("point", ERASE_POINTS)
    @pytest.mark.parametrize("nth", [1, 2])
    def test_an_erasure_killed_anywhere_is_completed_by_the_next(self, office: Office, point: str, nth: int) -> None:
        running, waiting = office.distribute(10), planned_again(office)
        office.do_tasks()
        office.single(7)
        office.run(office.sessions.open(DEMO, "1", person(office), office.clock.now() + timedelta(hours=24)))
        killed = office.killed(office.erasures().accept(DEMO, NUMBER), (point, nth))
        if killed:
            accept(office)
        for pause in (*PAUSES, 0):
            tasks, office.tasks.tasks = office.tasks.tasks, []
            for task in tasks:
                until = office.clock.now() + timedelta(minutes=5)
                if killed or office.killed(office.fanout().work(task, until), (point, nth)):
                    killed = True
                    office.run(office.fanout().work(task, until))
            office.clock.pass_by(seconds=pause)
        assert killed or nth == 2
        assert is_opted_out(office)
        assert is_forgotten(office)
        confirm(office, waiting)
        office.finish()
        assert sums(office, running) == sums(office, waiting) == ALL_BUT_ONE
        assert NUMBER not in [number for number, _ in office.provider.accepted]

    @pytest.mark.parametrize("nth", [1, 2, 3])
    @pytest.mark.parametrize("point", ["plans.read_chunk", "log.add", "log.move", "distributions.save", "queue.put"])
    def test_release_with_an_erased_row_is_killed(self, office: Office, point: str, nth: int) -> None:
        made = office.distribute(10)
        [task] = office.tasks.tasks
        erase(office)
        until = office.clock.now() + timedelta(minutes=5)
        office.killed(office.fanout().work(task, until), (point, nth))
        office.finish()
        assert sums(office, made) == ALL_BUT_ONE
        assert len(office.provider.accepted) == 9

    def test_two_concurrent_erasures_have_the_effect_of_one(self, office: Office) -> None:
        made = office.distribute(10)
        office.do_tasks()
        accept(office)
        accept(office)
        office.tasks.tasks *= 2
        office.finish()
        assert is_forgotten(office)
        assert sums(office, made) == ALL_BUT_ONE


def planned_again(office: Office) -> Distribution:
    rows = [recipient(number) for number in range(1, 11)]
    return office.run(office.planning().create(office.new_distribution(rows, key="second")))


PLAN_POINTS = (
    *("plans.write_order", "distributions.create", "tasks.put", "distributions.get", "plans.read_order"),
    *("uploads.open", "people.consents", "plans.write_chunk", "plans.write_dedupe_index", "rate_limits.state"),
    *("distributions.save", "schedules.set", "schedules.remove"),
)
BEFORE_THE_ITEM = ("plans.write_order", "distributions.create", "distributions.get")
"""Killed at these points, the client has no answer and no item names its file, which expires
(docs/internals/erasure.md)."""


class TestKilledWhilePlanning:
    """After the erasure the number is nowhere, whether or not a row names the stored objects."""

    @pytest.mark.parametrize("nth", [1, 2, 3])
    @pytest.mark.parametrize("point", PLAN_POINTS)
    def test_rows_of_the_request(self, office: Office, point: str, nth: int) -> None:
        rows = [recipient(number) for number in range(1, 251)]
        new = office.new_distribution(rows, confirm=True)
        office.killed(office.planning().create(new), (point, nth))
        erase_while_all_goes_on(office)
        assert is_forgotten(office)
        assert is_opted_out(office)

    @pytest.mark.parametrize("nth", [1, 2, 3])
    @pytest.mark.parametrize("point", PLAN_POINTS)
    def test_rows_of_a_file(self, office: Office, point: str, nth: int) -> None:
        lines = [json.dumps(recipient(number)) for number in range(1, 251)]
        office.uploads.put(DEMO, "u", "ndjson", "\n".join([*lines, f'{{"phone": "{NUMBER} / 77"}}']).encode())
        new = replace(office.new_distribution([], confirm=True), recipients=None, upload_id="u")
        killed = office.killed(office.planning().create(new), (point, nth))
        tasks, office.tasks.tasks = office.tasks.tasks, []
        for task in tasks:
            until = office.clock.now() + timedelta(minutes=5)
            killed = killed or office.killed(office.fanout().work(task, until), (point, nth))
        erase_while_all_goes_on(office)
        assert is_forgotten(office)
        nothing_names_it = killed and not office.distributions.items
        assert any(NUMBER.encode() in content for _, content in files(office)) is nothing_names_it
        assert not nothing_names_it or point in BEFORE_THE_ITEM

    def test_a_file_stays_for_its_plan_and_another_until_the_last_round(self, office: Office) -> None:
        office.uploads.put(DEMO, "u", "ndjson", json.dumps(recipient(7)).encode())
        new = replace(office.new_distribution([]), recipients=None, upload_id="u")
        made = office.run(office.planning().create(new))
        planning, office.tasks.tasks = office.tasks.tasks, []
        accept(office)
        for pause in PAUSES:
            office.do_tasks()
            office.clock.pass_by(seconds=pause)
            assert files(office)
        for _ in range(3):  # it is not planned yet
            office.do_tasks()
            assert [task.kind for task in office.tasks.tasks] == ["forget_upload"]
            assert files(office)
        office.tasks.tasks += planning
        office.do_tasks()
        office.do_tasks()
        view = office.run(office.browse.distribution(DEMO, made.distribution_id))
        assert (view.distribution.status, view.distribution.planned.rejected) == (DistributionStatus.REJECTED, 1)
        assert (files(office), office.tasks.tasks) == ([], [])


def files(office: Office) -> list[tuple[str, bytes]]:
    return [version for versions in office.uploads.files.values() for version in versions]


def erase_while_all_goes_on(office: Office) -> None:
    """The request, then ticks and tasks for as long as planning may begin again."""
    accept(office)
    for _ in range(8):
        office.tick()
        office.do_tasks()
        office.clock.pass_by(seconds=PAUSES[-1])
    office.do_tasks()


class TestLongOnes:
    def test_work_beyond_the_time_becomes_another_task(self, office: Office) -> None:
        planned(office, 4000)
        accept(office)
        office.clock = Hurried(office.clock.instant)
        places: list[str] = []
        while office.tasks.tasks[0].round == 0:
            [task], office.tasks.tasks = office.tasks.tasks, []
            office.run(office.eraser().work(task, office.clock.now() + timedelta(seconds=90)))
            places.append(office.tasks.tasks[0].place)
        assert places == ["16@", "32@", ""]  # 40 chunks, 16 at a time
        assert is_forgotten(office)

    def test_a_hundred_messages_and_more(self, office: Office) -> None:
        row = office.single(7, send_at=office.clock.now() + timedelta(hours=1))
        for number in range(119):
            office.run(office.log.add(replace(row, message_id=f"m-{number}")))
        erase(office)
        assert {row.reason for row in office.log.rows.values()} == {"erased"}
        assert len(office.log.rows) == 120


class Hurried(FakeClock):
    """A minute passes with every look at the clock."""

    def now(self) -> datetime:
        return self.pass_by(minutes=1)


class TestTheRequest:
    def test_only_an_opt_out_under_a_hash_remains(self, office: Office) -> None:
        earlier = granted(office.clock.now() - timedelta(days=1), "register of Thiès")
        office.run(office.people.record(DEMO, person(office), [earlier]))
        accept(office)
        [task] = office.tasks.tasks
        assert NUMBER not in encode(task).decode()
        assert office.people.records == {(DEMO, person(office)): record(revoked(office.clock.now(), "erasure"))}

    def test_a_consent_with_a_later_date_does_not_outlive_it(self, office: Office) -> None:
        later = granted(office.clock.now() + timedelta(days=1), received=office.clock.now() - timedelta(seconds=1))
        office.run(office.people.record(DEMO, person(office), [later]))
        accept(office)
        assert is_opted_out(office)
        office.run(office.people.record(DEMO, person(office), [later]))
        known = office.people.records[DEMO, person(office)].latest
        assert known is not None
        assert known.state is ConsentState.REVOKED

    def test_a_national_number_is_read_by_the_default_country(self, office: Office) -> None:
        office.run(office.erasures().accept(DEMO, "77 000 00 07"))
        assert is_opted_out(office)

    def test_a_number_that_cannot_be_read_is_refused(self, office: Office) -> None:
        with pytest.raises(Refusal) as refused:
            office.run(office.erasures().accept(DEMO, "7"))
        assert refused.value.code is ProblemCode.UNPROCESSABLE
        assert [field_error.field for field_error in refused.value.field_errors] == ["phone"]
        assert office.tasks.tasks == []

    def test_the_persons_other_identities_are_erased_too(self, office: Office) -> None:
        user, previous = "u" * 32, "q" * 32
        for one, other in ((person(office), user), (user, person(office))):
            office.run(office.contacts.add_identity_links(DEMO, [(one, IdentityLink(other=other))]))
        office.run(office.contacts.add_identity_links(DEMO, [(previous, IdentityLink(other=previous))]))
        until = office.clock.now() + timedelta(hours=24)
        for one in (person(office), user, previous):
            office.run(office.sessions.open(DEMO, "1", one, until))
        erase(office)
        assert {key[2] for key in office.sessions.ends} == {previous}
        assert {key[1] for key in office.contacts.kept} == {previous}
        assert {one for _, one in office.people.records} == {person(office), user}

    def test_another_organisations_messages_stay(self, office: Office) -> None:
        made = office.single(7)
        office.run(office.log.add(replace(made, organisation="other")))
        erase(office)
        assert office.log.rows["other", made.message_id].status is Status.PENDING
        assert office.log.rows["other", made.message_id].person == person(office)

    def test_afterwards_the_number_is_refused(self, office: Office) -> None:
        erase(office)
        with pytest.raises(Refusal) as refused:
            office.single(7)
        assert [field_error.code for field_error in refused.value.field_errors] == ["opted_out"]


class TestAWorkerThatReadTheRowBefore:
    """A worker that read the person's row before the erasure, and writes after its first round."""

    def test_logs_it_and_the_next_round_ends_it(self, office: Office) -> None:
        made = office.distribute(10)
        [task] = office.tasks.tasks
        until = office.clock.now() + timedelta(minutes=5)
        assert office.killed(office.fanout().work(task, until), ("rate_limits.book", 1))
        row = seventh(office)
        del office.log.rows[DEMO, row.message_id]
        accept(office)
        office.tasks.tasks = office.tasks.tasks[-1:]
        office.do_tasks()
        office.run(office.log.add(row))
        assert not is_forgotten(office)
        for pause in PAUSES:
            office.clock.pass_by(seconds=pause)
            office.do_tasks()
        assert is_forgotten(office)
        assert seventh(office).reason == "erased"
        office.finish()
        assert sums(office, made) == ALL_BUT_ONE

    def test_takes_a_single_message_and_the_next_round_ends_it(self, office: Office) -> None:
        made = office.single(7, send_at=office.clock.now() + timedelta(hours=1))
        payload = office.run(office.plans.read_payload(made.payload))
        row = office.row(made.message_id)
        assert payload is not None
        erase_first_round(office)
        del office.log.rows[DEMO, made.message_id]
        office.run(office.plans.write_payload(DEMO, made.person, made.message_id, payload))
        office.run(office.log.add(row))
        office.do_tasks()
        assert is_forgotten(office)
        assert office.row(made.message_id).reason == "erased"

    def test_plans_it_and_the_last_round_removes_it(self, office: Office) -> None:
        """Checked before the opt-out, stored after it."""
        new = office.new_distribution([recipient(number) for number in range(1, 11)])
        accept(office)
        records, office.people.records = office.people.records, {}
        office.do_tasks()
        made = office.run(office.planning().create(new))
        office.people.records = records
        assert not is_forgotten(office)
        office.do_tasks()
        assert is_forgotten(office)
        confirm(office, made)
        office.finish()
        assert sums(office, made) == ALL_BUT_ONE


def erase_first_round(office: Office) -> None:
    accept(office)
    office.do_tasks()
    assert [task.round for task in office.tasks.tasks] == [1]
