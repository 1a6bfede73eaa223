"""Whether the SMS that are paid for will do."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from shared.domain.balance import Balance, shortages
from shared.domain.errors import Kind, SendError
from shared.domain.integration import SmsIntegration
from shared.domain.payload import Provider
from shared.domain.refusal import Notice


class Balances(Protocol):
    """What an SMS provider's account may still send."""

    async def of(self, integration: SmsIntegration) -> Sequence[Balance]:
        """By country, those without a contract left out. Raises `SendError` where the provider does not tell."""
        ...


class BalancesByProvider:
    """`Balances`, of those providers that tell them."""

    def __init__(self, providers: Mapping[Provider, Balances]) -> None:
        self._providers = providers

    async def of(self, integration: SmsIntegration) -> Sequence[Balance]:
        """See `Balances`."""
        if integration.provider not in self._providers:
            raise SendError(Kind.RETRY, "no_balances")
        return await self._providers[integration.provider].of(integration)


async def units_warnings(
    balances: Balances, integration: SmsIntegration, segments: Mapping[str, int]
) -> tuple[Notice, ...]:
    """`units_insufficient` for each country that needs more units than are left. `segments` are by country.

    An account that cannot be read gives no warning: the sender looks again when the provider refuses.
    """
    if not any(needed > 0 for needed in segments.values()):
        return ()
    try:
        left = await balances.of(integration)
    except SendError:
        return ()
    return units_missing(left, segments)


def units_missing(left: Sequence[Balance], segments: Mapping[str, int]) -> tuple[Notice, ...]:
    """`units_insufficient` by what is `left`; segments as in `units_warnings`."""
    wanted = {country: needed for country, needed in segments.items() if needed > 0}
    return tuple(
        Notice(
            code="units_insufficient",
            count=short.needed - short.available,
            facts={"country": short.country, "needed": str(short.needed), "available": str(short.available)},
        )
        for short in shortages(left, wanted)
    )
