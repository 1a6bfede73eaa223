"""When a distribution will be through: its runs, one after the other, on the lane's bulk share, in open hours only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.countries import COVERED
from shared.domain.gate import closed_hours, earliest_open
from shared.domain.hours import Window, closes_at
from shared.domain.payload import Channel
from shared.domain.timetable import CYCLE, SLOTS, SPAN


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The rows of one run. `country` is any of its zone."""

    country: str
    rows: int


def bulk_seconds(rows: int, rate: int) -> float:
    """How long the bulk share of a lane takes for so many messages."""
    return rows * CYCLE * SPAN / ((CYCLE - 1) * SLOTS * rate * 1_000_000)


def estimated_end(
    loads: Sequence[Load], channel: Channel, *, start: datetime, rate: int, peak: tuple[Window, ...] = ()
) -> datetime:
    """The instant of the last departure, if nothing else is on the lane after `start` and nobody pauses."""
    waiting = {load.country: bulk_seconds(load.rows, rate) for load in loads if load.rows}
    now = start
    while waiting:
        opens = {country: earliest_open(channel, country, now, peak) for country in waiting}
        country = min(waiting, key=lambda one: opens[one])
        now = max(now, opens[country])
        closes = _closes(channel, country, now, peak)
        left = waiting.pop(country)
        stays = left if closes is None else min(left, (closes - now).total_seconds())
        now += timedelta(seconds=stays)
        if left > stays:
            waiting[country] = left - stays
    return now


def _closes(channel: Channel, country: str, instant: datetime, peak: tuple[Window, ...]) -> datetime | None:
    if channel is not Channel.SMS:
        return None
    return closes_at(instant, COVERED[country].zone, closed_hours(country, peak))
