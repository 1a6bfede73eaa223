"""Organisations on one account of a provider: who shares its rate limit, from when on, and until when.

What proves an organisation is a call that the provider took with its own credentials: a message, or a question about
its number or its contracts.
"""

from collections.abc import Sequence
from typing import Protocol

from shared.base.events import Telemetry
from shared.base.instants import Clock, milliseconds
from shared.integrations.balances import Balance, Balances
from shared.integrations.integration import Integrations, SmsIntegration, WhatsAppIntegration
from shared.messages.errors import SendError
from shared.messages.payload import Channel
from shared.pacing.daily_limit import AsksNumber, NumberFacts, NumberReader
from shared.pacing.quota import Cooldown
from shared.pacing.rate_limit import RateLimit
from shared.sending.channel import Integrated


class MemberStore(Protocol):
    """The members of each provider account, beside its timetable (`RateLimits`)."""

    async def join(self, rate_limit: RateLimit, rate: int, *, version: int) -> bool:
        """A call with the credentials of settings of this `version` has succeeded: be a member of the account, with
        this rate. Settings that are older than what is noted change nothing. True where it was no member before."""
        ...

    async def set_rate(self, rate_limit: RateLimit, rate: int, *, version: int) -> None:
        """Changed settings say another rate: it holds from now on, for a member."""
        ...

    async def leave(self, rate_limit: RateLimit, *, version: int) -> None:
        """Be a member of the account no more, unless newer settings than `version` have joined."""
        ...


class Members:
    """Lets organisations into the rate limit of their account, and out of it."""

    def __init__(self, store: MemberStore, integrations: Integrations, clock: Clock) -> None:
        self._store = store
        self._integrations = integrations
        self._clock = clock

    async def proved(self, integration: Integrated) -> None:
        """The provider took a call with these credentials. Writes nothing where that is known.

        The settings may have been deleted or replaced while the call was made, and their member been removed before it
        joined. So they are read once more after it joined.
        """
        rate_limit = integration.rate_limit
        if await self._store.join(rate_limit, integration.rate_per_second, version=integration.version):
            newest = await self._newest(rate_limit)
            if newest is None or newest.rate_limit != rate_limit:
                await self.removed(rate_limit)

    async def removed(self, rate_limit: RateLimit) -> None:
        """The organisation has no settings for this account any more."""
        await self._store.leave(rate_limit, version=milliseconds(self._clock.now()))

    async def saved(self, integration: Integrated) -> None:
        """The settings were saved for the account that they were for before: their rate holds at once."""
        await self._store.set_rate(integration.rate_limit, integration.rate_per_second, version=integration.version)

    async def _newest(self, rate_limit: RateLimit) -> Integrated | None:
        if rate_limit.channel is Channel.SMS:
            return await self._integrations.sms(rate_limit.organisation, uncached=True)
        return await self._integrations.whatsapp(rate_limit.organisation, uncached=True)


class Proofs:
    """Has an organisation prove itself before it sends a list: it was silent for a week, or its first credentials were
    refused. Otherwise the list would begin at one message a second."""

    def __init__(self, balances: Balances, numbers: NumberReader, telemetry: Telemetry, clock: Clock) -> None:
        self._balances = balances
        self._numbers = numbers
        self._telemetry = telemetry
        self._cooldown = Cooldown(clock)

    async def seek(self, integration: WhatsAppIntegration | SmsIntegration) -> None:
        """Ask its provider a question, at most once a minute where it does not answer. A refusal is no error here: the
        messages will meet it themselves."""
        if self._cooldown.holds(integration):
            return
        try:
            if isinstance(integration, SmsIntegration):
                await self._balances.of(integration)
            else:
                await self._numbers.read(integration)
        except SendError as error:
            self._cooldown.begin(integration)
            self._telemetry.event("account_not_proved", organisation=integration.organisation, code=error.code)


class ProvingBalances:
    """`Balances`. A provider tells an account's contracts only to its own credentials."""

    def __init__(self, balances: Balances, members: Members) -> None:
        self._balances = balances
        self._members = members

    async def of(self, integration: SmsIntegration) -> Sequence[Balance]:
        """See `Balances`."""
        found = await self._balances.of(integration)
        await self._members.proved(integration)
        return found


class ProvingNumbers:
    """`AsksNumber`. Meta tells a number's limits only to a token that may use it."""

    def __init__(self, meta: AsksNumber, members: Members) -> None:
        self._meta = meta
        self._members = members

    async def number(self, integration: WhatsAppIntegration) -> NumberFacts:
        """See `AsksNumber`."""
        facts = await self._meta.number(integration)
        await self._members.proved(integration)
        return facts
