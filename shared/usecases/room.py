"""Whether the portfolio's messaging limit leaves room: for one more person, and for how many more chunks."""

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """How many `people` more the limit leaves; None: it is none, or unknown. Where it leaves nobody, `opens_at` is when
    to look again."""

    people: int | None = None
    opens_at: datetime | None = None

    def chunks(self, sizes: Sequence[int]) -> int:
        """How many of the next chunks may go, by their sizes: each that begins below the limit."""
        if self.people is None:
            return len(sizes)
        begins = itertools.accumulate(sizes, initial=0)
        return sum(begin < self.people for begin, _ in zip(begins, sizes, strict=False))


class Headroom:
    """The limit as release sees it: what is on its way has not been counted yet."""

    def __init__(self, reputations: Reputations, reach: Reach) -> None:
        self._reputations = reputations
        self._reach = reach

    async def left(self, integration: WhatsAppIntegration, booked: int, now: datetime) -> Left:
        """What is left once those who have been counted and those who are `booked` are taken off.

        Whole chunks are booked, so the limit is overbooked by less than one; those who are too many wait at the gate,
        one by one. A limit may be raised at any time, which is why nobody sleeps until the oldest hour leaves.
        """
        reputation = await self._reputations.get(integration.organisation, integration.phone_number_id)
        limit = reputation.limit.people if reputation.limit else None
        if limit is None:
            return Left()
        owner = (integration.organisation, portfolio_of(integration))
        people = limit - await self._reach.used(*owner, now) - booked
        if people > 0:
            return Left(people=people)
        room_at = await self._reach.room_at(*owner, limit, now)
        return Left(people=0, opens_at=min(max(room_at, now + SOONEST_LOOK), now + LATEST_LOOK))
