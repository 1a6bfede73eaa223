"""SMS balances: what the organisation's contracts at Orange still allow, per country, and the warning if that is too
little. Planning, health and the sender use the same computation.
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
    """The units of a country's valid contracts together. One unit is one segment.

    `expires_at` (UTC): when the first of them ends; None if Orange does not say. `ended`: units remain only in
    contracts that have ended; then `units` is 0 and `expires_at` is the end of the last one.
    """

    country: str
    units: int
    expires_at: datetime | None = None
    ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """A country that needs more segments than it has units."""

    country: str
    needed: int
    available: int


def shortages(balances: Iterable[Balance], segments: Mapping[str, int]) -> list[Shortage]:
    """The countries in `segments` (country → segments) that need more units than they have. A country without a balance
    has 0.
    """
    remaining = {balance.country: balance.units for balance in balances}
    return [
        Shortage(country=country, needed=needed, available=remaining.get(country, 0))
        for country, needed in sorted(segments.items())
        if needed > remaining.get(country, 0)
    ]


class Balances(Protocol):
    """Reads the balances of an SMS provider's account."""

    async def of(self, integration: SmsIntegration) -> Sequence[Balance]:
        """The balances by country; countries without a contract are left out. Raises `SendError` if the provider does
        not answer.
        """
        ...


class BalancesByProvider:
    """`Balances` for several providers. Raises `SendError` for a provider without balances."""

    def __init__(self, providers: Mapping[Provider, Balances]) -> None:
        self._providers = providers

    async def of(self, integration: SmsIntegration) -> Sequence[Balance]:
        if integration.provider not in self._providers:
            raise SendError(Kind.RETRY, "no_balances")
        return await self._providers[integration.provider].of(integration)


async def units_warnings(
    balances: Balances, integration: SmsIntegration, segments: Mapping[str, int]
) -> tuple[ApiWarning, ...]:
    """`units_insufficient` for each country that needs more units than it has, and one `units_missing` that names those
    without any. `segments`: country → segments.

    If the balances cannot be read, there is no warning; the sender reads them again when the provider refuses a
    message.
    """
    if not any(needed > 0 for needed in segments.values()):
        return ()
    try:
        remaining = await balances.of(integration)
    except SendError:
        return ()
    return shortage_warnings(remaining, segments)


def shortage_warnings(remaining: Sequence[Balance], segments: Mapping[str, int]) -> tuple[ApiWarning, ...]:
    """The same warnings for balances that were read already."""
    short = shortages(remaining, {country: needed for country, needed in segments.items() if needed > 0})
    insufficient = (
        ApiWarning(
            code="units_insufficient",
            count=one.needed - one.available,
            facts={"country": one.country, "needed": str(one.needed), "available": str(one.available)},
        )
        for one in short
    )
    empty = ", ".join(one.country for one in short if not one.available)
    return (*insufficient, *((ApiWarning(code="units_missing", facts={"without_units": empty}),) if empty else ()))


def is_about_units(warning: ApiWarning) -> bool:
    """Whether the warning is one of these. `units_missing` also stands for a price that is not set."""
    return warning.code == "units_insufficient" or "without_units" in warning.facts
