"""The messaging limit: how many different people a business portfolio may write to outside sessions in a moving 24
hours (reference/whatsapp.md, section 3: 250, 2,000, 10,000, 100,000, unlimited).

People are counted in the clock hour of the latest message to them. An hour counts until 24 hours after its end, so that
the count is never below the true one, and at most an hour's people above it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

WINDOW_HOURS = 24
HOUR = timedelta(hours=1)


def hour_of(instant: datetime) -> int:
    """The clock hour of an instant, in hours since 1970."""
    return int(instant.timestamp() // 3600)


def counts_from(now: datetime) -> int:
    """The oldest clock hour that still counts: it ended less than 24 hours ago."""
    return hour_of(now) - WINDOW_HOURS


def used(buckets: Mapping[int, int], now: datetime) -> int:
    """People reached in the hours that still count. `buckets`: clock hour → people."""
    return sum(people for hour, people in buckets.items() if hour >= counts_from(now) and people > 0)


def room_at(buckets: Mapping[int, int], limit: int, now: datetime) -> datetime:
    """The first instant, `now` or later, at which fewer than `limit` are counted: the end of the hour whose leaving
    makes room. A limit of nothing has no such instant: the answer is when the last hour leaves."""
    counted = used(buckets, now)
    if counted < limit:
        return now
    at = now
    for hour in sorted(hour for hour, people in buckets.items() if hour >= counts_from(now) and people > 0):
        counted -= buckets[hour]
        at = _leaves(hour)
        if counted < limit:
            return at
    return max(at, now + HOUR)


def _leaves(hour: int) -> datetime:
    """The instant from which an hour no longer counts."""
    return datetime.fromtimestamp((hour + 1 + WINDOW_HOURS) * 3600, UTC)
