from datetime import UTC, datetime, timedelta

import pytest

from shared.sending.unknown_outcome import ENDS_AFTER, FIRST_LOOK, Beat, Doubt, Fate, fate, first_look, next_look

CLAIMED = datetime(2026, 11, 23, 12, tzinfo=UTC)
SINCE = CLAIMED + timedelta(seconds=30)
MOMENT = timedelta(milliseconds=1)
HEARD = Beat(heard=CLAIMED + MOMENT)
DOUBT = Doubt(since=SINCE, claimed_at=CLAIMED, resent=False)
RESENT = Doubt(since=SINCE, claimed_at=CLAIMED, resent=True)
OLD = Doubt(since=SINCE, claimed_at=None, resent=False)


@pytest.mark.parametrize(
    ("doubt", "beat", "after", "expected"),
    [
        (DOUBT, HEARD, FIRST_LOOK - MOMENT, Fate.WAIT),
        (DOUBT, HEARD, FIRST_LOOK, Fate.RESEND),
        (DOUBT, HEARD, ENDS_AFTER - MOMENT, Fate.RESEND),
        (DOUBT, HEARD, ENDS_AFTER, Fate.END),
        # Nothing was heard, or only of messages that were claimed before it or with it.
        (DOUBT, Beat(), FIRST_LOOK, Fate.WAIT),
        (DOUBT, Beat(heard=CLAIMED), FIRST_LOOK, Fate.WAIT),
        (DOUBT, Beat(heard=CLAIMED - MOMENT), FIRST_LOOK, Fate.WAIT),
        (DOUBT, Beat(), ENDS_AFTER, Fate.END),
        # Meta holds messages of this number back: silence says nothing for a day.
        (DOUBT, Beat(heard=HEARD.heard, held=SINCE + FIRST_LOOK - timedelta(hours=24)), FIRST_LOOK, Fate.RESEND),
        (DOUBT, Beat(heard=HEARD.heard, held=SINCE + FIRST_LOOK - timedelta(hours=24) + MOMENT), FIRST_LOOK, Fate.WAIT),
        (DOUBT, Beat(heard=HEARD.heard, held=SINCE), FIRST_LOOK, Fate.WAIT),
        # Once in its life; and never where nobody knows when it was claimed.
        (RESENT, HEARD, FIRST_LOOK, Fate.WAIT),
        (RESENT, HEARD, ENDS_AFTER, Fate.END),
        (OLD, HEARD, FIRST_LOOK, Fate.WAIT),
        (OLD, HEARD, ENDS_AFTER, Fate.END),
    ],
)
def test_the_fate_of_a_message_in_doubt(doubt: Doubt, beat: Beat, after: timedelta, expected: Fate) -> None:
    assert fate(doubt, beat, SINCE + after) is expected


def test_the_looks() -> None:
    assert first_look(SINCE, resent=False) == SINCE + FIRST_LOOK
    assert first_look(SINCE, resent=True) == SINCE + ENDS_AFTER
    assert next_look(DOUBT, SINCE + FIRST_LOOK) == SINCE + 2 * FIRST_LOOK
    assert next_look(DOUBT, SINCE + ENDS_AFTER - MOMENT) == SINCE + ENDS_AFTER
    assert next_look(RESENT, SINCE + FIRST_LOOK) == SINCE + ENDS_AFTER
