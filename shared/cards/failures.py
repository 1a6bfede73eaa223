"""Cards that cannot be fetched: decides whether the card or its host is at fault, and what happens to the message.

All senders share one count of a host's failures.
"""

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

# What a failed fetch means for its message (design.md, Stop errors, Card hosts). One bad card concerns its row only. If
# a host serves no card at all, the whole list is concerned: then no row may fail, and no paid fallback may start. A
# first failure cannot tell the two cases apart. The functions of this part are pure.


HOLD_AFTER = 10
"""After this many failures in a row, the host's rows of the distribution are held (api.md, Holds)."""

FIRST_PAUSE = timedelta(minutes=1)

NEXT_PAUSE = timedelta(minutes=2)
"""The pause before each later try of a distribution's row. It need not grow, because each try also shows whether the
host is working again. A list of one row reaches `HOLD_AFTER` in 17 minutes.
"""

AT_ONCE = timedelta(seconds=1)

LONGEST_PAUSE = timedelta(hours=1)

GIVES_UP_AFTER = timedelta(minutes=15)
"""For a message outside a distribution: how long it is tried if the host says that the card does not exist."""

PASSING_GIVES_UP_AFTER = timedelta(days=1)
"""The same if the host does not answer or reports a problem of its own. After a day the card is out of date."""


class CardAction(StrEnum):
    """What the sender does with the message."""

    GIVE_BACK = "give_back"
    """The message stays pending and is tried again at `due_at`."""
    HOLD = "hold"
    """As `GIVE_BACK`, and the distribution's rows of that host are held."""
    FAIL = "fail"
    """Only this card is at fault: the message fails with the reason `card_unreachable`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardDecision:
    """`due_at`: when the agenda enqueues the message again; None with `fail`."""

    action: CardAction
    due_at: datetime | None = None


FAIL = CardDecision(action=CardAction.FAIL)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPair:
    """A distribution and a card host. Failures are counted per pair."""

    organisation: str
    distribution_id: str
    host: str


def pair_of(queue_message: QueueMessage) -> CardPair | None:
    """The pair of a message; None if it has no card or belongs to no distribution."""
    host = card_host(queue_message.payload.card_image)
    if queue_message.chunk is None or host is None:
        return None
    return CardPair(
        organisation=queue_message.organisation, distribution_id=queue_message.chunk.distribution_id, host=host
    )


def in_a_list(failed_in_a_row: int, *, again: bool, now: datetime) -> CardDecision:
    """The decision for a row of a distribution if its host has not just served another card.

    `failed_in_a_row` includes this failure. `again`: it is not the row's first failure.
    """
    action = CardAction.HOLD if failed_in_a_row >= HOLD_AFTER else CardAction.GIVE_BACK
    return CardDecision(action=action, due_at=now + (NEXT_PAUSE if again else FIRST_PAUSE))


def not_this_one(first_failed_at: datetime, *, passing: bool, is_back: bool, now: datetime) -> CardDecision:
    """The decision for a row of a distribution that has failed before, if its host has just served another card.

    - `is_back`: the host then served this card too, so it works again.
    - `passing`: the host did not say that the card does not exist. An overloaded host may fail some requests only, so
      the row is tried for `GIVES_UP_AFTER`.
    """
    if is_back:
        return CardDecision(action=CardAction.GIVE_BACK, due_at=now + AT_ONCE)
    if passing and now - first_failed_at < GIVES_UP_AFTER:
        return CardDecision(action=CardAction.GIVE_BACK, due_at=now + NEXT_PAUSE)
    return FAIL


def alone(first_failed_at: datetime, *, passing: bool, now: datetime) -> CardDecision:
    """The decision for a message outside a distribution: pauses that double, up to a limit.

    `first_failed_at` is `now` at the first failure. `passing`: the host did not say that the card does not exist.
    """
    since = now - first_failed_at
    if since >= (PASSING_GIVES_UP_AFTER if passing else GIVES_UP_AFTER):
        return FAIL
    return CardDecision(action=CardAction.GIVE_BACK, due_at=now + min(max(since, FIRST_PAUSE), LONGEST_PAUSE))


ASKS_FOR_SECONDS = 8.0
"""The time limit for fetching another card and then this card again. The message is claimed, so the worker must finish
before the function's time-out.
"""

_CHUNKS_READ = 3

_ANOTHER_EVERY = timedelta(minutes=1)


class CardFailures(Protocol):
    """How many times in a row cards of a distribution could not be fetched from a host. All senders share the count."""

    async def failed(self, pair: CardPair, now: datetime) -> int:
        """Count one failure; returns the failures in a row. A repeated write after a lost answer may count one twice.
        That does no harm: a hold that begins too early ends with the first card that is served.
        """
        ...

    async def served(self, pair: CardPair) -> None:
        """The host has served a card of the distribution: set the count to 0."""
        ...


class FailedCards:
    """One worker's view of the failing hosts.

    A served card costs a request only if failures of its pair are known: this worker has counted one, the message's own
    card has failed before, or the message tests a hold.
    """

    def __init__(self, failures: CardFailures, cards: CardSource | None) -> None:
        """`cards` fetches another card of the list; None on a channel without cards."""
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
        """What to do with a claimed message whose card could not be fetched.

        A row of a distribution fails only if all three are true: it has failed before, the host now serves another card
        of the list, and after that still not this card. The last request is needed because the host may have recovered
        in between.
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
        """Whether the card can be fetched now. None: the host serves no other card either, or there is no other card to
        try.

        The other card is one that this worker has fetched, or the one that the agenda has put into the queue message.
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
            del self._failing[pair]  # before the write, so that one message of a batch writes
            await self._failures.served(pair)


async def can_be_fetched(cards: CardSource | None, reference: str, organisation: str) -> bool:
    """Whether the card exists and is a picture that WhatsApp accepts."""
    if cards is None:
        return False
    try:
        kind(await cards.fetch(reference, organisation))
    except SendError:
        return False
    return True


async def another_card(plans: Plans, message: Message, distribution: Distribution | None, now: datetime) -> str | None:
    """Another card of the same list and host, for a row whose card could not be fetched; a different one each minute.

    None for every other message, and if the list has no other card of that host.
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
    """The row's own chunk, and the first chunk of some other runs with cards of the same host."""
    runs = distribution.planned.runs
    host = runs[own.run].card_host
    firsts = [
        Chunk(distribution_id=own.distribution_id, run=index, number=0)
        for index, run in enumerate(runs)
        if run.card_host == host
    ]
    return [own, *(one for one in firsts if one != own)][:_CHUNKS_READ]
