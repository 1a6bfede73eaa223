"""All the fakes put together as the functions put the AWS adapters together, for one organisation named `demo`."""

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any, Protocol

from shared.domain.card_reference import parse_hosts
from shared.domain.content import Content
from shared.domain.distribution import Distribution, Order, Schedule
from shared.domain.ids import NumberKey
from shared.domain.instants import from_microseconds
from shared.domain.integration import Secret, SmsIntegration, WhatsAppIntegration
from shared.domain.json import JsonObject, JsonValue
from shared.domain.message import Message
from shared.domain.payload import Channel
from shared.usecases.admission import Admission
from shared.usecases.agenda import Agenda, AgendaDeps
from shared.usecases.browse import Browse
from shared.usecases.channel import ChannelDesk, NameReceipts, no_acknowledgement
from shared.usecases.control import Control
from shared.usecases.distributions import NewDistribution, Planning, PlanningDeps
from shared.usecases.fanout import Fanout, FanoutDeps
from shared.usecases.judge import Judge
from shared.usecases.messages import MessageDeps, NewMessage, SingleSends
from shared.usecases.planning import Planner
from shared.usecases.release import Release, ReleaseDeps
from shared.usecases.send import SendDeps, SendStep
from shared.usecases.setting import SettingReader
from shared.usecases.settle import Settler
from shared.usecases.sweep import Sweep
from shared.usecases.tallies import Tallies
from tests.fakes.bulk import FakeDistributions, FakePlans, FakeUploads
from tests.fakes.log import FakeLog
from tests.fakes.rest import (
    FakeChannelQueue,
    FakeIntegrations,
    FakeLanes,
    FakePeople,
    FakeProvider,
    FakeReceipts,
    FakeTaskQueue,
)
from tests.fakes.world import MORNING, FakeClock, FakeTelemetry, KilledError, Points

DEMO = "demo"
CARD = "https://cards.example.org/{card_code}.png"


class ReadsSms(Protocol):
    """How a worker sees the SMS settings."""

    async def __call__(self, organisation: str, *, version: int = 0, fresh: bool = False) -> SmsIntegration | None: ...


def secret(value: str) -> Secret:
    return Secret(value=value, updated_at=MORNING)


SMS = SmsIntegration(
    organisation=DEMO,
    client_id="client",
    client_secret=secret("s"),
    sender_name="PNV",
    default_country="SN",
    senders={"EG": "tel:+200000"},
    rate_per_second=5,
    unit_prices={},
    peak_hours=(("08:00", "10:00"),),
    receipt_addresses=(),
    receipt_token=secret("r"),
    version=1,
)
WHATSAPP = WhatsAppIntegration(
    organisation=DEMO,
    phone_number_id="1",
    sender_number="+221770009999",
    access_token=secret("t"),
    app_secret=secret("a"),
    previous_app_secret=None,
    verify_token=secret("v"),
    business_account_id=None,
    rate_per_second=80,
    default_template="vaccination_card",
    version=1,
)


def recipient(number: int, **changes: JsonValue) -> JsonObject:
    values: JsonObject = {
        "phone": f"+22177000{number:04d}",
        "first_name": "Aminata",
        "last_name": "Essai",
        "programme_name": "PNV",
        "card_code": f"CARD-{number}",
        "verification_url": "https://v.example.org/{card_code}",
        "card_image": CARD,
        "consent": True,
    }
    return values | changes


class Office:
    """The use cases on fakes. `work` runs one worker, which a test may have killed."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.points = Points()
        self.telemetry = FakeTelemetry()
        self.log = FakeLog(self.points)
        self.distributions = FakeDistributions(self.points)
        self.plans = FakePlans(self.points)
        self.uploads = FakeUploads()
        self.queue = FakeChannelQueue(self.points)
        self.tasks = FakeTaskQueue(self.points)
        self.lanes = FakeLanes(self.points)
        self.people = FakePeople(self.points)
        self.receipts = FakeReceipts(self.points)
        self.integrations = FakeIntegrations()
        self.integrations.kept = {(DEMO, "sms"): SMS, (DEMO, "whatsapp"): WHATSAPP}
        self.provider: FakeProvider[Any] = FakeProvider(self.points)
        self.number_key = NumberKey(b"k" * 64)
        self.tallies = Tallies(self.distributions, self.plans, self.log)
        self.browse = Browse(self.log, self.distributions, self.plans)
        self.control = Control(self.distributions, self.tasks, self.telemetry, self.clock)
        self.judge = Judge(self.people, self.number_key)
        self.settings = SettingReader(self.integrations, parse_hosts("cards.example.org"), frozenset())

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(work)

    def killed(self, work: Coroutine[Any, Any, Any], before: tuple[str, int]) -> bool:
        """Whether the worker got as far as the point at which it is killed."""
        self.points.kill_before = (before[0], self.points.passed[before[0]] + before[1])
        try:
            asyncio.run(work)
        except KilledError:
            return True
        finally:
            self.points.kill_before = None
        return False

    def settler(self) -> Settler:
        return Settler(self.log, self.distributions, self.telemetry)

    def step(self, channel: Channel, *, sms: ReadsSms | None = None) -> SendStep[Any, str]:
        """A new worker: nothing is remembered from an earlier one."""
        read_sms = sms or self.integrations.sms
        admission = Admission(self.distributions, self.people, self.telemetry)

        async def texting(organisation: str, version: int) -> SmsIntegration | None:
            return await read_sms(organisation, version=version)

        async def whatsapp(organisation: str, version: int) -> WhatsAppIntegration | None:
            return await self.integrations.whatsapp(organisation, version=version)

        deps = SendDeps(
            log=self.log,
            lanes=self.lanes,
            queue=self.queue,
            admission=admission,
            settler=self.settler(),
            telemetry=self.telemetry,
            clock=self.clock,
        )
        if channel is Channel.SMS:
            named = NameReceipts(receipts=self.receipts, now=self.clock.now)
            return SendStep(ChannelDesk(integration=texting, sender=self.provider, acknowledge=named), deps)
        desk = ChannelDesk(integration=whatsapp, sender=self.provider, acknowledge=no_acknowledgement)
        return SendStep(desk, deps)

    def singles(self) -> SingleSends:
        return SingleSends(
            MessageDeps(
                log=self.log,
                plans=self.plans,
                judge=self.judge,
                settings=self.settings,
                lanes=self.lanes,
                queue=self.queue,
                clock=self.clock,
            )
        )

    def planning(self) -> Planning:
        return Planning(
            PlanningDeps(
                distributions=self.distributions,
                plans=self.plans,
                uploads=self.uploads,
                planner=Planner(self.judge, self.plans, self.lanes),
                settings=self.settings,
                tasks=self.tasks,
                telemetry=self.telemetry,
                clock=self.clock,
            )
        )

    def fanout(self) -> Fanout:
        release = Release(
            ReleaseDeps(
                distributions=self.distributions,
                plans=self.plans,
                log=self.log,
                lanes=self.lanes,
                queue=self.queue,
                integrations=self.integrations,
                tallies=self.tallies,
                telemetry=self.telemetry,
                clock=self.clock,
            )
        )
        agenda = Agenda(
            AgendaDeps(
                log=self.log,
                distributions=self.distributions,
                plans=self.plans,
                integrations=self.integrations,
                lanes=self.lanes,
                queue=self.queue,
                settler=self.settler(),
                telemetry=self.telemetry,
                clock=self.clock,
            )
        )
        return Fanout(
            FanoutDeps(
                distributions=self.distributions,
                log=self.log,
                tasks=self.tasks,
                planning=self.planning(),
                release=release,
                sweep=Sweep(self.distributions, self.tallies, self.settler()),
                agenda=agenda,
                telemetry=self.telemetry,
                clock=self.clock,
            )
        )

    def single(self, number: int = 8200, channel: Channel = Channel.SMS, **changes: Any) -> Message:
        new = NewMessage(
            organisation=DEMO,
            key=f"key-{number}-{channel}",
            request_hash="h",
            channel=channel,
            campaign_id="c",
            recipient=recipient(number),
            content=Content(template="vaccination_card"),
            send_at=changes.get("send_at"),
        )
        return self.run(self.singles().create(new))

    def new_distribution(
        self, recipients: Sequence[JsonObject], *, channel: Channel = Channel.SMS, key: str = "d", confirm: bool = False
    ) -> NewDistribution:
        return NewDistribution(
            organisation=DEMO,
            key=key,
            request_hash="h",
            campaign_id="c",
            channel=channel,
            order=Order(content=Content(template="vaccination_card"), defaults={}),
            schedule=Schedule(),
            confirm=confirm,
            upload_id=None,
            recipients=recipients,
        )

    def distribute(self, count: int, *, channel: Channel = Channel.SMS) -> Distribution:
        """A confirmed distribution of so many recipients; its first task waits."""
        rows = [recipient(number) for number in range(1, count + 1)]
        return self.run(self.planning().create(self.new_distribution(rows, channel=channel, confirm=True)))

    def do_tasks(self) -> None:
        """Work off the fan-out queue, as it stands now."""
        waiting, self.tasks.tasks = self.tasks.tasks, []
        for task in waiting:
            self.run(self.fanout().work(task, self.clock.now() + timedelta(minutes=5)))

    def tick(self) -> None:
        """One tick and what it asks for."""
        self.run(self.fanout().tick())
        self.do_tasks()

    def deliver(self, channel: Channel = Channel.SMS, *, within: timedelta = timedelta(0)) -> None:
        """A new worker takes, ten at a time, what becomes visible on the channel queue `within` this time."""
        end = self.clock.now() + within
        while self.queue.waiting:
            visible_at = from_microseconds(min(one.departs_at for one in self.queue.waiting)) - timedelta(seconds=1)
            if visible_at > end:
                break
            self.clock.instant = max(visible_at, self.clock.now())
            self.run(self.step(channel).send_all(self.queue.take(self.clock.now(), most=10)))
        self.clock.instant = max(self.clock.instant, end)

    def row(self, message_id: str) -> Message:
        return self.log.rows[DEMO, message_id]
