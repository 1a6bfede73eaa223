"""The adapters of every function on AWS: the stores and queues that the environment names."""

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from shared.app.runtime import days
from shared.base.events import Telemetry
from shared.base.instants import Clock
from shared.messages.payload import Channel
from shared.storage.aws import Aws
from shared.storage.dynamodb.counters import DynamoCallCounts, DynamoCardFailures, DynamoTurns
from shared.storage.dynamodb.daily_limit import DynamoNumberStatuses, DynamoPeopleCount
from shared.storage.dynamodb.distributions import DynamoDistributions
from shared.storage.dynamodb.holds import DynamoHolds
from shared.storage.dynamodb.log import DynamoLog
from shared.storage.dynamodb.message_item import KEPT_FOR
from shared.storage.dynamodb.people import DynamoContacts, DynamoMedia, DynamoPeople, DynamoReceipts, DynamoSessions
from shared.storage.dynamodb.rate_limits import DynamoRateLimits
from shared.storage.dynamodb.sums import DynamoSums
from shared.storage.dynamodb.templates import DynamoTemplates
from shared.storage.dynamodb.unknown_outcomes import DynamoLastHeard, DynamoUnknownSms
from shared.storage.queues import SqsChannelQueue, SqsTaskQueue
from shared.storage.secrets import SecretIntegrations, SecretTokenStore

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


__all__ = ["Aws", "AwsStores"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variables:
    """The variables that the template gives functions, from `read_settings`. Each function has some of them.

    - `secrets_key`: the KMS key for new secrets; only the API makes any.
    - `fanout_queue_url`: empty if the function puts no tasks on the fan-out queue.
    - `message_retention_days`: only for functions that log messages; functions that only move them need none.
    """

    log_table: str
    state_table: str
    secrets_prefix: str
    secrets_key: str | None = None
    number_key_secret_id: str = ""
    payload_bucket: str = ""
    whatsapp_queue_url: str = ""
    sms_queue_url: str = ""
    fanout_queue_url: str = ""
    status_queue_url: str = ""
    dead_letter_queue_arns: str = ""
    meta_graph_url: str = ""
    orange_api_url: str = ""
    card_hosts: str = ""
    card_buckets: str = ""
    public_base_url: str = ""
    schedule_group: str = ""
    schedule_target_arn: str = ""
    schedule_role_arn: str = ""
    message_retention_days: str | None = None


class AwsStores:
    """The stores and queues of one function, each made at first use. `settings` is a dataclass with fields of
    `Variables`.

    `patient`: settings may be a few seconds old, for functions that may be asked for them very often.
    """

    def __init__(
        self,
        aws: Aws | None,
        clock: Clock,
        telemetry: Telemetry,
        settings: "DataclassInstance",
        *,
        patient: bool = False,
    ) -> None:
        self.aws = aws or Aws()
        self.clock = clock
        self.telemetry = telemetry
        self.draw = self.aws.draw
        self._given = Variables(**asdict(settings))
        retention = self._given.message_retention_days
        self._retention = KEPT_FOR if retention is None else days(retention)
        self._patient = patient

    @cached_property
    def log(self) -> DynamoLog:
        """The message log."""
        return DynamoLog(self.aws, self._given.log_table, self._retention)

    @cached_property
    def distributions(self) -> DynamoDistributions:
        """Distributions and counts."""
        return DynamoDistributions(self.aws, self._given.state_table)

    @cached_property
    def sums(self) -> DynamoSums:
        """Sums of campaigns and organisations."""
        return DynamoSums(self.aws, self._given.state_table)

    @cached_property
    def turns(self) -> DynamoTurns:
        """The order of a campaign's distributions."""
        return DynamoTurns(self.aws, self._given.state_table)

    @cached_property
    def rate_limits(self) -> DynamoRateLimits:
        """Rate limits."""
        return DynamoRateLimits(self.aws, self._given.state_table, self.clock)

    @cached_property
    def people(self) -> DynamoPeople:
        """Consents."""
        return DynamoPeople(self.aws, self._given.state_table)

    @cached_property
    def call_counts(self) -> DynamoCallCounts:
        """The latest look-ups of each caller."""
        return DynamoCallCounts(self.aws, self._given.state_table)

    @cached_property
    def receipts(self) -> DynamoReceipts:
        """Orange's receipt IDs."""
        return DynamoReceipts(self.aws, self._given.state_table, self.clock)

    @cached_property
    def media(self) -> DynamoMedia:
        """Cards at Meta."""
        return DynamoMedia(self.aws, self._given.state_table, self.clock)

    @cached_property
    def integrations(self) -> SecretIntegrations:
        """Settings."""
        return self._integrations(patient=self._patient)

    @cached_property
    def current_integrations(self) -> SecretIntegrations:
        """Settings that are never seconds old, for rare reads."""
        return self._integrations(patient=False)

    def _integrations(self, *, patient: bool) -> SecretIntegrations:
        names = self._given
        return SecretIntegrations(self.aws, names.secrets_prefix, self.clock, patient=patient, key=names.secrets_key)

    @cached_property
    def token_store(self) -> SecretTokenStore:
        """Orange's tokens, shared by the workers."""
        return SecretTokenStore(self.aws, self._given.secrets_prefix, self.telemetry, self._given.secrets_key)

    @cached_property
    def unknown_sms(self) -> DynamoUnknownSms:
        """SMS with an unknown outcome."""
        return DynamoUnknownSms(self.aws, self._given.state_table)

    @cached_property
    def contacts(self) -> DynamoContacts:
        """Identity links."""
        return DynamoContacts(self.aws, self._given.state_table)

    @cached_property
    def sessions(self) -> DynamoSessions:
        """Open 24-hour sessions."""
        return DynamoSessions(self.aws, self._given.state_table)

    @cached_property
    def card_failures(self) -> DynamoCardFailures:
        """Failures of card hosts."""
        return DynamoCardFailures(self.aws, self._given.state_table)

    @cached_property
    def last_heard_store(self) -> DynamoLastHeard:
        """When Meta last reported on each number's messages."""
        return DynamoLastHeard(self.aws, self._given.state_table)

    @cached_property
    def people_count(self) -> DynamoPeopleCount:
        """How many people an account has written to in the last 24 hours."""
        return DynamoPeopleCount(self.aws, self._given.state_table)

    @cached_property
    def holds(self) -> DynamoHolds:
        """Holds."""
        return DynamoHolds(self.aws, self._given.state_table)

    @cached_property
    def book(self) -> DynamoTemplates:
        """The stored states of Meta's templates."""
        return DynamoTemplates(self.aws, self._given.state_table)

    @cached_property
    def number_statuses(self) -> DynamoNumberStatuses:
        """What Meta grants each number."""
        return DynamoNumberStatuses(self.aws, self._given.state_table)

    @cached_property
    def queue(self) -> SqsChannelQueue:
        """The channel queues."""
        urls = {Channel.WHATSAPP: self._given.whatsapp_queue_url, Channel.SMS: self._given.sms_queue_url}
        return SqsChannelQueue(self.aws, {channel: url for channel, url in urls.items() if url})

    @cached_property
    def tasks(self) -> SqsTaskQueue | None:
        """The fan-out queue; None: the function puts no tasks on it."""
        url = self._given.fanout_queue_url
        return SqsTaskQueue(self.aws, url) if url else None
