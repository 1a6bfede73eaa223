"""Whether the portfolio's messaging limit leaves room: for one more person, and for one more chunk."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from functools import partial

from shared.domain.integration import WhatsAppIntegration
from shared.domain.reputation import Reputation
from shared.usecases.fresh import Fresh
from shared.usecases.of_many import sessions_of
from shared.usecases.reach import Reach, portfolio_of
from shared.usecases.reputation import Reputations
from shared.usecases.sessions import Sessions

LIMIT_FRESH = timedelta(seconds=30)
"""How old the known limit may be: Meta raises it within six hours, and says so by webhook."""
SESSION_FRESH = timedelta(seconds=1)
"""How old the knowledge of a session may be when the call is made."""
SOONEST_LOOK = timedelta(seconds=60)
LATEST_LOOK = timedelta(minutes=15)


class Room:
    """Sessions and the limit, as a sender sees them. For one worker: what many ask at once is read once."""

    def __init__(self, sessions: Sessions, reputations: Reputations, reach: Reach) -> None:
        self._reputations = reputations
        self._reach = reach
        self._open = Fresh(partial(sessions_of, sessions), SESSION_FRESH)
        self._limits = Fresh(self._read_limits, LIMIT_FRESH)

    async def session_until(self, integration: WhatsAppIntegration, person: str, now: datetime) -> datetime | None:
        """Until when the person's session with the number is open, that instant excluded."""
        return await self._open.get((integration.organisation, integration.phone_number_id, person), now)

    async def full_until(self, integration: WhatsAppIntegration, person: str, now: datetime) -> datetime | None:
        """Count the person against the limit. An instant: there was no room, look again then.

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
        return await self._reach.take(integration.organisation, portfolio, person, limit=people, now=now)

    async def _read_limits(self, numbers: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Reputation]:
        return {number: await self._reputations.get(*number) for number in numbers}


class Headroom:
    """The limit as release sees it: what is on its way has not been counted yet."""

    def __init__(self, reputations: Reputations, reach: Reach) -> None:
        self._reputations = reputations
        self._reach = reach

    async def shut_until(self, integration: WhatsAppIntegration, booked: int, now: datetime) -> datetime | None:
        """None while fewer people than the limit have been counted or are `booked`; else when to look again.

        So the limit is overbooked by less than a chunk; those who are too many wait at the gate, one by one. A limit
        may be raised at any time, which is why nobody sleeps until the oldest hour leaves.
        """
        reputation = await self._reputations.get(integration.organisation, integration.phone_number_id)
        limit = reputation.limit.people if reputation.limit else None
        if limit is None:
            return None
        owner = (integration.organisation, portfolio_of(integration))
        if await self._reach.used(*owner, now) + booked < limit:
            return None
        room_at = await self._reach.room_at(*owner, limit, now)
        return min(max(room_at, now + SOONEST_LOOK), now + LATEST_LOOK)
