"""Cards that cannot be fetched: tells a bad card from a bad host, and counts the host's failures for all senders."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from shared.base.caches import LruCache
from shared.campaigns.distribution import Distribution
from shared.campaigns.runs import card_host
from shared.campaigns.stored_content import Plans
from shared.cards.picture import kind
from shared.messages.errors import Kind, SendError
from shared.messages.message import Chunk, Message
from shared.messages.queue_message import QueueMessage
from shared.sending.channel import CardSource

# What it means for a message that its card could not be fetched (design.md, Stop errors, Card hosts).
#
# One bad card is its row's own trouble. A host that serves no card at all is trouble of the whole list: then nothing
# may fail, and no paid fallback may start. A first failure cannot tell the two apart. Everything here is pure.


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


def pair_of(queue_message: QueueMessage) -> CardPair | None:
    """The pair of a message; None where it has no card, or belongs to no distribution."""
    host = card_host(queue_message.payload.card_image)
    if queue_message.chunk is None or host is None:
        return None
    return CardPair(
        organisation=queue_message.organisation, distribution_id=queue_message.chunk.distribution_id, host=host
    )


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


ASKS_FOR_SECONDS = 8.0
"""For other cards and once more for its own: the message is claimed, and its worker must end before its time-out."""

_CHUNKS_READ = 3

_ANOTHER_EVERY = timedelta(minutes=1)


class CardFailures(Protocol):
    """How often in a row a distribution's cards could not be fetched from a host: one count for all senders."""

    async def failed(self, pair: CardPair, now: datetime) -> int:
        """Count one more; answers how many in a row that makes. Counted twice after a lost answer, which does no harm:
        a hold that comes a little early ends with the first card that is served."""
        ...

    async def served(self, pair: CardPair) -> None:
        """The host has served a card of the distribution: the row of failures ends."""
        ...


class FailedCards:
    """One worker's. A card that is served costs no request, unless failures of its pair are known: this worker has
    counted one, the message's own card could not be fetched before, or the message tries what is held."""

    def __init__(self, failures: CardFailures, cards: CardSource | None) -> None:
        """`cards` is asked for another card of the list; None in a channel without cards."""
        self._failures = failures
        self._cards = cards
        self._failing: LruCache[CardPair, None] = LruCache()
        self._served: LruCache[CardPair, str] = LruCache()

    async def served(self, queue_message: QueueMessage, message: Message) -> None:
        """The card of a claimed message was fetched."""
        pair = pair_of(queue_message)
        if pair is None or queue_message.payload.card_image is None:
            return
        self._served[pair] = queue_message.payload.card_image
        if message.card_failed_at is not None or queue_message.probe is not None:
            self._failing[pair] = None
        await self._end_row(pair)

    async def take(
        self, queue_message: QueueMessage, message: Message, error: SendError, now: datetime
    ) -> CardDecision:
        """What becomes of a claimed message whose card could not be fetched.

        In a list it fails only if this is not its first try, and the host serves another card of the list right now,
        and then still not this one: the host may have come back in between.
        """
        pair, passing = pair_of(queue_message), error.kind is Kind.RETRY
        if pair is None:
            return alone(message.card_failed_at or now, passing=passing, now=now)
        self._failing[pair] = None
        since = message.card_failed_at
        is_back = await self._is_back(pair, queue_message) if since is not None else None
        if since is None or is_back is None:
            return in_a_list(await self._failures.failed(pair, now), again=since is not None, now=now)
        await self._end_row(pair)
        return not_this_one(since, passing=passing, is_back=is_back, now=now)

    async def _is_back(self, pair: CardPair, queue_message: QueueMessage) -> bool | None:
        """Whether the card can be fetched after all, now that the host serves another one; None: it does not.

        The other one is a card that this worker has fetched before, or one that the agenda has named.
        """
        own = queue_message.payload.card_image or ""
        others = {one for one in (self._served.get(pair), queue_message.another_card) if one is not None and one != own}
        try:
            async with asyncio.timeout(ASKS_FOR_SECONDS):
                for other in sorted(others):
                    if await can_be_fetched(self._cards, other, pair.organisation):
                        return await can_be_fetched(self._cards, own, pair.organisation)
        except TimeoutError:
            return None
        return None

    async def _end_row(self, pair: CardPair) -> None:
        if pair in self._failing:
            del self._failing[pair]  # before the write: of a batch that is served at once, one writes
            await self._failures.served(pair)


async def can_be_fetched(cards: CardSource | None, reference: str, organisation: str) -> bool:
    """Whether the card is there, and a picture that WhatsApp takes."""
    if cards is None:
        return False
    try:
        kind(await cards.fetch(reference, organisation))
    except SendError:
        return False
    return True


async def another_card(plans: Plans, message: Message, distribution: Distribution | None, now: datetime) -> str | None:
    """Another card of the same list and host, for a row whose card could not be fetched before; each minute another.

    None for every other message, and where the list has no other card of that host.
    """
    chunk = message.chunk
    if message.card_failed_at is None or chunk is None or distribution is None or distribution.plan is None:
        return None
    own: str | None = None
    for wanted in _chunks_to_look_in(distribution, chunk):
        rows = await plans.read_chunk(message.organisation, distribution.planned.attempt, wanted) or ()
        cards = {row.message_id: row.payload.card_image for row in rows if row.payload is not None}
        own = own or cards.get(message.message_id)
        same_host = (one for one in dict.fromkeys(cards.values()) if card_host(one) == card_host(own))
        others = [one for one in same_host if one is not None and one != own]
        if others:
            return others[(now - message.card_failed_at) // _ANOTHER_EVERY % len(others)]
    return None


def _chunks_to_look_in(distribution: Distribution, own: Chunk) -> list[Chunk]:
    """Its own chunk, and the first of some other runs with cards of the same host."""
    runs = distribution.planned.runs
    host = runs[own.run].card_host
    firsts = [
        Chunk(distribution_id=own.distribution_id, run=index, number=0)
        for index, run in enumerate(runs)
        if run.card_host == host
    ]
    return [own, *(one for one in firsts if one != own)][:_CHUNKS_READ]
