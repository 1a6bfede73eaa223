"""POST /v1/erasures: erase a person. Only their opt-out remains, under a keyed hash.

The opt-out is recorded first, so that no message is sent while the fan-out queue does the rest in three rounds. Several
rounds are needed because another step may have read the person's data before a round and may write it after. Every
round does the same work and finds less. A round may be killed and run again.
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
from shared.campaigns.ports import DistributionQuery, Distributions, Task, TaskQueue
from shared.campaigns.stored_content import Plans, Uploads
from shared.messages.message import ERASED, Chunk, Message
from shared.messages.ports import Log, LogQuery, pages
from shared.messages.status_writer import StatusWriter
from shared.policy.consent import Consent, ConsentState
from shared.policy.consents import Numbers
from shared.policy.ports import People
from shared.recipients.contacts import Identities

SOURCE = "erasure"
"""The `source` of the recorded opt-out."""

PAUSES = (120, 900)
"""Seconds before the second and the third round.

Before the second round, every sender's lease has ended. Before the third, every step that read the person's rows before
the first has ended: planning and release run at most 900 s (template.yaml).
"""

_PAGE = 100

_AT_ONCE = 16


class Traces(Protocol):
    """What is stored under a person's keyed hash, apart from consents and the log."""

    async def forget(self, organisation: str, person: str, *, identity_links: bool) -> None:
        """Remove sessions, unknown outcomes and other records. With `identity_links`, also remove the links to the
        person's other names.
        """
        ...


class Erasures:
    """Accepts requests for erasure."""

    def __init__(self, numbers: Numbers, same: Identities, people: People, tasks: TaskQueue, clock: Clock) -> None:
        self._numbers = numbers
        self._same = same
        self._people = people
        self._tasks = tasks
        self._clock = clock

    async def accept(self, organisation: str, phone: str) -> None:
        """Record the opt-out and start the erasure. When this returns, the opt-out is in force.

        Raises Refusal if the number is invalid.
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
    """What `Eraser` works with."""

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
    """Does the erasures, as a task of the fan-out queue, which may come twice."""

    def __init__(self, deps: EraserDeps) -> None:
        self._deps = deps

    async def work(self, task: Task, until: datetime) -> None:
        """Do a round, or the part of it that can be done by `until`. A new task does the rest."""
        identities = await self._deps.same.same(task.organisation, [task.person])
        if not task.place:
            for one in identities:
                await self._erase_messages(task.organisation, one)
        place = await self._erase_plans(task, identities, until)
        if place is not None:
            await self._deps.tasks.put([replace(task, place=place)])
            return
        is_last = task.round == len(PAUSES)
        for one in reversed(identities):  # the number's links lead to the other identities, so they go last
            await self._deps.traces.forget(task.organisation, one, identity_links=is_last)
        self._deps.telemetry.event("erasure_round", organisation=task.organisation, round=task.round)
        if not is_last:
            following = replace(task, round=task.round + 1, place="")
            await self._deps.tasks.put([following], delay=PAUSES[task.round])

    async def _erase_messages(self, organisation: str, person: str) -> None:
        """Erase the person's log rows and their stored content.

        Also erase stored content that no row names, because its request was killed or lost a race. A row that a sender
        is working on keeps its content until the next round.
        """
        wanted = LogQuery(organisation=organisation, person=person)
        held: set[str] = set()
        async for page in pages(lambda position: self._deps.log.page(wanted, position, _PAGE)):
            rows = await self._deps.log.get_many(organisation, [one.message_id for one in page])
            held |= {row.message_id for row in rows.values() if not await self._is_erased(row)}
            await self._deps.status_writer.flush()
        await self._deps.plans.erase_singles(organisation, person, but=held)

    async def _is_erased(self, row: Message) -> bool:
        """End the message if it waits, erase its content, and remove the link to the person.

        The link goes last, because it finds the row. False if a sender is working on the row: the row ends with that
        call's outcome, and the next round erases it.
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
        """Erase the person's rows in stored plans, as far as they are not logged, also in plans that lost a race or
        died.

        Returns the place to continue from; None at the end.
        """
        position, done = _read_place(task.place)
        while True:
            page = await self._deps.distributions.page(DistributionQuery(organisation=task.organisation), position, 1)
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
        """Erase the uploaded file of a distribution that was being planned when a person of its organisation was
        erased.
        """
        distribution = await self._deps.distributions.get(task.organisation, task.distribution_id)
        if distribution is not None:
            await self._erase_upload(distribution)

    async def _erase_upload(self, distribution: Distribution) -> None:
        """Erase the whole uploaded file after planning, because the person may be in it, even in a row that cannot be
        read.

        During planning the file is needed, so a task comes back later. Planning ends after three attempts at most.
        """
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
        """The chunks of planning attempts that did not become the plan. Their numbers follow those of the plan's
        chunks.
        """
        plan, key = distribution.plan, (distribution.organisation, distribution.distribution_id)
        first = sum(run.chunks for run in plan.runs) if plan else 0
        attempts = [one for one in range(1, distribution.attempt + 1) if plan is None or one != plan.attempt]
        chunks = [(attempt, chunk) for attempt in attempts for chunk in await self._deps.plans.chunks(*key, attempt)]
        return [_KeptChunk(ordinal, *one) for ordinal, one in enumerate(chunks, start=first)]


@dataclass(frozen=True, slots=True)
class _KeptChunk:
    """A chunk that may contain the person's rows. `ordinal` is its number among the chunks of its distribution."""

    ordinal: int
    attempt: int
    chunk: Chunk


def _unlogged(distribution: Distribution) -> Iterator[_KeptChunk]:
    """The chunks of the plan that are not completely in the log, numbered over all runs."""
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
