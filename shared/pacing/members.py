"""The organisations that share a provider account's rate limit: how they become members, and how they stop being
members.

An organisation becomes a member when the provider accepts a call with the organisation's own credentials: a message, or
a question about its number or its contracts.
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
    """The members of each provider account. They are stored with its rate limit (`RateLimits`)."""

    async def join(self, rate_limit: RateLimit, rate: int, *, version: int) -> bool:
        """Make the organisation a member with this rate, because a call with its credentials has succeeded.

        `version`: that of the settings used. Settings older than the stored ones change nothing. True if it is a new
        member.
        """
        ...

    async def set_rate(self, rate_limit: RateLimit, rate: int, *, version: int) -> None:
        """Change a member's rate at once, because its settings were saved."""
        ...

    async def leave(self, rate_limit: RateLimit, *, version: int) -> None:
        """End the membership, unless the organisation has joined with settings newer than `version`."""
        ...


class Members:
    """Adds organisations to the rate limit of their account, and removes them."""

    def __init__(self, store: MemberStore, integrations: Integrations, clock: Clock) -> None:
        self._store = store
        self._integrations = integrations
        self._clock = clock

    async def proved(self, integration: Integrated) -> None:
        """The provider accepted a call with these credentials. If the membership is known, nothing is written.

        During the call, the settings may have been deleted or replaced and the membership removed. So the settings are
        read again after joining.
        """
        rate_limit = integration.rate_limit
        if await self._store.join(rate_limit, integration.rate_per_second, version=integration.version):
            newest = await self._newest(rate_limit)
            if newest is None or newest.rate_limit != rate_limit:
                await self.removed(rate_limit)

    async def removed(self, rate_limit: RateLimit) -> None:
        """The organisation no longer has settings for this account."""
        await self._store.leave(rate_limit, version=milliseconds(self._clock.now()))

    async def saved(self, integration: Integrated) -> None:
        """The settings were saved for the same account: the new rate applies at once."""
        await self._store.set_rate(integration.rate_limit, integration.rate_per_second, version=integration.version)

    async def _newest(self, rate_limit: RateLimit) -> Integrated | None:
        if rate_limit.channel is Channel.SMS:
            return await self._integrations.sms(rate_limit.organisation, uncached=True)
        return await self._integrations.whatsapp(rate_limit.organisation, uncached=True)


class Proofs:
    """Makes an organisation a member before it sends a list.

    It may have lost its membership by a week without calls, or its first credentials may have been refused. Without
    this call, the list would start with one message a second.
    """

    def __init__(self, balances: Balances, numbers: NumberReader, telemetry: Telemetry, clock: Clock) -> None:
        self._balances = balances
        self._numbers = numbers
        self._telemetry = telemetry
        self._cooldown = Cooldown(clock)

    async def seek(self, integration: WhatsAppIntegration | SmsIntegration) -> None:
        """Call the provider with a question; if it does not answer, at most once a minute. An error is only logged:
        sending the messages will report it.
        """
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
    """`Balances` that makes the organisation a member: a provider shows contracts only to the account's own
    credentials.
    """

    def __init__(self, balances: Balances, members: Members) -> None:
        self._balances = balances
        self._members = members

    async def of(self, integration: SmsIntegration) -> Sequence[Balance]:
        found = await self._balances.of(integration)
        await self._members.proved(integration)
        return found


class ProvingNumbers:
    """`AsksNumber` that makes the organisation a member: Meta shows a number's limits only to a token that may use
    it.
    """

    def __init__(self, meta: AsksNumber, members: Members) -> None:
        self._meta = meta
        self._members = members

    async def number(self, integration: WhatsAppIntegration) -> NumberFacts:
        facts = await self._meta.number(integration)
        await self._members.proved(integration)
        return facts
