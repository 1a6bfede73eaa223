"""Fetches a few cards of a plan, so that an officer knows before confirming that they cannot be had."""

import asyncio
from collections.abc import Sequence

from shared.domain.refusal import Notice
from shared.domain.sending import CardSource
from shared.usecases.failed_cards import can_be_fetched

WITHIN_SECONDS = 3.0
"""For all of them together: a person waits for the plan. A card that takes longer counts as one that cannot be had."""


class CardProbe:
    """Warns, and never fails a plan. No answer and no warning shows where a card lies: a URL holds the card's code."""

    def __init__(self, cards: CardSource) -> None:
        self._cards = cards

    async def warnings(self, references: Sequence[str], organisation: str) -> tuple[Notice, ...]:
        """`cards_unreachable`, where some of these few cards cannot be fetched or are no pictures. All are fetched at
        once, each at most 5 MB."""
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
        return (Notice(code="cards_unreachable", count=missing, facts={"tried": str(len(references))}),)
