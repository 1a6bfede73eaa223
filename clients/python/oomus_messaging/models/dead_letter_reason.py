from enum import StrEnum


class DeadLetterReason(StrEnum):
    COPY_UNREADABLE = "copy_unreadable"
    HANDLING_FAILED = "handling_failed"

    def __str__(self) -> str:
        return str(self.value)
