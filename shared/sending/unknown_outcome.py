"""What becomes of a WhatsApp message of which nobody knows whether Meta took it (design.md, Identity).

Meta has no idempotency key, but calls back about everything that it took. So silence tells, once it is known that Meta
is telling: a status has come for a message that was claimed later on the same number, and Meta holds nothing of that
number back. Then the message goes out once more. That is the one case in which a person may get two.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

FIRST_LOOK = timedelta(minutes=15)
"""How long a status is waited for before silence says anything; also the pace of the looks after that."""

ENDS_AFTER = timedelta(hours=24)
"""Until then a status may still say what became of it."""

HELD_FOR = timedelta(hours=24)
"""So long after Meta held a message of this number back, silence says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastHeard:
    """What an organisation has heard of its number: whether Meta is reporting.

    `last_claimed_at`: when the latest message was claimed of which a status has come. `held`: when Meta last took a
    message but held it for assessment. `last_heard_at`: the latest instant, by Meta's clock, that any status of the
    number told.
    """

    last_claimed_at: datetime | None = None
    held: datetime | None = None
    last_heard_at: datetime | None = None

    def is_past(self, claimed_at: datetime | None) -> bool:
        """Whether a status has come for a message that was claimed later: Meta is silent about this one alone.

        Never for messages that were claimed at the same instant: one of them does not speak for another.
        """
        return claimed_at is not None and self.last_claimed_at is not None and self.last_claimed_at > claimed_at


class Resolution(StrEnum):
    """What to do with the message now."""

    RESEND = "resend"
    WAIT = "wait"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownOutcome:
    """A message in doubt. `claimed_at` None: unknown, so nothing can have been claimed later."""

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
    """When the agenda looks at a message that is in doubt since `now`."""
    return now + (ENDS_AFTER if resent else FIRST_LOOK)


def next_look(unknown_outcome: UnknownOutcome, now: datetime) -> datetime:
    """When the agenda looks at a waiting one again."""
    ends = unknown_outcome.since + ENDS_AFTER
    return ends if unknown_outcome.resent else min(now + FIRST_LOOK, ends)
