"""A lane on paper: shares, rate and quiet hours of the real one, in seconds of the day instead of microseconds."""

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
"""For so long the opening hours are known; nothing the model sends takes as long."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """Messages of one lane that depart within one second: the first at `at`, the others `step` seconds apart."""

    rate_limit: "RateLimit"
    at: float
    count: int

    def last_of(self, count: int) -> float:
        """When the last of the first `count` departs."""
        return self.at + (count - 1) / self.rate_limit.pace

    def after(self, count: int) -> "Parcel":
        """What is left without the first `count`."""
        return Parcel(self.rate_limit, self.at + count / self.rate_limit.pace, self.count - count)


@dataclass(slots=True)
class RateLimit:
    """`unreleased` rows wait in their chunks, `queued` copies have a departure, `sent` are with the provider."""

    campaign: Campaign
    unreleased: int = field(init=False)
    queued: int = 0
    sent: int = 0
    next_free: float = 0.0
    pace: float = field(init=False)
    """Departures a second that bulk may have."""

    def __post_init__(self) -> None:
        self.unreleased = self.campaign.rows
        self.pace = self.campaign.rate * (CYCLE - 1) / CYCLE * SLOTS * 1_000_000 / SPAN

    def opens(self, at: float) -> float:
        """The first second from `at` on at which its country may be sent to."""
        if self.campaign.channel != "sms":
            return at
        return next((max(at, start) for start, end in open_hours(self.campaign.country) if at < end), math.inf)

    def book(self, count: int, earliest: float) -> Iterator[Parcel]:
        """Departures for so many, all in one open stretch; as parcels of one second each."""
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
    """Stretches outside quiet hours, from the product's own rule, in seconds since the model's midnight."""
    zone, at, found = COVERED[country].zone, MIDNIGHT, []
    while at < MIDNIGHT + timedelta(days=DAYS):
        opens = next_open(at, zone, QUIET_HOURS)
        closes = closes_at(opens, zone, QUIET_HOURS)
        assert closes is not None  # noqa: S101 - every day has an evening
        found.append(((opens - MIDNIGHT).total_seconds(), (closes - MIDNIGHT).total_seconds()))
        at = closes
    return tuple(found)
