"""Compares a document's answer with the printed one. Line breaks and spaces beside JSON's signs do not count. "…"
stands for a random value, a time or a part that is left out."""

import re

_SPACES_BESIDE_SIGNS = re.compile(r"\s*([{}\[\],:\"])\s*")
_SPACES = re.compile(r"\s+")
_OMITTED, _PART = "(?s:.*?)", r'[^"]*?'
"""Fields, items or lines that are left out; a part of one value."""
_ELLIPSIS = re.compile(r"(?<=[{\[])…,|,…(?=[,}\]])|…")


def agrees(shown: str, printed: str) -> bool:
    """Whether `printed` agrees with `shown`."""
    return re.fullmatch(_pattern(_plain(shown)), _plain(printed)) is not None


def _plain(text: str) -> str:
    return _SPACES.sub(" ", _SPACES_BESIDE_SIGNS.sub(r"\1", text)).strip()


def _pattern(shown: str) -> str:
    parts, last = [], 0
    for found in _ELLIPSIS.finditer(shown):
        parts += [re.escape(shown[last : found.start()]), _omitted(found, shown)]
        last = found.end()
    return "".join([*parts, re.escape(shown[last:])])


def _omitted(found: re.Match[str], shown: str) -> str:
    """Between two signs or spaces "…" stands for whole fields or none; beside a letter or a quote for a part of a
    value."""
    match found[0]:
        case "…,":
            return f"(?:{_OMITTED},)?"
        case ",…":
            return f"(?:,{_OMITTED})?"
        case _:
            beside = shown[found.start() - 1 : found.start()] + shown[found.end() : found.end() + 1]
            return _PART if beside.strip(" {}[]") else _OMITTED
