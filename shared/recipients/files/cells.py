"""A spreadsheet's cell as the text that a person sees there."""

from datetime import date, datetime, time, timedelta

LONGEST_ROW = 1024 * 1024
"""In characters, of any table. In a CSV, quoted cells may spread a row over many lines."""

_EXACT = 10**15
"""From here on a spreadsheet itself keeps no whole numbers."""


def text_of(value: str | float | bool | date | time | timedelta) -> str:
    """Whole numbers stand without a fraction. Dates are written as in all nine countries, day first."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(int(value)) if float(value).is_integer() and abs(value) < _EXACT else repr(value)
        case _:
            return _moment(value)


def _moment(value: date | time | timedelta) -> str:
    match value:
        case datetime():
            return f"{value:%d/%m/%Y}" if value.time() == time() else f"{value:%d/%m/%Y %H:%M}"
        case date():
            return f"{value:%d/%m/%Y}"
        case time():
            return f"{value:%H:%M}"
        case _:
            return str(value)
