"""What the officer reads: a text for every code, in French and English, with the facts filled in."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from functools import cache
from string import Formatter
from typing import Literal

type Sentences = tuple[str, ...]


class TextKind(StrEnum):
    """The closed lists of api.md, "Codes". A code may be in several lists with different texts (`expired`)."""

    PROBLEM_TITLE = "problem_title"
    PROBLEM_DETAIL = "problem_detail"
    FIELD = "field"
    REASON = "reason"
    """Reasons of a message. The field codes are reasons too."""
    DEAD_LETTER = "dead_letter"
    """Why a message is dead."""
    STATUS_REASON = "status_reason"
    WARNING = "warning"
    COLUMN = "column"
    """Titles of an export's columns, by the field that they show."""
    TERM = "term"
    """Codes as an export shows them: "status.delivered"."""


type Language = Literal["fr", "en"]

_LONGEST_FACT = 200

_DATES = frozenset({"opens_at", "latest", "maximum", "ends"})
"""Facts that may be a day or an instant."""

_ISO = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?", re.ASCII)

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def text(kind: TextKind, code: str, language: Language, facts: Mapping[str, str] | None = None) -> str:
    """The text of a code. A sentence with a fact that is absent or empty is left out; the first sentence has no fact
    but `provider`, which is always known: the fact is a channel or a provider.

    Raises KeyError for a code outside api.md's closed list, because that is an error of ours.
    """
    texts, words = _tables(language)
    sentences = _sentences(texts, kind, code)
    given = {name: value for name, value in (facts or {}).items() if value}
    known = {name: _shown(words.get(name, {}), dated(name, value, language)) for name, value in given.items()}
    return filled_in(sentences, known | named_provider(given.get("provider", ""), language))


def with_gaps(kind: TextKind, code: str, language: Language) -> Iterator[str]:
    """All sentences of a code, with … for each fact but the provider. A sentence that is nothing but a fact is left
    out."""
    provider = named_provider("", language)
    for sentence in _sentences(_tables(language)[0], kind, code):
        gaps = dict.fromkeys(placeholders(sentence), "…") | provider
        if (said := sentence.format_map(gaps).replace("….", "…")) != "…":
            yield said


def _sentences(texts: Mapping[TextKind, Mapping[str, Sentences]], kind: TextKind, code: str) -> Sentences:
    """The field codes are reasons too."""
    codes = texts[kind]
    return codes[code] if code in codes or kind is not TextKind.REASON else texts[TextKind.FIELD][code]


def named_provider(provider: str, language: Language) -> dict[str, str]:
    """The facts that name the provider, within a sentence and at its beginning. `provider`: the provider or the channel
    that is meant; empty: unknown."""
    words = _tables(language)[1]["provider"]
    name = words.get(provider, words[""])
    return {"provider": name, "Provider": name[0].upper() + name[1:]}


def dated(name: str, value: str, language: Language) -> str:
    """A fact with a day or an instant (ISO 8601) as people write it; every other fact as it is. An instant in UTC says
    so; one with an offset is in the reader's own time."""
    if name not in _DATES or not _ISO.fullmatch(value):
        return value
    instant = datetime.fromisoformat(value)
    day = f"{instant:%d/%m/%Y}" if language == "fr" else f"{instant.day} {_MONTHS[instant.month - 1]} {instant.year}"
    if "T" not in value:
        return day
    zone = " UTC" if value.endswith("Z") else ""
    return f"{day} à {instant.hour} h {instant:%M}{zone}" if language == "fr" else f"{day}, {instant:%H:%M}{zone}"


def filled_in(sentences: Sentences, known: Mapping[str, str]) -> str:
    """The sentences whose facts are all known, one after the other."""
    return " ".join(sentence.format_map(known) for sentence in sentences if placeholders(sentence) <= known.keys())


def sentences(kind: TextKind, code: str, language: Language) -> Sentences:
    """The sentences as they are written, with placeholders."""
    return _tables(language)[0][kind][code]


def known_codes(kind: TextKind, language: Language) -> frozenset[str]:
    """The codes that have a text of their own."""
    return frozenset(_tables(language)[0][kind])


@cache
def placeholders(sentence: str) -> frozenset[str]:
    """The names of the facts in a sentence."""
    return frozenset(name for _, name, _, _ in Formatter().parse(sentence) if name is not None)


def _shown(words: Mapping[str, str], value: str) -> str:
    """A fact as it is shown, also a list of words ("SN, CI"). A client's own words come back in a text, so they are cut
    to a moderate length."""
    word = ", ".join(words.get(one, one) for one in value.split(", ")) if words else value
    return word if len(word) <= _LONGEST_FACT else word[:_LONGEST_FACT] + "…"


@cache
def _tables(language: Language) -> tuple[Mapping[TextKind, Mapping[str, Sentences]], Mapping[str, Mapping[str, str]]]:
    """Imported at the first text: most requests need none."""
    if language == "fr":
        from shared.api.texts import facts_fr, texts_fr  # noqa: PLC0415 - at first use, not at a cold start

        return texts_fr.TEXTS, facts_fr.WORDS
    from shared.api.texts import facts_en, texts_en  # noqa: PLC0415 - as above

    return texts_en.TEXTS, facts_en.WORDS
