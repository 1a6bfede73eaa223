"""The stores that functions share, on AWS, each made at first use."""

from dataclasses import dataclass
from functools import cached_property

from shared.aws.distributions import DynamoDistributions
from shared.aws.integrations import SecretIntegrations
from shared.aws.lanes import DynamoLanes
from shared.aws.log import DynamoLog
from shared.aws.people import DynamoMedia, DynamoPeople, DynamoReceipts
from shared.aws.session import Aws
from shared.domain.clock import Clock
from shared.usecases.ports import Telemetry
from shared.usecases.settle import Settler


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the template calls things."""

    log_table: str
    state_table: str
    secrets_prefix: str


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
        return DynamoLog(self.aws, self._names.log_table)

    @cached_property
    def distributions(self) -> DynamoDistributions:
        """Distributions and counts."""
        return DynamoDistributions(self.aws, self._names.state_table)

    @cached_property
    def lanes(self) -> DynamoLanes:
        """Timetables."""
        return DynamoLanes(self.aws, self._names.state_table)

    @cached_property
    def people(self) -> DynamoPeople:
        """Consents."""
        return DynamoPeople(self.aws, self._names.state_table)

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
        return SecretIntegrations(self.aws, self._names.secrets_prefix, self.clock, patient=self._patient)

    def settler(self) -> Settler:
        """A settler of its own for each batch's counts."""
        return Settler(self.log, self.distributions, self.telemetry)
