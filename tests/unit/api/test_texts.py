"""Every code of api.md's closed lists has a text in both languages, with the same facts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.api.texts.sentences import Language, TextKind, known_codes, placeholders, sentences, text
from shared.base.refusal import ProblemCode
from shared.exports.columns import COLUMNS
from shared.messages.message import DeadReason
from shared.recipients.countries import covered_names

PROBLEMS = frozenset(ProblemCode)
FIELDS = frozenset(
    [
        "phone_missing",
        "phone_invalid",
        "phone_obsolete",
        "phone_not_mobile",
        "phone_several",
        "country_not_covered",
        "sender_missing",
        "consent_missing",
        "opted_out",
        "variable_unknown",
        "variable_missing",
        "template_unknown",
        "template_not_approved",
        "template_not_submitted",
        "template_required",
        "text_too_long",
        "text_empty",
        "card_missing",
        "card_host_not_allowed",
        "card_url_invalid",
        "dhis2_attribute_missing",
        "dhis2_not_active",
        "send_at_past",
        "fallback_invalid",
        "row_unreadable",
        "encoding_unknown",
        "header_missing",
        "phone_column_missing",
        "column_twice",
        "quote_unclosed",
        "file_empty",
        "not_this_format",
        "field_unknown",
        "field_invalid",
    ]
)
REASONS = frozenset(
    [
        "already_sent",
        "card_unreachable",
        "card_not_a_picture",
        "card_too_large",
        "not_on_whatsapp",
        "undeliverable",
        "outcome_unknown",
        "provider_rejected",
        "experiment_withheld",
        "cancelled",
        "expired",
        "erased",
        "receipt_missing",
    ]
)
STATUS_REASONS = frozenset(
    [
        "token_invalid",
        "cards_unavailable",
        "country_not_subscribed",
        "permission_missing",
        "account_restricted",
        "payment_required",
        "balance_empty",
        "contract_expired",
        "sender_name_not_approved",
        "template_paused",
        "template_disabled",
        "template_recategorised",
        "daily_limit",
        "provider_down",
        "paused_by_user",
        "expired",
        "file_unreadable",
    ]
)
WARNINGS = frozenset(
    [
        "ucs2",
        "characters_removed",
        "units_insufficient",
        "units_missing",
        "daily_limit_exceeded",
        "cards_older_than_24h",
        "cards_unreachable",
        "peak_hours",
        "unknown_columns",
        "lines_skipped",
        "language_fallback",
        "pages_missing",
        "sender_name_narrow",
        "template_status_unknown",
        "gsm7_not_possible",
        "fallback_invalid",
        "receipts_missing",
    ]
)
CLOSED = {
    TextKind.PROBLEM_TITLE: PROBLEMS,
    TextKind.PROBLEM_DETAIL: PROBLEMS,
    TextKind.FIELD: FIELDS,
    TextKind.REASON: REASONS,
    TextKind.DEAD_LETTER: frozenset(DeadReason),
    TextKind.STATUS_REASON: STATUS_REASONS,
    TextKind.WARNING: WARNINGS,
    TextKind.COLUMN: frozenset(one.field for columns in COLUMNS.values() for one in columns),
    TextKind.TERM: frozenset(
        f"{one.field}.{term}" for columns in COLUMNS.values() for one in columns for term in one.terms
    ),
}
EVERY = [(kind, code) for kind, codes in CLOSED.items() for code in sorted(codes)]


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("kind", list(TextKind))
def test_the_codes_are_those_of_the_contract(kind: TextKind, language: str) -> None:
    assert known_codes(kind, "fr" if language == "fr" else "en") == CLOSED[kind]


@pytest.mark.parametrize(("kind", "code"), EVERY)
def test_both_languages_name_the_same_facts_and_work_without_them(kind: TextKind, code: str) -> None:
    french, english = sentences(kind, code, "fr"), sentences(kind, code, "en")
    assert [placeholders(one) for one in french] == [placeholders(one) for one in english]
    for language in ("fr", "en"):
        bare = text(kind, code, "fr" if language == "fr" else "en")
        assert bare
        assert "{" not in bare
    assert text(kind, code, "fr") != text(kind, code, "en")


@pytest.mark.parametrize("code", sorted(FIELDS))
def test_a_rows_code_has_the_same_text_as_a_reason(code: str) -> None:
    assert text(TextKind.REASON, code, "fr") == text(TextKind.FIELD, code, "fr")


def test_facts_are_filled_in_and_translated() -> None:
    facts = {"name": "first_nmae"}
    assert "{first_nmae}" in text(TextKind.FIELD, "variable_unknown", "en", facts)
    assert "en pause" in text(TextKind.PROBLEM_DETAIL, "state_conflict", "fr", {"status": "paused"})
    assert "messaging.send" in text(TextKind.PROBLEM_DETAIL, "forbidden", "fr", {"scope": "messaging.send"})


@pytest.mark.parametrize("language", ["fr", "en"])
def test_country_not_covered_names_the_nine(language: str) -> None:
    reported = text(TextKind.FIELD, "country_not_covered", "fr" if language == "fr" else "en").replace("’", "'")
    names = covered_names(language).replace("’", "'").split(", ")
    assert len(names) == 9
    assert [name for name in names if name not in reported] == []


def test_the_sentence_with_the_countries_is_grammatical() -> None:
    assert text(TextKind.FIELD, "country_not_covered", "fr") == (
        "Les numéros de ce pays ne sont pas couverts. Pays couverts : Sénégal, Côte d’Ivoire, Mali, Burkina Faso, "
        "Guinée, Cameroun, Madagascar, Tunisie et Égypte."
    )
    assert text(TextKind.FIELD, "country_not_covered", "en").endswith("Madagascar, Tunisia and Egypt.")


@given(value=st.text())
def test_placeholders_inside_a_fact_are_not_expanded(value: str) -> None:
    reported = text(TextKind.FIELD, "field_unknown", "en", {"name": value, "x": "expanded"})
    assert value[:200] in reported


@pytest.mark.parametrize(
    ("language", "countries", "page"),
    [
        ("en", "No price is set for: Côte d'Ivoire, Mali.", "Settings > Integrations > SMS"),
        ("fr", "Aucun prix n’est saisi pour : Côte d’Ivoire, Mali.", "Paramètres > Intégrations > SMS"),
    ],
)
def test_a_list_of_countries_is_shown_by_their_names(language: Language, countries: str, page: str) -> None:
    shown = text(TextKind.WARNING, "units_missing", language, {"unpriced": "CI, ML", "count": "3"})
    assert countries in shown
    assert page in shown
