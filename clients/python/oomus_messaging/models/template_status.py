from enum import StrEnum


class TemplateStatus(StrEnum):
    APPROVED = "approved"
    DISABLED = "disabled"
    NOT_SUBMITTED = "not_submitted"
    PAUSED = "paused"
    PENDING = "pending"
    REJECTED = "rejected"

    def __str__(self) -> str:
        return str(self.value)
