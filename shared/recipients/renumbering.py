"""Numbers that were given another form, and the rule that leads from the old form to the new one.

A WhatsApp account that is older than the change keeps its old number: Meta reports it in either form, and both reach it
(github.com/devlikeapro/waha, issue 1894). So one person may be named by both, and they have to be found by either.

Only a country's own rule leads from one form to the other. The same last digits with another operator's prefix are
another person's number.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Renumbering:
    """One country's change: an old national number with `old_length` digits gained a prefix.

    `prefixes`: the prefix by the first two digits of the old number; others lead nowhere. Only mobile numbers are
    listed, because a fixed line gets no messages.
    """

    country: str
    calling_code: str
    since: date
    old_length: int
    prefixes: Mapping[str, str]


def _by_block(**blocks: str) -> Mapping[str, str]:
    """`_07="07 08"`: numbers that began with 07 or 08 begin with 07 07 or 07 08 now."""
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
    """The number in the form that it has today: itself, unless a rule leads on from it."""
    change = _BY_START.get(e164[:4])
    national = e164[4:]
    if change is None or len(national) != change.old_length:
        return e164
    prefix = change.prefixes.get(national[:2])
    return e164 if prefix is None else f"+{change.calling_code}{prefix}{national}"
