"""Whether Meta is telling us what becomes of a number's messages (`shared.domain.doubt` has the rule)."""

from datetime import datetime, timedelta
from typing import Protocol

from shared.domain.doubt import Beat

STEP = timedelta(seconds=2)
"""A worker writes a number's pulse only for a message claimed so much later than the last one it wrote: the pulse may
lag by that much, and a busy number's item is not written for every status."""


class Pulse(Protocol):
    """What was last heard of a number. Instants only move forward."""

    async def heard(self, organisation: str, phone_number_id: str, claimed_at: datetime) -> None:
        """A status came for a message that was claimed then. May leave out what is within `STEP` of the last."""
        ...

    async def held(self, organisation: str, phone_number_id: str, at: datetime) -> None:
        """Meta took a message of this number but holds it for assessment."""
        ...

    async def read(self, organisation: str, phone_number_id: str) -> Beat:
        """As it surely stands; an empty one where nothing was heard yet."""
        ...
