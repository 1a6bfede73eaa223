"""A rate limit on paper: the real one's shares, rate and quiet hours, in seconds of the day instead of microseconds."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache

from bench.scale.world import MIDNIGHT, Campaign
from shared.pacing.rate_limit import CYCLE, SLOTS, SPAN
from shared.policy.hours import QUIET_HOURS, closes_at, next_open
from shared.recipients.countries import COVERED

DAYS = 8
"""The opening hours are known for this many days. The model's day ends earlier."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """Messages of one rate limit whose send slots lie within one second. The first is at `at`, the others follow at the
    pace.
    """

    rate_limit: "RateLimit"
    at: float
    count: int

    def last_of(self, count: int) -> float:
        """The send slot of the last of the first `count` messages."""
        return self.at + (count - 1) / self.rate_limit.pace

    def after(self, count: int) -> "Parcel":
        """The parcel without its first `count` messages."""
        return Parcel(self.rate_limit, self.at + count / self.rate_limit.pace, self.count - count)


@dataclass(slots=True)
class RateLimit:
    """The state of one rate limit.

    `unreleased` rows wait in their chunks. `queued` queue messages have a send slot. `sent` messages are with the
    provider.
    """

    campaign: Campaign
    unreleased: int = field(init=False)
    queued: int = 0
    sent: int = 0
    next_free: float = 0.0
    pace: float = field(init=False)
    """The send slots a second that bulk may have."""

    def __post_init__(self) -> None:
        self.unreleased = self.campaign.rows
        self.pace = self.campaign.rate * (CYCLE - 1) / CYCLE * SLOTS * 1_000_000 / SPAN

    def opens(self, at: float) -> float:
        """The first second from `at` on at which its country may get messages."""
        if self.campaign.channel != "sms":
            return at
        return next((max(at, start) for start, end in open_hours(self.campaign.country) if at < end), math.inf)

    def book(self, count: int, earliest: float) -> Iterator[Parcel]:
        """Book send slots for `count` messages, all in one open period. Yields parcels of one second each."""
        first = self._start(count, max(self.next_free, earliest))
        self.next_free = first + count / self.pace
        self.queued += count
        while count:
            here = min(count, math.ceil((math.floor(first) + 1 - first) * self.pace))
            yield Parcel(self, first, here)
            first, count = first + here / self.pace, count - here

    def _start(self, count: int, at: float) -> float:
        if self.campaign.channel != "sms":
            return at
        for start, end in open_hours(self.campaign.country):
            first = max(at, start)
            if first + count / self.pace <= end:
                return first
        raise OverflowError(f"more than {DAYS} days of SMS")


@cache
def open_hours(country: str) -> tuple[tuple[float, float], ...]:
    """The periods outside quiet hours, by the product's own rule, in seconds since the model's midnight."""
    zone, at, found = COVERED[country].zone, MIDNIGHT, []
    while at < MIDNIGHT + timedelta(days=DAYS):
        opens = next_open(at, zone, QUIET_HOURS)
        closes = closes_at(opens, zone, QUIET_HOURS)
        assert closes is not None  # noqa: S101 - every day has an evening
        found.append(((opens - MIDNIGHT).total_seconds(), (closes - MIDNIGHT).total_seconds()))
        at = closes
    return tuple(found)
