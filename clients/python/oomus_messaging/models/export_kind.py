from enum import StrEnum


class ExportKind(StrEnum):
    DUPLICATES = "duplicates"
    MESSAGES = "messages"
    REJECTED_ROWS = "rejected_rows"

    def __str__(self) -> str:
        return str(self.value)
