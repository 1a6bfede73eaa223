"""The names of what a distribution's own schedule needs, as both functions that make one get them."""

from typing import Protocol

from shared.storage.schedules import ScheduleNames


class _Settings(Protocol):
    @property
    def schedule_group(self) -> str: ...

    @property
    def schedule_target_arn(self) -> str: ...

    @property
    def schedule_role_arn(self) -> str: ...


def schedule_names(settings: _Settings) -> ScheduleNames:
    """From the environment's variables of the same names."""
    return ScheduleNames(
        group=settings.schedule_group,
        target_arn=settings.schedule_target_arn,
        role_arn=settings.schedule_role_arn,
    )
