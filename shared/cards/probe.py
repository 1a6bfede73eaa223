"""Fetches a few cards of a plan before it is confirmed, so that an officer learns in time if cards cannot be fetched.

`CardSample` chooses the cards: a few, spread over the list and over its hosts.
"""

import asyncio
from collections.abc import Sequence
from itertools import chain, zip_longest

from shared.base.refusal import ApiWarning
from shared.campaigns.runs import card_host
from shared.cards.failures import can_be_fetched
from shared.sending.channel import CardSource

WITHIN_SECONDS = 3.0
"""Seconds for all cards together, because an officer waits for the plan. A card that takes longer counts as
unreachable.
"""


class CardProbe:
    """Produces a warning and never fails a plan. The warning names no URL, because a URL contains the card's code."""

    def __init__(self, cards: CardSource) -> None:
        self._cards = cards

    async def warnings(self, references: Sequence[str], organisation: str) -> tuple[ApiWarning, ...]:
        """`cards_unreachable` if some of these cards cannot be fetched or are no pictures. All are fetched at once;
        each may have 5 MB.
        """
        if not references:
            return ()
        fetches = [
            asyncio.create_task(can_be_fetched(self._cards, reference, organisation)) for reference in references
        ]
        try:
            done, late = await asyncio.wait(fetches, timeout=WITHIN_SECONDS)
        finally:
            for fetch in fetches:
                fetch.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        missing = len(late) + sum(not fetch.result() for fetch in done)
        if not missing:
            return ()
        return (ApiWarning(code="cards_unreachable", count=missing, facts={"tried": str(len(references))}),)


MOST = 5
"""The most cards, and the most hosts."""


class CardSample:
    """Takes the cards one after another and keeps a few of each host, spread evenly over the list."""

    def __init__(self) -> None:
        self._hosts: dict[str, _Spread] = {}

    def add(self, reference: str) -> None:
        """Take the next row's card."""
        host = card_host(reference)
        if host is None or (host not in self._hosts and len(self._hosts) >= MOST):
            return
        self._hosts.setdefault(host, _Spread()).add(reference)

    def chosen(self) -> list[str]:
        """At most `MOST` different cards: first one of each host, then a second one of each, and so on."""
        kept = [dict.fromkeys(spread.kept) for spread in self._hosts.values()]
        in_turn = chain.from_iterable(zip_longest(*kept))
        return [reference for reference in in_turn if reference is not None][:MOST]


class _Spread:
    """Every n-th card of a list of unknown length. n doubles when there would be more than `MOST` cards."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self._seen = 0
        self._step = 1

    def add(self, reference: str) -> None:
        if self._seen % self._step == 0:
            self.kept.append(reference)
        self._seen += 1
        if len(self.kept) > MOST:
            self.kept = self.kept[::2]
            self._step *= 2
