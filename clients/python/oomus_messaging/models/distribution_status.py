from enum import StrEnum


class DistributionStatus(StrEnum):
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    PAUSED = "paused"
    PLANNED = "planned"
    PLANNING = "planning"
    REJECTED = "rejected"
    SCHEDULED = "scheduled"
    SENDING = "sending"

    def __str__(self) -> str:
        return str(self.value)
