"""Every French sentence, bare and filled in: what an officer reads has no pattern, no ISO date and no unnamed Meta."""

import re
from collections.abc import Iterator, Mapping

import pytest

from shared.api import health, openapi
from shared.api.texts import facts_en, facts_fr, texts_fr
from shared.api.texts.sentences import (
    Language,
    TextKind,
    dated,
    filled_in,
    named_provider,
    placeholders,
    text,
    with_gaps,
)
from shared.api.texts.values import VALUES
from shared.base.json import JsonValue

ISO_DATE = re.compile(r"\d{4}-\d\d(-\d\d)?")
PATTERN = re.compile(r"\[[^\]]*\]|\^|\$|\\\\|\{\d|\.\*|\(\?")
"""What a regular expression looks like."""
INSTANTS = ("2026-11-24T07:00:00+00:00", "2026-11-23T21:05:00Z", "2026-11-23T21:05:00.250Z", "2026-12-31")
EVERY = [(kind, code) for kind, codes in texts_fr.TEXTS.items() for code in codes]
OF_META = (
    *("permission_missing", "payment_required", "template_paused", "template_disabled", "template_recategorised"),
    *("daily_limit", "experiment_withheld", "daily_limit_exceeded", "template_status_unknown", "receipts_missing"),
)


def patterns(value: JsonValue) -> Iterator[str]:
    """Every pattern of the OpenAPI document whose place has no format."""
    if isinstance(value, dict):
        if isinstance(value.get("pattern"), str) and "format" not in value:
            yield str(value["pattern"])
        for one in value.values():
            yield from patterns(one)
    elif isinstance(value, list):
        for one in value:
            yield from patterns(one)


def values_of(name: str, words: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """What a fact of this name may be."""
    yield from words.get(name, {"abc": ""})
    if name in ("opens_at", "latest", "maximum", "ends"):
        yield from INSTANTS
    if name == "pattern":
        yield from patterns(openapi.document())


def filled(kind: TextKind, code: str, language: Language) -> Iterator[str]:
    """The text with each value of each of its facts."""
    words = (facts_fr if language == "fr" else facts_en).WORDS
    named = sorted({name for sentence in texts_fr.TEXTS[kind][code] for name in placeholders(sentence)})
    yield text(kind, code, language)
    for name in named:
        for value in values_of(name, words):
            yield text(kind, code, language, {name: value})


def findings(language: Language) -> Iterator[str]:
    for detail, remedy in health.FINDINGS[language].values():
        for sentence in (*detail, *remedy):
            facts = {name: dated(name, next(iter(values_of(name, {}))), language) for name in placeholders(sentence)}
            yield filled_in((sentence,), facts | named_provider("whatsapp", language))
            for value in INSTANTS:
                yield filled_in((sentence,), facts | {"ends": dated("ends", value, language)})


def assert_readable(said: str) -> None:
    assert not ISO_DATE.search(said), said
    assert not PATTERN.search(said.replace("[...]", "")), said


@pytest.mark.parametrize(("kind", "code"), EVERY)
def test_no_sentence_shows_a_pattern_or_an_iso_date(kind: TextKind, code: str) -> None:
    for said in filled(kind, code, "fr"):
        assert_readable(said)
    for said in filled(kind, code, "en"):
        assert not PATTERN.search(said), said


def test_no_finding_of_health_shows_a_pattern_or_an_iso_date() -> None:
    for said in findings("fr"):
        assert_readable(said)
        assert "ournisseur" not in said, said


def test_no_sentence_of_the_documentation_shows_a_pattern_or_an_iso_date() -> None:
    for said in VALUES.values():
        for one in said.values():
            assert_readable(one["fr"])
    for kind, code in EVERY:
        for sentence in with_gaps(kind, code, "fr"):
            assert_readable(sentence)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_pattern_of_the_document_has_its_words(language: Language) -> None:
    words = (facts_fr if language == "fr" else facts_en).WORDS["pattern"]
    assert set(patterns(openapi.document())) - words.keys() == set()


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, code in EVERY if code in OF_META])
def test_meta_is_called_by_its_name(kind: TextKind, code: str) -> None:
    assert "Meta" in text(kind, code, "fr")
    assert "ournisseur" not in text(kind, code, "fr")


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, code in EVERY if kind is not TextKind.COLUMN])
@pytest.mark.parametrize("provider", ["whatsapp", "meta", "orange"])
def test_a_provider_that_is_known_is_called_by_its_name(kind: TextKind, code: str, provider: str) -> None:
    for language in facts_fr.WORDS, facts_en.WORDS:
        assert language["provider"][provider] == ("Orange" if provider == "orange" else "Meta")
    assert "ournisseur" not in text(kind, code, "fr", {"provider": provider})
    assert "he provider" not in text(kind, code, "en", {"provider": provider})


@pytest.mark.parametrize(
    ("value", "french", "english"),
    [
        ("2026-11-24T07:00:00+00:00", "24/11/2026 à 7 h 00", "24 November 2026, 07:00"),
        ("2026-11-24T07:05:00+03:00", "24/11/2026 à 7 h 05", "24 November 2026, 07:05"),
        ("2026-11-23T21:05:00Z", "23/11/2026 à 21 h 05 UTC", "23 November 2026, 21:05 UTC"),
        ("2026-03-01", "01/03/2026", "1 March 2026"),
        ("5000", "5000", "5000"),
        ("20261123", "20261123", "20261123"),
    ],
)
def test_an_instant_is_written_as_people_write_it(value: str, french: str, english: str) -> None:
    assert (dated("maximum", value, "fr"), dated("maximum", value, "en")) == (french, english)


def test_a_clients_own_words_are_not_rewritten() -> None:
    """A template may be called 2026-11-23."""
    assert dated("name", "2026-11-23", "fr") == "2026-11-23"
