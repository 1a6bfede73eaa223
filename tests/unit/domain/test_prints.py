"""Prints: found again by what they stand for, whatever the order they came in."""

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.prints import Prints, row_of

samenesses = st.binary(min_size=8, max_size=8).map(bytes.hex)


@given(st.dictionaries(samenesses, st.integers(1, 1_000_000), max_size=50), st.lists(samenesses, max_size=20))
def test_a_print_is_found_in_its_row_and_no_other(rows: dict[str, int], others: list[str]) -> None:
    prints = Prints()
    for sameness, row in rows.items():
        prints.add(sameness, row)
    book = prints.book()
    assert len(book) == 12 * len(rows)
    assert {sameness: row_of(book, sameness) for sameness in rows} == rows
    assert {row_of(book, other) for other in others if other not in rows} <= {None}


@given(st.dictionaries(samenesses, st.integers(1, 1_000_000), max_size=50))
def test_the_order_they_came_in_leaves_no_trace(rows: dict[str, int]) -> None:
    books = []
    for order in (rows.items(), reversed(rows.items())):
        prints = Prints()
        for sameness, row in order:
            prints.add(sameness, row)
        books.append(prints.book())
    assert books[0] == books[1]
