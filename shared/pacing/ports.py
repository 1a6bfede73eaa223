"""What pacing asks of the world: the rate limits. `storage` answers on AWS, `tests/fakes` in memory; one contract
suite holds both to the same behaviour. Every method may be called twice; instants are aware and in UTC."""

from datetime import datetime
from typing import Protocol

from shared.pacing.rate_limit import Booking, RateLimit, RateLimitState, Share


class RateLimits(Protocol):
    """The timetables."""

    async def state(self, rate_limit: RateLimit) -> RateLimitState:
        """What is booked, and whether the provider asked for quiet."""
        ...

    async def book(
        self, rate_limit: RateLimit, share: Share | None, *, rate: int, earliest: datetime, count: int
    ) -> Booking:
        """Book the next `count` departures; `share` None takes whichever leaves first.

        `rate` is what the organisation's settings say; it is lowered to that of the account (`RateLimitState.rate`).
        """
        ...

    async def hold(self, rate_limit: RateLimit, not_before: datetime) -> None:
        """Nothing departs before that instant; an earlier wish never shortens a longer one."""
        ...
