"""What an Orange account may still send (reference/orange_sms.md, section 6): two shapes, one list."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.domain.countries import COVERED
from shared.domain.json import JsonObject, JsonValue
from shared.providers.answers import integer, obj, objects, text

COUNTRIES = {country.iso3: country.code for country in COVERED.values()}
"""Orange's country codes → ours; one that is not listed stays as Orange writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A bundle for one country. `expires_at` None: not said. `active` is Orange's word, which may outlive the date."""

    country: str
    units: int
    expires_at: datetime | None
    active: bool = True


def contracts_in(document: JsonValue) -> list[Contract] | None:
    """Every contract of an answer; None if it is no such answer."""
    if isinstance(document, list):
        return [_contract(row, "expirationDate") for row in objects(document)]
    if not isinstance(document, dict) or not isinstance(document.get("partnerContracts"), dict):
        return None
    services = objects(obj(document["partnerContracts"]).get("contracts"))
    rows = (row for service in services for row in objects(service.get("serviceContracts")))
    return [_contract(row, "expires") for row in rows]


def what_is_missing(contracts: Iterable[Contract], country: str, now: datetime) -> str | None:
    """`contract_expired` or `balance_empty` if nothing is left for the country, else None."""
    filled = [contract for contract in contracts if contract.country == country and contract.units > 0]
    if any(contract.active and (contract.expires_at is None or contract.expires_at > now) for contract in filled):
        return None
    return "contract_expired" if filled else "balance_empty"


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
