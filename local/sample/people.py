"""Invented people: names that are common in each country, phone numbers full of zeros, codes from a hash."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A country. `prefix` and four digits make a mobile number that libphonenumber accepts."""

    prefix: str
    city: str
    names: tuple[tuple[str, str], ...]


PLACES: Mapping[str, Place] = {
    "SN": Place(
        prefix="+22177000",
        city="DKR",
        names=(("Aminata", "Diop"), ("Cheikh", "N'Diaye"), ("Ndèye", "Faye"), ("Zoé", "Sarr")),
    ),
    "CI": Place(
        prefix="+225070000",
        city="ABJ",
        names=(("Koffi", "Kouamé"), ("Aya", "N'Guessan"), ("Désiré", "Gnagnê"), ("Noëlle", "Ahoussou")),
    ),
    "ML": Place(
        prefix="+2237000",
        city="BKO",
        names=(("Fatoumata", "Traoré"), ("Moussa", "Keïta"), ("Aïssata", "Coulibaly"), ("Sékou", "Koné")),
    ),
    "BF": Place(
        prefix="+2267000",
        city="OUA",
        names=(("Awa", "Ouédraogo"), ("Rasmané", "Sawadogo"), ("Hélène", "Compaoré"), ("Issouf", "Zongo")),
    ),
    "GN": Place(
        prefix="+22462000",
        city="CKY",
        names=(("Mariama", "Bah"), ("Thierno", "Diallo"), ("Fanta", "Camara"), ("Naby", "Sylla")),
    ),
    "CM": Place(
        prefix="+23767000",
        city="DLA",
        names=(("Chantal", "Ngo Biyong"), ("Hervé", "Tchoumi"), ("Françoise", "Etoundi"), ("Joël", "Fotso")),
    ),
    "MG": Place(
        prefix="+26132000",
        city="TNR",
        names=(("Hasina", "Rakoto"), ("Voahangy", "Rasoa"), ("Tiana", "Andriana"), ("Noro", "Ravelo")),
    ),
    "TN": Place(
        prefix="+2162000",
        city="TUN",
        names=(("Salma", "Ben Salah"), ("Mehdi", "Trabelsi"), ("Inès", "Gharbi"), ("Aziz", "Jaziri")),
    ),
    "EG": Place(
        prefix="+20100000",
        city="CAI",
        names=(("Nour", "Hassan"), ("Karim", "Mansour"), ("Mona", "Fathy"), ("Tarek", "Nabil")),
    ),
}
_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_UID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person with a card. `tail` is the last four digits of the number; some tails choose the outcome
    (docs/simulators.md).
    """

    country: str
    tail: str
    first_name: str
    last_name: str
    card_code: str
    number: str = field(repr=False)


def person(country: str, tail: str) -> Person:
    """Return the person with this number, always the same one."""
    place = PLACES[country]
    digest = hashlib.sha256(f"{country}{tail}".encode()).digest()
    first_name, last_name = place.names[digest[0] % len(place.names)]
    serial = "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[1:9])
    return Person(
        country=country,
        tail=tail,
        first_name=first_name,
        last_name=last_name,
        card_code=f"{place.city}-VAC-{serial}",
        number=place.prefix + tail,
    )


def uid(seed: str) -> str:
    """Return a DHIS2 UID: eleven letters and digits, a letter first."""
    digest = hashlib.sha256(f"oomus-sample/{seed}".encode()).digest()
    first = _UID_LETTERS[digest[0] % len(_UID_LETTERS)]
    alphabet = _UID_LETTERS + "0123456789"
    return first + "".join(alphabet[byte % len(alphabet)] for byte in digest[1:11])
