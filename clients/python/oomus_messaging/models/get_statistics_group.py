from enum import StrEnum


class GetStatisticsGroup(StrEnum):
    DAY = "day"

    def __str__(self) -> str:
        return str(self.value)
