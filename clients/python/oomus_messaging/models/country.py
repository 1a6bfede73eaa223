from enum import StrEnum


class Country(StrEnum):
    BF = "BF"
    CI = "CI"
    CM = "CM"
    EG = "EG"
    GN = "GN"
    MG = "MG"
    ML = "ML"
    SN = "SN"
    TN = "TN"

    def __str__(self) -> str:
        return str(self.value)
