"""Counts an SMS's segments as the provider does, independently of the product (3GPP 23.038)."""

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = "^{}\\[~]|€\f"


def units(text: str) -> int:
    """Return the number of segments. A pair (an extension character, a surrogate pair) is never split between two."""
    if all(letter in _BASIC or letter in _EXTENDED for letter in text):
        return _parts([2 if letter in _EXTENDED else 1 for letter in text], 160, 153)
    return _parts([2 if ord(letter) > 0xFFFF else 1 for letter in text], 70, 67)


def _parts(widths: list[int], single: int, joined: int) -> int:
    if sum(widths) <= single:
        return 1
    parts, used = 1, 0
    for width in widths:
        if used + width > joined:
            parts, used = parts + 1, 0
        used += width
    return parts
