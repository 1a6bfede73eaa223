from datetime import UTC, datetime, timedelta

import pytest

from shared.policy.gate import session_until

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(hours=24)
MICROSECOND = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("received", "until"),
    [
        (NOON, NOON + DAY),
        (NOON + timedelta(seconds=5), NOON + DAY),
        (NOON + DAY - MICROSECOND, NOON + DAY),
        (NOON + DAY, None),
        (NOON + timedelta(days=7), None),
        (NOON - timedelta(minutes=5), NOON - timedelta(minutes=5) + DAY),
    ],
    ids=["at once", "later", "the last moment", "over", "delivered again a week later", "stamped in the future"],
)
def test_a_session_lasts_24_hours_from_the_message(received: datetime, until: datetime | None) -> None:
    assert session_until(NOON, received) == until
