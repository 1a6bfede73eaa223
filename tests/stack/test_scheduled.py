"""A distribution for a given hour: its own schedule is in Scheduler while it waits, runs at the instant, and is
deleted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.stack import STACK_NAME
from tests.stack.programme import DELIVERED, Json, Programme
from tests.stack.running import RunningStack, started
from tests.waiting import until

AT = datetime(2026, 11, 23, 14, 30, 20, tzinfo=UTC)
"""Twenty seconds past the minute."""
TICK = f"{STACK_NAME}-tick"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with started(tmp_path_factory.mktemp("scheduled") / "log") as stack:
        yield stack


def test_its_schedule_waits_starts_it_at_its_instant_and_is_deleted(running: RunningStack) -> None:
    with Programme(running, "scheduled") as programme:
        made = _for(programme, AT, [programme.recipient(DELIVERED + number) for number in range(5)])
        dropped = _for(programme, AT, [programme.recipient(DELIVERED + 50)])
        moved = _for(programme, AT + timedelta(days=2), [programme.recipient(DELIVERED + 60)])
        madagascan = _for(programme, AT, [programme.recipient(0, phone="+261320008200")])
        assert {one["status"] for one in (made, dropped, moved, madagascan)} == {"scheduled"}
        assert _waiting(running) == {
            made["distribution_id"]: ("at(2026-11-23T14:30:20)", "Africa/Dakar"),
            dropped["distribution_id"]: ("at(2026-11-23T14:30:20)", "Africa/Dakar"),
            moved["distribution_id"]: ("at(2026-11-25T14:30:20)", "Africa/Dakar"),
            madagascan["distribution_id"]: ("at(2026-11-23T17:30:20)", "Indian/Antananarivo"),
        }
        assert programme.act(dropped, "cancel").json()["status"] == "cancelled"
        assert programme.act(moved, "pause").json()["status"] == "paused"
        assert set(_waiting(running)) == {made["distribution_id"], madagascan["distribution_id"]}
        assert programme.act(moved, "resume").json()["status"] == "scheduled"
        programme.move_to(AT - timedelta(seconds=15))  # after the minute's tick, which must not start it yet
        programme.move_to(max(AT, running.now()))
        ledger = until(lambda: programme.ledger("orange"), lambda found: len(found) == 6)
        assert min(datetime.fromisoformat(entry["at"]) for entry in ledger) >= AT
        assert set(_waiting(running)) == {moved["distribution_id"]}
        until(lambda: programme.distribution(made["distribution_id"]), lambda found: found["counts"]["delivered"] == 5)
        assert programme.distribution(dropped["distribution_id"])["counts"]["failed"] == 1


def _for(programme: Programme, at: datetime, recipients: list[Json]) -> Json:
    schedule = {"mode": "at", "at": at.isoformat()}
    answer = programme.distribute(recipients=recipients, schedule=schedule, confirm=True)
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


def _waiting(running: RunningStack) -> dict[str, tuple[str, str]]:
    """What the console shows in the stack's own schedule group, without the tick."""
    scheduler: Any = running.aws("scheduler")
    [group] = [one["Name"] for one in scheduler.list_schedule_groups()["ScheduleGroups"] if one["Name"] != "default"]
    assert {one["GroupName"] for one in scheduler.list_schedules()["Schedules"]} == {group}, "one of another stage's"
    listed = scheduler.list_schedules(GroupName=group)["Schedules"]
    assert TICK in {one["Name"] for one in listed}
    found = [scheduler.get_schedule(Name=one["Name"], GroupName=group) for one in listed if one["Name"] != TICK]
    return {one["Name"]: (one["ScheduleExpression"], one["ScheduleExpressionTimezone"]) for one in found}
