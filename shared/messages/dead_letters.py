"""Queue messages that reached the channels' dead-letter queues, and what a person does about them.

A dead letter is a state of the message's own row: a claim, move or postponement of the message ends it in the same
write. So there is one record only, and a message that has been sent meanwhile is on no list.
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
"""The number of dead letters that one request redrives itself. A task does the rest."""

WAITS = timedelta(minutes=10)
"""Longer than the agenda lets a queue message wait on its queue (5 min ahead of its send slot, 2 min after it)."""

_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadQueueMessage:
    """The part of a dead queue message that is needed. Its body is not kept: the row names the stored content.

    `attempts`: how often a worker received it.
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
        """Takes them one after the other; a failure does not stop the others. False: the queue message has to come
        again."""
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
        """Mark the message as dead, unless it needs no person (`_goes_by_itself`). A claim whose lease has ended
        becomes an unknown outcome, because this may be the last queue message. A live claim may still send, so the
        queue message comes again later."""
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
    """Whether the message needs no person. It has ended, its outcome is unknown (the agenda waits for a status), it is
    dead already, or the agenda will make a new queue message at a later hour, because another one reached the gate or
    the provider.

    A message that is due sooner is only checked for lost queue messages. Each new one would die like this one and use
    up another message's send slot.
    """
    if not row.is_open or row.unknown_since is not None or row.dead is not None:
        return True
    if row.due_at is None:
        return False
    return row.due_at > now + WAITS or (row.scheduled_for is not None and row.scheduled_for > now)


class Redrives:
    """Lets dead messages go again: the agenda takes each up like any due message, with send slot, gate and claim.
    Nothing is moved back from a dead-letter queue."""

    def __init__(self, log: Log, tasks: TaskQueue, telemetry: Telemetry, clock: Clock) -> None:
        self._log = log
        self._tasks = tasks
        self._telemetry = telemetry
        self._clock = clock

    async def some(self, organisation: str, identities: Sequence[str]) -> int:
        """Redrive the letters with these IDs. Returns how many were still dead and go again."""
        return await self._redrive(organisation, [read_dead_letter_id(one) for one in dict.fromkeys(identities)])

    async def all(self, organisation: str) -> int:
        """Redrive all. Returns how many go again now; a task does what is beyond `AT_ONCE`."""
        redriven, place = await self._page(organisation, None)
        while place is not None and redriven < AT_ONCE:
            count, place = await self._page(organisation, place)
            redriven += count
        if place is not None:
            await self._go_on(organisation, place)
        return redriven

    async def work(self, task: Task, until: datetime) -> None:
        """Redrive the rest from the task's place on, until the time `until` at the latest."""
        place: str | None = task.place
        while place is not None:
            if self._clock.now() >= until:
                await self._go_on(task.organisation, place)
                return
            _, place = await self._page(task.organisation, place)

    async def _go_on(self, organisation: str, place: str) -> None:
        await self._tasks.put([Task(kind="redrive", organisation=organisation, place=place)])

    async def _page(self, organisation: str, place: str | None) -> tuple[int, str | None]:
        """The place also moves past letters that stay dead: one pass takes each once, even if it becomes dead again."""
        page = await self._log.page(LogQuery(organisation=organisation, dead=True), place, _PAGE)
        letters = [(row.message_id, row.dead.received_at) for row in page.items if row.dead is not None]
        return await self._redrive(organisation, letters), page.position

    async def _redrive(self, organisation: str, letters: Sequence[tuple[str, datetime]]) -> int:
        """Writes the rows first, then tasks, so that the messages need not wait for the tick. The agenda ends the
        letters whose time is over; they are not redriven, so that two workers never handle the same row."""
        now = self._clock.now()
        alive = [(one, at) for one, at in letters if ends_at(at) > now]
        won = await asyncio.gather(*(self._log.redrive(organisation, one, died_at=at, due_at=now) for one, at in alive))
        redriven = [message_id for (message_id, _), done in zip(alive, won, strict=True) if done]
        shards = sorted({shard_of(message_id, AGENDA_SHARDS) for message_id in redriven})
        if shards:
            await self._tasks.put([Task(kind="agenda", shard=shard) for shard in shards])
        self._telemetry.event("dead_letters_redriven", asked=len(letters), redriven=len(redriven))
        return len(redriven)
