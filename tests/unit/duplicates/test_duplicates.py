"""Which rows are one message: the rule for each pair, and whole files against a simple implementation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.duplicates.already_sent import Singles
from shared.duplicates.dedupe_index import rows_of, same_rows
from shared.duplicates.dedupe_key import AcceptedRows, DedupeKey, dedupe_key, marks_in
from shared.messages.payload import ButtonCall, Mode, Payload, TemplateCall

PERSON, OTHER = "a" * 32, "b" * 32


@dataclass(frozen=True)
class Row:
    """A row's code, enrolment and text."""

    code: str | None
    enrollment: str | None
    text: str
    person: str = PERSON

    @property
    def key(self) -> DedupeKey:
        payload = Payload(to="+221770000001", country="SN", mode=Mode.SMS, text=self.text)
        return dedupe_key(self.person, self.code, self.enrollment, payload)


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        # both have a code: only the code counts
        (Row("C1", "E1", "t"), Row("C1", "E2", "u"), True),
        (Row("C1", "E1", "t"), Row("C2", "E1", "t"), False),
        (Row("C1", None, "t"), Row("C2", None, "t"), False),
        # one has no code: the enrolment counts if both have one
        (Row("C1", "E1", "t"), Row(None, "E1", "u"), True),
        (Row("C1", "E1", "t"), Row(None, "E2", "t"), False),
        (Row(None, "E1", "t"), Row(None, "E1", "u"), True),
        (Row(None, "E1", "t"), Row(None, "E2", "t"), False),
        # nothing to compare
        (Row("C1", None, "t"), Row(None, "E1", "t"), False),
        # one has neither: text and picture count
        (Row("C1", "E1", "t"), Row(None, None, "t"), True),
        (Row("C1", None, "t"), Row(None, None, "u"), False),
        (Row(None, "E1", "t"), Row(None, None, "t"), True),
        (Row(None, None, "t"), Row(None, None, "t"), True),
        (Row(None, None, "t"), Row(None, None, "u"), False),
        # another phone is another message
        (Row("C1", "E1", "t"), Row("C1", "E1", "t", OTHER), False),
        (Row(None, None, "t"), Row(None, None, "t", OTHER), False),
    ],
)
def test_two_rows_of_one_phone(one: Row, two: Row, same: bool) -> None:
    assert are_one(one, two) is are_one(two, one) is same
    first, second = AcceptedRows(), AcceptedRows()
    first.take(one.key, 1)
    second.take(two.key, 1)
    assert (first.take(two.key, 2) == 1) is same
    assert bool(list(rows_of(second.book(), one.key.marks))) is same
    assert Singles([one.key.text], frozenset()).have(two.key.marks) is same
    assert marks_in(one.key.text) == tuple(replace(mark, digest=mark.digest[:8]) for mark in one.key.marks)


def test_a_code_equals_neither_an_enrolment_nor_a_text() -> None:
    assert not Singles([Row("X", None, "t").key.text], frozenset()).have(Row(None, "X", "u").key.marks)
    assert not Singles([Row(None, "t", "u").key.text], frozenset()).have(Row(None, None, "t").key.marks)


def test_the_picture_and_the_button_count_with_the_text() -> None:
    template = TemplateCall(name="n", language="fr", parameters=())
    plain = Payload(to="+221770000001", country="SN", mode=Mode.TEMPLATE, text="t", template=template)
    others = (
        replace(plain, card_image="https://cards.example.org/1.png"),
        replace(plain, template=replace(template, button=ButtonCall(index=0, suffix="1"))),
        replace(plain, text="t\n"),
    )
    digests = {dedupe_key(PERSON, None, None, one).content for one in (plain, plain, *others)}
    assert len(digests) == 4


@pytest.mark.parametrize(
    ("rows", "duplicate_of"),
    [
        # siblings on one phone
        ([Row(None, "E1", "t"), Row(None, "E2", "t")], [None, None]),
        # a row without a code takes over the code of the first row that matches it
        ([Row(None, "E1", "t"), Row("C1", "E1", "t"), Row("C2", "E1", "t")], [None, 1, None]),
        ([Row(None, "E1", "t"), Row("C1", "E1", "t"), Row("C1", None, "u")], [None, 1, 1]),
        ([Row(None, None, "t"), Row("C1", None, "t"), Row("C2", None, "t"), Row("C1", "E1", "u")], [None, 1, None, 1]),
        # a duplicate without a code gives none
        ([Row(None, "E1", "t"), Row(None, "E1", "u"), Row("C1", "E1", "t")], [None, 1, 1]),
        # a duplicate is not compared with later rows: only accepted rows are
        ([Row("C1", "E1", "t"), Row("C1", "E2", "t"), Row(None, "E2", "t")], [None, 1, None]),
        # the first of several
        ([Row("C1", "E1", "t"), Row("C2", "E1", "t"), Row(None, "E1", "t")], [None, None, 1]),
        # the code is taken over although a later row has it already
        ([Row(None, "E1", "t"), Row("C1", None, "t"), Row("C1", "E1", "t"), Row("C1", "E9", "u")], [None, None, 1, 1]),
    ],
)
def test_a_file_row_by_row(rows: Sequence[Row], duplicate_of: Sequence[int | None]) -> None:
    accepted = AcceptedRows()
    assert [accepted.take(row.key, number) for number, row in enumerate(rows, start=1)] == duplicate_of


def naive(rows: Sequence[Row]) -> tuple[list[int | None], dict[int, Row]]:
    """As api.md describes it: each row against every accepted one, in file order. It also returns the accepted rows."""
    accepted: dict[int, Row] = {}
    found: list[int | None] = []
    for number, row in enumerate(rows, start=1):
        match = next((known for known, one in accepted.items() if are_one(one, row)), None)
        found.append(match)
        if match is None:
            accepted[number] = row
        elif accepted[match].code is None:
            accepted[match] = replace(accepted[match], code=row.code)
    return found, accepted


def are_one(one: Row, two: Row) -> bool:
    if one.person != two.person:
        return False
    if one.code and two.code:
        return one.code == two.code
    if one.enrollment and two.enrollment:
        return one.enrollment == two.enrollment
    if not (one.code or one.enrollment) or not (two.code or two.enrollment):
        return one.text == two.text
    return False


rows_of_a_register = st.lists(
    st.builds(
        Row,
        code=st.sampled_from([None, None, "C1", "C2", "C3"]),
        enrollment=st.sampled_from([None, "E1", "E2", "E3"]),
        text=st.sampled_from(["t", "u"]),
        person=st.sampled_from([PERSON, PERSON, PERSON, OTHER]),
    ),
    max_size=25,
)


@given(rows_of_a_register)
def test_a_file_gives_the_same_result_as_the_simple_implementation(rows: Sequence[Row]) -> None:
    accepted = AcceptedRows()
    assert [accepted.take(row.key, number) for number, row in enumerate(rows, start=1)] == naive(rows)[0]


@given(rows_of_a_register, rows_of_a_register)
def test_the_index_finds_the_same_rows_as_the_rule(earlier: Sequence[Row], later: Sequence[Row]) -> None:
    """This includes codes that were taken over."""
    books, kept = [], []
    for rows in (earlier, later):
        accepted = AcceptedRows()
        for number, row in enumerate(rows, start=1):
            accepted.take(row.key, number)
        books.append(accepted.book())
        kept.append(naive(rows)[1])
    for row in later:
        assert set(rows_of(books[0], row.key.marks)) == {number for number, one in kept[0].items() if are_one(one, row)}
    pairs = same_rows(books[1], books[0])
    for number, row in kept[1].items():
        assert set(pairs.of(number)) == {other for other, one in kept[0].items() if are_one(one, row)}
