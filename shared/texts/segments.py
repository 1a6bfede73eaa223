"""What a text costs: Orange charges by the segment, and one character outside GSM-7 more than halves a segment.

Rules: 3GPP TS 23.038 and 23.040, see reference/orange_sms.md §5. Counting is in septets for GSM-7 and in UTF-16 code
units for UCS-2, and what needs two of them is never split across two segments, which simple division gets wrong.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from shared.texts import gsm7


class Encoding(StrEnum):
    """How a text travels."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


_ALONE = {Encoding.GSM7: 160, Encoding.UCS2: 70}

_CONCATENATED = {Encoding.GSM7: 153, Encoding.UCS2: 67}
"""The header that puts a long message together again takes 6 of a segment's 140 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """The size of a text. `characters_left` counts septets or UTF-16 units still free in the last segment."""

    encoding: Encoding
    segments: int
    characters_left: int
    non_gsm_characters: tuple[str, ...]
    """Those that force UCS-2: distinct, in order of appearance."""


def measure(text: str) -> Measure:
    """The encoding that `text` needs and the segments it fills. An empty text still costs one."""
    if gsm7.DEFAULT.issuperset(text):
        segments, remaining = _fill_evenly(len(text), Encoding.GSM7)
        return Measure(encoding=Encoding.GSM7, segments=segments, characters_left=remaining, non_gsm_characters=())
    foreign = tuple(c for c in dict.fromkeys(text) if gsm7.width(c) is None)
    encoding = Encoding.UCS2 if foreign else Encoding.GSM7
    segments, remaining = _fill((_units(c, encoding) for c in text), encoding)
    return Measure(encoding=encoding, segments=segments, characters_left=remaining, non_gsm_characters=foreign)


def _units(character: str, encoding: Encoding) -> int:
    if encoding is Encoding.GSM7:
        return gsm7.width(character) or 0
    return 2 if character > "\uffff" else 1


def _fill_evenly(length: int, encoding: Encoding) -> tuple[int, int]:
    """As `_fill` where no character needs two units: most texts, and a plan measures a million."""
    alone, capacity = _ALONE[encoding], _CONCATENATED[encoding]
    if length <= alone:
        return 1, alone - length
    segments = -(-length // capacity)
    return segments, segments * capacity - length


def _fill(widths: Iterable[int], encoding: Encoding) -> tuple[int, int]:
    """Segments, and the room left in the last one, when each is filled as far as whole characters go."""
    alone, capacity = _ALONE[encoding], _CONCATENATED[encoding]
    total, segments, used = 0, 1, 0
    for width in widths:
        total += width
        if used + width > capacity:
            segments += 1
            used = 0
        used += width
    return (1, alone - total) if total <= alone else (segments, capacity - used)
