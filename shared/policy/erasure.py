"""POST /v1/erasures: forget a person. What remains is that they may not be written to, under a keyed hash.

The opt-out comes first, so that nothing leaves any more while the rest is worked off by the fan-out queue, in rounds: a
step that had read something before may still write it after. Every round does the same and finds less; any of them may
be killed and run again.
"""

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from shared.base.events import Telemetry
from shared.base.instants import Clock
from shared.campaigns.distribution import Distribution, DistributionStatus
from shared.campaigns.ports import Distributions, Task, TaskQueue
from shared.campaigns.stored_content import Plans, Uploads
from shared.messages.message import ERASED, Chunk, Message
from shared.messages.ports import Log, LogQuery, pages
from shared.messages.status_writer import StatusWriter
from shared.policy.consent import Consent, ConsentState
from shared.policy.consents import Numbers
from shared.policy.ports import People
from shared.recipients.contacts import Identities

SOURCE = "erasure"
"""Who recorded the opt-out."""

PAUSES = (120, 900)
"""Seconds before the second and the third round. By the second a sender's lease is over; by the third every step that
had read the person's rows before the first: planning and release have 900 s (template.yaml)."""

_PAGE = 100

_AT_ONCE = 16


class Traces(Protocol):
    """What is kept under a person's keyed hash besides the recorded word and the log."""

    async def forget(self, organisation: str, person: str, *, identity_links: bool) -> None:
        """Remove sessions, unknown outcomes and the like; with `identity_links` also which other names the person is
        known by."""
        ...


class Erasures:
    """Takes requests to erase."""

    def __init__(self, numbers: Numbers, same: Identities, people: People, tasks: TaskQueue, clock: Clock) -> None:
        self._numbers = numbers
        self._same = same
        self._people = people
        self._tasks = tasks
        self._clock = clock

    async def accept(self, organisation: str, phone: str) -> None:
        """The opt-out stands once this returns, and the rest is on its way.

        Raises Refusal for a number that cannot be read.
        """
        person = await self._numbers.person(organisation, phone)
        identities = await self._same.same(organisation, [person])
        now = self._clock.now()
        opt_out = Consent(state=ConsentState.REVOKED, recorded_at=now, received_at=now, source=SOURCE)
        for one in identities:
            await self._people.replace(organisation, one, opt_out)
        await self._tasks.put([Task(kind="erase", organisation=organisation, person=person)])


@dataclass(frozen=True, slots=True, kw_only=True)
class EraserDeps:
    """What erasing works with."""

    log: Log
    plans: Plans
    uploads: Uploads
    distributions: Distributions
    same: Identities
    traces: Traces
    status_writer: StatusWriter
    tasks: TaskQueue
    telemetry: Telemetry
    clock: Clock


class Eraser:
    """Works off erasures: a task of the fan-out queue, which may come twice."""

    def __init__(self, deps: EraserDeps) -> None:
        self._deps = deps

    async def work(self, task: Task, until: datetime) -> None:
        """A round, or as much of it as can be done by `until`; what remains becomes another task."""
        identities = await self._deps.same.same(task.organisation, [task.person])
        if not task.place:
            for one in identities:
                await self._erase_messages(task.organisation, one)
        place = await self._erase_plans(task, identities, until)
        if place is not None:
            await self._deps.tasks.put([replace(task, place=place)])
            return
        is_last = task.round == len(PAUSES)
        for one in reversed(identities):  # the number's own links lead to the others, so they go last
            await self._deps.traces.forget(task.organisation, one, identity_links=is_last)
        self._deps.telemetry.event("erasure_round", organisation=task.organisation, round=task.round)
        if not is_last:
            following = replace(task, round=task.round + 1, place="")
            await self._deps.tasks.put([following], delay=PAUSES[task.round])

    async def _erase_messages(self, organisation: str, person: str) -> None:
        """The rows of the log that name the person; and what a lost race or a killed request has stored, which no row
        names. What a sender holds right now keeps its content until the next round."""
        wanted = LogQuery(organisation=organisation, person=person)
        held: set[str] = set()
        async for page in pages(lambda position: self._deps.log.page(wanted, position, _PAGE)):
            rows = await self._deps.log.get_many(organisation, [one.message_id for one in page])
            held |= {row.message_id for row in rows.values() if not await self._is_erased(row)}
            await self._deps.status_writer.flush()
        await self._deps.plans.erase_singles(organisation, person, but=held)

    async def _is_erased(self, row: Message) -> bool:
        """End it if it waits; forget its content; the link to the person goes last, because it is what finds the row.

        One that a sender holds right now ends by its own outcome, and is forgotten in the next round.
        """
        now = self._deps.clock.now()
        if row.is_open and row.lease_until is None:
            if not (await self._deps.status_writer.end_unsent(row.organisation, row.message_id, ERASED, now)).won:
                return False
        elif row.is_open and row.unknown_since is None and row.lease_until is not None and row.lease_until > now:
            return False
        await self._deps.plans.erase_payload(row.payload)
        await self._deps.log.unlink(row.organisation, row.message_id)
        return True

    async def _erase_plans(self, task: Task, persons: Sequence[str], until: datetime) -> str | None:
        """The person's rows that are frozen and not logged, also those of planning runs that died or lost.

        Answers where to go on, None at the end.
        """
        position, done = _read_place(task.place)
        while True:
            page = await self._deps.distributions.page(
                task.organisation, campaign_id=None, status=None, position=position, limit=1
            )
            for distribution in page.items:
                places = [*_unlogged(distribution), *await self._leftovers(distribution)]
                remaining = [place for place in places if place.ordinal >= done]
                for batch in itertools.batched(remaining, _AT_ONCE, strict=False):
                    if self._deps.clock.now() >= until:
                        return _place(position, batch[0].ordinal)
                    await asyncio.gather(*(self._erase_rows(distribution, place, persons) for place in batch))
                if task.round == len(PAUSES):
                    await self._erase_upload(distribution)
            if page.position is None:
                return None
            position, done = page.position, 0

    async def forget_upload(self, task: Task) -> None:
        """Remove the file of a distribution that was being planned when a person in its organisation was erased."""
        distribution = await self._deps.distributions.get(task.organisation, task.distribution_id)
        if distribution is not None:
            await self._erase_upload(distribution)

    async def _erase_upload(self, distribution: Distribution) -> None:
        """Remove the file whole once its plan stands: the person may be in it, in rows that cannot be read too. While
        it is being planned it is needed, and looked at again: planning ends after three attempts at the latest."""
        if distribution.upload_id is None:
            return
        if distribution.status is not DistributionStatus.PLANNING:
            await self._deps.uploads.erase(distribution.organisation, distribution.upload_id)
            return
        again = Task(
            kind="forget_upload",
            organisation=distribution.organisation,
            distribution_id=distribution.distribution_id,
        )
        await self._deps.tasks.put([again], delay=PAUSES[-1])

    async def _erase_rows(self, distribution: Distribution, place: "_KeptChunk", persons: Sequence[str]) -> None:
        for person in persons:
            await self._deps.plans.erase_person(distribution.organisation, place.attempt, place.chunk, person)

    async def _leftovers(self, distribution: Distribution) -> Sequence["_KeptChunk"]:
        """The chunks of planning runs whose plan was not taken, after all chunks of the one whose plan was."""
        plan, key = distribution.plan, (distribution.organisation, distribution.distribution_id)
        first = sum(run.chunks for run in plan.runs) if plan else 0
        attempts = [one for one in range(1, distribution.attempt + 1) if plan is None or one != plan.attempt]
        chunks = [(attempt, chunk) for attempt in attempts for chunk in await self._deps.plans.chunks(*key, attempt)]
        return [_KeptChunk(ordinal, *one) for ordinal, one in enumerate(chunks, start=first)]


@dataclass(frozen=True, slots=True)
class _KeptChunk:
    """A chunk that may hold rows of a person. `ordinal` is its number among those of its distribution."""

    ordinal: int
    attempt: int
    chunk: Chunk


def _unlogged(distribution: Distribution) -> Iterator[_KeptChunk]:
    """The chunks of the plan that are not wholly in the log, each with its number over all runs."""
    plan = distribution.plan
    if plan is None or distribution.status is DistributionStatus.COMPLETED:
        return
    places = ((index, run, number) for index, run in enumerate(plan.runs) for number in range(run.chunks))
    for ordinal, (index, run, number) in enumerate(places):
        if number >= run.logged:
            chunk = Chunk(distribution_id=distribution.distribution_id, run=index, number=number)
            yield _KeptChunk(ordinal, plan.attempt, chunk)


def _place(position: str | None, ordinal: int) -> str:
    return f"{ordinal}@{position or ''}"


def _read_place(place: str) -> tuple[str | None, int]:
    ordinal, _, position = place.partition("@")
    return position or None, int(ordinal or 0)
