from enum import StrEnum


class UploadFormat(StrEnum):
    CSV = "csv"
    DHIS2 = "dhis2"
    NDJSON = "ndjson"
    XLSX = "xlsx"

    def __str__(self) -> str:
        return str(self.value)
