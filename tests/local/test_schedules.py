from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.clock import StackClock
from local.schedules import ExpressionError, Firings, Scheduler, read_schedule

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


def test_a_rate_begins_at_once_and_comes_back() -> None:
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


@pytest.mark.parametrize("expression", ["cron(0 10 * * ? *)", "rate(1 fortnight)", "at(tomorrow)"])
def test_what_is_not_understood_is_said(expression: str) -> None:
    with pytest.raises(ExpressionError):
        read_schedule(document("x", expression))


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
    scheduler = FakeScheduler(
        [document("odd", "cron(* * * * ? *)"), once, document("off", "rate(1 day)", State="DISABLED")]
    )
    invoked: list[tuple[str, object]] = []

    def invoke(name: str, payload: object) -> Future[object]:
        invoked.append((name, payload))
        return Future()

    loop = Scheduler(scheduler, StackClock(START, lambda: 0.0), invoke)
    loop.fire_due()
    loop.fire_due()
    assert invoked == [("Fan", {"at": "2026-11-23T10:00:00.000Z"})]
    assert "once" not in scheduler.documents
