"""What an Orange account may still send (reference/orange_sms.md, section 6): two shapes, one list."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.base.json import JsonObject, JsonValue
from shared.integrations.balances import Balance
from shared.providers.answers import integer, obj, objects, text
from shared.recipients.countries import COVERED

COUNTRIES = {country.iso3: country.code for country in COVERED.values()}
"""Orange's country codes → ours; one that is not listed stays as Orange writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A bundle for one country. `expires_at` None: not said. `active` is Orange's word, which may outlive the date."""

    country: str
    units: int
    expires_at: datetime | None
    active: bool = True

    def is_valid(self, now: datetime) -> bool:
        """Whether it may still be used: a status can read ACTIVE after the date."""
        return self.active and (self.expires_at is None or self.expires_at > now)


def contracts_in(document: JsonValue) -> list[Contract] | None:
    """Every contract of an answer; None if it is no such answer."""
    if isinstance(document, list):
        return [_contract(row, "expirationDate") for row in objects(document)]
    if not isinstance(document, dict) or not isinstance(document.get("partnerContracts"), dict):
        return None
    services = objects(obj(document["partnerContracts"]).get("contracts"))
    rows = (row for service in services for row in objects(service.get("serviceContracts")))
    return [_contract(row, "expires") for row in rows]


def balances_in(contracts: Iterable[Contract], now: datetime) -> list[Balance]:
    """What each country's active, unexpired contracts hold together, in the order of their first mention."""
    by_country: dict[str, list[Contract]] = {}
    for contract in contracts:
        by_country.setdefault(contract.country, []).append(contract)
    return [_balance(country, listed, now) for country, listed in by_country.items()]


def what_is_missing(contracts: Iterable[Contract], country: str, now: datetime) -> str | None:
    """`contract_expired` or `balance_empty` if nothing is left for the country, else None."""
    balance = next((one for one in balances_in(contracts, now) if one.country == country), None)
    if balance is None:
        return "balance_empty"
    if balance.units > 0:
        return None
    return "contract_expired" if balance.ended else "balance_empty"


def _balance(country: str, contracts: list[Contract], now: datetime) -> Balance:
    """Units below zero, as an overdrawn contract may show them, take nothing from another contract's."""
    filled = [contract for contract in contracts if contract.units > 0]
    live = [contract for contract in filled if contract.is_valid(now)]
    ends = sorted(contract.expires_at for contract in live or filled if contract.expires_at is not None)
    return Balance(
        country=country,
        units=sum(contract.units for contract in live),
        expires_at=(ends[0] if live else ends[-1]) if ends else None,
        ended=bool(filled) and not live,
    )


def _contract(row: JsonObject, expiry: str) -> Contract:
    country = text(row.get("country")).upper()
    return Contract(
        country=COUNTRIES.get(country, country),
        units=integer(row.get("availableUnits")) or 0,
        expires_at=_instant(text(row.get(expiry))),
        active=(text(row.get("status")) or "ACTIVE").upper() == "ACTIVE",
    )


def _instant(value: str) -> datetime | None:
    """The older shape gives no zone; Orange's own clock is taken for UTC."""
    try:
        instant = datetime.fromisoformat(value)
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
