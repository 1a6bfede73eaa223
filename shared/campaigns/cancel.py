"""After a cancel: logs the rows that were never released, and ends messages that are pending without a claim. Leased
messages end by their own outcome; if their worker is dead, their outcome is unknown."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.base.instants import Clock
from shared.campaigns.distribution import Distribution
from shared.campaigns.ports import Distributions
from shared.campaigns.recount import Tallies, some_at_once
from shared.campaigns.retry import without_place
from shared.campaigns.stored_content import Plans
from shared.messages.factory import cancelled_row
from shared.messages.message import CANCELLED, Chunk, Message, Status
from shared.messages.ports import Log, set_next_check
from shared.messages.status_writer import StatusWriter
from shared.sending.resolve_unknown import Unknowns

AGAIN_AFTER = timedelta(seconds=400)
"""By then every queue message that still existed has reached its sender once more (queue visibility: 6 x 60 s)."""

TURN = timedelta(seconds=10)
"""How long rows are logged before other work has its turn: a cancelled million takes minutes."""

NEXT_LOOK = timedelta(seconds=60)
"""When the tick takes up unfinished logging."""

_LISTED_AT_ONCE = 16

_PARKED = 1000
"""Messages of a held scope that are read at once; the second pass reads again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepDeps:
    """What a sweep works with."""

    log: Log
    distributions: Distributions
    plans: Plans
    tallies: Tallies
    status_writer: StatusWriter
    unknowns: Unknowns
    clock: Clock


class Sweep:
    """Ends the messages of cancelled distributions."""

    def __init__(self, deps: SweepDeps) -> None:
        self._deps = deps

    async def sweep(self, distribution: Distribution, until: datetime) -> bool:
        """Log the rows that were never logged, turn by turn, then go over all chunks once. Returns True if there is
        more to do at once.

        The first pass requests a second one, after which nothing is pending and the counts are compared with the log.
        If a worker dies, the pass begins again and reads only chunks that are unfinished by their counts. The second
        pass first compares the counts with the log.
        """
        if distribution.swept:
            if distribution.due_at is None or distribution.due_at > self._deps.clock.now():
                return False  # a doubled task: leases are still running, and the second pass is the last
            await self._deps.tallies.recount(distribution)
        elif waiting := _never_logged(distribution):
            listed = await self._listed(distribution, waiting, until)
            if listed is None:
                return False  # another worker is doing the same
            distribution, is_over = listed
            if not is_over:
                return True
        await self._end_all(distribution)
        return False

    async def _listed(
        self, distribution: Distribution, waiting: Sequence[Chunk], until: datetime
    ) -> tuple[Distribution, bool] | None:
        """The distribution with more chunks logged, and whether that was all. None: another worker has changed it
        meanwhile. An expired chunk cannot be logged any more, and neither can those after it."""
        clock, done, expired = self._deps.clock, list[Chunk](), False
        until = min(until, clock.now() + TURN)
        for some in itertools.batched(waiting, _LISTED_AT_ONCE, strict=False):
            listed = await asyncio.gather(*(self._list(distribution, chunk) for chunk in some))
            done += some[: listed.index(False)] if False in listed else some
            expired = False in listed
            if expired or clock.now() >= until:
                break
        await self._deps.tallies.recount_chunks(distribution, done)
        is_over = expired or len(done) == len(waiting)
        due_at = distribution.due_at if is_over else clock.now() + NEXT_LOOK
        saved = await self._deps.distributions.save(replace(_with_logged(distribution, done), due_at=due_at))
        return (saved, is_over) if saved is not None else None

    async def _list(self, distribution: Distribution, chunk: Chunk) -> bool:
        """Log a chunk's rows as cancelled, except those that release has logged already. False: the chunk has
        expired."""
        deps, organisation, attempt = self._deps, distribution.organisation, distribution.planned.attempt
        rows = await deps.plans.read_chunk(organisation, attempt, chunk)
        if rows is None:
            return False
        key, now = deps.plans.chunk_key(organisation, attempt, chunk), deps.clock.now()
        await deps.log.add_all([cancelled_row(distribution, chunk, row, key, now) for row in rows])
        # Every row of a retry that is in the log has the place of its failed message, or never goes.
        await without_place(deps.log, organisation, rows)
        await deps.distributions.note_logged(organisation, chunk, now, Counter(row.country for row in rows))
        return True

    async def _end_all(self, distribution: Distribution) -> None:
        deps, expired = self._deps, list[Chunk]()

        async def end(chunk: Chunk) -> None:
            messages = await deps.tallies.logged(distribution, chunk)
            if messages is None:
                expired.append(chunk)
            await self._end(messages or ())

        await some_at_once(await deps.tallies.unsettled(distribution), end)
        if expired:
            await self._end(await deps.tallies.pending(distribution))
        await self._bring_back_parked(distribution)
        again = None if distribution.swept else deps.clock.now() + AGAIN_AFTER
        await deps.distributions.save(replace(distribution, swept=True, due_at=again))

    async def _bring_back_parked(self, distribution: Distribution) -> None:
        """Messages that wait for the end of a hold would wait longer, so the agenda ends them now."""
        log, now = self._deps.log, self._deps.clock.now()
        held = {run.hold.scope for run in distribution.planned.runs if run.hold is not None}
        for scope in held:
            for message in await log.parked(distribution.organisation, distribution.channel, scope, _PARKED):
                if message.distribution_id == distribution.distribution_id:
                    await set_next_check(log, message, now)

    async def _end(self, messages: Iterable[Message]) -> None:
        status_writer, now = self._deps.status_writer, self._deps.clock.now()
        for message in messages:
            if message.status is Status.PENDING:
                ended = await status_writer.end_unsent(message.organisation, message.message_id, CANCELLED, now)
                await self._deps.unknowns.take_if_lapsed(None if ended.won else ended.before, now)
        await status_writer.flush()


def _never_logged(distribution: Distribution) -> list[Chunk]:
    """The chunks that are not logged completely. A part of their rows may be logged, by a worker that died or that the
    cancel overtook."""
    return [
        Chunk(distribution_id=distribution.distribution_id, run=index, number=number)
        for index, run in enumerate(distribution.planned.runs)
        for number in range(run.logged, run.chunks)
    ]


def _with_logged(distribution: Distribution, chunks: Iterable[Chunk]) -> Distribution:
    for index, count in Counter(chunk.run for chunk in chunks).items():
        run = distribution.planned.runs[index]
        distribution = distribution.with_run(index, replace(run, logged=run.logged + count))
    return distribution
