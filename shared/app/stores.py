"""The stores that functions share, on AWS, each made at first use."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from shared.base.events import Telemetry
from shared.base.instants import Clock
from shared.holds.keeper import HoldKeeper
from shared.messages.payload import Channel
from shared.messages.status_effects import Consequences
from shared.messages.status_writer import Settler
from shared.pacing.daily_limit import DailyLimits
from shared.pacing.members import Members
from shared.sending.enqueue_now import EndingQueue
from shared.storage.aws import Aws
from shared.storage.dynamodb.contacts import DynamoContacts, DynamoSessions
from shared.storage.dynamodb.counters import DynamoCallCounts, DynamoCardFailures, DynamoTurns
from shared.storage.dynamodb.daily_limit import DynamoPeopleCount, DynamoReputations
from shared.storage.dynamodb.distributions import DynamoDistributions
from shared.storage.dynamodb.holds import DynamoHolds
from shared.storage.dynamodb.last_heard import DynamoPulse
from shared.storage.dynamodb.log import DynamoLog
from shared.storage.dynamodb.message_item import KEPT_FOR
from shared.storage.dynamodb.people import DynamoMedia, DynamoPeople, DynamoReceipts
from shared.storage.dynamodb.rate_limits import DynamoLanes
from shared.storage.dynamodb.templates import DynamoTemplates
from shared.storage.dynamodb.unmatched_receipts import DynamoUnknownSms
from shared.storage.integrations import SecretIntegrations
from shared.storage.queues import SqsChannelQueue, SqsTaskQueue
from shared.storage.tokens import SecretTokenShelf


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the template calls things."""

    log_table: str
    state_table: str
    secrets_prefix: str
    secrets_key: str | None = None
    """The KMS key of secrets that are made; only the API makes any."""
    fanout_queue_url: str | None = None
    """For functions that may put work on the fan-out queue."""
    message_retention: timedelta = KEPT_FOR
    """For whoever logs messages; whoever moves them leaves it as it is."""


class Stores:
    """The stores of one function, each made at first use."""

    def __init__(
        self,
        aws: Aws,
        clock: Clock,
        telemetry: Telemetry,
        names: Names,
        *,
        patient: bool = False,
    ) -> None:
        self.aws = aws
        self.clock = clock
        self.telemetry = telemetry
        self._names = names
        self._patient = patient

    @cached_property
    def log(self) -> DynamoLog:
        """The message log."""
        return DynamoLog(self.aws, self._names.log_table, self._names.message_retention)

    @cached_property
    def distributions(self) -> DynamoDistributions:
        """Distributions and counts."""
        return DynamoDistributions(self.aws, self._names.state_table)

    @cached_property
    def turns(self) -> DynamoTurns:
        """Which distribution of a campaign goes first."""
        return DynamoTurns(self.aws, self._names.state_table)

    @cached_property
    def lanes(self) -> DynamoLanes:
        """Timetables."""
        return DynamoLanes(self.aws, self._names.state_table, self.clock)

    @cached_property
    def members(self) -> Members:
        """Who shares a provider account's rate limit."""
        return Members(self.lanes, self.integrations, self.clock)

    @cached_property
    def people(self) -> DynamoPeople:
        """Consents."""
        return DynamoPeople(self.aws, self._names.state_table)

    @cached_property
    def call_counts(self) -> DynamoCallCounts:
        """The latest look-ups of each caller."""
        return DynamoCallCounts(self.aws, self._names.state_table)

    @cached_property
    def receipts(self) -> DynamoReceipts:
        """Orange's receipt IDs."""
        return DynamoReceipts(self.aws, self._names.state_table, self.clock)

    @cached_property
    def media(self) -> DynamoMedia:
        """Cards at Meta."""
        return DynamoMedia(self.aws, self._names.state_table, self.clock)

    @cached_property
    def integrations(self) -> SecretIntegrations:
        """Settings."""
        return self._integrations(patient=self._patient)

    @cached_property
    def current_integrations(self) -> SecretIntegrations:
        """Settings for rare reads that must not be seconds old, even where the others are."""
        return self._integrations(patient=False)

    def _integrations(self, *, patient: bool) -> SecretIntegrations:
        names = self._names
        return SecretIntegrations(self.aws, names.secrets_prefix, self.clock, patient=patient, key=names.secrets_key)

    @cached_property
    def token_shelf(self) -> SecretTokenShelf:
        """Orange's tokens, shared by the workers."""
        return SecretTokenShelf(self.aws, self._names.secrets_prefix, self.telemetry, self._names.secrets_key)

    @cached_property
    def unknown_sms(self) -> DynamoUnknownSms:
        """SMS of which nobody knows whether they were sent."""
        return DynamoUnknownSms(self.aws, self._names.state_table)

    @cached_property
    def contacts(self) -> DynamoContacts:
        """Who is the same person."""
        return DynamoContacts(self.aws, self._names.state_table)

    @cached_property
    def sessions(self) -> DynamoSessions:
        """Open 24-hour sessions."""
        return DynamoSessions(self.aws, self._names.state_table)

    @cached_property
    def card_failures(self) -> DynamoCardFailures:
        """Failures of card hosts."""
        return DynamoCardFailures(self.aws, self._names.state_table)

    @cached_property
    def pulse(self) -> DynamoPulse:
        """What Meta last told of each number's messages."""
        return DynamoPulse(self.aws, self._names.state_table)

    @cached_property
    def people_count(self) -> DynamoPeopleCount:
        """How many people the last 24 hours have seen."""
        return DynamoPeopleCount(self.aws, self._names.state_table)

    @cached_property
    def daily_limits(self) -> DailyLimits:
        """Meta's daily limit, and sessions."""
        return DailyLimits(self.reputations.get, self.people_count, self.sessions)

    @cached_property
    def holds(self) -> DynamoHolds:
        """What is held."""
        return DynamoHolds(self.aws, self._names.state_table)

    @cached_property
    def holding(self) -> HoldKeeper:
        """Sets and ends holds."""
        return HoldKeeper(self.holds, self.distributions, self.telemetry, self.clock, self._tasks)

    def consequences(self) -> Consequences:
        """What a refusal means for others than its message."""
        return Consequences(self.people, self._tasks, self.telemetry)

    @cached_property
    def _tasks(self) -> SqsTaskQueue | None:
        url = self._names.fanout_queue_url
        return SqsTaskQueue(self.aws, url) if url else None

    @cached_property
    def templates(self) -> DynamoTemplates:
        """What Meta says of templates."""
        return DynamoTemplates(self.aws, self._names.state_table)

    @cached_property
    def reputations(self) -> DynamoReputations:
        """What Meta grants each number."""
        return DynamoReputations(self.aws, self._names.state_table)

    def channel_queue(self, urls: Mapping[Channel, str]) -> EndingQueue:
        """The channel queues, towards the senders."""
        return EndingQueue(SqsChannelQueue(self.aws, urls), self.settler(), self.telemetry)

    def settler(self) -> Settler:
        """A settler of its own for each batch's counts."""
        return Settler(self.log, self.distributions, self.telemetry, self.clock)
