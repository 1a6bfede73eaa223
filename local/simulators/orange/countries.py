"""The countries with their calling code, ISO3 code and sender address (reference/orange_sms.md §3).

The simulators know nothing of the product, so they have their own list. tests/simulators/test_product_agrees.py checks
that it agrees with `shared.recipients.countries`.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Country:
    """A country. If `sender` is None, Orange publishes no address, so every address of the country is accepted."""

    code: str
    calling: str
    iso3: str
    sender: str | None


COUNTRIES: Mapping[str, Country] = {
    each.code: each
    for each in (
        Country(code="SN", calling="221", iso3="SEN", sender="tel:+2210000"),
        Country(code="CI", calling="225", iso3="CIV", sender="tel:+2250000"),
        Country(code="ML", calling="223", iso3="MLI", sender="tel:+2230000"),
        Country(code="BF", calling="226", iso3="BFA", sender="tel:+2260000"),
        Country(code="GN", calling="224", iso3="GIN", sender="tel:+2240000"),
        Country(code="CM", calling="237", iso3="CMR", sender="tel:+2370000"),
        Country(code="MG", calling="261", iso3="MDG", sender="tel:+2610000"),
        Country(code="TN", calling="216", iso3="TUN", sender="tel:+2160000"),
        Country(code="EG", calling="20", iso3="EGY", sender=None),
    )
}


def country_of_sender(sender: str, own: Mapping[str, str]) -> Country | None:
    """Return the country of a sender address, or None. `own` has an account's own addresses, by country."""
    for country in COUNTRIES.values():
        if sender in {country.sender, own.get(country.code)}:
            return country
        if country.sender is None and sender.startswith(f"tel:+{country.calling}"):
            return country
    return None
