from enum import StrEnum


class ScheduleMode(StrEnum):
    AT = "at"
    AUTO = "auto"
    NOW = "now"
    OFF_PEAK = "off_peak"

    def __str__(self) -> str:
        return str(self.value)
