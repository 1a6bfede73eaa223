"""The moving 24-hour count of different people written to outside sessions (`shared.domain.reach` has the rule)."""

from datetime import datetime
from typing import Protocol

from shared.domain.integration import WhatsAppIntegration


class Reach(Protocol):
    """Counts people per business portfolio. What dies half-way counts a person too many, never one too few."""

    async def take(
        self, organisation: str, portfolio: str, person: str, *, limit: int | None, now: datetime
    ) -> datetime | None:
        """Count a person who is about to be written to; one who was counted in the last 24 hours counts once.

        None: counted. An instant: the limit is used up, the person was not counted, and there may be room from then
        on. `limit` None: only count, because nobody could tell the limit.
        """
        ...

    async def used(self, organisation: str, portfolio: str, now: datetime) -> int:
        """How many different people the last 24 hours have seen."""
        ...

    async def room_at(self, organisation: str, portfolio: str, limit: int, now: datetime) -> datetime:
        """The first instant, `now` or later, at which fewer than `limit` people are counted."""
        ...


def portfolio_of(integration: WhatsAppIntegration) -> str:
    """What Meta's limit holds for: the business account where it is set, else the number alone."""
    return integration.business_account_id or integration.phone_number_id
