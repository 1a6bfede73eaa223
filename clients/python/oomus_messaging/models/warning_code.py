from enum import StrEnum


class WarningCode(StrEnum):
    CARDS_OLDER_THAN_24H = "cards_older_than_24h"
    CARDS_UNREACHABLE = "cards_unreachable"
    CHARACTERS_REMOVED = "characters_removed"
    DAILY_LIMIT_EXCEEDED = "daily_limit_exceeded"
    FALLBACK_INVALID = "fallback_invalid"
    GSM7_NOT_POSSIBLE = "gsm7_not_possible"
    LANGUAGE_FALLBACK = "language_fallback"
    LINES_SKIPPED = "lines_skipped"
    PAGES_MISSING = "pages_missing"
    PEAK_HOURS = "peak_hours"
    RECEIPTS_MISSING = "receipts_missing"
    SENDER_NAME_NARROW = "sender_name_narrow"
    TEMPLATE_STATUS_UNKNOWN = "template_status_unknown"
    UCS2 = "ucs2"
    UNITS_INSUFFICIENT = "units_insufficient"
    UNITS_MISSING = "units_missing"
    UNKNOWN_COLUMNS = "unknown_columns"

    def __str__(self) -> str:
        return str(self.value)
