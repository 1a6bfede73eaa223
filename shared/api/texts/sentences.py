"""What the officer reads: a text for every code, in French and English, with the facts filled in."""

from collections.abc import Mapping
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


def text(kind: TextKind, code: str, language: Language, facts: Mapping[str, str] | None = None) -> str:
    """The text of a code. A sentence with a fact that is absent or empty is left out; the first sentence has no fact.

    Raises KeyError for a code outside api.md's closed list, because that is an error of ours.
    """
    texts, words = _tables(language)
    codes = texts[kind]
    sentences = codes[code] if code in codes or kind is not TextKind.REASON else texts[TextKind.FIELD][code]
    return filled_in(
        sentences, {name: _shown(words.get(name, {}), value) for name, value in (facts or {}).items() if value}
    )


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
        from shared.api.texts import texts_fr  # noqa: PLC0415 - at first use, not at a cold start

        return texts_fr.TEXTS, texts_fr.WORDS
    from shared.api.texts import texts_en  # noqa: PLC0415 - as above

    return texts_en.TEXTS, texts_en.WORDS
