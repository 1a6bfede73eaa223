"""What the fan-out works with: settings from the environment, use cases on AWS."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from shared.app.account import Account
from shared.app.cards import card_source
from shared.app.fanout import Fanout, FanoutDeps
from shared.app.reading import browse_with
from shared.app.runtime import days, read_settings
from shared.app.schedules import schedule_names
from shared.app.sms import sms_balances
from shared.app.stores import Names, Stores
from shared.app.telemetry import LoggedTelemetry
from shared.base.instants import Clock
from shared.campaigns.cancel import Sweep, SweepDeps
from shared.campaigns.create import Planning, PlanningDeps
from shared.campaigns.planning import Planner
from shared.campaigns.reading import Browse
from shared.campaigns.recount import Tallies
from shared.campaigns.release import Release, ReleaseDeps, Stragglers
from shared.cards.probe import CardProbe
from shared.cards.references import parse_buckets, parse_hosts
from shared.duplicates.already_sent import AlreadySent
from shared.holds.causes import AccountHealth, ReadCauses
from shared.holds.release import HoldWork, HoldWorkDeps
from shared.integrations.templates import TemplateGuard
from shared.messages.agenda import Agenda, AgendaDeps
from shared.messages.dead_letters import DeadLetters, Redrives
from shared.messages.fallbacks import Fallbacks
from shared.messages.payload import ORANGE, Channel
from shared.pacing.members import Proofs, ProvingBalances
from shared.policy.eligibility import Judge
from shared.policy.erasure import Eraser, EraserDeps
from shared.policy.gate_check import Admission
from shared.policy.setting import SettingReader
from shared.recipients.contacts import Identities
from shared.recipients.number_key import NumberKey
from shared.sending.enqueue_now import EndingQueue
from shared.sending.resolve_unknown import Unknowns
from shared.storage.aws import Aws
from shared.storage.dynamodb.people import DynamoTraces
from shared.storage.files import S3Uploads
from shared.storage.integrations import number_key
from shared.storage.plans import S3Plans
from shared.storage.queues import SqsTaskQueue
from shared.storage.schedules import SchedulerSchedules
from shared.webhooks.unmatched_receipts import NoteUnknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Environment variables of the function."""

    log_table: str
    state_table: str
    payload_bucket: str
    secrets_prefix: str
    number_key_secret_id: str
    whatsapp_queue_url: str
    sms_queue_url: str
    fanout_queue_url: str
    dead_letter_queue_arns: str
    meta_graph_url: str
    orange_api_url: str
    card_hosts: str
    card_buckets: str
    schedule_group: str
    schedule_target_arn: str
    schedule_role_arn: str
    message_retention_days: str


class Deps:
    """The fan-out's use cases, each made at first use."""

    def __init__(self, environment: Mapping[str, str], clock: Clock, aws: Aws, telemetry: LoggedTelemetry) -> None:
        self.settings = read_settings(Settings, environment)
        self.clock = clock
        self.telemetry = telemetry
        self.aws = aws
        names = Names(
            log_table=self.settings.log_table,
            fanout_queue_url=self.settings.fanout_queue_url,
            state_table=self.settings.state_table,
            secrets_prefix=self.settings.secrets_prefix,
            message_retention=days(self.settings.message_retention_days),
        )
        self.stores = Stores(aws, clock, telemetry, names)

    @cached_property
    def number_key_bytes(self) -> bytes:
        """The key of every hash that is stored."""
        return number_key(self.aws, self.settings.number_key_secret_id)

    @cached_property
    def plans(self) -> S3Plans:
        """Frozen chunks."""
        return S3Plans(self.aws, self.settings.payload_bucket, self._named)

    def _named(self, body: bytes) -> str:
        return NumberKey(self.number_key_bytes).content(body)

    @cached_property
    def browse(self) -> Browse:
        """Reading."""
        return browse_with(self.stores, self.plans, self._balances, self._account.number)

    @cached_property
    def planning(self) -> Planning:
        """Makes and plans distributions."""
        judge = Judge(self.stores.people, self.stores.sessions, NumberKey(self.number_key_bytes))
        hosts, buckets = parse_hosts(self.settings.card_hosts), parse_buckets(self.settings.card_buckets)
        account = self._account
        probe = CardProbe(card_source(self.aws, hosts, buckets))
        return Planning(
            PlanningDeps(
                distributions=self.stores.distributions,
                plans=self.plans,
                uploads=S3Uploads(self.aws, self.settings.payload_bucket),
                already=self._already,
                planner=Planner(judge, self.plans, self.stores.lanes, self._balances, account.number, probe),
                settings=SettingReader(self.stores.integrations, account.templates, hosts, buckets),
                tasks=self._tasks,
                schedules=self._schedules,
                telemetry=self.telemetry,
                clock=self.clock,
                draw=self.aws.draw,
            )
        )

    @cached_property
    def _proofs(self) -> Proofs:
        return Proofs(self._balances, self._account.number, self.telemetry, self.clock)

    @cached_property
    def fanout(self) -> Fanout:
        """Ticks and tasks."""
        return Fanout(
            FanoutDeps(
                distributions=self.stores.distributions,
                log=self.stores.log,
                tasks=self._tasks,
                planning=self.planning,
                release=self._release,
                holds=self.stores.holds,
                hold_work=self._hold_work,
                sweep=self._sweep,
                tallies=self._tallies,
                agenda=self._agenda,
                eraser=self._eraser,
                redrives=Redrives(self.stores.log, self._tasks, self.telemetry, self.clock),
                account_health=AccountHealth(
                    self.stores.integrations,
                    self._account.number,
                    self.stores.holding,
                    self._tasks,
                    self.telemetry,
                ),
                telemetry=self.telemetry,
                clock=self.clock,
            )
        )

    @property
    def dead_letter_queues(self) -> frozenset[str]:
        """The ARNs of those that are consumed here: the channel queues'."""
        return frozenset(self.settings.dead_letter_queue_arns.split(","))

    @cached_property
    def dead_letters(self) -> DeadLetters:
        """Takes copies that were given up."""
        settler = self.stores.settler()
        unknowns = Unknowns(self.stores.log, settler, self._unsure)
        return DeadLetters(self.stores.log, unknowns, settler, self.telemetry, self.clock)

    @cached_property
    def _already(self) -> AlreadySent:
        """One for planning and release: it remembers indexes that it has read."""
        stores = self.stores
        return AlreadySent(stores.distributions, stores.turns, self.plans, stores.log, stores.settler(), self.clock)

    @cached_property
    def _release(self) -> Release:
        settler = self.stores.settler()
        unknowns = Unknowns(self.stores.log, settler, self._unsure)
        return Release(
            ReleaseDeps(
                distributions=self.stores.distributions,
                holds=self.stores.holds,
                holding=self.stores.holding,
                plans=self.plans,
                already=self._already,
                log=self.stores.log,
                lanes=self.stores.lanes,
                queue=self._queue,
                integrations=self.stores.integrations,
                guard=TemplateGuard(self.stores.templates),
                tallies=self._tallies,
                stragglers=Stragglers(self.stores.log, self._tallies, settler, unknowns),
                limits=self.stores.daily_limits,
                proofs=self._proofs,
                settler=settler,
                schedules=self._schedules,
                telemetry=self.telemetry,
                clock=self.clock,
            )
        )

    @cached_property
    def _account(self) -> Account:
        return Account(self.stores, self.settings.meta_graph_url)

    @cached_property
    def _balances(self) -> ProvingBalances:
        return sms_balances(self.stores, {ORANGE: self.settings.orange_api_url})

    @cached_property
    def _hold_work(self) -> HoldWork:
        stores = self.stores
        causes = ReadCauses(
            self._balances,
            self._account.number,
            self._account.templates,
            stores.daily_limits,
            stores.telemetry,
            stores.clock,
        )
        return HoldWork(
            HoldWorkDeps(
                holding=stores.holding,
                causes=causes,
                distributions=stores.distributions,
                log=stores.log,
                plans=self.plans,
                integrations=stores.integrations,
                lanes=stores.lanes,
                queue=self._queue,
                tasks=self._tasks,
                telemetry=stores.telemetry,
                clock=stores.clock,
            )
        )

    @cached_property
    def _sweep(self) -> Sweep:
        settler = self.stores.settler()
        return Sweep(
            SweepDeps(
                log=self.stores.log,
                distributions=self.stores.distributions,
                plans=self.plans,
                tallies=self._tallies,
                settler=settler,
                unknowns=Unknowns(self.stores.log, settler, self._unsure),
                clock=self.stores.clock,
            )
        )

    @cached_property
    def _unsure(self) -> NoteUnknown:
        return NoteUnknown(unknown=self.stores.unknown_sms)

    @cached_property
    def _agenda(self) -> Agenda:
        stores = self.stores
        return Agenda(
            AgendaDeps(
                log=self.stores.log,
                holds=self.stores.holds,
                plans=self.plans,
                integrations=self.stores.integrations,
                admission=Admission(stores.holds, stores.people, stores.log),
                fallbacks=Fallbacks(
                    log=stores.log, plans=self.plans, integrations=stores.integrations, telemetry=stores.telemetry
                ),
                lanes=self.stores.lanes,
                queue=self._queue,
                settler=self.stores.settler(),
                unsure=self._unsure,
                pulse=self.stores.pulse,
                telemetry=self.telemetry,
                clock=self.clock,
            )
        )

    @cached_property
    def _eraser(self) -> Eraser:
        stores = self.stores
        hashed = NumberKey(self.number_key_bytes).person
        return Eraser(
            EraserDeps(
                log=stores.log,
                plans=self.plans,
                uploads=S3Uploads(self.aws, self.settings.payload_bucket),
                distributions=stores.distributions,
                same=Identities(stores.contacts, stores.people, stores.sessions, hashed),
                traces=DynamoTraces(self.aws, self.settings.state_table),
                settler=stores.settler(),
                tasks=self._tasks,
                telemetry=self.telemetry,
                clock=self.clock,
            )
        )

    @cached_property
    def _schedules(self) -> SchedulerSchedules:
        return SchedulerSchedules(self.aws, schedule_names(self.settings), self.telemetry)

    @cached_property
    def _tallies(self) -> Tallies:
        return Tallies(self.stores.distributions, self.plans, self.stores.log, self.stores.clock)

    @cached_property
    def _tasks(self) -> SqsTaskQueue:
        return SqsTaskQueue(self.aws, self.settings.fanout_queue_url)

    @cached_property
    def _queue(self) -> EndingQueue:
        urls = {Channel.WHATSAPP: self.settings.whatsapp_queue_url, Channel.SMS: self.settings.sms_queue_url}
        return self.stores.channel_queue(urls)
