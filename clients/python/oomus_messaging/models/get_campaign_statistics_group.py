from enum import StrEnum


class GetCampaignStatisticsGroup(StrEnum):
    DAY = "day"

    def __str__(self) -> str:
        return str(self.value)
