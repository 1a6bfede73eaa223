"""The world of one run: an organisation, its people, both providers and the faults, all from one seed."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from shared.campaigns.ports import Task
from shared.integrations.integration import Secret, SmsIntegration, WhatsAppIntegration
from shared.messages.dead_letters import DeadQueueMessage
from shared.messages.message import DeadReason
from shared.messages.payload import ORANGE, Channel
from shared.messages.queue_message import QueueMessage
from shared.webhooks.ingress import Report
from tests.fakes.office import DEMO, SMS, WHATSAPP
from tests.fakes.virtual import OrderedClock
from tests.fakes.world import KilledError
from tests.simulation.evidence import Reported
from tests.simulation.faults import Dice
from tests.simulation.hearsay import Postman
from tests.simulation.office import SimulatedOffice
from tests.simulation.providers import Meta, Orange, Provider
from tests.simulation.queues import ChannelQueues, Poller, Queue, SqsMessage, StatusQueue, TaskQueue
from tests.simulation.scheduling import Interleaving, Process, UnavailableError, as_process, ends_after

RATES = {"sms": 1, "whatsapp": 2}
"""Calls a second: so few that a dozen messages already wait for each other."""
STARTS = {
    "clock_crosses_21": datetime(2026, 11, 23, 20, 54, tzinfo=UTC),
    "clock_crosses_07": datetime(2026, 11, 23, 6, 57, tzinfo=UTC),
    "peak_hours_begin": datetime(2026, 11, 23, 7, 55, tzinfo=UTC),
    "egypt_springs_forward": datetime(2026, 4, 23, 18, 55, tzinfo=UTC),
    "egypt_falls_back": datetime(2026, 10, 29, 17, 55, tzinfo=UTC),
}
"""Some minutes before the change. Egypt's clocks change at night; messages that missed 21:00 then wait for 07:00."""
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RECEIVES, FEW_RECEIVES, FOR_EVER = 12, 2, 1_000_000
"""template.yaml's maxReceiveCount, and one that is soon used up."""
API_SECONDS, SENDER_SECONDS, FANOUT_SECONDS, WEBHOOK_SECONDS = 29, 60, 900, 30


@dataclass(slots=True, eq=False)
class Fleet:
    """The environments of one function. A killed one is not used again."""

    office: SimulatedOffice
    patient: bool = False
    free: list[SimulatedOffice] = field(default_factory=list)

    async def lend[T](self, work: Callable[[SimulatedOffice], Awaitable[T]]) -> T:
        """Does work in one of the environments."""
        environment = self.free.pop() if self.free else self.office.environment(patient=self.patient)
        try:
            done = await work(environment)
        except UnavailableError:
            self.free.append(environment)
            raise
        self.free.append(environment)
        return done


class World:
    """All parts of a run except the clients (`tests.simulation.clients`)."""

    def __init__(self, dice: Dice) -> None:
        self.dice = dice
        start = next((at for name, at in STARTS.items() if name in dice.chosen), NOON)
        self.clock = OrderedClock(start)
        self.points = Interleaving(dice, self.clock)
        self.postman = Postman(dice, self.clock, self.points, self.knock, self._sms_key)
        make: Callable[[type[Provider], str], Any] = lambda kind, channel: kind(  # noqa: E731 - twice, in one place
            channel, dice, self.clock, self.points, self.postman.tells
        )
        self.meta: Meta = make(Meta, "whatsapp")
        self.orange: Orange = make(Orange, "sms")
        self.office = SimulatedOffice(self.clock, self.points, self.meta, self.orange)
        most = FEW_RECEIVES if "dead_lettered" in dice.chosen else RECEIVES
        self.channels: dict[Channel, Queue[QueueMessage]] = {
            channel: Queue("queue", timedelta(seconds=360), most, dice, self.clock, self.points) for channel in Channel
        }
        self.tasks: Queue[Task] = Queue("tasks", timedelta(seconds=5400), most, dice, self.clock, self.points)
        self.statuses: Queue[Report] = Queue("statuses", timedelta(seconds=180), most, dice, self.clock, self.points)
        self.dead: Queue[DeadQueueMessage] = Queue(
            "dead", timedelta(seconds=5400), FOR_EVER, dice, self.clock, self.points
        )
        for channel_queue in self.channels.values():
            channel_queue.to_dead_letters = self._mark_dead
        self.office.connect(
            ChannelQueues(self.points, self.channels),
            TaskQueue(self.points, self.tasks),
            StatusQueue(self.statuses),
        )
        self.doors = Fleet(self.office, patient=True)
        senders = [self._senders(channel) for channel in self.channels]
        self.pollers: list[Poller[Any]] = [*senders, self._fanouts(), self._consumers(), self._undertakers()]
        self.ticks = 0

    async def settings_are(self, whatsapp: WhatsAppIntegration, sms: SmsIntegration) -> None:
        """An administrator saves settings."""
        environment = self.office.environment()
        self.office.integrations.kept = {(DEMO, "sms"): sms, (DEMO, "whatsapp"): whatsapp}
        await environment.integrations.put(whatsapp)
        await environment.integrations.put(sms)

    async def open(self) -> None:
        """Saves the settings and starts the workers."""
        await self.office.token_store.open(DEMO)
        whatsapp = replace(WHATSAPP, rate_per_second=RATES["whatsapp"])
        await self.settings_are(whatsapp, replace(SMS, rate_per_second=RATES["sms"]))
        self.background = [asyncio.create_task(poller.poll()) for poller in self.pollers]

    async def close(self) -> None:
        """Cancels every task, also those of dead processes."""
        mine = asyncio.current_task()
        remaining = [task for task in asyncio.all_tasks() if task is not mine]
        for task in remaining:
            task.cancel()
        await asyncio.gather(*remaining, return_exceptions=True)

    # -------------------------------------------------------------------------------------------------------- workers

    def _senders(self, channel: Channel) -> Poller[QueueMessage]:
        fleet = Fleet(self.office)
        steps: dict[SimulatedOffice, Any] = {}

        async def send(batch: Sequence[QueueMessage], environment: SimulatedOffice) -> Sequence[bool]:
            step = steps.setdefault(environment, environment.step(channel))
            return list(await step.send_all(batch))

        async def work(batch: Sequence[QueueMessage]) -> Sequence[bool]:
            return await fleet.lend(partial(send, batch))

        queue = self.channels[channel]
        return Poller(queue, "sender", seconds=SENDER_SECONDS, at_once=3, batch=10, work=work)

    def _fanouts(self) -> Poller[Task]:
        fleet = Fleet(self.office)

        async def work(batch: Sequence[Task]) -> Sequence[bool]:
            until = ends_after(self.clock.instant, FANOUT_SECONDS - 20)
            for task in batch:
                await fleet.lend(lambda environment, task=task: environment.fanout().work(task, until))  # type: ignore[misc]
            return [True for _ in batch]

        return Poller(self.tasks, "fanout", seconds=FANOUT_SECONDS, at_once=3, batch=1, work=work)

    def _mark_dead(self, queue_message: SqsMessage[QueueMessage]) -> None:
        """A queue message that is given up goes to the dead-letter queue."""
        body, attempts = queue_message.body, queue_message.receives - 1
        reason = DeadReason.HANDLING_FAILED
        self.dead.add(
            DeadQueueMessage(
                organisation=body.organisation, message_id=body.message_id, reason=reason, attempts=attempts
            ),
            0,
        )

    def _undertakers(self) -> Poller[DeadQueueMessage]:
        fleet = Fleet(self.office)

        async def work(batch: Sequence[DeadQueueMessage]) -> Sequence[bool]:
            return await fleet.lend(lambda environment: environment.dead_letters().take_all(batch))

        return Poller(self.dead, "fanout", seconds=FANOUT_SECONDS, at_once=1, batch=1, work=work)

    def _consumers(self) -> Poller[Report]:
        fleet = Fleet(self.office, patient=True)

        async def work(batch: Sequence[Report]) -> Sequence[bool]:
            return await fleet.lend(lambda environment: environment.receiver().receive_all(batch))

        return Poller(self.statuses, "consumer", seconds=WEBHOOK_SECONDS, at_once=2, batch=10, work=work)

    # --------------------------------------------------------------------------------------------- calls from outside

    async def request[T](self, role: str, seconds: float, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """One request or tick, in a process of its own. Raises KilledError and UnavailableError."""
        self.ticks += 1
        process = Process(role, self.ticks, ends_after(self.clock.instant, seconds))
        return await asyncio.create_task(as_process(process, work()))

    async def knock(self, provider: Provider, body: bytes, credential: str) -> bool:
        """A call of a provider's webhook. Whether we answered 200."""

        async def at(environment: SimulatedOffice) -> bool:
            ingress = environment.ingress()
            if provider is self.meta:
                return await ingress.take_whatsapp(DEMO, body, credential)
            return await ingress.take_receipts(ORANGE, DEMO, credential, body, "192.0.2.1")

        try:
            return await self.request("webhook", WEBHOOK_SECONDS, partial(self.doors.lend, at))
        except (KilledError, UnavailableError):
            return False

    def _sms_key(self) -> str | None:
        rows = [row for row in self.office.log.rows.values() if row.channel is Channel.SMS]
        row = self.dice.random.choice(rows) if rows else None
        return f"{row.message_id}.{row.attempts}" if row is not None else None

    async def tick(self) -> None:
        """One tick. A failed tick is not repeated (no async retries)."""
        environment = self.office.environment()
        with suppress(KilledError, UnavailableError):
            await self.request("tick", FANOUT_SECONDS, environment.fanout().tick)

    async def minute(self) -> None:
        """The tick of a minute, sometimes missed or doubled."""
        if self.dice.breaks("tick_missed"):
            return
        if self.dice.breaks("tick_doubled"):
            await asyncio.gather(self.tick(), self.tick())
        else:
            await self.tick()

    # ------------------------------------------------------------------------------------------------------ its state

    @property
    def queues(self) -> Sequence[Queue[Any]]:
        """All queues."""
        return [*self.channels.values(), self.tasks, self.statuses, self.dead]

    def is_busy(self) -> bool:
        """Whether a worker works or a message is visible."""
        now = self.clock.instant
        soon = [at for queue in self.queues if (at := queue.next_visible()) is not None]
        return any(poller.busy for poller in self.pollers) or any(at <= now for at in soon)

    def reported(self) -> Sequence[Reported]:
        """The reports that our webhook accepted."""
        return self.postman.reported

    def rotate(self) -> None:
        """The provider's part of a rotation: the old secrets are no longer valid."""
        self.meta.token, self.meta.secret = "t2", "a2"
        self.orange.client_secret, self.orange.path_token = "s2", "r2"

    async def follow_rotation(self) -> None:
        """The administrator's part of a rotation."""
        now = self.clock.instant
        version = int(now.timestamp() * 1000)
        new = partial(Secret, updated_at=now)
        whatsapp = replace(
            WHATSAPP,
            rate_per_second=RATES["whatsapp"],
            version=version,
            access_token=new(value="t2"),
            app_secret=new(value="a2"),
            previous_app_secret=new(value="a"),
        )
        sms = replace(
            SMS,
            rate_per_second=RATES["sms"],
            version=version,
            client_secret=new(value="s2"),
            receipt_token=new(value="r2"),
        )
        await self.settings_are(whatsapp, sms)
