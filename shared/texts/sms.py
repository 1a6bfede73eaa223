"""SMS text: the GSM 7-bit alphabet, what a text costs, and what is changed in it before it is measured and sent.

Orange charges by the segment, and one character outside GSM-7 (3GPP TS 23.038) more than halves a segment: 160
characters become 70. Rules: 3GPP TS 23.038 and 23.040, see reference/orange_sms.md §5. Counting is in septets for GSM-7
and in UTF-16 code units for UCS-2, and what needs two of them is never split across two segments, which simple division
gets wrong.
"""

import re
import string
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


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
    if DEFAULT.issuperset(text):
        segments, remaining = _fill_evenly(len(text), Encoding.GSM7)
        return Measure(encoding=Encoding.GSM7, segments=segments, characters_left=remaining, non_gsm_characters=())
    foreign = tuple(c for c in dict.fromkeys(text) if width(c) is None)
    encoding = Encoding.UCS2 if foreign else Encoding.GSM7
    segments, remaining = _fill((_units(c, encoding) for c in text), encoding)
    return Measure(encoding=encoding, segments=segments, characters_left=remaining, non_gsm_characters=foreign)


def _units(character: str, encoding: Encoding) -> int:
    if encoding is Encoding.GSM7:
        return width(character) or 0
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


# What is changed in a text before it is measured and sent, and why it is cheaper afterwards.
#
# `clean` is for every text: characters that nobody sees or that only typography tells apart, any one of which would
# turn 160 characters a segment into 70. `to_gsm7` is for authors who ask: it drops the accents that GSM-7 lacks and
# nothing else. « and » are seen, so they are its business and not `clean`'s. Data: reference/orange_sms.md §5.
#
# No library does this: unidecode and its like rewrite the é that GSM-7 has, turn Arabic into Latin letters, or leave
# "?".


def _table(rows: dict[str, str]) -> dict[int, str]:
    return {ord(character): replacement for characters, replacement in rows.items() for character in characters}


_CONTROLS = "".join(map(chr, (*range(9), 11, *range(14, 32), *range(127, 133), *range(134, 160))))

_INVISIBLE = (
    "\u00ad\u034f\u115f\u1160\u180e\u200b\u2060\u2061\u2062\u2063\u2064\u3164\ufeff\uffa0\ufff9\ufffa\ufffb"
    + "".join(
        map(
            chr,
            (*range(0x206A, 0x2070), *range(0xD800, 0xE000), *range(0xFE00, 0xFE0E), 0xE0001, *range(0xE0100, 0xE01F0)),
        )
    )
)
"""Lone halves of surrogate pairs are among them: no encoding carries one. So are the variants of Chinese characters and
the fillers of Korean ones, which people paste as blanks."""

_ALWAYS = _table({
    "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u2800\u3000\t": " ",
    "\u0085\u2028\u2029": "\n",
    "‘’‚‛ʼ′": "'",
    "“”„‟″": '"',
    "\u2010\u2011\u2012\u2013\u2014\u2015\u2212": "-",
    "…": "...",
    "‥": "..",
    _CONTROLS + _INVISIBLE: "",
})  # fmt: skip

_DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")

_JOINERS = frozenset("\u200c\u200d\ufe0e\ufe0f") | frozenset(map(chr, range(0xE0020, 0xE0080)))

_KEYCAP = "\u20e3"

_GSM7 = _table({
    "«»": '"', "‹›`´ʹˈ": "'", "•‣∙": "-", "·": ".", "œ": "oe", "Œ": "OE", "ẞ": "SS", "µ": "u", "×": "x", "÷": "/",
    "⁄∕": "/", "ɛ": "e", "Ɛ": "E", "ɔ": "o", "Ɔ": "O", "ɲ": "ny", "Ɲ": "Ny", "ŋ": "ng", "Ŋ": "Ng", "ɓ": "b", "Ɓ": "B",
    "ɗ": "d", "Ɗ": "D", "ƴ": "y", "Ƴ": "Y", "ı": "i", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D",
    "þ": "th", "Þ": "Th", "©": "(c)", "®": "(r)",
})  # fmt: skip
"""Where the letter under the accent is not the answer. With the letters of Bambara, Dioula, Fula and Wolof."""

_CLUSTER = re.compile("(?s:.)[\u0300-\u036f]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """A text for GSM-7. `replaced` are (before, after), each once, in order of appearance.

    Where `possible` is false GSM-7 cannot hold it: then `text` is whole, with its accents, and nothing is replaced.
    """

    text: str = field(repr=False)
    replaced: tuple[tuple[str, str], ...]
    possible: bool


def clean(text: str) -> str:
    """`text` composed (NFC), with its invisible and typographic characters rewritten. Cleaning twice changes nothing.

    What changes a reading stays: direction marks beside Arabic or Hebrew, joiners and variation selectors after a
    letter or an emoji that they shape.
    """
    if text.isascii() and text.isprintable():
        return text
    text = text.translate(_ALWAYS).replace("\r\n", "\n")
    if not _RIGHT_TO_LEFT.search(text):
        text = _DIRECTIONS.sub("", text)
    if not _JOINERS.isdisjoint(text):
        text = _without_idle_joiners(text)
    return unicodedata.normalize("NFC", text)


def to_gsm7(text: str) -> Rewritten:
    """`text`, cleaned, without what GSM-7 lacks. What GSM-7 has stays: é and Ç are not touched."""
    cleaned = clean(text)
    if DEFAULT.issuperset(cleaned):
        return Rewritten(text=cleaned, replaced=(), possible=True)
    parts: list[str] = []
    replaced: dict[str, str] = {}
    for cluster in _CLUSTER.findall(cleaned):
        previous = parts[-1][-1:] if parts else ""
        after = _rewrite(cluster, previous)
        if after is None:
            return Rewritten(text=cleaned, replaced=(), possible=False)
        if after != cluster:
            replaced.setdefault(cluster, after)
        if after:
            parts.append(after)
    return Rewritten(text="".join(parts), replaced=tuple(replaced.items()), possible=True)


def _without_idle_joiners(text: str) -> str:
    kept: list[str] = [""]
    for index, character in enumerate(text):
        if character not in _JOINERS or _is_shaped(kept[-1]) or text[index + 1 : index + 2] == _KEYCAP:
            kept.append(character)
    return "".join(kept)


def _is_shaped(character: str) -> bool:
    """Whether a joiner or selector after it means something: not after Latin, Greek, Cyrillic, signs or nothing."""
    return character > "\u058f" and not "\u2000" <= character <= "\u20cf"


def _rewrite(cluster: str, previous: str) -> str | None:
    """What stands for one character and its accents; None where GSM-7 has nothing for it."""
    base = cluster[0]
    if width(base) is not None:
        return base
    if base == "°":
        return "o" if previous in {"n", "N"} else "deg"
    known = base.translate(_GSM7)
    if known == base:
        known = "".join(_without_accents(base))
    if septets(known) is None:
        return None
    return _apart(base, previous) + known


def _without_accents(character: str) -> list[str]:
    parts = unicodedata.normalize("NFKD", character)
    return [part.translate(_GSM7) for part in parts if not unicodedata.combining(part)]


def _apart(base: str, previous: str) -> str:
    """What keeps 10² from becoming 102 and 1½ from becoming 11/2."""
    if not previous.isdigit() or not unicodedata.numeric(base, None) or base.isdecimal():
        return ""
    return "^" if unicodedata.decomposition(base).startswith("<super>") else " "
