"""What it means for a message that its card could not be fetched (design.md, Stop errors, Card hosts).

One bad card is its row's own trouble. A host that serves no card at all is trouble of the whole list: then nothing may
fail, and no paid fallback may start. A first failure cannot tell the two apart. Everything here is pure.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.campaigns.runs import card_host
from shared.messages.queue_message import Dispatch

HOLD_AFTER = 10
"""So many failures in a row hold the host's rows of the distribution (api.md, Holds)."""

FIRST_PAUSE = timedelta(minutes=1)

NEXT_PAUSE = timedelta(minutes=2)
"""Before each later try of a distribution's row: each one tells whether the host is in trouble, so the pauses need not
grow. A list of one row comes to `HOLD_AFTER` in 17 minutes."""

AT_ONCE = timedelta(seconds=1)

LONGEST_PAUSE = timedelta(hours=1)

GIVES_UP_AFTER = timedelta(minutes=15)
"""A message without a list to compare with, whose card host says that there is no such card."""

PASSING_GIVES_UP_AFTER = timedelta(days=1)
"""The same, where the host does not answer or says that it is in trouble: a card is for the day it was made for."""


class CardAction(StrEnum):
    """What the sender does with the message."""

    GIVE_BACK = "give_back"
    """It stays pending and is tried again at `due_at`."""
    HOLD = "hold"
    """The same, and its distribution's rows of that host are held."""
    FAIL = "fail"
    """The card is this message's own trouble: it ends as `card_unreachable`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardDecision:
    """`due_at`: when the agenda takes the message up again; None with `fail`."""

    action: CardAction
    due_at: datetime | None = None


FAIL = CardDecision(action=CardAction.FAIL)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPair:
    """A distribution and a card host: what failures are counted for."""

    organisation: str
    distribution_id: str
    host: str


def pair_of(dispatch: Dispatch) -> CardPair | None:
    """The pair of a message; None where it has no card, or belongs to no distribution."""
    host = card_host(dispatch.payload.card_image)
    if dispatch.chunk is None or host is None:
        return None
    return CardPair(organisation=dispatch.organisation, distribution_id=dispatch.chunk.distribution_id, host=host)


def in_a_list(failed_in_a_row: int, *, again: bool, now: datetime) -> CardDecision:
    """For a distribution's row, as long as its host has not just served another card. `again`: not its first failure;
    `failed_in_a_row` counts this one."""
    action = CardAction.HOLD if failed_in_a_row >= HOLD_AFTER else CardAction.GIVE_BACK
    return CardDecision(action=action, due_at=now + (NEXT_PAUSE if again else FIRST_PAUSE))


def not_this_one(first_failed_at: datetime, *, passing: bool, is_back: bool, now: datetime) -> CardDecision:
    """For a distribution's row that was tried twice, and whose host has just served another card. `is_back`: this one
    as well, when it was asked for once more. `passing`: the host does not say that there is no such card; it may have
    too much to do for some of its answers, so such a row has as much time as a message without a list."""
    if is_back:
        return CardDecision(action=CardAction.GIVE_BACK, due_at=now + AT_ONCE)
    if passing and now - first_failed_at < GIVES_UP_AFTER:
        return CardDecision(action=CardAction.GIVE_BACK, due_at=now + NEXT_PAUSE)
    return FAIL


def alone(first_failed_at: datetime, *, passing: bool, now: datetime) -> CardDecision:
    """For a message without a list: pauses that double, and an end. `first_failed_at` is `now` at the first failure;
    `passing`: the host does not say that there is no such card."""
    since = now - first_failed_at
    if since >= (PASSING_GIVES_UP_AFTER if passing else GIVES_UP_AFTER):
        return FAIL
    return CardDecision(action=CardAction.GIVE_BACK, due_at=now + min(max(since, FIRST_PAUSE), LONGEST_PAUSE))
