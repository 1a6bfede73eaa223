"""One-time schedules on EventBridge Scheduler, in the stack's own group. The AWS console shows there what is
scheduled."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from botocore.exceptions import BotoCoreError, ClientError

from shared.base.events import Telemetry
from shared.storage.aws import Aws

if TYPE_CHECKING:
    from types_boto3_scheduler.type_defs import CreateScheduleInputTypeDef


_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleNames:
    """The template's names: the group, the function that a schedule calls, the role that may call it."""

    group: str
    target_arn: str
    role_arn: str


class SchedulerSchedules:
    """`Schedules`. A schedule has its distribution's ID as its name, so making it twice makes one."""

    def __init__(self, aws: Aws, names: ScheduleNames, telemetry: Telemetry) -> None:
        self._aws = aws
        self._names = names
        self._telemetry = telemetry

    async def set(self, organisation: str, distribution_id: str, *, at: datetime, zone: str) -> None:
        """No retry after the first minute: the tick does what a schedule missed."""
        wanted: CreateScheduleInputTypeDef = {
            "Name": distribution_id,
            "GroupName": self._names.group,
            "Description": f"Distribution {distribution_id} of organisation {organisation} may leave.",
            "ScheduleExpression": f"at({_wall_time(at, zone)})",
            "ScheduleExpressionTimezone": zone,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "State": "ENABLED",
            "ActionAfterCompletion": "DELETE",
            "Target": {
                "Arn": self._names.target_arn,
                "RoleArn": self._names.role_arn,
                "Input": json.dumps({"tick": {"organisation": organisation, "distribution_id": distribution_id}}),
                "RetryPolicy": {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60},
            },
        }

        def write() -> None:
            try:
                self._aws.scheduler.create_schedule(**wanted)
            except self._aws.scheduler.exceptions.ConflictException:
                self._aws.scheduler.update_schedule(**wanted)

        if (error := await self._refused(write)) is not None:
            self._telemetry.warning_event(
                "schedule_not_set", organisation=organisation, distribution_id=distribution_id, error=error
            )

    async def remove(self, distribution_id: str) -> None:
        def delete() -> None:
            try:
                self._aws.scheduler.delete_schedule(Name=distribution_id, GroupName=self._names.group)
            except self._aws.scheduler.exceptions.ResourceNotFoundException:
                return

        if (error := await self._refused(delete)) is not None:
            self._telemetry.warning_event("schedule_not_removed", distribution_id=distribution_id, error=error)

    async def _refused(self, write: Callable[[], None]) -> str | None:
        """AWS's error code if the call failed; None if it worked."""
        try:
            await self._aws.run(write)
        except ClientError as error:
            return error.response["Error"]["Code"]
        except BotoCoreError as error:
            return type(error).__name__
        return None


def _wall_time(at: datetime, zone: str) -> str:
    """Rounded up to whole seconds: a schedule that runs early would find nothing to do."""
    up = at if at.microsecond == 0 else at.replace(microsecond=0) + _SECOND
    return up.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M:%S")
