from collections import deque
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.base.instants import hour_of
from shared.pacing.daily_limit import opens_at, used

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MICROSECOND = timedelta(microseconds=1)


def bucket(instant: datetime, people: int) -> dict[int, int]:
    return {hour_of(instant): people}


@pytest.mark.parametrize(
    ("later", "counted"),
    [
        (timedelta(0), 7),
        (24 * HOUR - MICROSECOND, 7),
        (24 * HOUR, 7),
        (25 * HOUR - MICROSECOND, 7),
        (25 * HOUR, 0),
        (48 * HOUR, 0),
    ],
)
@pytest.mark.parametrize("within", [timedelta(0), HOUR - MICROSECOND], ids=["first instant", "last instant"])
def test_an_hour_counts_until_a_day_after_its_end(later: timedelta, counted: int, within: timedelta) -> None:
    """A person whose message left in the hour's last instant counts for 24 hours from then."""
    assert used(bucket(NOON + within, 7), NOON + later) == counted


@pytest.mark.parametrize("limit", [1, 250, 2_000, 10_000, 100_000])
def test_only_the_last_allowed_person_reaches_the_limit(limit: int) -> None:
    assert opens_at(bucket(NOON, limit - 1), limit, NOON) == NOON
    assert opens_at(bucket(NOON, limit), limit, NOON) == NOON + 25 * HOUR
    assert opens_at(bucket(NOON, limit), limit, NOON + 25 * HOUR - MICROSECOND) == NOON + 25 * HOUR
    assert opens_at(bucket(NOON, limit), limit, NOON + 25 * HOUR) == NOON + 25 * HOUR
    assert used(bucket(NOON, limit), NOON + 25 * HOUR) == 0


def test_the_limit_opens_when_enough_hours_have_left() -> None:
    buckets = {hour_of(NOON + hour * HOUR): people for hour, people in enumerate((10, 0, 100, 150, 5))}
    now = NOON + 5 * HOUR
    assert used(buckets, now) == 265
    assert opens_at(buckets, 266, now) == now
    assert opens_at(buckets, 265, now) == NOON + 25 * HOUR
    assert opens_at(buckets, 256, now) == NOON + 25 * HOUR
    assert opens_at(buckets, 255, now) == NOON + 27 * HOUR
    assert opens_at(buckets, 6, now) == NOON + 28 * HOUR
    assert opens_at(buckets, 5, now) == NOON + 29 * HOUR


def test_a_limit_of_zero_is_checked_again_later() -> None:
    assert opens_at({}, 0, NOON) > NOON
    assert opens_at(bucket(NOON, 1), 0, NOON) == NOON + 25 * HOUR


def test_a_negative_remainder_does_not_count() -> None:
    """A decrement whose increment's hour has already left."""
    assert used({hour_of(NOON): -3, hour_of(NOON - HOUR): 2}, NOON) == 2


@given(st.lists(st.integers(0, 60 * 72), max_size=60), st.integers(0, 60 * 72))
def test_never_below_the_true_count_and_at_most_an_hour_above(minutes: list[int], at: int) -> None:
    """Each minute has a different person. The true window is 24 hours, to the minute."""
    now = NOON + timedelta(minutes=at)
    instants = deque(NOON + timedelta(minutes=minute) for minute in minutes if minute <= at)
    buckets: dict[int, int] = {}
    for instant in instants:
        buckets[hour_of(instant)] = buckets.get(hour_of(instant), 0) + 1
    exact = sum(1 for instant in instants if now - instant < 24 * HOUR)
    an_hour_more = sum(1 for instant in instants if now - instant < 25 * HOUR)
    assert exact <= used(buckets, now) <= an_hour_more
