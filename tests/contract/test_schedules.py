"""One-time schedules: one for each distribution, replaced when its time changes, and never early."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from shared.storage.aws import Aws
from shared.storage.schedules import ScheduleNames, SchedulerSchedules
from tests.contract.cloud import connect, deploy
from tests.contract.making import ORGANISATION
from tests.contract.world import World
from tests.fakes.world import FakeTelemetry
from tests.template.reading import Node

EIGHT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "zone", "expression"),
    [
        (EIGHT, "UTC", "at(2026-11-24T08:00:00)"),
        (EIGHT, "Africa/Dakar", "at(2026-11-24T08:00:00)"),
        (EIGHT, "Indian/Antananarivo", "at(2026-11-24T11:00:00)"),
        (EIGHT + timedelta(microseconds=1), "UTC", "at(2026-11-24T08:00:01)"),
        (datetime(2026, 7, 1, 8, 0, tzinfo=UTC), "Africa/Cairo", "at(2026-07-01T11:00:00)"),
        (datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), "Africa/Douala", "at(2027-01-01T01:00:00)"),
    ],
)
async def test_the_schedule_has_the_zones_local_time(world: World, at: datetime, zone: str, expression: str) -> None:
    for _ in range(2):
        await world.schedules.set(ORGANISATION, "d-1", at=at, zone=zone)
    assert world.hands.waiting() == {"d-1": (expression, zone, ORGANISATION)}


async def test_another_time_replaces_it_and_others_stay(world: World) -> None:
    for name in ("d-1", "d-2"):
        await world.schedules.set(ORGANISATION, name, at=EIGHT, zone="UTC")
    await world.another().schedules.set(ORGANISATION, "d-1", at=EIGHT + timedelta(hours=1), zone="Africa/Tunis")
    assert {name: when for name, (when, _, _) in world.hands.waiting().items()} == {
        "d-1": "at(2026-11-24T10:00:00)",
        "d-2": "at(2026-11-24T08:00:00)",
    }


async def test_a_schedule_can_be_removed_twice(world: World) -> None:
    for name in ("d-1", "d-2"):
        await world.schedules.set(ORGANISATION, name, at=EIGHT, zone="UTC")
    for _ in range(2):
        await world.schedules.remove("d-1")
    await world.schedules.remove("never")
    assert list(world.hands.waiting()) == ["d-2"]


async def test_a_schedule_runs_once_invokes_the_fan_out_and_deletes_itself(
    cloud: World, aws: Aws, described: Node
) -> None:
    names = deploy(aws, described).schedules
    await SchedulerSchedules(aws, names, FakeTelemetry()).set(ORGANISATION, "d-1", at=EIGHT, zone="UTC")
    found = aws.scheduler.get_schedule(Name="d-1", GroupName=names.group)
    assert (found["Target"]["Arn"], found["Target"]["RoleArn"]) == (names.target_arn, names.role_arn)
    assert found["ActionAfterCompletion"] == "DELETE"
    assert found["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert cloud.hands.waiting() == {}


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "ThrottlingException", "Message": "no"}}, "CreateSchedule"),
        EndpointConnectionError(endpoint_url="https://scheduler.invalid"),
    ],
    ids=["refused", "unreachable"],
)
async def test_a_refusal_of_aws_is_reported_and_not_raised(error: Exception) -> None:
    def refuse(**_: object) -> None:
        raise error

    aws, telemetry = connect(), FakeTelemetry()
    aws.scheduler.meta.events.register("before-call.scheduler", refuse)
    names = ScheduleNames(group="stack", target_arn="arn:aws:lambda:x", role_arn="arn:aws:iam::x")
    schedules = SchedulerSchedules(aws, names, telemetry)
    await schedules.set(ORGANISATION, "d-1", at=EIGHT, zone="UTC")
    await schedules.remove("d-1")
    assert telemetry.warning_events == ["schedule_not_set", "schedule_not_removed"]
