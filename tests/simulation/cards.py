"""The web server of the cards, with faults: it is away for a while, or lacks one person's card."""

import asyncio
from datetime import datetime, timedelta

from shared.cards.references import sample_picture
from shared.messages.errors import Kind, Scope, SendError
from tests.fakes.world import FakeClock
from tests.simulation.evidence import Fetch
from tests.simulation.faults import Dice
from tests.simulation.providers import CARD
from tests.simulation.scheduling import Interleaving

AWAY_FOR = timedelta(minutes=4)
ANSWERS = ((Kind.RECIPIENT, "card HTTP 404"), (Kind.RECIPIENT, "card_is_a_page"), (Kind.RETRY, "ConnectTimeout"))


class CardHost:
    """A `CardSource` for senders and for planning. It has the same picture for every card."""

    def __init__(self, dice: Dice, clock: FakeClock, points: Interleaving) -> None:
        self.fetches: list[Fetch] = []
        self._dice = dice
        self._clock = clock
        self._points = points
        self._away_until: datetime | None = None
        self._answer = ANSWERS[0]
        self._good: dict[str, bool] = {}

    async def fetch(self, reference: str, organisation: str) -> bytes:
        """The answer takes as long as a network call."""
        self._points.here()
        await asyncio.sleep(self._dice.between(0.001, 0.02))
        process = self._points.here()
        card = (CARD.findall(reference) or [""])[0]
        served = not self._is_away() and self._is_there(card)
        if process is not None and process.role == "sender":
            self.fetches.append(Fetch(at=self._clock.instant, card=card, served=served))
        if not served:
            kind, code = self._answer
            raise SendError(kind, code, "card_unreachable", scope=Scope.CARDS)
        return sample_picture()

    def _is_away(self) -> bool:
        now = self._clock.instant
        if self._dice.breaks("card_host_away"):
            self._away_until, self._answer = now + AWAY_FOR, self._dice.random.choice(ANSWERS)
        return self._away_until is not None and now < self._away_until and not self._dice.calm

    def _is_there(self, card: str) -> bool:
        if card not in self._good:
            self._good[card] = not self._dice.breaks("card_missing")
        return self._good[card] or self._dice.calm
