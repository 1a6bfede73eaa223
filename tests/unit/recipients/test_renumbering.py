"""A number in its old and its new form is one number. The same digits with another operator's prefix are another
number."""

from itertools import combinations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.recipients.countries import RENUMBERED, present_form
from shared.recipients.number_key import NumberKey
from shared.recipients.phone import PhoneError, PhoneProblem, normalise, normalise_any_form

KEY = NumberKey(b"k" * 32)
RULES = [
    ("+22501000001", "+2250101000001"),  # Moov
    ("+22543000001", "+2250143000001"),
    ("+22552000001", "+2250152000001"),
    ("+22570000001", "+2250170000001"),
    ("+22505123458", "+2250505123458"),  # MTN
    ("+22544000001", "+2250544000001"),
    ("+22566000001", "+2250566000001"),
    ("+22594000001", "+2250594000001"),
    ("+22507000001", "+2250707000001"),  # Orange
    ("+22549000001", "+2250749000001"),
    ("+22569000001", "+2250769000001"),
    ("+22598000001", "+2250798000001"),
]
OTHERS = [
    "+2250505123458",  # the new form itself
    "+22520000001",  # fixed lines
    "+22536000001",
    "+22560000001",  # operators that had ended before 2021
    "+22580000001",  # services
    "+22500000001",
    "+22599000001",
    "+2250512345",  # too short, too long
    "+225051234567",
    "+22105123458",  # other countries
    "+221770000001",
    "SN.22505123458",
    "",
]


@pytest.mark.parametrize(("old", "new"), RULES)
def test_an_old_number_becomes_its_own_operators_new_one(old: str, new: str) -> None:
    assert present_form(old) == new
    assert present_form(new) == new
    assert normalise(new, "SN").e164 == new
    assert KEY.person("demo", old) == KEY.person("demo", new)


@pytest.mark.parametrize(("old", "new"), RULES)
def test_another_operators_number_with_the_same_digits_is_another_person(old: str, new: str) -> None:
    others = {f"+225{prefix}{old[4:]}" for prefix in ("01", "05", "07")} - {new}
    assert len(others) == 2
    assert KEY.person("demo", old) not in {KEY.person("demo", other) for other in others}


@pytest.mark.parametrize("number", OTHERS)
def test_a_number_without_a_rule_stays_unchanged(number: str) -> None:
    assert present_form(number) == number


@given(st.from_regex(r"\+225[0-9]{8}", fullmatch=True))
def test_every_old_mobile_number_becomes_a_valid_one_with_the_same_digits(old: str) -> None:
    new = present_form(old)
    if new != old:
        assert phonenumbers.is_valid_number(phonenumbers.parse(new))
        assert new[6:] == old[4:]


def test_no_block_belongs_to_two_operators() -> None:
    for one in RENUMBERED:
        assert all(len(block) == 2 for block in one.prefixes)
        by_prefix = [{block for block, to in one.prefixes.items() if to == prefix} for prefix in ("01", "05", "07")]
        assert sum(map(len, by_prefix)) == len(one.prefixes)
        assert all(not left & right for left, right in combinations(by_prefix, 2))


@pytest.mark.parametrize("raw", ["+22505123458", "0022505123458", "22505123458", "+225 05 12 34 58"])
def test_a_person_can_be_looked_up_by_an_old_form(raw: str) -> None:
    assert normalise_any_form(raw, "SN") == normalise("+2250505123458", "SN")
    with pytest.raises(PhoneError) as caught:
        normalise(raw, "SN")
    assert caught.value.code is PhoneProblem.OBSOLETE


def test_a_national_old_form_belongs_to_the_default_country() -> None:
    assert normalise_any_form("05 12 34 58", "CI").e164 == "+2250505123458"
    with pytest.raises(PhoneError):
        normalise_any_form("05 12 34 58", "SN")


@pytest.mark.parametrize(
    ("raw", "problem"),
    [("+22520000001", PhoneProblem.OBSOLETE), ("N/A", PhoneProblem.MISSING), ("338200001", PhoneProblem.NOT_MOBILE)],
)
def test_other_errors_stay(raw: str, problem: PhoneProblem) -> None:
    with pytest.raises(PhoneError) as caught:
        normalise_any_form(raw, "SN")
    assert caught.value.code is problem
