"""Finds planted values in written text, also in JSON, URLs, base64, hexadecimal and grouped digits."""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

_DEEP = 3
"""How many encodings may be nested, for example base64 of JSON in a query."""
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\"'\\/]))")
_BETWEEN_DIGITS = re.compile(r"(?<=[0-9])[\s\u00a0\u202f.()/+_-]{1,3}(?=[0-9])")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}")
_HEXADECIMAL = re.compile(r"(?:[0-9a-fA-F]{2}){6,}")
_LEGIBLE = re.compile(r"[\x20-\x7e\u00a0-\u024f]{6,}")
"""Shorter readable parts are chance. Without this limit every hash would be searched."""
_FOUR = 4
"""Characters of base64 for three bytes."""


def found_in(text: str, needles: Iterable[str]) -> set[str]:
    """The planted values that a reader could find in the text. Case does not matter; a number is also found inside a
    longer one."""
    said = [form.casefold() for one in readings(text) for form in (one, ungrouped(one))]
    return {needle for needle in needles if any(needle.casefold() in one for one in said)}


def readings(text: str) -> Iterator[str]:
    """The text, and every text that it may encode."""
    for _ in range(_DEEP):
        yield text
        text = f"{text}\n{plain}" if (plain := _plain(text)) != text else text
        yield text
        text = "\n".join(_LEGIBLE.findall(f"{unbased(text)}\n{unhexed(text)}"))
    yield text


def ungrouped(text: str) -> str:
    """77 000 87 65 → 770008765; the same for +221-77 …."""
    return _BETWEEN_DIGITS.sub("", text)


def unescaped(text: str) -> str:
    """Undoes the escapes of JSON and of Python's `repr`, character by character, even if the whole text is no JSON."""
    return _ESCAPE.sub(lambda found: found[3] or chr(int(found[1] or found[2], 16)), text)


def unbased(text: str) -> str:
    """Every run that may be base64, also URL-safe, without its padding, and from the middle of a longer run."""
    return "\n".join(part for run in set(_BASE64.findall(text)) for part in _decoded(run))


def unhexed(text: str) -> str:
    """Every run of hexadecimal digits as bytes, starting at either digit."""
    runs = set(_HEXADECIMAL.findall(text))
    cut = (run[start : len(run) - (len(run) - start) % 2] for run in runs for start in (0, 1))
    return "\n".join(bytes.fromhex(one).decode("utf-8", "replace") for one in cut)


def _plain(text: str) -> str:
    for _ in range(_DEEP):
        text = html.unescape(unquote(unescaped(text)))
    return text


def _decoded(run: str) -> Iterator[str]:
    """The run decoded from each of its first four characters: the encoded part may begin anywhere in a longer run."""
    plain = run.replace("-", "+").replace("_", "/")
    for start in range(_FOUR):
        whole = plain[start:]
        spare = len(whole) % _FOUR
        whole = whole[:-1] if spare == 1 else whole + "=" * (-spare % _FOUR)
        yield base64.b64decode(whole).decode("utf-8", "replace")


def written(value: object) -> str:
    """An answer of boto3 as text, with bytes as text: a `repr` could hide something."""
    return json.dumps(value, ensure_ascii=False, default=_as_text)


def _as_text(value: object) -> object:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return sorted(map(str, value)) if isinstance(value, set) else str(value)
