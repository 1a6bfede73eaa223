"""`skip_already_sent` once more as rows are logged: cards sent since planning, and distributions that log at the same
time."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from shared.base.json import JsonObject
from shared.campaigns.create import NewDistribution
from shared.campaigns.distribution import Action, Distribution, DistributionStatus
from shared.campaigns.ports import Task
from shared.messages.message import Message, Status
from shared.messages.ports import Move
from shared.texts.content import Content
from tests.fakes.office import DEMO, Office, recipient

TEXT = Content(text="Bonjour {first_name}, la carte est là.")
ROWS = [recipient(number) for number in range(1, 11)]
KILLS = (
    "plans.read_dedupe_index",
    "turns.take",
    "log.get_many",
    "log.add",
    "log.move",
    "distributions.save",
    "queue.put",
)


@pytest.fixture
def office() -> Office:
    return Office()


def asked(
    office: Office, key: str, rows: Sequence[JsonObject] = ROWS, *, skips: bool = True, confirm: bool = False
) -> NewDistribution:
    new = office.new_distribution(rows, key=key, confirm=confirm)
    return replace(new, order=replace(new.order, content=TEXT, skip_already_sent=skips))


def plan(office: Office, key: str, rows: Sequence[JsonObject] = ROWS, *, skips: bool = True) -> Distribution:
    return office.run(office.planning().create(asked(office, key, rows, skips=skips)))


def confirm(office: Office, made: Distribution) -> None:
    office.run(office.control.act(DEMO, made.distribution_id, Action.CONFIRM))


def send(office: Office, *made: Distribution) -> None:
    """Confirms them and sends all messages."""
    for one in made:
        confirm(office, one)
    office.do_tasks()
    office.deliver(within=timedelta(minutes=1))


def rows_of(office: Office, made: Distribution) -> list[Message]:
    return [row for row in office.log.rows.values() if row.distribution_id == made.distribution_id]


def ends(office: Office, made: Distribution) -> Counter[str]:
    return Counter(row.reason or str(row.status) for row in rows_of(office, made))


def messages_a_person(office: Office) -> set[int]:
    sent_per_person = Counter(row.person for row in office.log.rows.values() if row.status is not Status.FAILED)
    return set(sent_per_person.values())


def fail(office: Office, row: Message) -> None:
    move = Move(status=Status.FAILED, at=office.clock.now(), reason="undeliverable")
    assert office.run(office.log.move(DEMO, row.message_id, move)).won


def test_a_card_sent_between_plan_and_confirmation_is_not_sent_again(office: Office) -> None:
    first, second = plan(office, "a"), plan(office, "b")
    send(office, first)
    office.clock.pass_by(minutes=10)
    confirm(office, second)
    office.do_tasks()
    assert not office.queue.waiting
    assert ends(office, second) == {"already_sent": 10}
    counts = office.run(office.browse.distribution(DEMO, second.distribution_id)).counts
    assert (counts.of(Status.FAILED), counts.by_reason) == (10, {"already_sent": 10})
    office.clock.pass_by(minutes=2)
    office.tick()
    assert office.distributions.items[DEMO, second.distribution_id].status is DistributionStatus.COMPLETED


def test_four_distributions_confirmed_at_once_send_each_card_once(office: Office) -> None:

    async def all_at_once() -> list[Distribution]:
        return await asyncio.gather(*(office.planning().create(asked(office, key, confirm=True)) for key in "abcd"))

    made = office.run(all_at_once())
    assert [one.planned.accepted for one in made] == [10] * 4
    office.do_tasks()
    office.deliver(within=timedelta(minutes=1))
    assert messages_a_person(office) == {1}
    assert sum(ends(office, one)["already_sent"] for one in made) == 30


@pytest.mark.parametrize("order", list(permutations("abc")), ids="".join)
def test_distributions_that_log_at_once_send_each_card_once(office: Office, order: Sequence[str]) -> None:
    """Their steps take turns: every call of a store lets the others go on."""
    made = {key: plan(office, key, ROWS[: 4 + number]) for number, key in enumerate("abc")}
    for key in order:
        confirm(office, made[key])
    tasks, office.tasks.tasks = office.tasks.tasks, []

    async def work(task: Task) -> None:
        await office.fanout().work(task, office.clock.now() + timedelta(minutes=5))

    async def all_tasks() -> None:
        await asyncio.gather(*map(work, tasks))

    office.run(all_tasks())
    office.do_tasks()
    office.deliver(within=timedelta(minutes=1))
    assert messages_a_person(office) == {1}
    assert len({row.person for row in office.log.rows.values()}) == 6


@pytest.mark.parametrize("skips", [True, False])
def test_siblings_are_compared_by_their_best_identifier(office: Office, skips: bool) -> None:
    """By code, by enrolment, by text and picture: as in a file."""
    phone = "+221770000001"

    def child(**has: str) -> JsonObject:
        bare: JsonObject = {"card_code": None, "verification_url": "https://v.example.org/1", "phone": phone}
        return recipient(1, **{**bare, **has})

    first = plan(
        office,
        "a",
        [
            child(card_code="C1", enrollment_id="E1"),
            child(enrollment_id="E2", first_name="Fatou"),
            child(first_name="Awa"),
            child(card_code="C5", enrollment_id="E5"),
        ],
        skips=skips,
    )
    second = plan(
        office,
        "b",
        [
            child(card_code="C1", enrollment_id="E9", first_name="Binta"),
            child(card_code="C2", enrollment_id="E1", first_name="Coumba"),
            child(card_code="C3", enrollment_id="E2", first_name="Dior"),
            child(enrollment_id="E5", first_name="Ely"),
            child(enrollment_id="E3", first_name="Fatim"),
            child(card_code="C4", first_name="Awa"),
        ],
    )
    assert (first.planned.accepted, second.planned.accepted) == (4, 6)
    send(office, first, second)
    stands = {row.payload.row: row.reason for row in rows_of(office, second)}
    sent = {row for row, reason in stands.items() if reason is None}
    assert sent == {2, 5}
    assert {stands[row] for row in (1, 3, 4, 6)} == {"already_sent"}


def test_after_failures_another_distribution_sends_the_cards(office: Office) -> None:
    first, second, third = plan(office, "a"), plan(office, "b"), plan(office, "c")
    send(office, first)
    failed = rows_of(office, first)[:3]
    for row in failed:
        fail(office, row)
    send(office, second)
    assert ends(office, second) == {"sent": 3, "already_sent": 7}
    for row in rows_of(office, first)[3:5]:  # reported by webhook, much later
        fail(office, row)
    send(office, third)
    assert ends(office, third) == {"sent": 2, "already_sent": 8}
    assert messages_a_person(office) == {1}


def test_a_distribution_with_the_option_skips_rows_of_one_without_it(office: Office) -> None:
    asks, does_not = plan(office, "a"), plan(office, "b", skips=False)
    confirm(office, does_not)  # none of its rows is in the log yet
    office.tasks.tasks.clear()
    send(office, asks)
    assert ends(office, asks) == {"already_sent": 10}
    office.clock.pass_by(minutes=1)
    office.tick()
    office.deliver(within=timedelta(minutes=1))
    assert ends(office, does_not) == {"sent": 10}


@pytest.mark.parametrize("logged", [True, False])
def test_unsent_rows_of_a_cancelled_distribution_do_not_count_before_the_sweep(office: Office, logged: bool) -> None:
    first, second = plan(office, "a"), plan(office, "b")
    confirm(office, first)
    if logged:
        office.do_tasks()
    office.run(office.control.act(DEMO, first.distribution_id, Action.CANCEL))
    office.tasks.tasks.clear()
    send(office, second)
    assert ends(office, second) == {"sent": 10}
    assert ends(office, first) == ({"cancelled": 10} if logged else {})
    office.clock.pass_by(minutes=1)
    office.tick()
    assert messages_a_person(office) == {1}


def test_sent_rows_of_a_cancelled_distribution_still_count(office: Office) -> None:
    first, second = plan(office, "a"), plan(office, "b")
    send(office, first)
    office.run(office.control.act(DEMO, first.distribution_id, Action.CANCEL))
    send(office, second)
    assert ends(office, second) == {"already_sent": 10}


def test_a_message_that_was_resent_since_planning_counts(office: Office) -> None:
    first = plan(office, "a")
    send(office, first)
    again, twice = rows_of(office, first)[:2]
    for row in (again, twice):
        fail(office, row)
    successor = office.run(office.resends().resend(DEMO, twice.message_id))
    fail(office, successor)
    office.clock.pass_by(hours=1)
    second = plan(office, "b")
    assert second.planned.accepted == 2
    office.run(office.resends().resend(DEMO, again.message_id))
    office.run(office.resends().resend(DEMO, successor.message_id))  # its parent is older than the plan
    send(office, second)
    assert ends(office, second) == {"already_sent": 2}
    assert messages_a_person(office) == {1}


def test_a_single_message_since_planning_counts(office: Office) -> None:
    made = plan(office, "a")
    office.clock.pass_by(hours=1)
    office.single(3)
    fail(office, office.row(office.single(4).message_id))
    send(office, made)
    assert ends(office, made) == {"sent": 9, "already_sent": 1}


def test_a_distribution_without_the_option_makes_no_extra_reads(office: Office) -> None:
    send(office, plan(office, "a", skips=False))
    assert not office.points.passed["turns.take"]
    assert not office.points.passed["plans.read_dedupe_index"]


def test_the_index_of_another_distribution_is_read_once(office: Office) -> None:
    others = [plan(office, key, ROWS[:1]) for key in "ab"]
    made = plan(office, "c", [recipient(number) for number in range(100, 1200)])
    for one in others:
        confirm(office, one)
    already = office.already()
    before = office.points.passed["plans.read_dedupe_index"]
    for row in (1, 500, 1000):
        assert office.run(already.since_planning(made, [row])) == set()
    assert office.points.passed["plans.read_dedupe_index"] == before + 3


@pytest.mark.parametrize("point", KILLS)
@pytest.mark.parametrize("at", [1, 2, 7])
def test_a_worker_killed_anywhere_changes_no_result(office: Office, point: str, at: int) -> None:
    first, second = plan(office, "a", ROWS[:6]), plan(office, "b")
    send(office, first)
    fail(office, rows_of(office, first)[0])
    confirm(office, second)
    task = office.tasks.tasks.pop()
    office.killed(office.fanout().work(task, office.clock.now() + timedelta(minutes=5)), (point, at))
    office.tasks.tasks = [task, task]
    office.do_tasks()
    office.deliver(within=timedelta(minutes=1))
    assert ends(office, second) == {"sent": 5, "already_sent": 5}
    assert messages_a_person(office) == {1}


def test_two_workers_that_log_the_same_chunk_agree(office: Office) -> None:
    first, second = plan(office, "a"), plan(office, "b")
    send(office, first)
    confirm(office, second)
    (task,) = office.tasks.tasks
    office.tasks.tasks = []

    async def both() -> None:
        until = office.clock.now() + timedelta(minutes=5)
        await asyncio.gather(*(office.fanout().work(task, until) for _ in range(2)))

    office.run(both())
    assert ends(office, second) == {"already_sent": 10}
    counts = office.run(office.browse.distribution(DEMO, second.distribution_id)).counts
    assert counts.by_reason == {"already_sent": 10}
