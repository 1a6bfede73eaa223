from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.clock import StackClock
from local.schedule_expressions import ExpressionError, read_expression
from local.schedules import Firings, Schedule, Scheduler, read_schedule

START = datetime(2026, 11, 23, 10, tzinfo=UTC)


def document(name: str, expression: str, **more: Any) -> dict[str, Any]:
    target = {"Arn": "arn:aws:lambda:eu-west-1:1:function:Fan", "Input": '{"tick": true}'}
    return {
        "GroupName": "default", "Name": name, "ScheduleExpression": expression, "Target": target, "State": "ENABLED",
        "CreationDate": START, "LastModificationDate": START, **more,
    }  # fmt: skip


TICK = read_schedule(document("tick", "rate(1 minute)"))


def names(firings: Firings, schedules: list[Any], now: datetime) -> list[str]:
    return [schedule.name for _, schedule in firings.take_due(schedules, now)]


def test_a_rate_fires_at_once_and_then_repeats() -> None:
    firings = Firings()
    seconds = [0, 1, 59, 60, 61, 130, 179, 180]
    fired = [second for second in seconds if names(firings, [TICK], START + timedelta(seconds=second))]
    assert fired == [0, 60, 130, 180]


def test_after_a_jump_a_rate_fires_once() -> None:
    firings = Firings()
    assert names(firings, [TICK], START) == ["tick"]
    assert names(firings, [TICK], START + timedelta(hours=14)) == ["tick"]
    assert names(firings, [TICK], START + timedelta(hours=14, seconds=1)) == []


def test_one_time_schedules_fire_in_order_and_before_the_tick() -> None:
    later = read_schedule(document("later", "at(2026-11-23T12:00:00)"))
    sooner = read_schedule(document("sooner", "at(2026-11-23T11:30:00)", ScheduleExpressionTimezone="Africa/Dakar"))
    eastern = read_schedule(
        document("first", "at(2026-11-23T14:00:00)", ScheduleExpressionTimezone="Indian/Antananarivo")
    )
    firings = Firings()
    schedules = [TICK, later, sooner, eastern]
    assert names(firings, schedules, START) == ["tick"]
    assert names(firings, schedules, START + timedelta(hours=3)) == ["first", "sooner", "later", "tick"]
    assert names(firings, schedules, START + timedelta(hours=9)) == ["tick"]


def test_a_moved_one_time_schedule_fires_at_its_new_time() -> None:
    firings = Firings()
    assert names(firings, [read_schedule(document("x", "at(2026-11-23T09:00:00)"))], START) == ["x"]
    assert names(firings, [read_schedule(document("x", "at(2026-11-23T10:00:00)"))], START) == ["x"]


def test_a_new_schedule_with_the_same_name_fires_again() -> None:
    firings = Firings()
    for created in (START - timedelta(hours=1), START):
        once = read_schedule(document("x", "at(2026-11-23T09:30:00)", CreationDate=created))
        assert names(firings, [once], START) == ["x"]
        assert names(firings, [once], START + timedelta(minutes=1)) == []


@pytest.mark.parametrize(
    ("expression", "zone"),
    [
        ("cron(0 10 * * ? *)", None),
        ("rate(1 fortnight)", None),
        ("rate(0 minutes)", None),
        ("at(tomorrow)", None),
        ("at(2026-11-31T10:00:00)", None),
        ("at(2026-11-23T10:00:00)", "Africa/Nowhere"),
    ],
)
def test_an_unknown_schedule_expression_is_an_error(expression: str, zone: str | None) -> None:
    with pytest.raises(ExpressionError):
        read_expression(expression, zone)


@pytest.mark.parametrize(
    ("local", "zone", "utc"),
    [
        ("2026-11-23T08:00:00", "Africa/Dakar", "2026-11-23T08:00:00+00:00"),
        ("2026-11-23T08:00:00", "Indian/Antananarivo", "2026-11-23T05:00:00+00:00"),
        ("2026-04-23T23:59:59", "Africa/Cairo", "2026-04-23T21:59:59+00:00"),
        # does not exist: the clock shows 01:30 then
        ("2026-04-24T00:30:00", "Africa/Cairo", "2026-04-23T22:30:00+00:00"),
        ("2026-04-24T01:30:00", "Africa/Cairo", "2026-04-23T22:30:00+00:00"),
        ("2026-10-29T23:30:00", "Africa/Cairo", "2026-10-29T20:30:00+00:00"),  # occurs twice: the first counts
        ("2026-10-30T00:00:00", "Africa/Cairo", "2026-10-29T22:00:00+00:00"),
    ],
)
def test_a_local_time_is_one_instant_also_when_the_clocks_change(local: str, zone: str, utc: str) -> None:
    assert read_expression(f"at({local})", zone).at == datetime.fromisoformat(utc)


def fired_at(schedule: Schedule, minutes: range) -> list[int]:
    firings = Firings()
    return [minute for minute in minutes if names(firings, [schedule], START + timedelta(minutes=minute))]


def test_a_rate_fires_only_between_its_dates_inclusive() -> None:
    starts, ends = START + timedelta(minutes=3), START + timedelta(minutes=7)
    bounded = read_schedule(document("x", "rate(2 minutes)", StartDate=starts, EndDate=ends))
    assert fired_at(bounded, range(12)) == [3, 5, 7]


def test_a_jump_past_the_end_date_fires_once() -> None:
    bounded = read_schedule(document("x", "rate(2 minutes)", EndDate=START + timedelta(minutes=7)))
    assert fired_at(bounded, range(60, 120)) == [60]


def test_a_one_time_schedule_has_no_dates() -> None:
    once = document("x", "at(2026-11-23T10:05:00)", StartDate=START + timedelta(days=1), EndDate=START)
    assert fired_at(read_schedule(once), range(10)) == [5]


class FakeScheduler:
    def __init__(self, documents: list[dict[str, Any]]) -> None:
        self.documents = {entry["Name"]: entry for entry in documents}

    def get_paginator(self, _operation: str) -> Any:
        return self

    def paginate(self) -> Any:
        return [{"Schedules": list(self.documents.values())}]

    def get_schedule(self, *, Name: str, GroupName: str) -> Any:  # noqa: N803 - boto3's
        assert GroupName == "default"
        return self.documents[Name]

    def delete_schedule(self, *, Name: str, GroupName: str) -> None:  # noqa: N803 - boto3's
        assert GroupName == "default"
        del self.documents[Name]


def test_a_target_gets_its_input_and_a_finished_schedule_deletes_itself() -> None:
    target = {"Arn": "arn:aws:lambda:eu-west-1:1:function:Fan", "Input": '{"at": "<aws.scheduler.scheduled-time>"}'}
    once = document("once", "at(2026-11-23T10:00:00)", Target=target, ActionAfterCompletion="DELETE")
    over = document("over", "rate(1 day)", Target=target, EndDate=START, ActionAfterCompletion="DELETE")
    kept = document("kept", "at(2026-11-23T10:00:00)", Target=target)
    off = document("off", "rate(1 day)", State="DISABLED")
    scheduler = FakeScheduler([once, over, kept, off])
    invoked: list[tuple[str, object]] = []

    def invoke(name: str, payload: object) -> Future[object]:
        invoked.append((name, payload))
        return Future()

    loop = Scheduler(scheduler, StackClock(START, lambda: 0.0), invoke)
    loop.fire_due()
    loop.fire_due()
    assert invoked == [("Fan", {"at": "2026-11-23T10:00:00.000Z"})] * 3
    assert set(scheduler.documents) == {"kept", "off"}
