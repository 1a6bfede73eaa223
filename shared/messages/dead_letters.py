"""Queue messages that the channel queues gave up, and what a person does about them.

A dead letter is a state of the message's own row: whoever claims, moves or postpones the message afterwards ends it in
the same write. So no two places can tell different things, and what has been sent meanwhile is on no list.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.base.events import Telemetry
from shared.base.ids import shard_of
from shared.base.instants import Clock
from shared.campaigns.ports import Task, TaskQueue
from shared.messages.message import DeadLetter, DeadReason, Message, ends_at, read_dead_letter_id
from shared.messages.ports import AGENDA_SHARDS, Log, LogQuery
from shared.messages.status_writer import StatusWriter
from shared.sending.resolve_unknown import Unknowns

AT_ONCE = 1000
"""Dead letters that one request redrives itself; a task does the rest."""

WAITS = timedelta(minutes=10)
"""Longer than the agenda's watch over a copy that is on its queue (5 min ahead of its departure, 2 after it)."""

_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadQueueMessage:
    """What counts of a copy that was given up. Its body is not kept: the row names the frozen payload.

    `attempts`: how often a worker took it up.
    """

    organisation: str
    message_id: str
    reason: DeadReason
    attempts: int


class DeadLetters:
    """Takes what the channels' dead-letter queues deliver."""

    def __init__(
        self, log: Log, unknowns: Unknowns, status_writer: StatusWriter, telemetry: Telemetry, clock: Clock
    ) -> None:
        self._log = log
        self._unknowns = unknowns
        self._status_writer = status_writer
        self._telemetry = telemetry
        self._clock = clock

    async def take_all(self, queue_messages: Sequence[DeadQueueMessage]) -> list[bool]:
        """One after the other; False stands where a copy has to come again. None stops the others."""
        done = [await self._handled(queue_message) for queue_message in queue_messages]
        await self._status_writer.flush()
        return done

    async def _handled(self, queue_message: DeadQueueMessage) -> bool:
        try:
            return await self._take(queue_message)
        except Exception as error:
            self._telemetry.warning_event(
                "dead_letter_not_taken",
                message_id=queue_message.message_id,
                organisation=queue_message.organisation,
                error=type(error).__name__,
            )
            return False

    async def _take(self, queue_message: DeadQueueMessage) -> bool:
        """Bury the message, unless it is nobody's business any more (`_goes_by_itself`). A claim that has lapsed is
        taken for what it is: this copy may have been the last to look at it. Whoever holds a live claim may still send
        it, so that the copy comes again to see."""
        now = self._clock.now()
        row = await self._log.get(queue_message.organisation, queue_message.message_id)
        if row is None:
            self._telemetry.warning_event(
                "dead_letter_of_no_message",
                message_id=queue_message.message_id,
                organisation=queue_message.organisation,
            )
        elif _goes_by_itself(row, now):
            self._telemetry.event("dead_letter_dropped", message_id=queue_message.message_id, status=row.status)
        elif row.lease_until is None:
            return await self._mark_dead(queue_message, row, now)
        elif row.is_lapsed(now):
            await self._unknowns.take(row, now)
        else:
            return False
        return True

    async def _mark_dead(self, queue_message: DeadQueueMessage, row: Message, now: datetime) -> bool:
        letter = DeadLetter(received_at=now, reason=queue_message.reason, attempts=queue_message.attempts)
        if not await self._log.mark_dead(queue_message.organisation, queue_message.message_id, letter):
            return False
        self._telemetry.warning_event(
            "dead_letter",
            message_id=queue_message.message_id,
            channel=row.channel,
            organisation=row.organisation,
            distribution_id=row.distribution_id,
            reason=queue_message.reason,
            attempts=queue_message.attempts,
        )
        return True


def _goes_by_itself(row: Message, now: datetime) -> bool:
    """It has ended, is in doubt (the agenda waits for a status), is dead already, or waits for an hour at which the
    agenda makes it a new copy: another one came through, to the gate or the provider, and said so. What is due sooner
    is watched for lost copies only: there each copy would die like this one, and take a departure from the others."""
    if not row.is_open or row.unknown_since is not None or row.dead is not None:
        return True
    if row.due_at is None:
        return False
    return row.due_at > now + WAITS or (row.scheduled_for is not None and row.scheduled_for > now)


class Redrives:
    """Lets dead messages go again: the agenda takes each up as it does whatever is due, on to timetable, gate and
    claim. Nothing is copied back from a queue."""

    def __init__(self, log: Log, tasks: TaskQueue, telemetry: Telemetry, clock: Clock) -> None:
        self._log = log
        self._tasks = tasks
        self._telemetry = telemetry
        self._clock = clock

    async def some(self, organisation: str, identities: Sequence[str]) -> int:
        """How many of them were still dead, and are on their way now."""
        return await self._redrive(organisation, [read_dead_letter_id(one) for one in dict.fromkeys(identities)])

    async def all(self, organisation: str) -> int:
        """How many are on their way now; of more than `AT_ONCE` the rest follows by itself."""
        redriven, place = await self._page(organisation, None)
        while place is not None and redriven < AT_ONCE:
            count, place = await self._page(organisation, place)
            redriven += count
        if place is not None:
            await self._go_on(organisation, place)
        return redriven

    async def work(self, task: Task, until: datetime) -> None:
        """The rest, from the task's place on, for no longer than `until`."""
        place: str | None = task.place
        while place is not None:
            if self._clock.now() >= until:
                await self._go_on(task.organisation, place)
                return
            _, place = await self._page(task.organisation, place)

    async def _go_on(self, organisation: str, place: str) -> None:
        await self._tasks.put([Task(kind="redrive", organisation=organisation, place=place)])

    async def _page(self, organisation: str, place: str | None) -> tuple[int, str | None]:
        """The place moves on past those that stay: one pass asks each once, even if it dies again meanwhile."""
        page = await self._log.page(LogQuery(organisation=organisation, dead=True), place, _PAGE)
        letters = [(row.message_id, row.dead.received_at) for row in page.items if row.dead is not None]
        return await self._redrive(organisation, letters), page.position

    async def _redrive(self, organisation: str, letters: Sequence[tuple[str, datetime]]) -> int:
        """Rows first, then the tasks that save them the wait for the tick. One whose time is over is the agenda's to
        end: it is not redriven any more, so that no two can take the same row in hand."""
        now = self._clock.now()
        alive = [(one, at) for one, at in letters if ends_at(at) > now]
        won = await asyncio.gather(*(self._log.redrive(organisation, one, died_at=at, due_at=now) for one, at in alive))
        redriven = [message_id for (message_id, _), done in zip(alive, won, strict=True) if done]
        shards = sorted({shard_of(message_id, AGENDA_SHARDS) for message_id in redriven})
        if shards:
            await self._tasks.put([Task(kind="agenda", shard=shard) for shard in shards])
        self._telemetry.event("dead_letters_redriven", asked=len(letters), redriven=len(redriven))
        return len(redriven)
