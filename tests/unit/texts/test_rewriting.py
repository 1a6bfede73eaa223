import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.texts import sms
from shared.texts.sms import clean, to_gsm7


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Bonjour\u00a0! C’est “prêt” – ou ‘pas’…", "Bonjour ! C'est \"prêt\" - ou 'pas'..."),
        ("a\u202f: b\u2011c\u2014d", "a : b-c-d"),
        ("« oui »", "« oui »"),  # visible, so rewritten only for gsm7
        ("\ufeffa\u200bb\u00adc\u2060d", "abcd"),
        ("un\r\ndeux\u2028trois\tquatre", "un\ndeux\ntrois quatre"),
        ("e\u0301te\u0301", "été"),
        ("e\u200e\u0301", "é"),
        ("\u200fBonjour\u202c", "Bonjour"),
        ("\u200fمرحبا\u200f", "\u200fمرحبا\u200f"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("a\u200db\u200c c\ufe0f", "ab c"),
        ("👨\u200d👩\u200d👧 ❤\ufe0f 1\ufe0f\u20e3", "👨\u200d👩\u200d👧 ❤\ufe0f 1\ufe0f\u20e3"),
        ("a\x00b\x1bc\x7f\ud800", "abc"),
        ("€[]{}^~|\\\f\r", "€[]{}^~|\\\f\r"),
        ("a\u3164b\u115fc\ufe00d\U000e0100e\u2800f\U000e0001", "abcde f"),  # pasted blanks, invisible variants
    ],
)
def test_clean(before: str, after: str) -> None:
    assert clean(before) == after


@given(st.text(st.one_of(st.characters(), st.sampled_from("e\u0301\r\n\u200e\u200d\ufe0f\u20e3’م👩\u0085"))))
@example("e\u200e\u0301")
@example("\r\x00\n")
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.text(st.sampled_from(sorted(sms.DEFAULT | sms.EXTENSION))))
def test_text_that_gsm7_can_hold_stays(text: str) -> None:
    text = text.replace("\r\n", "\n")
    assert clean(text) == text
    rewritten = to_gsm7(text)
    assert (rewritten.text, rewritten.replaced, rewritten.possible) == (text, (), True)


@given(st.text(st.one_of(st.characters(), st.characters(max_codepoint=0x24F), st.sampled_from("«œ½²°ɛ\u0300"))))
def test_the_result_is_gsm7_or_unchanged_and_never_has_new_question_marks(text: str) -> None:
    rewritten = to_gsm7(text)
    if rewritten.possible:
        assert sms.septets(rewritten.text) is not None
        assert to_gsm7(rewritten.text).text == rewritten.text
        assert all(before in clean(text) for before, _ in rewritten.replaced)
        # ⁇ is two question marks to Unicode too.
        assert rewritten.text.count("?") == unicodedata.normalize("NFKD", clean(text)).count("?")
    else:
        assert (rewritten.text, rewritten.replaced) == (clean(text), ())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("ê ë î ï ô û ç â ÿ ŷ", "e e i i o u c a y y"),
        ("œ Œ À Â È Ê Ë Î Ï Ô Ù Û Ÿ", "oe OE A A E E E I I O U U Y"),
        ("é è à ù ì ò ä ö ü ñ É Ç Ä Ö Ü Ñ æ Æ ß ø å", "é è à ù ì ò ä ö ü ñ É Ç Ä Ö Ü Ñ æ Æ ß ø å"),
        ("«\u00a0Noël\u202f»", '" Noel "'),
        ("n°\u00a012, 37°", "no 12, 37deg"),
        ("10² 1½ m²", "10^2 1 1/2 m2"),
        ("ɛ̀ ɔ́ ŋ ɲ ɓ ɗ n̈", "e o ng ny b d n"),
        ("s\u0327 e\u0302\u0301", "s e"),
        ("ﬁn Ⅳ ＡＢ", "fin IV AB"),
        ("`´", "''"),
        ("Ça coûte 12 €", "Ça coute 12 €"),
    ],
)
def test_french_and_its_neighbours(before: str, after: str) -> None:
    rewritten = to_gsm7(before)
    assert rewritten.possible
    assert rewritten.text == after


def test_the_changes_are_listed() -> None:
    assert to_gsm7("fête, cœur, tête « »").replaced == (("ê", "e"), ("œ", "oe"), ("«", '"'), ("»", '"'))


@pytest.mark.parametrize("text", ["مرحبا، fête", "Fête 🎉", "привет", "Γειά", "日本", "100 ₦"])
def test_text_that_gsm7_cannot_hold_stays_unchanged(text: str) -> None:
    rewritten = to_gsm7(text)
    assert (rewritten.text, rewritten.replaced, rewritten.possible) == (text, (), False)
