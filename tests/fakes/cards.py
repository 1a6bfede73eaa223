"""Cards and the failures of their hosts, in memory."""

from collections import Counter
from datetime import datetime

from shared.cards.failures import CardPair
from shared.cards.references import sample_picture
from shared.messages.errors import SendError
from tests.fakes.world import Points


class FakeCardFailures:
    """Implements `CardFailures` in memory."""

    def __init__(self, points: Points) -> None:
        self.in_a_row: Counter[CardPair] = Counter()
        self._points = points

    async def failed(self, pair: CardPair, now: datetime) -> int:
        await self._points("cards.failed")
        self.in_a_row[pair] += 1
        return self.in_a_row[pair]

    async def served(self, pair: CardPair) -> None:
        await self._points("cards.served")
        self.in_a_row.pop(pair, None)


class FakeCards:
    """A `CardSource` with a picture for every reference, or an error for those in `broken` ("*" means all)."""

    def __init__(self, points: Points) -> None:
        self.broken: dict[str, SendError] = {}
        self.fetched: list[str] = []
        self._points = points

    async def fetch(self, reference: str, organisation: str) -> bytes:
        await self._points("cards.fetch")
        self.fetched.append(reference)
        error = self.broken.get("*") or self.broken.get(reference)
        if error is not None:
            raise error
        return sample_picture()
