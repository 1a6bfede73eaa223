import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.stop_words import STOP_PAYLOAD, STOP_WORDS, asks_to_stop


@pytest.mark.parametrize(
    "words",
    [
        "STOP", "stop", "Stop", " stop ", "stop.", "STOP!!!", "«STOP»", "S.T.O.P", "stop\n", "Stop stop", "*stop*",
        "_stop_", "stop 🙏", "ＳＴＯＰ", "sto\u200bp", "\u200fSTOP", "ARRET", "arrêt", "ARRÊT", "Arre\u0302t", "arrét",
        "Arrêt !", "unsubscribe", "Unsubscribe.", "Stop promotions", "stop, arrêt", STOP_PAYLOAD,
    ],
)  # fmt: skip
def test_whole_messages_that_end_it(words: str) -> None:
    assert asks_to_stop(words)


@pytest.mark.parametrize(
    "words",
    [
        "", " ", "!!!", "oui", "ne pas arrêter", "arrêter", "arrêts", "stop by tomorrow", "don't stop", "bus stop",
        "nonstop", "stopped", "arrêt de bus", "unsubscribed", "how do I unsubscribe?", "promotions", "توقف", "START",
    ],
)  # fmt: skip
def test_messages_that_do_not(words: str) -> None:
    assert not asks_to_stop(words)


@given(
    st.sampled_from(STOP_WORDS),
    st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]),
    st.sampled_from([str.upper, str.lower, str.title, str.swapcase]),
    st.text(" .,!?\n\t\u00a0'\"«»…-–_*👍", max_size=4),
    st.text(" .,!?\n\t\u00a0'\"«»…-–_*👍", max_size=4),
)
def test_any_case_form_and_punctuation(word: str, form: str, case: object, before: str, after: str) -> None:
    assert callable(case)
    assert asks_to_stop(before + case(unicodedata.normalize(form, word)) + after)  # type: ignore[arg-type]  # a str of str


@given(st.text())
def test_total(words: str) -> None:
    asks_to_stop(words)
