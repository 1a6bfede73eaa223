"""The cards of a plan that are fetched as a test: few, from every host, and from the whole list."""

import itertools

import pytest

from shared.cards.probe import MOST, CardSample


def url(number: int, host: str = "cards.example.org") -> str:
    return f"https://{host}/{number}.png"


def sample(*references: str) -> list[str]:
    cards = CardSample()
    for reference in references:
        cards.add(reference)
    return cards.chosen()


def test_all_cards_of_a_short_list_are_in_the_sample() -> None:
    assert sample() == []
    assert sample(*map(url, range(5))) == [url(number) for number in range(5)]


@pytest.mark.parametrize("rows", [6, 30, 1000, 12_345])
def test_the_sample_of_a_long_list_spans_the_whole_list(rows: int) -> None:
    numbers = [int(one.rsplit("/", 1)[1].removesuffix(".png")) for one in sample(*map(url, range(rows)))]
    assert 3 <= len(numbers) <= MOST
    assert numbers[0] == 0
    assert numbers[-1] >= rows / 2
    gaps = {later - earlier for earlier, later in itertools.pairwise(numbers)}
    assert len(gaps) == 1


def test_each_host_is_tried_before_any_is_tried_twice() -> None:
    rows = [*map(url, range(100)), url(1, "b.example.org"), "s3://oomus-cards/demo/1.png"]
    chosen = sample(*rows)
    assert len(chosen) == MOST
    assert chosen[:3] == [url(0), url(1, "b.example.org"), "s3://oomus-cards/demo/1.png"]
    assert sample(*(url(1, f"{number}.example.org") for number in range(99))) == [
        url(1, f"{number}.example.org") for number in range(MOST)
    ]


def test_one_card_shared_by_all_rows_is_in_the_sample_once() -> None:
    assert sample(*[url(1)] * 50) == [url(1)]


def test_a_row_without_a_card_is_left_out() -> None:
    assert sample("nonsense") == []
