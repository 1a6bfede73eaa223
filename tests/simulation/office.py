"""The office with observed fakes, and the execution environments with their caches."""

import copy
import hashlib
from collections.abc import Iterable
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast, override

from shared.app.providers import ProviderRow
from shared.campaigns.distribution import Distribution
from shared.messages.message import Message
from shared.messages.payload import Channel, Provider
from shared.policy.consent import Consent
from shared.policy.consents import Consents
from shared.providers.http import ClientParts, SendTimes, client
from shared.sending.channel import CardSource, ChannelSender
from shared.storage.aws import Aws
from shared.storage.secrets import SecretIntegrations
from shared.webhooks.inbound import STOP
from shared.webhooks.ingress import Receiver, WebhookIngress
from tests.fakes.bulk import FakeDistributions
from tests.fakes.holds import FakeHolds
from tests.fakes.log import FakeLog
from tests.fakes.office import Office
from tests.fakes.rest import FakeIntegrations, FakeMedia, FakePeople
from tests.fakes.virtual import OrderedClock
from tests.simulation.cards import CardHost
from tests.simulation.evidence import Change, State, Unknown
from tests.simulation.providers import Meta, Orange
from tests.simulation.queues import ChannelQueues, StatusQueue, TaskQueue
from tests.simulation.scheduling import CURRENT, Interleaving, Process


class ObservedLog(FakeLog):
    """Records each status of a row with its time, and who claimed the row."""

    def __init__(self, points: Interleaving, clock: OrderedClock) -> None:
        super().__init__(points)
        self.changes: list[Change] = []
        self.unknown: list[Unknown] = []
        self._observing = points
        self._instants = clock
        self._claimers: dict[str, Process | None] = {}

    @override
    def _keep(self, row: Message) -> Message:
        before = self.rows.get((row.organisation, row.message_id))
        kept = super()._keep(row)
        now = self._instants.instant
        self.changes.append(Change(message_id=kept.message_id, at=now, status=str(kept.status)))
        if kept.claim_token is not None:
            self._claimers.setdefault(kept.claim_token, CURRENT.get())
        if before is not None and before.claim_token is not None and _is_unknown(kept) and not _is_unknown(before):
            self.unknown.append(
                Unknown(
                    message_id=kept.message_id,
                    attempt=kept.attempts,
                    channel=str(kept.channel),
                    card=kept.enrollment_id or "",
                    at=now,
                    excused=self._is_excused(before.claim_token, kept),
                )
            )
        return kept

    def _is_excused(self, token: str, row: Message) -> bool:
        claimer = self._claimers.get(token)
        is_dead = claimer is not None and claimer.has_died(self._instants.instant)
        return is_dead or (row.organisation, row.message_id) in self._observing.kept


def _is_unknown(row: Message) -> bool:
    return row.unknown_since is not None or row.reason == "outcome_unknown"


class ObservedDistributions(FakeDistributions):
    """Records each status of a distribution with its time."""

    def __init__(self, points: Interleaving, clock: OrderedClock) -> None:
        super().__init__(points)
        self.states: list[State] = []
        self._instants = clock

    def _note(self, one: Distribution | None) -> None:
        if one is not None:
            status = "held" if one.is_held else str(one.status)
            state = State(distribution=one.distribution_id, at=self._instants.instant, status=status)
            self.states.append(state)

    @override
    async def create(self, distribution: Distribution) -> Distribution | None:
        found = await super().create(distribution)
        self._note(distribution if found is None else None)
        return found

    @override
    async def save(self, distribution: Distribution) -> Distribution | None:
        saved = await super().save(distribution)
        self._note(saved)
        return saved


class ObservedPeople(FakePeople):
    """Records when a person's STOP was first stored, by its date. No two have the same date."""

    def __init__(self, points: Interleaving, clock: OrderedClock) -> None:
        super().__init__(points)
        self.stops: dict[datetime, datetime] = {}
        self._instants = clock

    @override
    async def record(self, organisation: str, person: str, statements: Iterable[Consent]) -> bool:
        reported = list(statements)
        kept = await super().record(organisation, person, reported)
        for one in reported:
            if one.source == STOP:
                self.stops.setdefault(one.recorded_at, self._instants.instant)
        return kept


class Vault:
    """Secrets Manager, for the product's own adapter. So the cache is the real one."""

    def __init__(self, points: Interleaving) -> None:
        self._points = points
        self.exceptions = SimpleNamespace(
            ResourceNotFoundException=LookupError, ResourceExistsException=FileExistsError
        )
        self.secrets = self
        self._kept: dict[str, str] = {}

    async def run(self, work: Any) -> Any:
        await self._points("secrets.get")
        found = work()
        await self._points.after("secrets.get")
        return found

    def get_secret_value(self, **wanted: str) -> dict[str, str]:
        text = self._kept[wanted["SecretId"]]
        return {"SecretString": text, "VersionId": hashlib.sha256(text.encode()).hexdigest()}

    def put_secret_value(self, **given: str) -> None:
        self._kept[given["SecretId"]] = given["SecretString"]


class SimulatedOffice(Office):
    """The office on one loop with all other tasks. Each environment has a cache of its own."""

    def __init__(self, clock: OrderedClock, points: Interleaving, meta: Meta, orange: Orange) -> None:
        super().__init__(clock, points)
        self.points = points
        self.observing = points
        self.log = self.observed_log = ObservedLog(points, clock)
        self.distributions = self.observed_distributions = ObservedDistributions(points, clock)
        self.holds = FakeHolds(points, self.distributions)
        self.people = self.observed_people = ObservedPeople(points, clock)
        self.media = FakeMedia(clock)
        self.vault = Vault(points)
        self.whatsapp_provider, self.sms_provider = meta, orange
        self.card_host = CardHost(meta.dice, clock, points)
        self._current = self.integrations
        self._senders: dict[Provider, ChannelSender[Any, Any]] = {}

    def connect(self, channels: ChannelQueues, tasks: TaskQueue, statuses: StatusQueue) -> None:
        """Connects the queues and observes the calls of every store."""
        self.queue, self.tasks, self.status_queue = channels, tasks, statuses
        self.put_together()
        stores = {
            "log": self.log,
            "distributions": self.distributions,
            "holds": self.holds,
            "turns": self.turns,
            "plans": self.plans,
            "rate_limits": self.rate_limits,
            "people": self.people,
            "receipts": self.receipts,
            "unknown": self.unknown_sms,
            "people_count": self.people_count,
            "contacts": self.contacts,
            "sessions": self.sessions,
            "last_heard_store": self.last_heard_store,
            "token_store": self.token_store,
            "number_statuses": self.number_statuses,
            "cards": self.card_failures,
            "schedules": self.schedules,
        }
        for name, store in stores.items():
            self.observing.observe(name, store)

    def environment(self, *, patient: bool = False) -> "SimulatedOffice":
        """A new environment: it shares the stores and has read no settings yet."""
        restarted = copy.copy(self)
        restarted.integrations = self._settings(patient=patient)
        restarted._current = self._settings(patient=False)
        restarted._senders = {}
        return restarted

    @property
    @override
    def current_integrations(self) -> FakeIntegrations:
        return self._current

    def _settings(self, *, patient: bool) -> FakeIntegrations:
        aws = cast(Aws, self.vault)
        return cast(FakeIntegrations, SecretIntegrations(aws, "simulated", self.clock, patient=patient))

    @property
    @override
    def card_source(self) -> CardSource:
        """One web server for all environments."""
        return self.card_host

    @override
    def sender(self, row: ProviderRow, times: SendTimes, cards: CardSource | None) -> ChannelSender[Any, Any]:
        """The product's own client, one for each environment."""
        if row.name not in self._senders:
            simulated = self.sms_provider if row.channel is Channel.SMS else self.whatsapp_provider
            parts = ClientParts(
                http=client(simulated.transport()),
                url=f"https://api.{row.name}.invalid",
                times=times,
                clock=self.clock,
                media=self.media,
                tokens=self.token_store,
                cards=self.card_host,
            )
            self._senders[row.name] = row.sender(parts)
        return self._senders[row.name]

    def ingress(self) -> WebhookIngress:
        """The entry of the providers' webhooks."""
        return self.worker().ingress()

    def receiver(self) -> Receiver:
        """A consumer of the status queue."""
        return self.worker().receiver()

    def consents(self) -> Consents:
        """The use case that records consents."""
        return self.worker().consents
