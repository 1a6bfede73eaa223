"""Instants as whole numbers (for items, queues and rate limits) and as RFC 3339 text. Every instant inside the code has
a time zone, UTC.

Code in `shared` never reads the machine's clock; the caller passes a `Clock` or an instant.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)


def microseconds(instant: datetime) -> int:
    """Microseconds since 1970, rounded down."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def from_microseconds(value: int) -> datetime:
    """The instant, in UTC."""
    return _EPOCH + timedelta(microseconds=value)


def milliseconds(instant: datetime) -> int:
    """Milliseconds since 1970, rounded down."""
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def from_milliseconds(value: int) -> datetime:
    """The instant, in UTC."""
    return _EPOCH + timedelta(milliseconds=value)


def format_instant(instant: datetime) -> str:
    """ "2026-11-23T10:00:00.000Z", always with milliseconds, so that the lines of a log have the same width."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def hour_of(instant: datetime) -> int:
    """The clock hour, counted since 1970."""
    return (instant - _EPOCH) // timedelta(hours=1)


def rfc3339(instant: datetime) -> str:
    """ "2026-11-23T10:00:00Z", with milliseconds if they are not zero. ValueError if `instant` has no time zone."""
    if instant.tzinfo is None:
        raise ValueError("the instant has no time zone")
    utc = instant.astimezone(UTC)
    precision = "milliseconds" if utc.microsecond >= 1000 else "seconds"
    return utc.replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def from_rfc3339(text: str) -> datetime:
    """The instant, in UTC. ValueError if `text` is not an RFC 3339 time with a time zone."""
    if not _RFC3339.fullmatch(text):
        raise ValueError("not an RFC 3339 time with a time zone, for example 2026-11-23T10:00:00Z")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the time is outside the calendar") from error


def rfc3339_or_none(text: str) -> datetime | None:
    """As `from_rfc3339`, but None instead of ValueError."""
    try:
        return from_rfc3339(text)
    except ValueError:
        return None


class Clock(Protocol):
    """The clock of a use case. Tests pass one that they move."""

    def now(self) -> datetime:
        """The current instant, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that long. Returns at once if `seconds` is not positive."""
        ...
