"""What several functions work with, built from adapters. Each use case is made at first use."""

from collections.abc import Callable
from functools import cached_property
from typing import Protocol

from shared.base.events import Telemetry
from shared.base.instants import Clock
from shared.campaigns.ports import Distributions, TaskQueue
from shared.holds.keeper import HoldKeeper, HoldStore
from shared.integrations.integration import Integrations
from shared.messages.ports import Log
from shared.messages.status_writer import RefusalEffects, StatusWriter
from shared.pacing.daily_limit import DailyLimits, NumberStatuses, PeopleCount
from shared.pacing.members import Members, MemberStore
from shared.pacing.rate_limit import RateLimits
from shared.policy.ports import People, Sessions
from shared.sending.enqueue_now import EndingQueue, EnqueueNow, OffersMessages
from shared.sending.last_heard import LastHeardStore


class RateLimitsAndMembers(RateLimits, MemberStore, Protocol):
    """The rate limits of provider accounts, and their members."""


class CoreAdapters(Protocol):
    """What every function needs."""

    @property
    def clock(self) -> Clock:
        """Time and waiting."""

    @property
    def telemetry(self) -> Telemetry:
        """Events and warnings."""

    @property
    def draw(self) -> Callable[[], str]:
        """Makes a random token."""

    @property
    def log(self) -> Log:
        """The message log."""

    @property
    def distributions(self) -> Distributions:
        """Distributions and counts."""

    @property
    def holds(self) -> HoldStore:
        """The holds of each organisation and channel."""

    @property
    def rate_limits(self) -> RateLimitsAndMembers:
        """The rate limits of provider accounts, and their members."""

    @property
    def people(self) -> People:
        """Consents."""

    @property
    def people_count(self) -> PeopleCount:
        """How many people an account has written to in the last 24 hours."""

    @property
    def sessions(self) -> Sessions:
        """Open 24-hour sessions."""

    @property
    def last_heard_store(self) -> LastHeardStore:
        """When Meta last reported on each number's messages."""

    @property
    def number_statuses(self) -> NumberStatuses:
        """What Meta grants each number."""

    @property
    def integrations(self) -> Integrations:
        """The organisations' settings."""

    @property
    def queue(self) -> OffersMessages:
        """The channel queues."""

    @property
    def tasks(self) -> TaskQueue | None:
        """The fan-out queue; None: the function puts no tasks on it."""


class Core[A: CoreAdapters = CoreAdapters]:
    """The use cases of one execution environment. Their caches live as long as it does."""

    def __init__(self, adapters: A) -> None:
        self.adapters = adapters

    @cached_property
    def members(self) -> Members:
        """The organisations that share a provider account's rate limit."""
        return Members(self.adapters.rate_limits, self.adapters.integrations, self.adapters.clock)

    @cached_property
    def daily_limits(self) -> DailyLimits:
        """Meta's daily limit, and sessions."""
        return DailyLimits(self.adapters.number_statuses.get, self.adapters.people_count, self.adapters.sessions)

    @cached_property
    def holding(self) -> HoldKeeper:
        """Sets and ends holds."""
        on = self.adapters
        return HoldKeeper(on.holds, on.distributions, on.telemetry, on.clock, on.tasks)

    def refusal_effects(self) -> RefusalEffects:
        """What a refusal changes besides its own message."""
        return RefusalEffects(self.adapters.people, self.adapters.tasks, self.adapters.telemetry)

    def status_writer(self) -> StatusWriter:
        """A new one for each use case, because it holds that batch's counts."""
        on = self.adapters
        return StatusWriter(on.log, on.distributions, on.telemetry, on.clock)

    def ending_queue(self) -> EndingQueue:
        """The channel queues, to the senders."""
        return EndingQueue(self.adapters.queue, self.status_writer(), self.adapters.telemetry)

    def enqueue_now(self) -> EnqueueNow:
        """Sends one message at once."""
        on = self.adapters
        return EnqueueNow(log=on.log, rate_limits=on.rate_limits, queue=self.ending_queue(), clock=on.clock)
