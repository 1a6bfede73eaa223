from enum import StrEnum


class MessageMode(StrEnum):
    SESSION = "session"
    SMS = "sms"
    TEMPLATE = "template"

    def __str__(self) -> str:
        return str(self.value)
