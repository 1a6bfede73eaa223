"""SQS with its faults (at least once, late, in any order), and Lambda's poller in front of it."""

import asyncio
import itertools
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import override

from shared.base.instants import from_microseconds
from shared.campaigns.ports import Task
from shared.messages.payload import Channel
from shared.messages.queue_message import QueueMessage
from shared.storage.queues import body_of
from shared.webhooks.ingress import Report
from tests.fakes.rest import FakeChannelQueue, FakeStatusQueue, FakeTaskQueue, sqs_refuses
from tests.fakes.world import FakeClock, KilledError
from tests.simulation.faults import Dice
from tests.simulation.scheduling import CURRENT, Interleaving, Process, UnavailableError, as_process, ends_after

BATCH = 10
LONGEST_DELAY = 900


@dataclass(slots=True, eq=False)
class SqsMessage[B]:
    """One message on a queue. `receives`: how often it was handed out."""

    number: int
    body: B
    visible_at: datetime
    receives: int = 0


@dataclass(slots=True)
class Queue[B]:
    """A standard queue with its dead letters."""

    name: str
    visibility: timedelta
    most_receives: int
    dice: Dice
    clock: FakeClock
    points: Interleaving
    queue_messages: list[SqsMessage[B]] = field(default_factory=list)
    to_dead_letters: Callable[[SqsMessage[B]], None] | None = None
    """Takes a dead letter. None: the dead letter stays here until it is redriven."""
    dead: list[SqsMessage[B]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def put(self, bodies: Sequence[tuple[B, float]]) -> None:
        """Puts each body with its delay in seconds. Raises UnavailableError unless all of them are certainly on the
        queue."""
        await self.points(f"{self.name}.put")
        if self.dice.breaks("sqs_throttles"):
            raise UnavailableError(f"{self.name} takes nothing")
        taken = bodies
        if len(bodies) > 1 and self.dice.breaks("sqs_takes_half"):
            taken = self.dice.random.sample(bodies, len(bodies) // 2)
        for body, delay in taken:
            self.add(body, delay)
        await self.points.after(f"{self.name}.put")
        if len(taken) < len(bodies) or self.dice.breaks("sqs_answer_lost"):
            raise UnavailableError(f"{self.name} took {len(taken)} of {len(bodies)}")

    def add(self, body: B, delay: float) -> None:
        """Adds a message."""
        late = self.dice.random.choice((3, 20, 400)) if self.dice.breaks("sqs_delivers_late") else 0
        visible_at = self.clock.instant + timedelta(seconds=min(delay, LONGEST_DELAY) + late)
        self.queue_messages.append(SqsMessage(next(self._numbers), body, visible_at))
        self.changed.set()

    def receive(self) -> list[SqsMessage[B]]:
        """Up to ten visible messages. A message with too many receives becomes a dead letter instead."""
        now = self.clock.instant
        visible = sorted((one for one in self.queue_messages if one.visible_at <= now), key=lambda one: one.visible_at)
        if self.dice.breaks("sqs_out_of_order"):
            self.dice.random.shuffle(visible)
        batch: list[SqsMessage[B]] = []
        for queue_message in visible[:BATCH]:
            queue_message.receives += 1
            if queue_message.receives > self.most_receives:
                self.queue_messages.remove(queue_message)
                (self.to_dead_letters or self.dead.append)(queue_message)
                continue
            again = self.dice.breaks("sqs_delivers_twice")
            queue_message.visible_at = now + (timedelta(seconds=self.dice.between(0, 3)) if again else self.visibility)
            batch.append(queue_message)
        return batch

    def delete(self, queue_message: SqsMessage[B]) -> None:
        """Deletes a handled message, even if it was handed out again meanwhile."""
        if queue_message in self.queue_messages and not self.dice.breaks("sqs_delete_lost"):
            self.queue_messages.remove(queue_message)

    def redrive(self) -> int:
        """An operator puts the dead letters back unchanged. Gives their number."""
        again, self.dead = self.dead, []
        for queue_message in again:
            self.add(queue_message.body, 0)
        return len(again)

    def next_visible(self) -> datetime | None:
        """When the next message becomes visible."""
        return min((queue_message.visible_at for queue_message in self.queue_messages), default=None)


class Poller[B]:
    """Lambda's event source mapping: hands out batches, deletes handled messages, and lets the rest come again."""

    def __init__(
        self,
        queue: Queue[B],
        role: str,
        *,
        seconds: float,
        at_once: int,
        batch: int,
        work: Callable[[Sequence[B]], Awaitable[Sequence[bool]]],
    ) -> None:
        self.queue = queue
        self.busy = 0
        self.problems: list[str] = []
        self._role = role
        self._seconds = seconds
        self._slots = asyncio.Semaphore(at_once)
        self._batch = batch
        self._work = work
        self._numbers = itertools.count()
        self._running: set[asyncio.Task[None]] = set()

    async def poll(self) -> None:
        """Polls for ever."""
        while True:
            await self._slots.acquire()
            batch = self.queue.receive()
            while not batch:
                await self._something()
                batch = self.queue.receive()
            self.busy += 1
            parts = [batch[start : start + self._batch] for start in range(0, len(batch), self._batch)]
            task = asyncio.create_task(self._handed_out(parts))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _something(self) -> None:
        """Waits until a message comes or becomes visible."""
        self.queue.changed.clear()
        soon = self.queue.next_visible()
        wait = max((soon - self.queue.clock.instant).total_seconds(), 0.001) if soon is not None else None
        try:
            async with asyncio.timeout(wait):
                await self.queue.changed.wait()
        except TimeoutError:
            pass

    async def _handed_out(self, parts: Sequence[Sequence[SqsMessage[B]]]) -> None:
        try:
            for part in parts:
                await asyncio.create_task(self._invoked(part))
        finally:
            self.busy -= 1
            self._slots.release()

    async def _invoked(self, part: Sequence[SqsMessage[B]]) -> None:
        queue = self.queue
        process = Process(self._role, next(self._numbers), ends_after(queue.clock.instant, self._seconds))
        try:
            async with asyncio.timeout(self._seconds + 1):
                done = await as_process(process, self._work([queue_message.body for queue_message in part]))
        except (KilledError, TimeoutError, UnavailableError) as error:
            queue.points.note(process.role, process.number, "ended by", type(error).__name__)
            process.dead = True
            return
        except Exception as error:
            self.problems.append(f"{process.role} raised {error!r}")
            return
        CURRENT.set(None)
        if self._role == "sender" and queue.dice.breaks("killed_between_record_and_delete"):
            process.dead = True
            return
        for queue_message, fine in zip(part, done, strict=True):
            if fine:
                queue.delete(queue_message)


class ChannelQueues(FakeChannelQueue):
    """`OffersMessages` on these queues."""

    def __init__(self, points: Interleaving, queues: dict[Channel, Queue[QueueMessage]]) -> None:
        super().__init__(points)
        self._queues = queues

    @override
    async def offer(self, queue_messages: Sequence[QueueMessage], now: datetime) -> Sequence[QueueMessage]:
        refused = [one for one in queue_messages if sqs_refuses(body_of(one))]
        for channel, queue in self._queues.items():
            mine = [(one, _delay(one, now)) for one in queue_messages if one.channel is channel and one not in refused]
            for some in itertools.batched(mine, BATCH, strict=False):
                await queue.put(some)
        return refused


class TaskQueue(FakeTaskQueue):
    """`TaskQueue` on such a queue."""

    def __init__(self, points: Interleaving, queue: Queue[Task]) -> None:
        super().__init__(points)
        self._queue = queue

    @override
    async def put(self, tasks: Sequence[Task], *, delay: int = 0) -> None:
        await self._queue.put([(task, delay) for task in tasks])


class StatusQueue(FakeStatusQueue):
    """`StatusQueue` on such a queue."""

    def __init__(self, queue: Queue[Report]) -> None:
        super().__init__()
        self._queue = queue

    @override
    async def put(self, reports: Sequence[Report], *, delay: int = 0) -> None:
        await self._queue.put([(report, delay) for report in reports])


def _delay(queue_message: QueueMessage, now: datetime) -> int:
    """Seconds until shortly before the send slot (shared/storage/queues.py)."""
    return min(max(math.floor((from_microseconds(queue_message.slot_at) - now).total_seconds() - 1), 0), LONGEST_DELAY)
