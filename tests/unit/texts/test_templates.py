import re

import pytest

from shared.cards.picture import PNG, kind
from shared.cards.references import SAMPLE_CARD, parse, sample_picture
from shared.texts.sms import Encoding, clean, measure
from shared.texts.templates import EXAMPLES, MAX_BODY, READY_MADE, VARIABLES, Template, expand, names

TYPICAL: dict[str, dict[str, str]] = {
    "short": {},
    "long names": {"first_name": "Marie-Christine", "programme_name": "Programme national de vaccination"},
    "accents": {"first_name": "Hélène", "last_name": "Ngoué"},
    "long host": {"verification_url": "https://verification.oomus.health/c/DKR-VAC-9XQ7LM2A"},
}
"""Values as registers have them: names of 5 to 15 letters, codes of 16, addresses of up to 52 characters."""
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
    assert "}{" not in re.sub(r"\s", "", body)
    assert not re.search(r"\n{3}|\t| {4}", body)
    assert len(expand(body, EXAMPLES)) <= len(expand(body, LONG)) <= MAX_BODY


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
@pytest.mark.parametrize("values", TYPICAL.values(), ids=TYPICAL)
def test_an_sms_is_one_segment(template: Template, values: dict[str, str]) -> None:
    text = expand(template.sms, {**EXAMPLES, **values})
    measured = measure(text)
    assert (measured.encoding, measured.segments, measured.non_gsm_characters) == (Encoding.GSM7, 1, ())
    assert clean(text) == text


def test_the_sample_card_is_a_picture_and_no_client_can_refer_to_it() -> None:
    card = sample_picture()
    assert kind(card) == PNG
    assert card == sample_picture()
    assert len(card) < 16 * 1024
    assert parse(SAMPLE_CARD) is None
