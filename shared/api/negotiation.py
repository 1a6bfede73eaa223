"""What the client would rather have: RFC 9110 section 12.4.2, quality values."""

import re

from shared.api.texts.sentences import Language

_ENTRY = re.compile(r"([^\s;,]+)[ \t]*(?:;[ \t]*(?:q|Q)=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?")

_JSON = "application/json"

_CSV = "text/csv"


def language(accept_language: str) -> Language:
    """French where it is preferred to English or named first with the same weight; English otherwise."""
    french, english = (_language_weight(accept_language, name) for name in ("fr", "en"))
    return "fr" if french > english else "en"


def prefers_csv(accept: str) -> bool:
    """Whether a list should be a CSV: JSON wins a tie unless text/csv is named before it."""
    return _media_weight(accept, _CSV) > _media_weight(accept, _JSON)


type _Weight = tuple[float, bool, int]
"""Quality; named rather than matched by *; the earlier the greater."""

_NOT_WANTED: _Weight = (0.0, False, 0)


def _weighted(header: str) -> list[tuple[str, float, int]]:
    """(range, quality, rank) of every entry that can be read; parameters other than q are of no interest here."""
    found = []
    for rank, entry in enumerate(header.lower().split(",")):
        name, *parameters = (part.strip() for part in entry.split(";"))
        quality = next((p for p in parameters if p.startswith("q=")), "q=1")
        if match := _ENTRY.fullmatch(f"{name};{quality}"):
            found.append((match[1], float(match[2]), -rank))
    return found


def _language_weight(header: str, wanted: str) -> _Weight:
    entries = _weighted(header)
    named = [(quality, True, rank) for name, quality, rank in entries if name.split("-")[0] == wanted]
    return _best(named or [(quality, False, 0) for name, quality, _ in entries if name == "*"])


def _media_weight(header: str, wanted: str) -> _Weight:
    entries = _weighted(header)
    for pattern in (wanted, wanted.partition("/")[0] + "/*", "*/*"):
        exact = pattern == wanted
        matches = [(quality, exact, rank if exact else 0) for name, quality, rank in entries if name == pattern]
        if matches:
            return _best(matches)
    return _NOT_WANTED


def _best(weights: list[_Weight]) -> _Weight:
    """The greatest; a quality of 0 is a refusal, however plainly it is named."""
    return max((weight for weight in weights if weight[0] > 0), default=_NOT_WANTED)
