"""The fakes behind the functions' own container, for one organisation named `demo`."""

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any

from shared.app.container.api import Api
from shared.app.container.fanout import FanningOut
from shared.app.container.webhook import Webhook
from shared.app.fanout import Fanout
from shared.app.providers import PROVIDERS, ProviderRow
from shared.base.instants import from_microseconds
from shared.base.json import JsonObject, JsonValue
from shared.campaigns.control import Control
from shared.campaigns.create import NewDistribution, Planning
from shared.campaigns.distribution import Distribution, Order, Schedule
from shared.campaigns.reading import Browse
from shared.campaigns.recount import Tallies
from shared.cards.references import parse_hosts
from shared.duplicates.already_sent import AlreadySent
from shared.holds.keeper import HoldKeeper
from shared.holds.release import AccountHealth, HoldWork
from shared.integrations.integration import Secret, SmsIntegration, WhatsAppIntegration
from shared.integrations.templates import Templates
from shared.messages.dead_letters import DeadLetters, Redrives
from shared.messages.message import Message
from shared.messages.payload import Channel
from shared.messages.single import NewMessage, Resends, SingleSends
from shared.messages.status_writer import StatusEffects, StatusWriter
from shared.pacing.daily_limit import NumberReader
from shared.pacing.members import Members
from shared.pacing.rate_limit import Member
from shared.policy.eligibility import Eligibility
from shared.policy.erasure import Eraser, Erasures
from shared.policy.hours import DEFAULT_PEAK_HOURS
from shared.policy.setting import SettingReader
from shared.providers.http import SendTimes
from shared.recipients.number_key import NumberKey
from shared.sending.channel import CardSource, ChannelSender
from shared.sending.send import SendStep
from shared.sending.test_send import SendTest
from shared.statistics.sums import SUM_SHARDS
from shared.storage.workbooks import ChildWorkbooks
from shared.texts.content import Content
from shared.webhooks.account_updates import AccountListener
from shared.webhooks.inbound import InboundAdapter
from shared.webhooks.updates import StatusReport, WebhookEvent
from tests.fakes.account import FakeMeta, FakeNumberStatuses, FakeTemplateBook
from tests.fakes.bulk import FakeDistributions, FakePlans, FakeSums, FakeTurns, FakeUploads
from tests.fakes.cards import FakeCardFailures, FakeCards
from tests.fakes.contacts import FakeContacts, FakeSessions
from tests.fakes.erasing import FakeSchedules, FakeTraces
from tests.fakes.exports import FakeExportFiles, FakeExports
from tests.fakes.holds import FakeHolds
from tests.fakes.log import FakeLog
from tests.fakes.numbers import FakeLastHeard, FakePeopleCount
from tests.fakes.orange import FakeBalances, FakeTokenStore, FakeUnknownSms
from tests.fakes.rest import (
    FakeCallCounts,
    FakeChannelQueue,
    FakeIntegrations,
    FakePeople,
    FakeProvider,
    FakeRateLimits,
    FakeReceipts,
    FakeStatusQueue,
    FakeTaskQueue,
)
from tests.fakes.world import MORNING, FakeClock, FakeTelemetry, KilledError, Points, tokens

DEMO = "demo"
CARD = "https://cards.example.org/{card_code}.png"


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
    peak_hours=DEFAULT_PEAK_HOURS,
    receipt_addresses=(),
    receipt_token=secret("r"),
    version=1,
    account="account-at-orange",
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
    account="number-at-meta",
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


OFFICER = "officer-7"
"""Who asks for the messages and distributions of the office."""


class Container(Api["Office"], FanningOut["Office"], Webhook["Office"]):
    """The use cases of all functions in one execution environment."""


class Office:
    """The use cases on fakes. `killed` runs work in a worker that dies at a given point."""

    def __init__(self, clock: FakeClock | None = None, points: Points | None = None) -> None:
        self.container: type[Container] = Container
        self.clock = clock or FakeClock()
        self.points = points or Points()
        self.draw = tokens()
        self.telemetry = FakeTelemetry()
        self.log = FakeLog(self.points)
        self.distributions = FakeDistributions(self.points)
        self.sums = FakeSums(self.points, self.distributions)
        self.holds = FakeHolds(self.points, self.distributions)
        self.turns = FakeTurns(self.points)
        self.plans = FakePlans(self.points)
        self.uploads = FakeUploads(self.points)
        self.export_store = FakeExports(self.points)
        self.export_files = FakeExportFiles(self.points)
        self.workbooks = ChildWorkbooks()
        self.queue = FakeChannelQueue(self.points)
        self.tasks = FakeTaskQueue(self.points)
        self.rate_limits = FakeRateLimits(self.points, self.clock)
        self.people = FakePeople(self.points)
        self.receipts = FakeReceipts(self.points)
        self.unknown_sms = FakeUnknownSms(self.points)
        self.balances = FakeBalances()
        self.contacts = FakeContacts(self.points)
        self.sessions = FakeSessions(self.points)
        self.card_failures = FakeCardFailures(self.points)
        self.cards = FakeCards(self.points)
        self.last_heard_store = FakeLastHeard(self.points)
        self.people_count = FakePeopleCount(self.points)
        self.number_statuses = FakeNumberStatuses(self.points)
        self.integrations = FakeIntegrations()
        self.integrations.kept = {(DEMO, "sms"): SMS, (DEMO, "whatsapp"): WHATSAPP}
        self.providers: Sequence[ProviderRow] = PROVIDERS
        self.provider: FakeProvider[Any] = FakeProvider(self.points)
        self.provider.cards = self.cards
        for one in (SMS, WHATSAPP):  # both accounts have sent before
            self.rate_limits.members[one.account] = {DEMO: Member(rate=1000, proved_at=self.clock.now(), version=0)}
        self.number_key_bytes = b"k" * 64
        self.number_key = NumberKey(self.number_key_bytes)
        self.call_counts = FakeCallCounts(self.points)
        self.token_store = FakeTokenStore(self.points)
        self.status_queue = FakeStatusQueue()
        self.card_hosts = parse_hosts("cards.example.org")
        self.card_buckets = frozenset[str]()
        self.schedules = FakeSchedules(self.points)
        self.meta = FakeMeta()
        self.book = FakeTemplateBook()
        self.put_together()

    def put_together(self) -> None:
        """Builds the parts that outlive one request, on the present fakes."""
        self.traces = FakeTraces(self.sessions, self.contacts, self.unknown_sms, self.points)
        self.app = self.worker()

    def worker(self) -> Container:
        """A new execution environment, without memory of an earlier one."""
        return self.container(self)

    @property
    def card_source(self) -> CardSource:
        """The source of cards."""
        return self.cards

    @property
    def current_integrations(self) -> FakeIntegrations:
        """The same store: the fakes have no cache of settings."""
        return self.integrations

    @property
    def templates_at_meta(self) -> FakeMeta:
        return self.meta

    def sender(self, row: ProviderRow, times: SendTimes, cards: CardSource | None) -> ChannelSender[Any, Any]:
        """The provider client of a new worker."""
        return self.provider

    @property
    def tallies(self) -> Tallies:
        return self.app.tallies

    @property
    def members(self) -> Members:
        return self.app.members

    @property
    def holding(self) -> HoldKeeper:
        return self.app.holding

    @property
    def control(self) -> Control:
        return self.app.control

    @property
    def eligibility(self) -> Eligibility:
        return self.app.eligibility

    @property
    def templates(self) -> Templates:
        return self.app.templates

    @property
    def number(self) -> NumberReader:
        return self.app.number

    @property
    def browse(self) -> Browse:
        return self.app.browse

    @property
    def settings(self) -> SettingReader:
        return self.app.setting_reader

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(work)

    def killed(self, work: Coroutine[Any, Any, Any], before: tuple[str, int]) -> bool:
        """Runs the work in a worker that dies before a given point. Whether it got as far."""
        self.points.kill_before = (before[0], self.points.passed[before[0]] + before[1])
        try:
            self.run(work)
        except KilledError:
            return True
        finally:
            self.points.kill_before = None
        return False

    def status_writer(self) -> StatusWriter:
        return self.app.status_writer()

    def status_effects(self, status_writer: StatusWriter) -> StatusEffects:
        return self.worker().status_effects(status_writer)

    def reported(self, *reports: StatusReport) -> None:
        """A new consumer takes statuses of WhatsApp messages."""
        status_writer = self.status_writer()
        status_effects = self.status_effects(status_writer)
        for report in reports:
            assert report.attempt is not None
            status_effects.receive(DEMO, report)
            self.run(status_effects.take(DEMO, report.attempt, report))
        self.run(status_writer.flush())
        self.run(status_effects.flush())

    def step(self, channel: Channel) -> SendStep[Any, Any]:
        """The send step of a new worker, without memory of an earlier one."""
        worker = self.worker()
        step = worker.sms_step if channel is Channel.SMS else worker.whatsapp_step
        return step(providers=self.providers)

    def singles(self) -> SingleSends:
        return self.worker().single_sends

    def inbound_adapter(self) -> InboundAdapter:
        return self.worker().inbound_adapter()

    def account_listener(self) -> AccountListener:
        return self.worker().account_listener()

    def resends(self) -> Resends:
        return self.worker().resends

    def erasures(self) -> Erasures:
        return self.worker().erasures

    def eraser(self) -> Eraser:
        return self.worker().eraser

    def dead_letters(self) -> DeadLetters:
        return self.worker().dead_letters

    def redrives(self) -> Redrives:
        return self.worker().redrives

    def planning(self) -> Planning:
        return self.worker().planning

    def already(self) -> AlreadySent:
        return self.worker().already

    def account_health(self) -> AccountHealth:
        return self.worker().account_health

    def fanout(self) -> Fanout:
        return self.worker().fanout

    def hold_work(self) -> HoldWork:
        return self.worker().hold_work

    def send_test(self) -> SendTest:
        """The use case for test messages."""
        return self.worker().send_test

    def receive(self, *webhook_event: WebhookEvent) -> None:
        """A new worker takes webhook events."""
        adapter = self.inbound_adapter()
        account = self.account_listener()
        for one in webhook_event:
            self.run(adapter.receive(DEMO, one))
            self.run(account.receive(DEMO, one))

    def single(self, number: int = 8200, channel: Channel = Channel.SMS, **changes: Any) -> Message:
        new = NewMessage(
            organisation=DEMO,
            key=changes.get("key", f"key-{number}-{channel}"),
            request_hash="h",
            channel=channel,
            campaign_id="c",
            recipient=recipient(number, consent=changes.get("consent", True)),
            content=changes.get("content", Content(template="vaccination_card")),
            send_at=changes.get("send_at"),
            fallback=changes.get("fallback"),
            created_by=OFFICER,
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
            created_by=OFFICER,
        )

    def distribute(self, count: int, *, channel: Channel = Channel.SMS) -> Distribution:
        """A confirmed distribution with `count` recipients. Its first task waits."""
        rows = [recipient(number) for number in range(1, count + 1)]
        return self.run(self.planning().create(self.new_distribution(rows, channel=channel, confirm=True)))

    def do_tasks(self) -> None:
        """Does the tasks that wait on the fan-out queue now. A distribution that queues itself again goes on, in
        turn."""
        waiting, self.tasks.tasks = self.tasks.tasks, []
        fanout = self.fanout()
        while waiting:
            task = waiting.pop(0)
            before = len(self.tasks.tasks)
            self.run(fanout.work(task, self.clock.now() + timedelta(minutes=5)))
            if task.kind == "advance" and self.tasks.tasks[before:] == [task]:
                waiting.append(self.tasks.tasks.pop())

    def tick(self) -> None:
        """One tick and its tasks."""
        self.run(self.fanout().tick())
        self.do_tasks()

    def sum_up(self) -> None:
        """Bring all sums up to date, as the tick's tasks do."""
        for shard in range(SUM_SHARDS):
            self.run(self.worker().summing.work(shard, self.clock.now() + timedelta(minutes=5)))

    def deliver(self, channel: Channel = Channel.SMS, *, within: timedelta = timedelta(0)) -> None:
        """New workers take the queue messages that become visible `within` this time, ten at a time."""
        end = self.clock.now() + within
        while self.queue.waiting:
            visible_at = from_microseconds(min(one.slot_at for one in self.queue.waiting)) - timedelta(seconds=1)
            if visible_at > end:
                break
            self.clock.instant = max(visible_at, self.clock.now())
            self.run(self.step(channel).send_all(self.queue.take(self.clock.now(), most=10)))
        self.clock.instant = max(self.clock.instant, end)

    def finish(self, channel: Channel = Channel.SMS) -> None:
        """Alternates ticks and workers for twelve rounds; by then nothing is due within the day."""
        for _ in range(12):
            self.do_tasks()
            self.deliver(channel, within=timedelta(seconds=60))
            self.clock.pass_by(seconds=1)
            self.tick()

    def row(self, message_id: str) -> Message:
        return self.log.rows[DEMO, message_id]
