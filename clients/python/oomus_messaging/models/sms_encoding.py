from enum import StrEnum


class SmsEncoding(StrEnum):
    EXACT = "exact"
    GSM7 = "gsm7"

    def __str__(self) -> str:
        return str(self.value)
