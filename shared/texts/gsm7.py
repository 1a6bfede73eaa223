"""The GSM 7-bit alphabet of 3GPP TS 23.038: what an SMS holds at 160 characters instead of 70."""

import string

DEFAULT: frozenset[str] = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà" + string.digits + string.ascii_letters
)
"""One septet each. 127 of the table's 128: the escape itself is not a character that a text can hold."""

EXTENSION: frozenset[str] = frozenset("\f^{}\\[~]|€")
"""An escape and a septet each. The pair may not be split across segments."""


def width(character: str) -> int | None:
    """How many septets one character costs; None where GSM-7 lacks it."""
    if character in DEFAULT:
        return 1
    return 2 if character in EXTENSION else None


def septets(text: str) -> int | None:
    """How many septets `text` costs; None where at least one of its characters is not in GSM-7."""
    total = 0
    for character in text:
        cost = width(character)
        if cost is None:
            return None
        total += cost
    return total
