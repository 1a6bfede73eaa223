"""The countries that Orange's SMS API serves for us, and countries that have changed the form of their numbers. Data:
reference/orange_sms.md §3 and §8.

This is the only list of countries: texts, quiet hours, prices and STOP answers use it. `api/openapi.json` and the
simulated Orange have their own lists, which tests compare with this one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from shared.policy.hours import QUIET, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Country:
    """A country that can get SMS. `code` is ISO 3166's two letters, `calling_code` has no +, `currency` is ISO 4217."""

    code: str
    iso3: str
    """The country's code in Orange's contracts and balances."""
    calling_code: str
    zone: str
    sender_address: str | None
    """Orange's national sender address, "tel:+…", which is not E.164. None: unknown, and must be set in `senders`."""
    currency: str
    name_fr: str
    name_en: str
    language: str | None
    """The language of the answer to a STOP if nothing better is known ("fr", "en", "ar"). None: in two languages."""
    quiet_hours: Window = QUIET
    """Local time without SMS. The rule is the project's own; no country's law was found that asks for another one."""


_ALL = (
    Country(
        code="SN", iso3="SEN", calling_code="221", zone="Africa/Dakar", sender_address="tel:+2210000",
        currency="XOF", name_fr="Sénégal", name_en="Senegal", language="fr",
    ),
    Country(
        code="CI", iso3="CIV", calling_code="225", zone="Africa/Abidjan", sender_address="tel:+2250000",
        currency="XOF", name_fr="Côte d'Ivoire", name_en="Côte d'Ivoire", language="fr",
    ),
    Country(
        code="ML", iso3="MLI", calling_code="223", zone="Africa/Bamako", sender_address="tel:+2230000",
        currency="XOF", name_fr="Mali", name_en="Mali", language="fr",
    ),
    Country(
        code="BF", iso3="BFA", calling_code="226", zone="Africa/Ouagadougou", sender_address="tel:+2260000",
        currency="XOF", name_fr="Burkina Faso", name_en="Burkina Faso", language="fr",
    ),
    Country(
        code="GN", iso3="GIN", calling_code="224", zone="Africa/Conakry", sender_address="tel:+2240000",
        currency="GNF", name_fr="Guinée", name_en="Guinea", language="fr",
    ),
    # Cameroon has two official languages.
    Country(
        code="CM", iso3="CMR", calling_code="237", zone="Africa/Douala", sender_address="tel:+2370000",
        currency="XAF", name_fr="Cameroun", name_en="Cameroon", language=None,
    ),
    Country(
        code="MG", iso3="MDG", calling_code="261", zone="Indian/Antananarivo", sender_address="tel:+2610000",
        currency="MGA", name_fr="Madagascar", name_en="Madagascar", language="fr",
    ),
    Country(
        code="TN", iso3="TUN", calling_code="216", zone="Africa/Tunis", sender_address="tel:+2160000",
        currency="TND", name_fr="Tunisie", name_en="Tunisia", language="fr",
    ),
    # No source gives Egypt's sender address. A guessed one would send in another sender's name, or not at all.
    Country(
        code="EG", iso3="EGY", calling_code="20", zone="Africa/Cairo", sender_address=None,
        currency="EGP", name_fr="Égypte", name_en="Egypt", language="ar",
    ),
)  # fmt: skip

COVERED: Mapping[str, Country] = MappingProxyType({country.code: country for country in _ALL})
"""By ISO code, in the order in which texts name them."""


def covered_names_by_code(language: str) -> dict[str, str]:
    """ISO code → name, of all countries; French unless `language` is English ("en", "en-GB")."""
    english = language.lower().startswith("en")
    return {country.code: country.name_en if english else country.name_fr for country in _ALL}


def covered_names(language: str) -> str:
    """The names of all countries, for a text; languages as in `covered_names_by_code`."""
    return ", ".join(covered_names_by_code(language).values())


def covered_sentence(language: str) -> str:
    """The same with "and" before the last: "Mali, Tunisia and Egypt"."""
    word = " and " if language.lower().startswith("en") else " et "
    return word.join(covered_names(language).rsplit(", ", 1))


# Numbers that have changed their form, and the rule from the old form to the new one. A WhatsApp account that is older
# than the change keeps its old number: Meta reports either form, and both reach the account
# (github.com/devlikeapro/waha, issue 1894). So a person must be found under both. Only the country's own rule gives the
# new form: the same last digits with another operator's prefix are another person's number.


@dataclass(frozen=True, slots=True, kw_only=True)
class Renumbering:
    """One country's change: an old national number with `old_length` digits got a prefix.

    `prefixes`: the prefix by the first two digits of the old number; for other digits there is no rule. Only mobile
    numbers are listed, because fixed lines get no messages.
    """

    country: str
    calling_code: str
    since: date
    old_length: int
    prefixes: Mapping[str, str]


def _by_block(**blocks: str) -> Mapping[str, str]:
    """`_07="07 08"`: numbers that began with 07 or 08 now begin with 07 07 or 07 08."""
    return MappingProxyType({block: prefix[1:] for prefix, listed in blocks.items() for block in listed.split()})


RENUMBERED = (
    Renumbering(
        country="CI",
        calling_code="225",
        since=date(2021, 1, 31),
        old_length=8,
        # ARTCI's notice to the ITU of 2020-12-24 (E.164 plan of +225, ITU-T E.129), with the operator's old blocks:
        # Moov, MTN, Orange. The carriers in google/libphonenumber, resources/carrier/en/225.txt (before 2021) agree.
        prefixes=_by_block(
            _01="01 02 03 40 41 42 43 50 51 52 53 70 71 72 73",
            _05="04 05 06 44 45 46 54 55 56 64 65 66 74 75 76 84 85 86 94 95 96",
            _07="07 08 09 47 48 49 57 58 59 67 68 69 77 78 79 87 88 89 97 98",
        ),
    ),
)

_BY_START = {f"+{one.calling_code}": one for one in RENUMBERED}


def present_form(e164: str) -> str:
    """The number in today's form; unchanged if no rule applies to it."""
    change = _BY_START.get(e164[:4])
    national = e164[4:]
    if change is None or len(national) != change.old_length:
        return e164
    prefix = change.prefixes.get(national[:2])
    return e164 if prefix is None else f"+{change.calling_code}{prefix}{national}"
