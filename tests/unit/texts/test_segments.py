import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.texts import sms
from shared.texts.sms import Encoding, measure


def split_slowly(text: str) -> tuple[list[list[str]], int]:
    """A simple splitter, obviously right: real code units, one whole character at a time."""
    gsm = all(c in sms.DEFAULT or c in sms.EXTENSION for c in text)
    alone, capacity = (160, 153) if gsm else (70, 67)
    characters: list[list[str]] = []
    for c in text:
        if gsm:
            characters.append(["ESC", c] if c in sms.EXTENSION else [c])
        else:
            raw = c.encode("utf-16-be", "surrogatepass")
            characters.append([raw[i : i + 2].hex() for i in range(0, len(raw), 2)])
    everything = [unit for units in characters for unit in units]
    if len(everything) <= alone:
        return [everything], alone
    parts: list[list[str]] = [[]]
    for units in characters:
        if len(parts[-1] + units) > capacity:
            parts.append([])
        parts[-1] += units
    return parts, capacity


@pytest.mark.parametrize(
    ("text", "encoding", "segments", "remaining"),
    [
        ("", "gsm7", 1, 160),
        ("a" * 160, "gsm7", 1, 0),
        ("a" * 161, "gsm7", 2, 145),
        ("a" * 306, "gsm7", 2, 0),
        ("a" * 307, "gsm7", 3, 152),
        ("€" * 80, "gsm7", 1, 0),
        ("a" * 159 + "€", "gsm7", 2, 145),
        ("a" * 152 + "€" + "a" * 152, "gsm7", 3, 152),
        ("a" * 152 + "é" + "a" * 153, "gsm7", 2, 0),
        ("ê" * 70, "ucs2", 1, 0),
        ("ê" * 71, "ucs2", 2, 63),
        ("😀" * 35, "ucs2", 1, 0),
        ("a" * 69 + "😀", "ucs2", 2, 63),
        ("ê" * 66 + "😀" + "ê" * 66, "ucs2", 3, 66),
        ("😀" * 67, "ucs2", 3, 65),
    ],
)
def test_table(text: str, encoding: str, segments: int, remaining: int) -> None:
    measured = measure(text)
    assert (measured.encoding, measured.segments, measured.characters_left) == (encoding, segments, remaining)


def test_characters_that_force_ucs2_are_named_once_in_order() -> None:
    assert measure("fête à Orôm, fêlé œ").non_gsm_characters == ("ê", "ô", "œ")
    assert measure("été €").non_gsm_characters == ()


ALPHABET = st.sampled_from("aé€{|ê œم😀\n\r\f")
RUNS = st.lists(st.tuples(ALPHABET, st.integers(0, 170)), max_size=8).map(lambda rs: "".join(c * n for c, n in rs))
GSM_RUNS = st.lists(st.tuples(st.sampled_from("aé€^"), st.integers(0, 170)), max_size=8).map(
    lambda runs: "".join(c * n for c, n in runs)
)


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(max_size=400), st.text(st.characters(), max_size=400), RUNS, GSM_RUNS))
def test_the_count_equals_that_of_a_simple_splitter(text: str) -> None:
    parts, capacity = split_slowly(text)
    measured = measure(text)
    assert measured.segments == len(parts)
    assert measured.characters_left == capacity - len(parts[-1])
    assert (measured.encoding is Encoding.GSM7) == (sms.septets(text) is not None) == (not measured.non_gsm_characters)
