from enum import StrEnum


class TemplateOrigin(StrEnum):
    OWN = "own"
    READY = "ready"

    def __str__(self) -> str:
        return str(self.value)
