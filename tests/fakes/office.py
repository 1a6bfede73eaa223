"""All the fakes put together as the functions put the AWS adapters together, for one organisation named `demo`."""

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any, Protocol

from shared.app.fanout import Fanout, FanoutDeps
from shared.app.providers import PROVIDERS, ProviderRow, of_channel
from shared.base.instants import from_microseconds
from shared.base.json import JsonObject, JsonValue
from shared.campaigns.cancel import Sweep, SweepDeps
from shared.campaigns.control import Control, ControlDeps
from shared.campaigns.create import NewDistribution, Planning, PlanningDeps
from shared.campaigns.distribution import Distribution, Order, Schedule
from shared.campaigns.outlook import Outlook
from shared.campaigns.planning import Planner
from shared.campaigns.reading import Browse, BrowseDeps
from shared.campaigns.recount import Tallies
from shared.campaigns.release import Release, ReleaseDeps, Stragglers
from shared.cards.failures import FailedCards
from shared.cards.probe import CardProbe
from shared.cards.references import parse_hosts
from shared.duplicates.already_sent import AlreadySent
from shared.holds.causes import AccountHealth, ReadCauses
from shared.holds.keeper import HoldKeeper
from shared.holds.release import HoldWork, HoldWorkDeps
from shared.integrations.integration import Secret, SmsIntegration, WhatsAppIntegration
from shared.integrations.templates import TemplateGuard, Templates
from shared.messages.agenda import Agenda, AgendaDeps
from shared.messages.dead_letters import DeadLetters, Redrives
from shared.messages.fallbacks import Fallbacks
from shared.messages.message import Message
from shared.messages.payload import Channel
from shared.messages.resend import ResendDeps, Resends
from shared.messages.single import MessageDeps, NewMessage, SingleSends
from shared.messages.status_effects import Aftermath, AftermathDeps, Consequences
from shared.messages.status_writer import Settler
from shared.pacing.daily_limit import DailyLimits, NumberReader
from shared.pacing.members import Members, Proofs, ProvingBalances, ProvingNumbers
from shared.pacing.rate_limit import Member
from shared.policy.consents import Numbers
from shared.policy.eligibility import Judge
from shared.policy.erasure import Eraser, EraserDeps, Erasures
from shared.policy.gate_check import Admission
from shared.policy.hours import DEFAULT_PEAK_HOURS
from shared.policy.setting import SettingReader
from shared.recipients.contacts import Identities
from shared.recipients.number_key import NumberKey
from shared.sending.channel import CardSource, ChannelDesk, ChannelSender, ProviderDesk
from shared.sending.enqueue_now import EndingQueue, Straight
from shared.sending.resolve_unknown import Unknowns
from shared.sending.send import SendDeps, SendStep
from shared.sending.test_send import Trial, TrialDeps
from shared.texts.content import Content
from shared.webhooks.account_updates import AccountDeps, AccountListener
from shared.webhooks.inbound import InboundDeps, InboundDesk
from shared.webhooks.unmatched_receipts import NoteUnknown
from shared.webhooks.updates import News, StatusReport
from tests.fakes.account import FakeMeta, FakeReputations, FakeTemplateBook
from tests.fakes.bulk import FakeDistributions, FakePlans, FakeTurns, FakeUploads
from tests.fakes.cards import FakeCardFailures, FakeCards
from tests.fakes.contacts import FakeContacts, FakeSessions
from tests.fakes.erasing import FakeSchedules, FakeTraces
from tests.fakes.holds import FakeHolds
from tests.fakes.log import FakeLog
from tests.fakes.numbers import FakePeopleCount, FakePulse
from tests.fakes.orange import FakeBalances, FakeUnknownSms
from tests.fakes.rest import (
    FakeChannelQueue,
    FakeIntegrations,
    FakeLanes,
    FakePeople,
    FakeProvider,
    FakeReceipts,
    FakeTaskQueue,
)
from tests.fakes.world import MORNING, FakeClock, FakeTelemetry, KilledError, Points, tokens

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


class Office:
    """The use cases on fakes. `work` runs one worker, which a test may have killed."""

    def __init__(self, clock: FakeClock | None = None, points: Points | None = None) -> None:
        self.clock = clock or FakeClock()
        self.points = points or Points()
        self.draw = tokens()
        self.telemetry = FakeTelemetry()
        self.log = FakeLog(self.points)
        self.distributions = FakeDistributions(self.points)
        self.holds = FakeHolds(self.points, self.distributions)
        self.turns = FakeTurns(self.points)
        self.plans = FakePlans(self.points)
        self.uploads = FakeUploads(self.points)
        self.queue = FakeChannelQueue(self.points)
        self.tasks = FakeTaskQueue(self.points)
        self.lanes = FakeLanes(self.points, self.clock)
        self.people = FakePeople(self.points)
        self.receipts = FakeReceipts(self.points)
        self.unknown_sms = FakeUnknownSms(self.points)
        self.balances = FakeBalances()
        self.contacts = FakeContacts(self.points)
        self.sessions = FakeSessions(self.points)
        self.card_failures = FakeCardFailures(self.points)
        self.cards = FakeCards(self.points)
        self.pulse = FakePulse(self.points)
        self.people_count = FakePeopleCount(self.points)
        self.reputations = FakeReputations(self.points)
        self.integrations = FakeIntegrations()
        self.integrations.kept = {(DEMO, "sms"): SMS, (DEMO, "whatsapp"): WHATSAPP}
        self.providers: Sequence[ProviderRow] = PROVIDERS
        self.provider: FakeProvider[Any] = FakeProvider(self.points)
        self.provider.cards = self.cards
        for one in (SMS, WHATSAPP):  # both have sent before
            self.lanes.members[one.account] = {DEMO: Member(rate=1000, proved_at=self.clock.now(), version=0)}
        self.number_key = NumberKey(b"k" * 64)
        self.schedules = FakeSchedules(self.points)
        self.meta = FakeMeta()
        self.book = FakeTemplateBook()
        self.put_together()

    def put_together(self) -> None:
        """What outlives one request, on the fakes as they are now."""
        self.tallies = Tallies(self.distributions, self.plans, self.log, self.clock)
        self.members = Members(self.lanes, self.integrations, self.clock)
        self.traces = FakeTraces(self.sessions, self.contacts, self.unknown_sms, self.points)
        self.holding = HoldKeeper(self.holds, self.distributions, self.telemetry, self.clock, self.tasks)
        self.control = Control(
            ControlDeps(
                distributions=self.distributions,
                holding=self.holding,
                tasks=self.tasks,
                schedules=self.schedules,
                telemetry=self.telemetry,
                clock=self.clock,
            )
        )
        self.judge = Judge(self.people, self.sessions, self.number_key)
        self.templates = Templates(self.book, self.meta, self.telemetry, self.clock)
        self.number = NumberReader(self.reputations, self.meta, self.people_count, self.telemetry, self.clock)
        self.proofs = Proofs(
            ProvingBalances(self.balances, self.members),
            NumberReader(
                self.reputations, ProvingNumbers(self.meta, self.members), self.people_count, self.telemetry, self.clock
            ),
            self.telemetry,
            self.clock,
        )
        self.browse = Browse(
            BrowseDeps(
                log=self.log,
                distributions=self.distributions,
                holds=self.holds,
                plans=self.plans,
                pulse=self.pulse,
                outlook=Outlook(self.integrations, self.lanes, self.balances, self.number, self.clock),
                clock=self.clock,
            )
        )
        hosts = parse_hosts("cards.example.org")
        self.settings = SettingReader(self.integrations, self.templates, hosts, frozenset())

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(work)

    def killed(self, work: Coroutine[Any, Any, Any], before: tuple[str, int]) -> bool:
        """Whether the worker got as far as the point at which it is killed."""
        self.points.kill_before = (before[0], self.points.passed[before[0]] + before[1])
        try:
            self.run(work)
        except KilledError:
            return True
        finally:
            self.points.kill_before = None
        return False

    def consequences(self) -> Consequences:
        return Consequences(self.people, self.tasks, self.telemetry)

    def aftermath(self, settler: Settler) -> Aftermath:
        return Aftermath(
            AftermathDeps(
                log=self.log,
                distributions=self.distributions,
                settler=settler,
                consequences=self.consequences(),
                holding=self.holding,
                pulse=self.pulse,
                clock=self.clock,
            )
        )

    def told(self, *reports: StatusReport) -> None:
        """A new consumer takes statuses of WhatsApp messages."""
        settler = self.settler()
        aftermath = self.aftermath(settler)
        for report in reports:
            assert report.attempt is not None
            aftermath.hear(DEMO, report)
            self.run(aftermath.take(DEMO, report.attempt, report))
        self.run(settler.flush())
        self.run(aftermath.flush())

    @property
    def limits(self) -> DailyLimits:
        """One worker's."""
        return DailyLimits(self.reputations.get, self.people_count, self.sessions)

    @property
    def ending_queue(self) -> EndingQueue:
        """The channel queues, as the use cases have them."""
        return EndingQueue(self.queue, self.settler(), self.telemetry)

    def settler(self) -> Settler:
        return Settler(self.log, self.distributions, self.telemetry, self.clock)

    def card_source(self) -> CardSource:
        """Where cards lie."""
        return self.cards

    def sender(self, _: ProviderRow) -> ChannelSender[Any, Any]:
        """Whom a new worker asks at the provider."""
        return self.provider

    def step(self, channel: Channel, *, sms: ReadsSms | None = None) -> SendStep[Any, Any]:
        """A new worker: nothing is remembered from an earlier one."""
        read_sms = sms or self.integrations.sms
        admission = Admission(self.holds, self.people, self.log, self.limits)

        async def texting(organisation: str, version: int) -> SmsIntegration | None:
            return await read_sms(organisation, version=version)

        async def whatsapp(organisation: str, version: int) -> WhatsAppIntegration | None:
            return await self.integrations.whatsapp(organisation, version=version)

        deps = SendDeps(
            log=self.log,
            lanes=self.lanes,
            queue=self.ending_queue,
            admission=admission,
            settler=self.settler(),
            consequences=self.consequences(),
            holding=self.holding,
            members=self.members,
            cards=FailedCards(self.card_failures, self.card_source()),
            telemetry=self.telemetry,
            clock=self.clock,
            draw=self.draw,
        )
        noted = (self.receipts, self.pulse, self.telemetry, self.clock)
        providers = {
            row.name: ProviderDesk(sender=self.sender(row), acknowledge=row.acknowledge(*noted))
            for row in of_channel(channel, self.providers)
        }
        if channel is Channel.SMS:
            unsure = NoteUnknown(unknown=self.unknown_sms)
            return SendStep(ChannelDesk(integration=texting, providers=providers, unsure=unsure), deps)
        return SendStep(ChannelDesk(integration=whatsapp, providers=providers), deps)

    def singles(self) -> SingleSends:
        return SingleSends(
            MessageDeps(
                log=self.log,
                plans=self.plans,
                judge=self.judge,
                settings=self.settings,
                lanes=self.lanes,
                queue=self.ending_queue,
                clock=self.clock,
            )
        )

    def inbound_desk(self) -> InboundDesk:
        """A new worker's."""
        identities = Identities(self.contacts, self.people, self.sessions, self.number_key.person)
        straight = Straight(log=self.log, lanes=self.lanes, queue=self.ending_queue, clock=self.clock)
        return InboundDesk(
            InboundDeps(
                identities=identities,
                integrations=self.integrations,
                log=self.log,
                plans=self.plans,
                straight=straight,
                telemetry=self.telemetry,
                clock=self.clock,
            )
        )

    def hear(self, *news: News) -> None:
        """A new worker hears of it."""
        desk = self.inbound_desk()
        account = self.account_listener()
        for one in news:
            self.run(desk.hear(DEMO, one))
            self.run(account.hear(DEMO, one))

    def resends(self) -> Resends:
        return Resends(
            ResendDeps(
                log=self.log,
                plans=self.plans,
                integrations=self.integrations,
                admission=Admission(self.holds, self.people, self.log, self.limits),
                straight=Straight(log=self.log, lanes=self.lanes, queue=self.ending_queue, clock=self.clock),
                clock=self.clock,
            )
        )

    def identities(self) -> Identities:
        return Identities(self.contacts, self.people, self.sessions, self.number_key.person)

    def erasures(self) -> Erasures:
        numbers = Numbers(self.integrations, self.number_key)
        return Erasures(numbers, self.identities(), self.people, self.tasks, self.clock)

    def eraser(self) -> Eraser:
        return Eraser(
            EraserDeps(
                log=self.log,
                plans=self.plans,
                uploads=self.uploads,
                distributions=self.distributions,
                same=self.identities(),
                traces=self.traces,
                settler=self.settler(),
                tasks=self.tasks,
                telemetry=self.telemetry,
                clock=self.clock,
            )
        )

    def dead_letters(self) -> DeadLetters:
        """A new worker."""
        settler = self.settler()
        unknowns = Unknowns(self.log, settler, NoteUnknown(unknown=self.unknown_sms))
        return DeadLetters(self.log, unknowns, settler, self.telemetry, self.clock)

    def redrives(self) -> Redrives:
        return Redrives(self.log, self.tasks, self.telemetry, self.clock)

    def planning(self) -> Planning:
        return Planning(
            PlanningDeps(
                distributions=self.distributions,
                plans=self.plans,
                uploads=self.uploads,
                already=self.already(),
                planner=Planner(
                    self.judge, self.plans, self.lanes, self.balances, self.number, CardProbe(self.card_source())
                ),
                settings=self.settings,
                tasks=self.tasks,
                schedules=self.schedules,
                telemetry=self.telemetry,
                clock=self.clock,
                draw=self.draw,
            )
        )

    def already(self) -> AlreadySent:
        """A new worker's."""
        return AlreadySent(self.distributions, self.turns, self.plans, self.log, self.settler(), self.clock)

    def sweep(self) -> Sweep:
        settler = self.settler()
        unknowns = Unknowns(self.log, settler, NoteUnknown(unknown=self.unknown_sms))
        return Sweep(
            SweepDeps(
                log=self.log,
                distributions=self.distributions,
                plans=self.plans,
                tallies=self.tallies,
                settler=settler,
                unknowns=unknowns,
                clock=self.clock,
            )
        )

    def account_listener(self) -> AccountListener:
        return AccountListener(
            AccountDeps(
                integrations=self.integrations,
                book=self.book,
                reputations=self.reputations,
                holding=self.holding,
                tasks=self.tasks,
                telemetry=self.telemetry,
                clock=self.clock,
            )
        )

    def account_health(self) -> AccountHealth:
        return AccountHealth(self.integrations, self.number, self.holding, self.tasks, self.telemetry)

    def fanout(self) -> Fanout:
        settler = self.settler()
        unknowns = Unknowns(self.log, settler, NoteUnknown(unknown=self.unknown_sms))
        release = Release(
            ReleaseDeps(
                distributions=self.distributions,
                holds=self.holds,
                holding=self.holding,
                plans=self.plans,
                already=self.already(),
                log=self.log,
                lanes=self.lanes,
                queue=self.ending_queue,
                integrations=self.integrations,
                guard=TemplateGuard(self.book),
                tallies=self.tallies,
                stragglers=Stragglers(self.log, self.tallies, settler, unknowns),
                limits=self.limits,
                proofs=self.proofs,
                settler=settler,
                schedules=self.schedules,
                telemetry=self.telemetry,
                clock=self.clock,
            )
        )
        agenda = Agenda(
            AgendaDeps(
                log=self.log,
                holds=self.holds,
                plans=self.plans,
                integrations=self.integrations,
                lanes=self.lanes,
                queue=self.ending_queue,
                settler=self.settler(),
                admission=Admission(self.holds, self.people, self.log),
                fallbacks=Fallbacks(
                    log=self.log, plans=self.plans, integrations=self.integrations, telemetry=self.telemetry
                ),
                unsure=NoteUnknown(unknown=self.unknown_sms),
                pulse=self.pulse,
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
                holds=self.holds,
                hold_work=self.hold_work(),
                sweep=self.sweep(),
                tallies=self.tallies,
                agenda=agenda,
                eraser=self.eraser(),
                redrives=self.redrives(),
                account_health=self.account_health(),
                telemetry=self.telemetry,
                clock=self.clock,
            )
        )

    def hold_work(self) -> HoldWork:
        causes = ReadCauses(
            self.balances,
            self.number,
            self.templates,
            self.limits,
            self.telemetry,
            self.clock,
        )
        return HoldWork(
            HoldWorkDeps(
                holding=self.holding,
                causes=causes,
                distributions=self.distributions,
                log=self.log,
                plans=self.plans,
                integrations=self.integrations,
                lanes=self.lanes,
                queue=self.ending_queue,
                tasks=self.tasks,
                telemetry=self.telemetry,
                clock=self.clock,
            )
        )

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
        """Work off the fan-out queue as it stands now, and turn by turn the distributions that queue up again."""
        waiting, self.tasks.tasks = self.tasks.tasks, []
        while waiting:
            task = waiting.pop(0)
            before = len(self.tasks.tasks)
            self.run(self.fanout().work(task, self.clock.now() + timedelta(minutes=5)))
            if task.kind == "advance" and self.tasks.tasks[before:] == [task]:
                waiting.append(self.tasks.tasks.pop())

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

    def finish(self, channel: Channel = Channel.SMS) -> None:
        """Ticks and workers until nothing is due any more within the day."""
        for _ in range(12):
            self.do_tasks()
            self.deliver(channel, within=timedelta(seconds=60))
            self.clock.pass_by(seconds=1)
            self.tick()

    def trial(self) -> Trial:
        """What sends test messages."""
        return Trial(
            TrialDeps(
                log=self.log,
                lanes=self.lanes,
                settler=self.settler(),
                number_key=self.number_key,
                clock=self.clock,
            )
        )

    def row(self, message_id: str) -> Message:
        return self.log.rows[DEMO, message_id]
