"""Characters that no message can carry: more than SQS refuses, but none that a person writes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local import sqs_rules
from shared.texts.content import carriable, carriable_document, carriable_values

ANY = st.text(st.characters(exclude_categories=()), max_size=40)
EVERY = list(map(chr, range(0x110000)))


def test_the_remaining_text_is_accepted_by_sqs_and_can_be_encoded() -> None:
    remaining = carriable("".join(EVERY))
    assert remaining.encode()
    assert not sqs_rules.refuses(remaining)


def test_only_controls_noncharacters_and_half_pairs_are_removed() -> None:
    gone = [ord(one) for one in EVERY if carriable(one) != one]
    ends = [plane + end for plane in range(0, 0x110000, 0x10000) for end in (0xFFFE, 0xFFFF)]
    controls = [*range(9), 11, 12, *range(14, 32), *range(127, 133), *range(134, 160)]
    assert gone == sorted([*controls, *range(0xD800, 0xE000), *range(0xFDD0, 0xFDF0), *ends])


@pytest.mark.parametrize(
    ("text", "remaining"),
    [
        ("Awa\uffff", "Awa"),
        ("\x00\ud800Awa\ufffe \x1bDiop\x7f", "Awa Diop"),
        ("Awa\x0bDiop\x0cBa", "Awa Diop Ba"),
        ("a\tb\nc\rd\x85e", "a\tb\nc\rd\x85e"),
        ("Aïssatou 👩🏾‍⚕️ بطاقة\u200f \ue000", "Aïssatou 👩🏾‍⚕️ بطاقة\u200f \ue000"),
        ("", ""),
    ],
)
def test_examples(text: str, remaining: str) -> None:
    assert carriable(text) == remaining
    assert carriable_values({"a": text, "b": 1, "c": None}) == {"a": remaining, "b": 1, "c": None}
    assert carriable_document({"a": [{text: text}, 1.5, True, None]}) == {"a": [{text: remaining}, 1.5, True, None]}


@given(text=ANY)
def test_removing_twice_changes_nothing_more(text: str) -> None:
    once = carriable(text)
    assert carriable(once) == once
