"""What is left to send at Orange, country by country: one reckoning for planning, health and the sender."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime


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
    left = {balance.country: balance.units for balance in balances}
    return [
        Shortage(country=country, needed=needed, available=left.get(country, 0))
        for country, needed in sorted(segments.items())
        if needed > left.get(country, 0)
    ]
