import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.texts.templates import VARIABLES, VariableError, expand, fill_card_code, names

VALUES: dict[str, str | None] = {
    "first_name": "Awa {last_name}",
    "last_name": "",
    "card_code": "A-1",
    "issue_date": " ",
    "programme_name": None,
}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("Bonjour {first_name}", "Bonjour Awa {last_name}"),
        ("{card_code}{card_code}", "A-1A-1"),
        ("{{card_code}}", "{card_code}"),
        ("{{{card_code}}}", "{A-1}"),
        ("{{ and }}", "{ and }"),
        ("a { b", "a { b"),
        ("a } b", "a } b"),
        ("{card_code", "{card_code"),
        ("{card_code}}", "A-1}"),
        ("", ""),
        ("{} { } {\n}", "{} { } {\n}"),
        ("Prix {5 000 F}, {card_code}", "Prix {5 000 F}, A-1"),
        ("{500} {50 %} {12/2026}", "{500} {50 %} {12/2026}"),
        (":-{ {card_code} :-}", ":-{ A-1 :-}"),
        ("}{", "}{"),
        ("{(voir au verso)}", "{(voir au verso)}"),
        ('{"card": 1}', '{"card": 1}'),
        ("{card_code}{", "A-1{"),
        ("{5 000 F}}}", "{5 000 F}}"),
    ],
)
def test_expansion(text: str, expanded: str) -> None:
    assert expand(text, VALUES) == expanded


def test_each_error_is_reported_once() -> None:
    with pytest.raises(VariableError) as caught:
        expand(
            "{first name} {last_name} {x} {issue_date} {programme_name} {x} {} {card_code} {verification_url}", VALUES
        )
    assert [(field_error.code.value, field_error.name) for field_error in caught.value.field_errors] == [
        ("variable_unknown", "first name"),
        ("variable_missing", "last_name"),
        ("variable_unknown", "x"),
        ("variable_missing", "issue_date"),
        ("variable_missing", "programme_name"),
        ("variable_missing", "verification_url"),
    ]
    assert "Awa" not in str(caught.value)


ATTEMPTS = (
    *("prénom", "First_Name", " first_name ", "first-name", "date d'émission", "nom du bénéficiaire", "1", "0", "_x"),
    *("اسم", "first_name:", "first_name!", "(card_code)", "the card code of the child", "VERIFICATION URL"),
)


@pytest.mark.parametrize("name", ATTEMPTS)
def test_a_text_with_an_unknown_variable_is_never_sent(name: str) -> None:
    with pytest.raises(VariableError) as caught:
        expand(f"Bonjour {{{name}}}", VALUES)
    assert [(field_error.code.value, field_error.name) for field_error in caught.value.field_errors] == [
        ("variable_unknown", name)
    ]


@given(st.text(st.characters(exclude_characters="{}"), max_size=40))
def test_a_pair_of_braces_is_a_variable_or_stays_unchanged(inner: str) -> None:
    text = f"a {{{inner}}} b"
    if names(text):
        assert names(text) == (inner,)
    else:
        assert expand(text, {}) == text


def test_a_value_of_an_unknown_name_is_not_used() -> None:
    with pytest.raises(VariableError):
        expand("{phone}", {"phone": "invented"})


@given(st.text(st.sampled_from("ab{}")))
def test_doubled_braces_become_single_braces(text: str) -> None:
    assert expand(text.replace("{", "{{").replace("}", "}}"), {}) == text


@given(st.dictionaries(st.sampled_from(VARIABLES), st.text(min_size=1).filter(str.strip), min_size=6))
def test_values_are_inserted_unchanged(values: dict[str, str]) -> None:
    assert expand("".join("{" + name + "}" for name in VARIABLES), values) == "".join(values[n] for n in VARIABLES)


def test_names() -> None:
    assert names("{first_name} {{no}} {x} {first_name}") == ("first_name", "x")


@pytest.mark.parametrize(
    ("reference", "filled"),
    [
        ("https://cards.example/{card_code}.png", "https://cards.example/A%2F1%20%C3%A9%3F.png"),
        ("s3://cards/{card_code}/{card_code}.png", "s3://cards/A/1 é?/A/1 é?.png"),
        ("https://cards.example/fixed.png", "https://cards.example/fixed.png"),
    ],
)
def test_card_code_in_a_reference(reference: str, filled: str) -> None:
    assert fill_card_code(reference, "A/1 é?") == filled


@pytest.mark.parametrize("card_code", [None, "", " "])
def test_a_reference_without_its_card_code(card_code: str | None) -> None:
    with pytest.raises(VariableError) as caught:
        fill_card_code("https://v.example/{card_code}", card_code)
    assert [(field_error.code.value, field_error.name) for field_error in caught.value.field_errors] == [
        ("variable_missing", "card_code")
    ]
    assert fill_card_code("https://v.example/", card_code) == "https://v.example/"
