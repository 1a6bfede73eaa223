"""SMS text: the GSM 7-bit alphabet, the size of a text in segments, and the changes to a text before it is measured.

Orange charges by the segment. One character outside GSM-7 makes a segment less than half as long: 70 characters instead
of 160. GSM-7 is counted in septets, UCS-2 in UTF-16 code units. A character of two units is never split across two
segments, so a simple division gives wrong results. Rules: 3GPP TS 23.038 and 23.040; see reference/orange_sms.md §5.
"""

import re
import string
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Encoding(StrEnum):
    """The encoding of an SMS."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


_ALONE = {Encoding.GSM7: 160, Encoding.UCS2: 70}

_CONCATENATED = {Encoding.GSM7: 153, Encoding.UCS2: 67}
"""The header that joins the parts of a long message takes 6 of a segment's 140 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """The size of a text. `characters_left` counts the free septets or UTF-16 units in the last segment."""

    encoding: Encoding
    segments: int
    characters_left: int
    non_gsm_characters: tuple[str, ...]
    """The characters that force UCS-2: each once, in order of appearance."""


def measure(text: str) -> Measure:
    """The encoding that `text` needs and the segments that it fills. An empty text fills one."""
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
    """As `_fill`, for texts without characters of two units. It is fast: most texts are such, and a plan measures a
    million.
    """
    alone, capacity = _ALONE[encoding], _CONCATENATED[encoding]
    if length <= alone:
        return 1, alone - length
    segments = -(-length // capacity)
    return segments, segments * capacity - length


def _fill(widths: Iterable[int], encoding: Encoding) -> tuple[int, int]:
    """The number of segments, and the units free in the last one. A character never crosses the end of a segment."""
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
"""Characters of one septet: 127 of the table's 128. The escape is not a character that a text can hold."""

EXTENSION: frozenset[str] = frozenset("\f^{}\\[~]|€")
"""Characters of two septets: an escape and a septet. The pair must not be split across segments."""


def width(character: str) -> int | None:
    """The septets of one character; None if GSM-7 does not have it."""
    if character in DEFAULT:
        return 1
    return 2 if character in EXTENSION else None


def septets(text: str) -> int | None:
    """The septets of `text`; None if at least one character is not in GSM-7."""
    total = 0
    for character in text:
        cost = width(character)
        if cost is None:
            return None
        total += cost
    return total


# `clean` changes every text: it replaces invisible and typographic characters, any one of which would turn 160
# characters a segment into 70. `to_gsm7` is for authors who ask for it: it also drops the accents that GSM-7 lacks. «
# and » are visible, so `clean` keeps them. Data: reference/orange_sms.md §5. No library does this: unidecode and
# similar ones rewrite the é that GSM-7 has, turn Arabic into Latin letters, or leave "?".


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
"""Lone halves of surrogate pairs are in the list because no encoding carries them. So are the variation selectors of
Chinese characters and the Korean fillers, which people paste as blanks.
"""

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
"""Characters for which removing the accent is not enough; with the letters of Bambara, Dioula, Fula and Wolof."""

_CLUSTER = re.compile("(?s:.)[\u0300-\u036f]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """A text for GSM-7. `replaced` are pairs (before, after), each once, in order of appearance.

    If `possible` is false, GSM-7 cannot hold the text: then `text` keeps its accents and `replaced` is empty.
    """

    text: str = field(repr=False)
    replaced: tuple[tuple[str, str], ...]
    possible: bool


def clean(text: str) -> str:
    """`text` in NFC, with its invisible and typographic characters replaced. A second call changes nothing.

    Characters that change how a text reads stay: direction marks in a text with Arabic or Hebrew, and joiners and
    variation selectors after a letter or an emoji that they shape.
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
    """`text`, cleaned, with the characters that GSM-7 lacks replaced. The letters that GSM-7 has stay, é and Ç for
    example.
    """
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
    """Whether a joiner or selector after `character` has an effect. After Latin, Greek, Cyrillic or signs it has
    none.
    """
    return character > "\u058f" and not "\u2000" <= character <= "\u20cf"


def _rewrite(cluster: str, previous: str) -> str | None:
    """The replacement of one character and its accents; None if GSM-7 has none."""
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
    """A separator, so that 10² does not become 102 and 1½ does not become 11/2."""
    if not previous.isdigit() or not unicodedata.numeric(base, None) or base.isdecimal():
        return ""
    return "^" if unicodedata.decomposition(base).startswith("<super>") else " "
