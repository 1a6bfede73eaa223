"""Instants as whole numbers (items, queues, timetables) and as RFC 3339 text. Inside, every instant is aware and in
UTC.

Time is passed in: nothing in `shared` asks the machine what time it is.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)


def microseconds(instant: datetime) -> int:
    """Since 1970."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def from_microseconds(value: int) -> datetime:
    """The instant, aware, in UTC."""
    return _EPOCH + timedelta(microseconds=value)


def milliseconds(instant: datetime) -> int:
    """Since 1970, rounded down."""
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def from_milliseconds(value: int) -> datetime:
    """The instant, aware, in UTC."""
    return _EPOCH + timedelta(milliseconds=value)


def format_instant(instant: datetime) -> str:
    """ "2026-11-23T10:00:00.000Z": with milliseconds always, so that lines of a log stand below each other."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def hour_of(instant: datetime) -> int:
    """The clock hour, in hours since 1970."""
    return (instant - _EPOCH) // timedelta(hours=1)


def rfc3339(instant: datetime) -> str:
    """ "2026-11-23T10:00:00Z", with milliseconds where they are not zero. `instant` must be aware."""
    if instant.tzinfo is None:
        raise ValueError("an instant without a zone")
    utc = instant.astimezone(UTC)
    precision = "milliseconds" if utc.microsecond >= 1000 else "seconds"
    return utc.replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def from_rfc3339(text: str) -> datetime:
    """The instant, aware, in UTC. ValueError for anything that is not RFC 3339 with a zone."""
    if not _RFC3339.fullmatch(text):
        raise ValueError("not an RFC 3339 time with a time zone, for example 2026-11-23T10:00:00Z")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("outside the calendar") from error


def rfc3339_or_none(text: str) -> datetime | None:
    """The same; None for anything that is not RFC 3339 with a zone."""
    try:
        return from_rfc3339(text)
    except ValueError:
        return None


class Clock(Protocol):
    """What a use case knows of time."""

    def now(self) -> datetime:
        """The instant, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Give way for that long; at once where `seconds` is not positive."""
        ...
