"""Whether Meta is telling us what becomes of a number's messages (`shared.domain.doubt`, `shared.domain.fallback`)."""

from datetime import datetime, timedelta
from typing import Protocol

from shared.domain.doubt import Beat
from shared.domain.fallback import Silence
from shared.domain.message import Message
from shared.domain.payload import Channel

STEP = timedelta(seconds=10)
"""A worker writes `last_heard_at` only where it moves by so much: a busy number is not written for every batch. Less
than what a fallback allows (`shared.domain.fallback.SLACK`)."""


class Pulse(Protocol):
    """What an organisation has last heard of its number. Instants only move forward.

    Each organisation has its own, also where two share a number: Meta calls only one webhook, and the other
    organisation hears nothing of its messages.
    """

    async def heard(
        self, organisation: str, phone_number_id: str, *, claimed_at: datetime | None = None, at: datetime | None = None
    ) -> Beat:
        """Statuses came: `claimed_at` is when the latest of their messages was claimed, `at` Meta's latest instant.

        Answers at least what is known by that. May leave out an `at` within `STEP` of the last.
        """
        ...

    async def held(self, organisation: str, phone_number_id: str, at: datetime) -> None:
        """Meta took a message of this number but holds it for assessment."""
        ...

    async def note_silence(self, organisation: str, distribution_id: str, silence: Silence) -> None:
        """Fallbacks of a distribution wait because Meta reports nothing. One that ends sooner than a known one does not
        replace it."""
        ...

    async def silence(self, organisation: str, distribution_id: str) -> Silence | None:
        """The last one that was noted, over or not; None where there was none."""
        ...

    async def read(self, organisation: str, phone_number_id: str) -> Beat:
        """As it surely stands; an empty one where nothing was heard yet."""
        ...


class LastHeard:
    """Reads each number once for a batch: what was heard since only adds to it."""

    def __init__(self, pulse: Pulse) -> None:
        self._pulse = pulse
        self._read: dict[tuple[str, str], Beat] = {}

    def forget(self) -> None:
        """A new batch begins."""
        self._read.clear()

    async def of(self, message: Message) -> Beat:
        """Of the number that a WhatsApp message left by; an empty one where it left by none."""
        if message.lane is None or message.channel is not Channel.WHATSAPP:
            return Beat()
        number = (message.organisation, message.lane)
        if number not in self._read:
            self._read[number] = await self._pulse.read(*number)
        return self._read[number]
