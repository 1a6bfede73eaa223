"""Organisations, campaigns and enrolments: references of other systems, with no personal data in them.

A reference stands in the log for months, so it must not be, or hide, a phone number. Other things that are
made of digits are common in references and stay: dates, counters, UIDs of DHIS2, UUIDs and other random tokens.
"""

import re
from collections.abc import Iterator
from itertools import combinations

from shared.base.ids import REFERENCE

_ONLY_DIGITS = re.compile(r"[0-9_-]{8,20}")

_UUID = re.compile(r"(?<![A-Za-z0-9])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![A-Za-z0-9])")

_DATE = re.compile(
    r"(?<![0-9])(?:"
    r"(?:19|20)[0-9]{2}([-_]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[1-9]|[12][0-9]|3[01])([-_])(?:0[1-9]|1[0-2])\2(?:19|20)[0-9]{2}"
    r")(?![0-9])"
)

_TOKEN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{16,}(?![A-Za-z0-9])")

_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{16}|[0-9A-Fa-f]{24}|[0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}")
"""Of 8, 12, 16 or 20 bytes."""

_LONG = 20

_CHANGES = re.compile(r"(?<=[0-9])(?=[A-Za-z])|(?<=[A-Za-z])(?=[0-9])")
"""Changes between letters and digits: random tokens have five to ten."""

_OF_A_NUMBER = 2
"""Changes that a number makes which was put between letters."""

_GROUPS = re.compile(r"[0-9]+(?:[-_][0-9]+)*")

_SHORTEST, _LONGEST = 8, 15
"""Digits of a phone number: national ones of eight digits (Mali, Burkina Faso, Tunisia) up to E.164's maximum."""

_PLACEHOLDER = "x"


def is_reference(value: str) -> bool:
    """Whether it may stand in the log: `[A-Za-z0-9_-]{1,64}`, and no phone number is in it.

    Eight digits or more, alone or with `-` and `_`, count as a number. Between letters, eight digits in a row count,
    except a counter that begins with 00; of nine to fifteen digits those that are a mobile number. Digits in groups
    (`77-000-00-01`) are read together.
    """
    if not REFERENCE.fullmatch(value):
        return False
    rest = _DATE.sub(_PLACEHOLDER, _UUID.sub(_PLACEHOLDER, value))
    if _ONLY_DIGITS.fullmatch(rest):
        return len(_digits(rest)) < _SHORTEST
    rest = _TOKEN.sub(lambda token: _PLACEHOLDER if _is_random(token[0]) else token[0], rest)
    return not any(map(_may_be_number, _groupings(rest)))


def _is_random(token: str) -> bool:
    changes = len(_CHANGES.findall(token))
    if _HEXADECIMAL.fullmatch(token):
        return changes > _OF_A_NUMBER
    return len(token) >= _LONG and changes > _OF_A_NUMBER + 1


def _groupings(text: str) -> Iterator[tuple[str, ...]]:
    """Runs of digits, and neighbouring runs with one separator between them, that have a number's length together."""
    for found in _GROUPS.finditer(text):
        groups = re.split("[-_]", found[0])
        for first, end in combinations(range(len(groups) + 1), 2):
            if _SHORTEST <= sum(map(len, groups[first:end])) <= _LONGEST:
                yield tuple(groups[first:end])


def _may_be_number(groups: tuple[str, ...]) -> bool:
    digits = "".join(groups)
    if len(digits) > _SHORTEST:
        from shared.recipients.phone import is_mobile_number  # noqa: PLC0415 - at first use, not at every cold start

        return is_mobile_number(digits)
    # In groups eight digits are a number only as numbers are written, 74-07-32-31: CARD-2026-0001 is a counter.
    as_written = len(groups) == 1 or (len(groups) >= 3 and max(map(len, groups)) <= 3)
    return as_written and not digits.startswith("00")


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())
