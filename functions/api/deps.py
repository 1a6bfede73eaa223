"""What the API works with: settings from the environment, use cases on AWS."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from shared.app.account import Account
from shared.app.reading import browse_with
from shared.app.runtime import days, read_settings
from shared.app.schedules import schedule_names
from shared.app.sending import TEST_CHAIN, send_deps
from shared.app.sms import sms_balances, sms_step
from shared.app.stores import Names, Stores
from shared.app.telemetry import LoggedTelemetry
from shared.app.whatsapp import whatsapp_step
from shared.base.instants import Clock
from shared.campaigns.control import Control, ControlDeps
from shared.campaigns.reading import Browse
from shared.campaigns.statistics import StatisticsReader
from shared.cards.references import parse_buckets, parse_hosts
from shared.integrations.administration import Administration, AdministrationDeps
from shared.integrations.health import SmsHealth
from shared.integrations.integration import SmsIntegration, WhatsAppIntegration
from shared.messages.dead_letters import Redrives
from shared.messages.payload import META, ORANGE, Channel
from shared.messages.resend import ResendDeps, Resends
from shared.messages.single import MessageDeps, SingleSends
from shared.policy.consents import Consents, Numbers
from shared.policy.eligibility import Judge
from shared.policy.erasure import Erasures
from shared.policy.setting import SettingReader
from shared.recipients.contacts import Identities
from shared.recipients.lookups import Lookups
from shared.recipients.number_key import NumberKey
from shared.sending.enqueue_now import Straight
from shared.sending.send import SendStep
from shared.sending.test_send import Trial, TrialDeps
from shared.storage.aws import Aws
from shared.storage.files import S3Uploads
from shared.storage.integrations import number_key
from shared.storage.plans import S3Plans
from shared.storage.queues import SqsTaskQueue
from shared.storage.schedules import SchedulerSchedules


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Environment variables of the function. `public_base_url` may be empty: then the request's own host is shown."""

    log_table: str
    state_table: str
    payload_bucket: str
    secrets_prefix: str
    number_key_secret_id: str
    whatsapp_queue_url: str
    sms_queue_url: str
    fanout_queue_url: str
    meta_graph_url: str
    orange_api_url: str
    card_hosts: str
    card_buckets: str
    public_base_url: str
    schedule_group: str
    schedule_target_arn: str
    schedule_role_arn: str
    message_retention_days: str
    secrets_key: str


class Deps:
    """The API's use cases, each made at first use."""

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
            secrets_key=self.settings.secrets_key,
            message_retention=days(self.settings.message_retention_days),
        )
        self.stores = Stores(aws, clock, telemetry, names)
        self._queues = {
            Channel.WHATSAPP: self.settings.whatsapp_queue_url,
            Channel.SMS: self.settings.sms_queue_url,
        }
        self._urls = {META: self.settings.meta_graph_url, ORANGE: self.settings.orange_api_url}
        self._hosts = parse_hosts(self.settings.card_hosts)
        self._buckets = parse_buckets(self.settings.card_buckets)

    @cached_property
    def number_key_bytes(self) -> bytes:
        """The key of every hash that is stored."""
        return number_key(self.aws, self.settings.number_key_secret_id)

    @cached_property
    def number_key(self) -> NumberKey:
        """Hashes numbers."""
        return NumberKey(self.number_key_bytes)

    @cached_property
    def plans(self) -> S3Plans:
        """Frozen payloads and rejected rows."""
        return S3Plans(self.aws, self.settings.payload_bucket, self._named)

    def _named(self, body: bytes) -> str:
        """The key is read with the first payload that is kept."""
        return self.number_key.content(body)

    @cached_property
    def uploads(self) -> S3Uploads:
        """Files of clients."""
        return S3Uploads(self.aws, self.settings.payload_bucket)

    @cached_property
    def judge(self) -> Judge:
        """Judges rows."""
        return Judge(self.stores.people, self.stores.sessions, self.number_key)

    @cached_property
    def account(self) -> Account:
        """What asks Meta about the account."""
        return Account(self.stores, self.settings.meta_graph_url)

    @cached_property
    def sms_health(self) -> SmsHealth:
        """GET /v1/integrations/sms/health."""
        return SmsHealth(sms_balances(self.stores, self._urls), self.clock)

    @cached_property
    def setting_reader(self) -> SettingReader:
        """Reads an organisation's settings."""
        return SettingReader(self.stores.integrations, self.account.templates, self._hosts, self._buckets)

    @cached_property
    def administration(self) -> Administration:
        """Settings > Integrations."""
        draw = partial(secrets.token_urlsafe, 32)
        stores = self.stores
        return Administration(
            AdministrationDeps(
                integrations=stores.integrations,
                templates=self.account.templates,
                tokens=stores.token_shelf,
                holding=self.stores.holding,
                members=stores.members,
                number_key=self.number_key,
                draw=draw,
                clock=self.clock,
            )
        )

    @cached_property
    def single_sends(self) -> SingleSends:
        """POST /v1/messages."""
        return SingleSends(
            MessageDeps(
                log=self.stores.log,
                plans=self.plans,
                judge=self.judge,
                settings=self.setting_reader,
                lanes=self.stores.lanes,
                queue=self.stores.channel_queue(self._queues),
                clock=self.clock,
            )
        )

    @cached_property
    def browse(self) -> Browse:
        """Reading."""
        balances = sms_balances(self.stores, self._urls)
        return browse_with(self.stores, self.plans, balances, self.account.number)

    @cached_property
    def statistics(self) -> StatisticsReader:
        """GET /v1/statistics and a campaign's."""
        return StatisticsReader(self.stores.distributions, self.stores.log, self.stores.clock)

    @cached_property
    def control(self) -> Control:
        """Confirm, pause, resume, cancel."""
        schedules = SchedulerSchedules(self.aws, schedule_names(self.settings), self.telemetry)
        return Control(
            ControlDeps(
                distributions=self.stores.distributions,
                holding=self.stores.holding,
                tasks=self._tasks,
                schedules=schedules,
                telemetry=self.telemetry,
                clock=self.clock,
            )
        )

    @cached_property
    def numbers(self) -> Numbers:
        """Finds people by their number."""
        return Numbers(self.stores.integrations, self.number_key)

    @cached_property
    def resends(self) -> Resends:
        """POST /v1/messages/{message_id}/resend."""
        deps = send_deps(self.stores, self._queues)
        return Resends(
            ResendDeps(
                log=deps.log,
                plans=self.plans,
                integrations=self.stores.integrations,
                admission=deps.admission,
                straight=Straight(log=deps.log, lanes=deps.lanes, queue=deps.queue, clock=self.clock),
                clock=self.clock,
            )
        )

    @cached_property
    def erasures(self) -> Erasures:
        """POST /v1/erasures."""
        stores = self.stores
        same = Identities(stores.contacts, stores.people, stores.sessions, self.number_key.person)
        return Erasures(self.numbers, same, stores.people, self._tasks, self.clock)

    @cached_property
    def redrives(self) -> Redrives:
        """POST /v1/dead-letters/redrive."""
        return Redrives(self.stores.log, self._tasks, self.telemetry, self.clock)

    @cached_property
    def _tasks(self) -> SqsTaskQueue:
        return SqsTaskQueue(self.aws, self.settings.fanout_queue_url)

    @cached_property
    def consents(self) -> Consents:
        """Consent."""
        return Consents(self.stores.people, self.stores.integrations, self.number_key, self.clock)

    @cached_property
    def lookups(self) -> Lookups:
        """Limits look-ups by number."""
        return Lookups(self.stores.call_counts, self.number_key, self.telemetry, self.clock)

    @cached_property
    def trial(self) -> Trial:
        """Test sends."""
        return Trial(
            TrialDeps(
                log=self.stores.log,
                lanes=self.stores.lanes,
                settler=self.stores.settler(),
                number_key=self.number_key,
                clock=self.clock,
            )
        )

    @cached_property
    def sms_step(self) -> SendStep[SmsIntegration, Any]:
        """The SMS send step, for test sends."""
        return sms_step(self.stores, self._urls, self._queues, TEST_CHAIN)

    @cached_property
    def whatsapp_step(self) -> SendStep[WhatsAppIntegration, Any]:
        """The WhatsApp send step, for test sends."""
        hosts, buckets = self._hosts, self._buckets
        return whatsapp_step(self.stores, self._urls, self._queues, hosts, buckets, chain=TEST_CHAIN)
