import re

import pytest

from shared.domain import picture, sample_card
from shared.domain.card_reference import parse
from shared.domain.rewriting import clean
from shared.domain.segments import Encoding, measure
from shared.domain.templates import MAX_BODY, READY_MADE, Template, find
from shared.domain.variables import VARIABLES, expand, names

TYPICAL = {
    "first_name": "Aminata",
    "last_name": "Diallo",
    "card_code": "DKR-VAC-9XQ7LM2A",
    "programme_name": "Programme national de vaccination",
    "issue_date": "23/11/2026",
    "verification_url": "https://v.oomus.health/c/DKR-VAC-9XQ7LM2A",
}
LONG = dict.fromkeys(VARIABLES, "x" * 60) | {"verification_url": "https://v.oomus.health/" + "x" * 200}
each = pytest.mark.parametrize("template", READY_MADE.values(), ids=lambda one: f"{one.name}-{one.language}")


def test_three_use_cases_in_two_languages() -> None:
    cards = {(one.name, one.language, one.use_case) for one in READY_MADE.values()}
    uses = ("vaccination", "nutrition", "insurance")
    assert cards == {(f"{use}_card", language, use) for use in uses for language in ("fr", "en")}


@each
def test_meta_s_rules_for_a_body(template: Template) -> None:
    """reference/whatsapp.md §6 and Limits."""
    assert re.fullmatch(r"[a-z0-9_]{1,512}", template.name)
    body = template.whatsapp
    assert not body.startswith("{")
    assert not body.endswith("}")
    assert "}{" not in re.sub(r"\s", "", body).replace("{first_name}{last_name}", "{}")
    assert not re.search(r"\}\{|\n{3}|\t| {4}", body)
    assert len(expand(body, TYPICAL)) <= len(expand(body, LONG)) <= MAX_BODY


@each
def test_only_the_six_variables_and_each_once(template: Template) -> None:
    for text in (template.whatsapp, template.sms):
        found = re.findall(r"\{(\w+)\}", text)
        assert len(found) == len(set(found))
        assert tuple(found) == names(text)
        assert set(found) <= set(VARIABLES)
    assert {"card_code", "verification_url"} <= set(names(template.sms))
    assert {"first_name", "last_name", "programme_name", "card_code", "verification_url"} == set(
        names(template.whatsapp)
    )


@each
def test_an_sms_is_one_segment(template: Template) -> None:
    text = expand(template.sms, TYPICAL)
    measured = measure(text)
    assert (measured.encoding, measured.segments, measured.non_gsm_characters) == (Encoding.GSM7, 1, ())
    assert clean(text) == text


@pytest.mark.parametrize(
    ("wished", "language"),
    [
        ((), "fr"),
        ((None, None), "fr"),
        (("en",), "en"),
        ((None, "en"), "en"),
        (("fr", "en"), "fr"),
        (("", "en"), "en"),
    ],
)
def test_language_of_content_then_of_recipient_then_french(wished: tuple[str | None, ...], language: str) -> None:
    found = find("nutrition_card", *wished)
    assert found is not None
    assert (found.name, found.language) == ("nutrition_card", language)


def test_another_name_or_language_is_no_template() -> None:
    assert find("school_card", "fr") is None
    assert find("nutrition_card", "pt") is None


def test_the_sample_card_is_a_picture_that_no_client_can_name() -> None:
    card = sample_card.picture()
    assert picture.kind(card) == picture.PNG
    assert card == sample_card.picture()
    assert len(card) < 16 * 1024
    assert parse(sample_card.SAMPLE_CARD) is None
