import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.clock import BackwardsError, StackClock
from local.jump import MOST_LOOKS, Jump
from local.schedules import Scheduler
from tests.local.test_schedules import FakeScheduler, document

START = datetime(2026, 11, 23, 10, tzinfo=UTC)


class World:
    """A clock that stands still between jumps. `happened` lists the events with their time."""

    def __init__(self, *documents: dict[str, Any]) -> None:
        self.clock = StackClock(START, lambda: 0.0)
        self.happened: list[str] = []
        self.clock.on_jump(self.moved)
        self.schedules = FakeScheduler(list(documents))
        self.made_by: dict[str, dict[str, Any]] = {}
        self.scheduler = scheduler = Scheduler(self.schedules, self.clock, self.invoke)
        scheduler.fire_due()  # fires what is due at the start, before a test jumps
        self.happened.clear()
        self.looks = 0
        self.agenda: list[datetime] = []
        self.hurry = threading.Event()
        self.hurried: set[bool] = set()
        self.is_still = False
        self.jump = Jump(self.clock, scheduler, self.busy, self.next_due, self.hurry, self.still)

    def moved(self, instant: datetime) -> None:
        assert self.is_still
        self.happened.append(f"queues {instant:%H:%M}")

    @contextmanager
    def still(self) -> Iterator[None]:
        self.is_still = True
        yield
        self.is_still = False

    def next_due(self, now: datetime) -> datetime | None:
        """The next due time. Earlier ones were found and have left the agenda, as in the product."""
        return min((due for due in self.agenda if due > now), default=None)

    def invoke(self, function: str, _payload: object) -> Future[object]:
        self.happened.append(f"{function} {self.clock.now():%H:%M}")
        if made := self.made_by.pop(function, None):
            self.schedules.documents[made["Name"]] = made
        return Future()

    def busy(self) -> bool:
        assert not self.is_still
        self.looks += 1
        self.hurried.add(self.hurry.is_set())
        if self.looks % 6 == 1:
            self.happened.append("work")
        return self.looks % 6 < 2


def once(name: str, time: str, **more: Any) -> dict[str, Any]:
    target = {"Arn": f"arn:aws:lambda:eu-west-1:1:function:{name}", "Input": "{}"}
    return document(name, f"at(2026-11-23T{time}:00)", Target=target, **more)


@pytest.mark.parametrize("always", [False, True])
def test_no_batch_waits_for_its_window_during_a_jump(always: bool) -> None:
    world = World(once("Soon", "11:00"))
    if always:
        world.hurry.set()
    world.jump.to(START + timedelta(hours=2))
    assert (world.hurried, world.hurry.is_set()) == ({True}, always)


def test_a_jump_stops_at_each_one_time_schedule_and_lets_the_functions_work() -> None:
    tick = document("tick", "rate(1 minute)")
    world = World(
        tick,
        once("Late", "14:00"),
        once("Soon", "11:00"),
        once("Eastern", "15:00", ScheduleExpressionTimezone="Indian/Antananarivo"),
        once("Never", "22:00"),
        once("Off", "12:30", State="DISABLED"),
    )
    world.jump.to(START + timedelta(hours=5))
    assert [event for event in world.happened if event != "work"] == [
        "queues 11:00", "Soon 11:00", "Fan 11:00",
        "queues 12:00", "Eastern 12:00", "Fan 12:00",
        "queues 14:00", "Late 14:00", "Fan 14:00",
        "queues 15:00", "Fan 15:00",
    ]  # fmt: skip
    after = world.happened.index("queues 11:00") + 1
    assert world.happened[after] == "work"  # work that was due before the schedule comes before it
    assert world.clock.now() == START + timedelta(hours=5)


def test_schedules_of_one_instant_make_one_stop() -> None:
    world = World(once("A", "11:00"), once("B", "11:00"))
    world.jump.to(START + timedelta(hours=2))
    assert [event for event in world.happened if event != "work"] == [
        "queues 11:00",
        "A 11:00",
        "B 11:00",
        "queues 12:00",
    ]


def test_a_schedule_made_during_a_jump_fires_at_its_own_instant() -> None:
    world = World(once("Soon", "11:00"), once("Late", "14:00"))
    world.made_by = {"Soon": once("Next", "12:30"), "Next": once("Beyond", "20:00")}
    world.jump.to(START + timedelta(hours=5))
    assert [event for event in world.happened if event[0].isupper()] == ["Soon 11:00", "Next 12:30", "Late 14:00"]


def test_the_tick_finds_due_rows_during_a_jump_in_their_own_minute() -> None:
    world = World(document("tick", "rate(1 minute)"), once("Soon", "11:00"))
    world.agenda = [START + timedelta(minutes=30, seconds=5), START + timedelta(hours=4), START + timedelta(hours=9)]
    world.jump.to(START + timedelta(hours=5))
    assert [event for event in world.happened if event != "work"] == [
        "queues 10:31", "Fan 10:31",
        "queues 11:00", "Soon 11:00", "Fan 11:00",
        "queues 14:00", "Fan 14:00",
        "queues 15:00", "Fan 15:00",
    ]  # fmt: skip


def test_rows_that_are_due_every_minute_do_not_make_a_jump_endless() -> None:
    world = World(document("tick", "rate(1 minute)"))
    world.agenda = [START + timedelta(minutes=minute) for minute in range(1, 601)]
    world.jump.to(START + timedelta(hours=10))
    stops = [event for event in world.happened if event.startswith("queues")]
    assert stops[:3] == ["queues 10:01", "queues 10:11", "queues 10:21"]
    assert (len(stops), stops[-1]) == (61, "queues 20:00")


def test_a_campaign_under_way_does_not_block_a_stop_for_ever() -> None:
    world = World(once("Soon", "11:00"))
    looks: list[int] = []

    def always_busy() -> bool:
        looks.append(1)
        return True

    world.jump = Jump(world.clock, world.scheduler, always_busy, world.next_due, world.hurry, world.still)
    world.jump.to(START + timedelta(hours=2))
    assert len(looks) == 2 * MOST_LOOKS  # before the schedule and after it
    assert world.happened == ["queues 11:00", "Soon 11:00", "queues 12:00"]


def test_a_jump_backwards_is_refused() -> None:
    world = World(once("A", "11:00"))
    with pytest.raises(BackwardsError):
        world.jump.to(START - timedelta(seconds=1))
    assert world.happened == []
