"""Organisations, campaigns and enrolments: references of other systems, with no personal data in them."""

import re

_REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LIKE_A_NUMBER = re.compile(r"[0-9-]{8,20}")


def is_reference(value: str) -> bool:
    """Whether it may stand in the log: `[A-Za-z0-9_-]{1,64}` and nothing that looks like a phone number.

    Digits (and dashes) alone, eight or more of them, count as a number: national and international ones have 8 to 15.
    """
    if not _REFERENCE.fullmatch(value):
        return False
    digits = sum(character.isdigit() for character in value)
    return not (_LIKE_A_NUMBER.fullmatch(value) and digits >= 8)


def is_organisation(value: str) -> bool:
    """Whether it may stand at the front of every key, object and secret."""
    return _REFERENCE.fullmatch(value) is not None
