"""Whether the SMS that are paid for will do.

What is left to send at Orange, country by country: one reckoning for planning, health and the sender.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.base.refusal import ApiWarning
from shared.integrations.integration import SmsIntegration
from shared.messages.errors import Kind, SendError
from shared.messages.payload import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The units that a country's valid contracts hold together. One unit is one segment.

    `expires_at` (UTC) is when the first of them ends, None where Orange does not say. `ended`: units are left, but in
    contracts that are over; then `units` is 0 and `expires_at` is the last one's end.
    """

    country: str
    units: int
    expires_at: datetime | None = None
    ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """A country for which more segments are wanted than units are left."""

    country: str
    needed: int
    available: int


def shortages(balances: Iterable[Balance], segments: Mapping[str, int]) -> list[Shortage]:
    """The countries in `segments` that need more than they have. A country without balance has none."""
    remaining = {balance.country: balance.units for balance in balances}
    return [
        Shortage(country=country, needed=needed, available=remaining.get(country, 0))
        for country, needed in sorted(segments.items())
        if needed > remaining.get(country, 0)
    ]


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
) -> tuple[ApiWarning, ...]:
    """`units_insufficient` for each country that needs more units than are left. `segments` are by country.

    An account that cannot be read gives no warning: the sender looks again when the provider refuses.
    """
    if not any(needed > 0 for needed in segments.values()):
        return ()
    try:
        remaining = await balances.of(integration)
    except SendError:
        return ()
    return units_missing(remaining, segments)


def units_missing(remaining: Sequence[Balance], segments: Mapping[str, int]) -> tuple[ApiWarning, ...]:
    """`units_insufficient` by what is `remaining`; segments as in `units_warnings`."""
    wanted = {country: needed for country, needed in segments.items() if needed > 0}
    return tuple(
        ApiWarning(
            code="units_insufficient",
            count=short.needed - short.available,
            facts={"country": short.country, "needed": str(short.needed), "available": str(short.available)},
        )
        for short in shortages(remaining, wanted)
    )
