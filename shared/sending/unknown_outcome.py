"""What happens to a WhatsApp message if we do not know whether Meta took it (design.md, Identity).

Meta has no idempotency key, but it reports on every message that it took. So its silence is informative if we know that
it reports: a status has come for a message that was claimed later on the same number, and Meta holds no message of that
number. Then the message goes out once more. This is the one case that we know in which the product itself may send a
message twice.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

FIRST_LOOK = timedelta(minutes=15)
"""How long to wait for a status before silence means anything. Also the interval of the looks after that."""

ENDS_AFTER = timedelta(hours=24)
"""Until then a status may still give the outcome."""

HELD_FOR = timedelta(hours=24)
"""For this long after Meta held a message of this number, silence means nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastHeard:
    """What an organisation last heard about its number: whether Meta is reporting.

    - `last_claimed_at`: when the latest message with a status was claimed.
    - `held`: when Meta last took a message but held it for assessment.
    - `last_heard_at`: the latest instant, by Meta's clock, in any status of the number.
    """

    last_claimed_at: datetime | None = None
    held: datetime | None = None
    last_heard_at: datetime | None = None

    def is_past(self, claimed_at: datetime | None) -> bool:
        """Whether a status has come for a message that was claimed later, so that Meta is silent about this one only.

        False for messages that were claimed at the same instant: one of them proves nothing about the other.
        """
        return claimed_at is not None and self.last_claimed_at is not None and self.last_claimed_at > claimed_at


class Resolution(StrEnum):
    """What to do with the message now."""

    RESEND = "resend"
    WAIT = "wait"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownOutcome:
    """A message with an unknown outcome. `claimed_at` None: not known, so no message counts as claimed later."""

    since: datetime
    claimed_at: datetime | None
    resent: bool


def resolve_unknown(unknown_outcome: UnknownOutcome, last_heard: LastHeard, now: datetime) -> Resolution:
    """Wait, resend once, or end as `outcome_unknown`."""
    if now - unknown_outcome.since >= ENDS_AFTER:
        return Resolution.END
    if unknown_outcome.resent or unknown_outcome.claimed_at is None or now - unknown_outcome.since < FIRST_LOOK:
        return Resolution.WAIT
    held = last_heard.held is not None and now - last_heard.held < HELD_FOR
    return Resolution.RESEND if last_heard.is_past(unknown_outcome.claimed_at) and not held else Resolution.WAIT


def first_look(now: datetime, *, resent: bool) -> datetime:
    """When the agenda first looks at a message whose outcome is unknown since `now`."""
    return now + (ENDS_AFTER if resent else FIRST_LOOK)


def next_look(unknown_outcome: UnknownOutcome, now: datetime) -> datetime:
    """When the agenda looks at a waiting message again."""
    ends = unknown_outcome.since + ENDS_AFTER
    return ends if unknown_outcome.resent else min(now + FIRST_LOOK, ends)
