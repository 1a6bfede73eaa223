"""Meta's daily limit (`shared.domain.daily_limit` has the rule): counts the people who are written to outside sessions,
and says how many remain."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from shared.domain.daily_limit import Remaining, portfolio_of
from shared.domain.integration import WhatsAppIntegration
from shared.domain.reputation import Reputation
from shared.usecases.fresh import Fresh
from shared.usecases.of_many import sessions_of
from shared.usecases.sessions import Sessions

LIMIT_FRESH = timedelta(seconds=30)
"""How old the known limit may be: Meta raises it within six hours, and says so by webhook."""
SESSION_FRESH = timedelta(seconds=1)
"""How old the knowledge of a session may be when the call is made."""
SOONEST_LOOK = timedelta(seconds=60)
LATEST_LOOK = timedelta(minutes=15)


class PeopleCount(Protocol):
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

    async def opens_at(self, organisation: str, portfolio: str, limit: int, now: datetime) -> datetime:
        """The first instant, `now` or later, at which fewer than `limit` people are counted."""
        ...


class DailyLimits:
    """Sessions and Meta's daily limit. For one worker: what many senders ask at once is read once.

    `reputation` reads what is stored of a number, by organisation and phone number ID.
    """

    def __init__(
        self, reputation: Callable[[str, str], Awaitable[Reputation]], people: PeopleCount, sessions: Sessions
    ) -> None:
        self._reputation = reputation
        self._people = people
        self._open = Fresh(partial(sessions_of, sessions), SESSION_FRESH)
        self._limits = Fresh(self._read_limits, LIMIT_FRESH)

    async def session_until(self, integration: WhatsAppIntegration, person: str, now: datetime) -> datetime | None:
        """Until when the person's session with the number is open, that instant excluded."""
        return await self._open.get((integration.organisation, integration.phone_number_id, person), now)

    async def take(self, integration: WhatsAppIntegration, person: str, now: datetime) -> datetime | None:
        """Count the person against the limit. An instant: nothing remains, look again then.

        Whoever is in a session does not count, and where the limit is known to be none nobody is counted. An unknown
        limit stops nobody, but people are counted: it may become known an hour from now.
        """
        reputation = await self._limits.get((integration.organisation, integration.phone_number_id), now)
        limit = reputation.limit if reputation else None
        if limit is not None and limit.people is None:
            return None
        until = await self.session_until(integration, person, now)
        if until is not None and now < until:
            return None
        people = limit.people if limit else None
        portfolio = portfolio_of(integration)
        return await self._people.take(integration.organisation, portfolio, person, limit=people, now=now)

    async def remaining(self, integration: WhatsAppIntegration, now: datetime, *, booked: int = 0) -> Remaining:
        """What is left once those who have been counted and those who are `booked` are taken off: what is on its way
        has not been counted yet.

        Whole chunks are booked, so the limit is overbooked by less than one; those who are too many wait at the gate,
        one by one. A limit may be raised at any time, which is why `opens_at` is never far ahead.
        """
        limit = (await self._reputation(integration.organisation, integration.phone_number_id)).limit
        if limit is None or limit.people is None:
            return Remaining(limit=limit)
        owner = (integration.organisation, portfolio_of(integration))
        remaining = Remaining(limit=limit, used=await self._people.used(*owner, now) + booked)
        if remaining.people:
            return remaining
        opens_at = await self._people.opens_at(*owner, limit.people, now)
        return replace(remaining, opens_at=min(max(opens_at, now + SOONEST_LOOK), now + LATEST_LOOK))

    async def _read_limits(self, numbers: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Reputation]:
        return {number: await self._reputation(*number) for number in numbers}
