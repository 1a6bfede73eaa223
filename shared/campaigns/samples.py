"""Samples: a few rows of a plan as the phone will show them, for people to read before they confirm it.

Planning chooses the rows as it goes and remembers where they are stored. So the samples of a million rows cost at most
`MOST_SAMPLES` reads, and an erasure, which blanks the stored row, also takes it out of the samples.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.base.instants import Clock
from shared.base.refusal import ProblemCode, Refusal
from shared.campaigns.distribution import Distribution, DistributionStatus, SampleRow
from shared.campaigns.ports import Distributions
from shared.campaigns.stored_content import PlannedRow, Plans
from shared.messages.message import Chunk
from shared.messages.payload import Payload
from shared.policy.gate import earliest_open
from shared.policy.hours import parse_windows

MOST_SAMPLES = 12
"""api.md, Bulk."""

_FIRST = 3

_OVER = (DistributionStatus.COMPLETED, DistributionStatus.CANCELLED, DistributionStatus.REJECTED)


class SampleChoice:
    """Takes the accepted rows one after another and keeps the places of the samples: the first three, the one with the
    longest text, and the first one of each language and of each country."""

    def __init__(self) -> None:
        self._first: list[SampleRow] = []
        self._longest: SampleRow | None = None
        self._characters = -1
        self._languages: dict[str | None, SampleRow] = {}
        self._countries: dict[str, SampleRow] = {}

    def add(self, payload: Payload, *, run: int, chunk: int, row: int) -> None:
        """Take the next accepted row, which is stored in this chunk of this run. Of equally long texts the first one
        counts."""
        is_longer = len(payload.text) > self._characters
        if not (
            is_longer
            or len(self._first) < _FIRST
            or payload.language not in self._languages
            or payload.country not in self._countries
        ):
            return
        place = SampleRow(run=run, chunk=chunk, row=row)
        if is_longer:
            self._longest, self._characters = place, len(payload.text)
        if len(self._first) < _FIRST:
            self._first.append(place)
        self._languages.setdefault(payload.language, place)
        self._countries.setdefault(payload.country, place)

    def chosen(self) -> tuple[SampleRow, ...]:
        """At most `MOST_SAMPLES` rows, in the order of the file. If there are too many, countries are left out."""
        longest = () if self._longest is None else (self._longest,)
        wanted = dict.fromkeys((*self._first, *longest, *self._languages.values(), *self._countries.values()))
        return tuple(sorted(list(wanted)[:MOST_SAMPLES], key=lambda place: place.row))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A row with its stored content. `scheduled_for`: when it may leave; None: now, or it has been released."""

    row: PlannedRow
    payload: Payload
    scheduled_for: datetime | None


class Samples:
    """Reads the samples of distributions."""

    def __init__(self, distributions: Distributions, plans: Plans, clock: Clock) -> None:
        self._distributions = distributions
        self._plans = plans
        self._clock = clock

    async def of(self, organisation: str, distribution_id: str) -> Sequence[Sample]:
        """The samples, without rows of erased people; empty while the distribution is being planned.

        Raises Refusal `not_found`: there is no such distribution, or its stored content has expired.
        """
        distribution = await self._distributions.get(organisation, distribution_id)
        if distribution is None:
            raise Refusal(ProblemCode.NOT_FOUND)
        places = distribution.plan.samples if distribution.plan is not None else ()
        chunks = list(dict.fromkeys((place.run, place.chunk) for place in places))
        read = await asyncio.gather(*(self._rows(distribution, *chunk) for chunk in chunks))
        if read and all(rows is None for rows in read):
            raise Refusal(ProblemCode.NOT_FOUND)
        stored = {row.row: row for rows in read for row in rows or ()}
        now = self._clock.now()
        return [
            Sample(row=row, payload=row.payload, scheduled_for=_scheduled_for(distribution, place, row, now))
            for place in places
            if (row := stored.get(place.row)) is not None and row.payload is not None
        ]

    async def _rows(self, distribution: Distribution, run: int, number: int) -> Sequence[PlannedRow] | None:
        chunk = Chunk(distribution_id=distribution.distribution_id, run=run, number=number)
        return await self._plans.read_chunk(distribution.organisation, distribution.planned.attempt, chunk)


def _scheduled_for(distribution: Distribution, place: SampleRow, row: PlannedRow, now: datetime) -> datetime | None:
    """None also for a row that is on its way or over: the log says what became of it."""
    plan = distribution.planned
    if distribution.status in _OVER or place.chunk < plan.runs[place.run].released:
        return None
    wished = max(now, distribution.schedule.at or now)
    opens = earliest_open(distribution.channel, row.country, wished, parse_windows(plan.peak))
    return opens if opens > now else None
