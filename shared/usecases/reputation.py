"""What Meta grants the organisation's number, kept fresh: read at most once an hour, and as webhooks tell."""

from datetime import datetime, timedelta
from typing import Protocol

from shared.domain.clock import Clock
from shared.domain.daily_limit import Remaining, portfolio_of
from shared.domain.errors import SendError
from shared.domain.integration import WhatsAppIntegration
from shared.domain.refusal import Notice
from shared.domain.reputation import NumberFacts, Reputation, Told
from shared.usecases.daily_limit import PeopleCount
from shared.usecases.ports import Telemetry
from shared.usecases.quiet import Quiet

KEPT_FOR = timedelta(hours=1)


class Reputations(Protocol):
    """The stored reputation of each organisation's number."""

    async def get(self, organisation: str, phone_number_id: str) -> Reputation:
        """As it surely stands; an empty one where nothing was told yet."""
        ...

    async def tell(self, organisation: str, phone_number_id: str, told: Told) -> None:
        """Take up what is told. Each fact has an instant of its own, in whole seconds: an older one never overwrites a
        newer, and a reading none of the same second."""
        ...


class AsksNumber(Protocol):
    """Meta, about a number."""

    async def number(self, integration: WhatsAppIntegration) -> NumberFacts:
        """What it says now. Raises SendError."""
        ...


class NumberReader:
    """Reads the reputation of a number, from the store while that is fresh, else from Meta."""

    def __init__(
        self, reputations: Reputations, meta: AsksNumber, people: PeopleCount, telemetry: Telemetry, clock: Clock
    ) -> None:
        self._reputations = reputations
        self._meta = meta
        self._people = people
        self._telemetry = telemetry
        self._clock = clock
        self._quiet = Quiet(clock)

    async def remaining(self, integration: WhatsAppIntegration) -> Remaining:
        """What Meta's daily limit leaves, as far as it is known."""
        now = self._clock.now()
        reputation = await self.current(integration)
        used = await self._people.used(integration.organisation, portfolio_of(integration), now)
        return Remaining(limit=reputation.limit, used=used)

    async def limit_warnings(self, integration: WhatsAppIntegration, people: int) -> tuple[Notice, ...]:
        """What `Remaining.warnings` says of so many people outside sessions."""
        return (await self.remaining(integration)).warnings(people) if people else ()

    async def current(self, integration: WhatsAppIntegration) -> Reputation:
        """What is known; Meta is asked where that is older than an hour. That it cannot be asked is no error."""
        owner = (integration.organisation, integration.phone_number_id)
        stored = await self._reputations.get(*owner)
        if _is_fresh(stored.read_at, self._clock.now()) or self._quiet.holds(integration):
            return stored
        try:
            await self.read(integration)
        except SendError as error:
            self._quiet.begin(integration)
            self._telemetry.event("reputation_unread", organisation=integration.organisation, code=error.code)
            return stored
        return await self._reputations.get(*owner)

    async def read(self, integration: WhatsAppIntegration) -> NumberFacts:
        """Ask Meta now, and keep the answer. Raises SendError."""
        at = self._clock.now()
        facts = await self._meta.number(integration)
        await self._reputations.tell(integration.organisation, integration.phone_number_id, facts.told(at))
        return facts


def _is_fresh(read_at: datetime | None, now: datetime) -> bool:
    return read_at is not None and now - read_at < KEPT_FOR
