"""The tick's reports beside its tasks: overdue work, and dead letters for as long as they stand."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.app.fanout import OVERDUE
from shared.messages.payload import Channel
from tests.fakes.office import DEMO, Office, recipient
from tests.unit.messages.test_dead_letters import Poisoned, dead_single, redriven

MINUTE = timedelta(minutes=1)


@pytest.fixture
def office() -> Office:
    office = Office()
    office.provider = Poisoned(office.points)
    return office


def reported(office: Office, name: str) -> list[dict[str, Any]]:
    found = [fields for event, fields in office.telemetry.events if event == name]
    office.telemetry.events.clear()
    return found


def only_tick(office: Office) -> None:
    """No function takes the tasks: the queue's trigger is off, or the function hangs."""
    office.run(office.fanout().tick())


def test_a_distribution_that_no_worker_handles_is_reported_as_overdue(office: Office) -> None:
    made = office.distribute(300)
    office.clock.instant += OVERDUE - MINUTE
    only_tick(office)
    assert [one["overdue"] for one in reported(office, "tick")] == [0]
    office.clock.instant += MINUTE
    only_tick(office)
    assert office.telemetry.warning_events == ["distribution_overdue"]
    assert reported(office, "distribution_overdue") == [{"organisation": DEMO, "distribution_id": made.distribution_id}]
    office.do_tasks()
    only_tick(office)
    assert [one["overdue"] for one in reported(office, "tick")] == [0]


def test_a_campaign_that_is_worked_on_is_never_overdue(office: Office) -> None:
    """At Orange's rate, with full send slots, until its end and after its last count."""
    office.distribute(1500)
    for _ in range(25):
        office.tick()
        office.deliver(within=MINUTE)
    assert {one["overdue"] for one in reported(office, "tick")} == {0}


def test_messages_that_no_worker_handles_are_reported_by_their_shard(office: Office) -> None:
    office.single()
    office.queue.take()
    office.clock.instant += MINUTE + OVERDUE
    only_tick(office)
    [tick] = reported(office, "tick")
    assert (tick["overdue"], tick["late_shards"]) == (0, 1)


def test_only_the_oldest_of_many_overdue_distributions_are_named(office: Office) -> None:
    for number in range(12):
        rows = [recipient(number)]
        office.run(office.planning().create(replace(office.new_distribution(rows, confirm=True), key=f"key-{number}")))
    office.clock.instant += OVERDUE + MINUTE
    only_tick(office)
    assert office.telemetry.warning_events == ["distribution_overdue"] * 10
    assert [one["overdue"] for one in reported(office, "tick")] == [12]


def test_a_dead_letter_is_reported_until_it_is_redriven(office: Office) -> None:
    _, letter = dead_single(office)
    for _ in range(3):
        only_tick(office)
        assert reported(office, "dead_letters_stand") == [{"organisation": DEMO, "channel": Channel.SMS, "messages": 1}]
    assert redriven(office, letter) == 1
    only_tick(office)
    assert reported(office, "dead_letters_stand") == []


def test_a_task_is_logged_before_it_begins(office: Office) -> None:
    """A worker that runs out of memory leaves no other line."""
    made = office.distribute(1)
    office.telemetry.events.clear()
    assert office.killed(
        office.fanout().work(office.tasks.tasks[0], office.clock.now() + MINUTE), ("distributions.get", 1)
    )
    assert reported(office, "task_begun") == [
        {"kind": "advance", "organisation": DEMO, "distribution_id": made.distribution_id}
    ]
