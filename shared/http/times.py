"""RFC 3339 in and out. Inside, every instant is aware and in UTC."""

import re
from datetime import UTC, datetime

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)")


def rfc3339(instant: datetime) -> str:
    """ "2026-11-23T10:00:00Z", with milliseconds where they are not zero. `instant` must be aware."""
    if instant.tzinfo is None:
        raise ValueError("an instant without a zone")
    utc = instant.astimezone(UTC)
    precision = "milliseconds" if utc.microsecond >= 1000 else "seconds"
    return utc.replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def instant(text: str) -> datetime:
    """The instant in UTC. ValueError for anything that is not RFC 3339 with a zone."""
    if not _RFC3339.fullmatch(text):
        raise ValueError("not an RFC 3339 time with a zone")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("outside the calendar") from error


def is_instant(text: str) -> bool:
    """Whether `instant` takes it."""
    try:
        instant(text)
    except ValueError:
        return False
    return True
