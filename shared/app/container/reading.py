"""What the API and the fan-out share: questions to providers about accounts, reading, and the rules for rows."""

from functools import cached_property
from typing import Protocol

from shared.app.container.keyed import Keyed, KeyedAdapters
from shared.campaigns.control import Schedules
from shared.campaigns.reading import Browse, BrowseDeps, Outlook
from shared.campaigns.stored_content import Uploads
from shared.cards.references import CardHost
from shared.exports.ports import ExportFiles, ExportStore
from shared.integrations.balances import Balances
from shared.integrations.health import AsksSubscription
from shared.integrations.templates import TemplateBook, Templates, TemplatesAtMeta
from shared.messages.dead_letters import Redrives
from shared.pacing.daily_limit import AsksNumber, NumberReader
from shared.pacing.members import ProvingBalances, ProvingNumbers
from shared.policy.eligibility import Eligibility
from shared.policy.setting import SettingReader
from shared.statistics.sums import Summing, SumStore


class AsksAccount(AsksNumber, AsksSubscription, Protocol):
    """Asks Meta about a number and its account."""


class ReadingAdapters(KeyedAdapters, Protocol):
    """What reading and the rules for rows need in addition to hashes."""

    @property
    def book(self) -> TemplateBook:
        """The stored states of Meta's templates."""

    @property
    def templates_at_meta(self) -> TemplatesAtMeta:
        """Lists and submits templates."""

    @property
    def meta(self) -> AsksAccount:
        """Asks Meta about numbers and accounts."""

    @property
    def balances(self) -> Balances:
        """What an account may still send."""

    @property
    def sums(self) -> SumStore:
        """Sums of campaigns and organisations."""

    @property
    def uploads(self) -> Uploads:
        """Files of clients."""

    @property
    def export_store(self) -> ExportStore:
        """The states of exports."""

    @property
    def export_files(self) -> ExportFiles:
        """Files of exports."""

    @property
    def schedules(self) -> Schedules:
        """A distribution's own schedule."""

    @property
    def card_hosts(self) -> tuple[CardHost, ...]:
        """The hosts that may serve cards."""

    @property
    def card_buckets(self) -> frozenset[str]:
        """The buckets that may serve cards."""


class Reading[A: ReadingAdapters = ReadingAdapters](Keyed[A]):
    """Reads lists for people, and asks Meta and Orange about an organisation's accounts."""

    @cached_property
    def templates(self) -> Templates:
        """The catalogue of templates, and their submission."""
        on = self.adapters
        return Templates(on.book, on.templates_at_meta, on.telemetry, on.clock)

    @cached_property
    def number(self) -> NumberReader:
        """What Meta grants the number."""
        on = self.adapters
        meta = ProvingNumbers(on.meta, self.members)
        return NumberReader(on.number_statuses, meta, on.people_count, on.telemetry, on.clock)

    @cached_property
    def balances(self) -> ProvingBalances:
        """What an account may still send, from the providers that report it."""
        return ProvingBalances(self.adapters.balances, self.members)

    @cached_property
    def eligibility(self) -> Eligibility:
        """Decides which rows may be sent."""
        return Eligibility(self.adapters.people, self.adapters.sessions, self.adapters.number_key)

    @cached_property
    def setting_reader(self) -> SettingReader:
        """Reads an organisation's settings."""
        on = self.adapters
        return SettingReader(on.integrations, self.templates, on.card_hosts, on.card_buckets)

    @cached_property
    def browse(self) -> Browse:
        """Reads distributions and messages."""
        on = self.adapters
        return Browse(
            BrowseDeps(
                log=on.log,
                distributions=on.distributions,
                holds=on.holds,
                plans=on.plans,
                last_heard_store=on.last_heard_store,
                outlook=Outlook(on.integrations, on.rate_limits, self.balances, self.number, on.clock),
                clock=on.clock,
            )
        )

    @cached_property
    def summing(self) -> Summing:
        """Brings the sums up to date, and reads what they lack."""
        on = self.adapters
        return Summing(on.sums, on.distributions, on.clock)

    @cached_property
    def redrives(self) -> Redrives:
        """POST /v1/dead-letters/redrive, and its tasks."""
        on = self.adapters
        return Redrives(on.log, on.tasks, on.telemetry, on.clock)
