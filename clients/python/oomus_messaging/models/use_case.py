from enum import StrEnum


class UseCase(StrEnum):
    INSURANCE = "insurance"
    NUTRITION = "nutrition"
    VACCINATION = "vaccination"

    def __str__(self) -> str:
        return str(self.value)
