"""Meta's daily limit: how many different people a business portfolio may write to outside sessions in a moving 24
hours (reference/whatsapp.md, section 3: 250, 2,000, 10,000, 100,000, unlimited).

People are counted in the clock hour of the latest message to them. An hour counts until 24 hours after its end, so that
the count is never below the true one, and at most an hour's people above it.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.domain.instants import hour_of
from shared.domain.integration import WhatsAppIntegration
from shared.domain.refusal import Notice

WINDOW_HOURS = 24
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyLimit:
    """What Meta grants the whole portfolio. `people` None: unlimited."""

    people: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remaining:
    """What the limit leaves once the `used` people are taken off. `limit` None: it is unknown.

    `opens_at`: when to look again where nothing remains, as far as the caller asked for that.
    """

    limit: DailyLimit | None = None
    used: int = 0
    opens_at: datetime | None = None

    @property
    def people(self) -> int | None:
        """How many more people may be written to. None where there is no limit, or it is unknown."""
        return None if self.limit is None or self.limit.people is None else max(0, self.limit.people - self.used)

    def chunks(self, sizes: Sequence[int]) -> int:
        """How many of the next chunks may go, by their sizes: each that begins below the limit."""
        if self.people is None:
            return len(sizes)
        begins = itertools.accumulate(sizes, initial=0)
        return sum(begin < self.people for begin, _ in zip(begins, sizes, strict=False))

    def warnings(self, people: int) -> tuple[Notice, ...]:
        """`daily_limit_exceeded` where so many people are more than remain; an unknown limit is
        `template_status_unknown` (api.md, Templates)."""
        if self.limit is None:
            return (Notice(code="template_status_unknown"),)
        if self.people is None or people <= self.people:
            return ()
        facts = {"limit": str(self.limit.people)}
        return (Notice(code="daily_limit_exceeded", count=people - self.people, facts=facts),)


def portfolio_of(integration: WhatsAppIntegration) -> str:
    """What the limit holds for: the business account where it is set, else the number alone."""
    return integration.business_account_id or integration.phone_number_id


def counts_from(now: datetime) -> int:
    """The oldest clock hour that still counts: it ended less than 24 hours ago."""
    return hour_of(now) - WINDOW_HOURS


def used(buckets: Mapping[int, int], now: datetime) -> int:
    """People reached in the hours that still count. `buckets`: clock hour → people."""
    return sum(people for hour, people in buckets.items() if hour >= counts_from(now) and people > 0)


def opens_at(buckets: Mapping[int, int], limit: int, now: datetime) -> datetime:
    """The first instant, `now` or later, at which fewer than `limit` are counted: the end of the last hour that must
    stop counting first. A limit of 0 has no such instant: the answer is when the last hour stops counting."""
    counted = used(buckets, now)
    if counted < limit:
        return now
    at = now
    for hour in sorted(hour for hour, people in buckets.items() if hour >= counts_from(now) and people > 0):
        counted -= buckets[hour]
        at = _leaves(hour)
        if counted < limit:
            return at
    return max(at, now + HOUR)


def _leaves(hour: int) -> datetime:
    """The instant from which an hour no longer counts."""
    return datetime.fromtimestamp((hour + 1 + WINDOW_HOURS) * 3600, UTC)
