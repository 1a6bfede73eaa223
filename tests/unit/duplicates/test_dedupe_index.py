"""The dedupe index finds each mark in its rows, in any order of insertion."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from shared.duplicates.dedupe_index import DedupeIndex, Mark, rows_of, same_rows, without

marks = st.builds(Mark, digest=st.binary(min_size=16, max_size=16), decides=st.booleans())
books = st.dictionaries(st.integers(1, 2**31 - 1), marks, max_size=50)


def book_of(rows: Mapping[int, Mark], *, backwards: bool = False) -> bytes:
    dedupe_index = DedupeIndex()
    for row, mark in sorted(rows.items(), reverse=backwards):
        dedupe_index.add(mark, row)
    return dedupe_index.book()


def deciding(mark: Mark) -> Mark:
    return Mark(digest=mark.digest, decides=True)


@given(books, st.lists(marks, max_size=20))
def test_a_mark_is_found_in_its_row_and_no_other(rows: dict[int, Mark], others: list[Mark]) -> None:
    book = book_of(rows)
    assert len(book) == 12 * len(rows)
    for row, mark in rows.items():
        assert list(rows_of(book, [deciding(mark)])) == [row]
        assert list(rows_of(book, [Mark(digest=mark.digest, decides=False)])) == ([row] if mark.decides else [])
    known = {mark.digest[:8] for mark in rows.values()}
    assert not [row for mark in others if mark.digest[:8] not in known for row in rows_of(book, [deciding(mark)])]


@given(books)
def test_the_order_of_insertion_does_not_matter(rows: dict[int, Mark]) -> None:
    assert book_of(rows) == book_of(rows, backwards=True)


@given(books, st.data())
def test_removed_rows_are_gone_and_the_others_stay(rows: dict[int, Mark], data: st.DataObject) -> None:
    gone = data.draw(st.sets(st.sampled_from(sorted(rows)))) if rows else set()
    remaining = {row: mark for row, mark in rows.items() if row not in gone}
    assert without(book_of(rows), gone) == book_of(remaining)


def test_ten_thousand_rows_on_one_phone_cost_no_quadratic_time() -> None:
    """Rows with codes share their text and do not decide by it. Only rows that decide are returned."""
    shared = Mark(digest=b"t" * 16, decides=False)
    crowd = dict.fromkeys(range(1, 10001), shared)
    mine, theirs = book_of(crowd), book_of(crowd | {7: deciding(shared)})
    assert list(rows_of(mine, [shared])) == []
    assert list(rows_of(theirs, [shared])) == [7]
    pairs = same_rows(mine, theirs)
    assert [list(pairs.of(row)) for row in (1, 7, 10_000)] == [[7], [7], [7]]
