from enum import StrEnum


class Via(StrEnum):
    DISTRIBUTION = "distribution"
    FALLBACK = "fallback"
    REPLY = "reply"
    RESEND = "resend"
    SINGLE = "single"
    TEST = "test"

    def __str__(self) -> str:
        return str(self.value)
