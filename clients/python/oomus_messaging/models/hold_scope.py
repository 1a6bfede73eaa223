from enum import StrEnum


class HoldScope(StrEnum):
    ACCOUNT = "account"
    BRAKE = "brake"
    CARDS = "cards"
    COUNTRY = "country"
    TEMPLATE = "template"

    def __str__(self) -> str:
        return str(self.value)
