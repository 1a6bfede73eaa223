from enum import StrEnum


class ConsentStatus(StrEnum):
    GRANTED = "granted"
    REVOKED = "revoked"
    UNKNOWN = "unknown"

    def __str__(self) -> str:
        return str(self.value)
