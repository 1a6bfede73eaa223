"""Instants as Meta writes them."""

from datetime import UTC, datetime

from shared.base.json import JsonValue
from shared.providers.answers import integer

_SECONDS = range(1_000_000_000, 10_000_000_000)

_MILLISECONDS = range(_SECONDS.start * 1000, _SECONDS.stop * 1000)


def instant(value: JsonValue) -> datetime | None:
    """Unix seconds, as a string or a number; some have come in milliseconds. None for everything else."""
    number = integer(value)
    if number is None:
        return None
    if number in _MILLISECONDS:
        number //= 1000
    return datetime.fromtimestamp(number, UTC) if number in _SECONDS else None
