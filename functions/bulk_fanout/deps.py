"""What the fan-out works with: settings from the environment, use cases on AWS."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from shared.aws.function import read_settings
from shared.aws.integrations import number_key
from shared.aws.objects import S3Uploads
from shared.aws.plans import S3Plans
from shared.aws.queues import SqsChannelQueue, SqsTaskQueue
from shared.aws.session import Aws
from shared.aws.telemetry import LoggedTelemetry
from shared.domain.card_reference import parse_buckets, parse_hosts
from shared.domain.clock import Clock
from shared.domain.ids import NumberKey
from shared.domain.payload import Channel
from shared.usecases.agenda import Agenda, AgendaDeps
from shared.usecases.browse import Browse
from shared.usecases.distributions import Planning, PlanningDeps
from shared.usecases.fanout import Fanout, FanoutDeps
from shared.usecases.judge import Judge
from shared.usecases.planning import Planner
from shared.usecases.release import Release, ReleaseDeps
from shared.usecases.setting import SettingReader
from shared.usecases.sweep import Sweep
from shared.usecases.tallies import Tallies
from shared.wiring.stores import Names, Stores


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
    card_hosts: str
    card_buckets: str


class Deps:
    """The fan-out's use cases, each made at first use."""

    def __init__(self, environment: Mapping[str, str], clock: Clock, aws: Aws, telemetry: LoggedTelemetry) -> None:
        self.settings = read_settings(Settings, environment)
        self.clock = clock
        self.telemetry = telemetry
        self.aws = aws
        names = Names(
            log_table=self.settings.log_table,
            state_table=self.settings.state_table,
            secrets_prefix=self.settings.secrets_prefix,
        )
        self.stores = Stores(aws, clock, telemetry, names)

    @cached_property
    def number_key_bytes(self) -> bytes:
        """The key of every hash that is stored."""
        return number_key(self.aws, self.settings.number_key_secret_id)

    @cached_property
    def plans(self) -> S3Plans:
        """Frozen chunks."""
        return S3Plans(self.aws, self.settings.payload_bucket)

    @cached_property
    def browse(self) -> Browse:
        """Reading."""
        return Browse(self.stores.log, self.stores.distributions, self.plans)

    @cached_property
    def planning(self) -> Planning:
        """Makes and plans distributions."""
        judge = Judge(self.stores.people, NumberKey(self.number_key_bytes))
        hosts, buckets = parse_hosts(self.settings.card_hosts), parse_buckets(self.settings.card_buckets)
        return Planning(
            PlanningDeps(
                distributions=self.stores.distributions,
                plans=self.plans,
                uploads=S3Uploads(self.aws, self.settings.payload_bucket),
                planner=Planner(judge, self.plans, self.stores.lanes),
                settings=SettingReader(self.stores.integrations, hosts, buckets),
                tasks=self._tasks,
                telemetry=self.telemetry,
                clock=self.clock,
            )
        )

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
                sweep=Sweep(self.stores.distributions, self._tallies, self.stores.settler()),
                agenda=self._agenda,
                telemetry=self.telemetry,
                clock=self.clock,
            )
        )

    @cached_property
    def _release(self) -> Release:
        return Release(
            ReleaseDeps(
                distributions=self.stores.distributions,
                plans=self.plans,
                log=self.stores.log,
                lanes=self.stores.lanes,
                queue=self._queue,
                integrations=self.stores.integrations,
                tallies=self._tallies,
                telemetry=self.telemetry,
                clock=self.clock,
            )
        )

    @cached_property
    def _agenda(self) -> Agenda:
        return Agenda(
            AgendaDeps(
                log=self.stores.log,
                distributions=self.stores.distributions,
                plans=self.plans,
                integrations=self.stores.integrations,
                lanes=self.stores.lanes,
                queue=self._queue,
                settler=self.stores.settler(),
                telemetry=self.telemetry,
                clock=self.clock,
            )
        )

    @cached_property
    def _tallies(self) -> Tallies:
        return Tallies(self.stores.distributions, self.plans, self.stores.log)

    @cached_property
    def _tasks(self) -> SqsTaskQueue:
        return SqsTaskQueue(self.aws, self.settings.fanout_queue_url)

    @cached_property
    def _queue(self) -> SqsChannelQueue:
        urls = {Channel.WHATSAPP: self.settings.whatsapp_queue_url, Channel.SMS: self.settings.sms_queue_url}
        return SqsChannelQueue(self.aws, urls)
