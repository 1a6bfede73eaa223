from datetime import UTC, datetime, timedelta

import pytest

from shared.sending.unknown_outcome import (
    ENDS_AFTER,
    FIRST_LOOK,
    LastHeard,
    Resolution,
    UnknownOutcome,
    first_look,
    next_look,
    resolve_unknown,
)

CLAIMED = datetime(2026, 11, 23, 12, tzinfo=UTC)
SINCE = CLAIMED + timedelta(seconds=30)
MOMENT = timedelta(milliseconds=1)
RECEIVED = LastHeard(last_claimed_at=CLAIMED + MOMENT)
UNKNOWN_OUTCOME = UnknownOutcome(since=SINCE, claimed_at=CLAIMED, resent=False)
RESENT = UnknownOutcome(since=SINCE, claimed_at=CLAIMED, resent=True)
OLD = UnknownOutcome(since=SINCE, claimed_at=None, resent=False)


@pytest.mark.parametrize(
    ("unknown_outcome", "last_heard", "after", "expected"),
    [
        (UNKNOWN_OUTCOME, RECEIVED, FIRST_LOOK - MOMENT, Resolution.WAIT),
        (UNKNOWN_OUTCOME, RECEIVED, FIRST_LOOK, Resolution.RESEND),
        (UNKNOWN_OUTCOME, RECEIVED, ENDS_AFTER - MOMENT, Resolution.RESEND),
        (UNKNOWN_OUTCOME, RECEIVED, ENDS_AFTER, Resolution.END),
        # No report came, or only about messages that were claimed before it or at the same time.
        (UNKNOWN_OUTCOME, LastHeard(), FIRST_LOOK, Resolution.WAIT),
        (UNKNOWN_OUTCOME, LastHeard(last_claimed_at=CLAIMED), FIRST_LOOK, Resolution.WAIT),
        (UNKNOWN_OUTCOME, LastHeard(last_claimed_at=CLAIMED - MOMENT), FIRST_LOOK, Resolution.WAIT),
        (UNKNOWN_OUTCOME, LastHeard(), ENDS_AFTER, Resolution.END),
        # Meta holds messages of this number back, so silence proves nothing for a day.
        (
            UNKNOWN_OUTCOME,
            LastHeard(last_claimed_at=RECEIVED.last_claimed_at, held=SINCE + FIRST_LOOK - timedelta(hours=24)),
            FIRST_LOOK,
            Resolution.RESEND,
        ),
        (
            UNKNOWN_OUTCOME,
            LastHeard(last_claimed_at=RECEIVED.last_claimed_at, held=SINCE + FIRST_LOOK - timedelta(hours=24) + MOMENT),
            FIRST_LOOK,
            Resolution.WAIT,
        ),
        (UNKNOWN_OUTCOME, LastHeard(last_claimed_at=RECEIVED.last_claimed_at, held=SINCE), FIRST_LOOK, Resolution.WAIT),
        # Once at most; and never if the time of its claim is unknown.
        (RESENT, RECEIVED, FIRST_LOOK, Resolution.WAIT),
        (RESENT, RECEIVED, ENDS_AFTER, Resolution.END),
        (OLD, RECEIVED, FIRST_LOOK, Resolution.WAIT),
        (OLD, RECEIVED, ENDS_AFTER, Resolution.END),
    ],
)
def test_the_end_of_a_message_with_an_unknown_outcome(
    unknown_outcome: UnknownOutcome, last_heard: LastHeard, after: timedelta, expected: Resolution
) -> None:
    assert resolve_unknown(unknown_outcome, last_heard, SINCE + after) is expected


def test_the_times_of_the_next_checks() -> None:
    assert first_look(SINCE, resent=False) == SINCE + FIRST_LOOK
    assert first_look(SINCE, resent=True) == SINCE + ENDS_AFTER
    assert next_look(UNKNOWN_OUTCOME, SINCE + FIRST_LOOK) == SINCE + 2 * FIRST_LOOK
    assert next_look(UNKNOWN_OUTCOME, SINCE + ENDS_AFTER - MOMENT) == SINCE + ENDS_AFTER
    assert next_look(RESENT, SINCE + FIRST_LOOK) == SINCE + ENDS_AFTER
