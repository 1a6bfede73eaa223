"""The one-time schedules of distributions that wait: each says "tick this one now" when its distribution may leave.

They only hasten: the distribution's own `due_at` is what counts, and the tick of every minute looks at it. So one that
is missing, late or doubled does no harm, and none is worth failing a request for.
"""

from datetime import datetime
from typing import Protocol

from shared.domain.countries import COVERED
from shared.domain.distribution import Distribution, DistributionStatus
from shared.domain.gate import earliest_open
from shared.domain.hours import parse_windows
from shared.domain.payload import Channel

_ANYWHERE = "UTC"
"""WhatsApp keeps no hours, so its schedules need no zone of a country."""


class Schedules(Protocol):
    """One-time schedules, one a distribution; each removes itself once it has run."""

    async def set(self, organisation: str, distribution_id: str, *, at: datetime, zone: str) -> None:
        """Wake the distribution then, never before; written in that IANA zone's time. Replaces the one that stood.

        Never raises because AWS will not: that is told to the operator.
        """
        ...

    async def remove(self, distribution_id: str) -> None:
        """Take it back, if there is one. Never raises because AWS will not."""
        ...


async def follow(schedules: Schedules, distribution: Distribution) -> None:
    """After a change: a schedule where the distribution waits for its start, and none where nothing may leave."""
    if distribution.status is DistributionStatus.SCHEDULED and distribution.due_at is not None:
        await wake(schedules, distribution, distribution.due_at)
    elif distribution.status in (DistributionStatus.PAUSED, DistributionStatus.CANCELLED):
        await schedules.remove(distribution.distribution_id)


async def wake(schedules: Schedules, distribution: Distribution, at: datetime) -> None:
    """Have a distribution looked at as soon as a run of it may leave again."""
    await schedules.set(distribution.organisation, distribution.distribution_id, at=at, zone=_zone(distribution, at))


def _zone(distribution: Distribution, at: datetime) -> str:
    """Of a run that waits for that very instant."""
    if distribution.channel is not Channel.SMS:
        return _ANYWHERE
    plan = distribution.planned
    peak = parse_windows(plan.peak)
    waiting = [run for run in plan.runs if not run.is_released] or list(plan.runs)
    opening = (run for run in waiting if earliest_open(distribution.channel, run.country, at, peak) <= at)
    return COVERED[next(opening, waiting[0]).country].zone
