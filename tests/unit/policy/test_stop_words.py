"""The words that end all messages, words that may mean it, and words that do not."""

import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.policy.opt_out import (
    BOTH,
    FILLERS,
    HARMLESS,
    PERHAPS,
    STOP_PAYLOAD,
    STOP_PHRASES,
    STOPS,
    TEXTS,
    Tongue,
    Wish,
    texts_for,
    tongue_of,
    wish_of,
)

NAMES = ("PNV-SN", "Min Sante")

ENDS = [
    # the word alone, in any spelling
    "STOP", "stop", "Stop", " stop ", "stop.", "STOP!!!", "stop?", "«STOP»", "S.T.O.P", "s t o p", "stop\n",
    "Stop stop", "*stop*", "_stop_", "stop 🙏", "🛑 STOP 🛑", "ＳＴＯＰ", "sto\u200bp", "\u200fSTOP", "\ufeffstop",
    "st\u00adop", "stoooop", "STOPPP", "Stopall", "STOP ALL", STOP_PAYLOAD, "ARRET", "arrêt", "ARRÊT",
    "Arre\u0302t", "arrét", "Arrêt !", "arrêter", "Arrêtez", "ARRETEZ", "arrete", "Arrête !", "désabonner",
    "Se désabonner", "desabonnement", "désinscription", "me désinscrire", "unsubscribe", "Unsubscribe.",
    "opt out", "opt-out", "Stop promotions", "stop, arrêt", "stop/arrêt", "stop-arrêt",
    # with courtesies and fillers
    "Stop svp", "STOP SMS", "Stop. Thank you", "Stop. Merci !", "stop please", "Please, stop!",
    "stop stp merci", "bonjour, stop svp", "Bonjour. Arrêtez s'il vous plaît. Merci d'avance",
    "s’il vous plaît arrêtez", "Stop à tout ça", "arrêtez de m'envoyer ça",
    "arrêtez de m’envoyer ces messages", "Arrêtez vos sms", "arrêtez de m'écrire svp", "merci d'arrêter",
    "je voudrais me désabonner", "Je veux me désinscrire de votre liste svp", "Non, stop !", "Non. Stop.",
    "stop sending me these messages", "please stop texting me now", "I want to unsubscribe",
    "unsubscribe me please", "Stop it", "stop all messages", "No, stop", "Hello, please unsubscribe my",
    "je ne veux plus recevoir vos messages", "Ne m'envoyez plus de sms svp", "don't send me messages",
    "Remove me from your list",
    # with the sender's own name
    "STOP PNV-SN", "stop pnv sn", "Stop PNV-SN svp", "STOP MIN SANTÉ", "PNV-SN stop",
    # Arabic
    "توقف", "توقّف", "تَوَقُّف", "تـــوقـــف", "توقف!", "توقف من فضلك", "إيقاف", "ايقاف", "أيقاف",
    "الإيقاف", "إلغاء", "الغاء", "إلغاء الاشتراك", "الغاء الإشتراك من فضلكم", "قف", "قِف", "أوقف الرسائل",
    "اوقفوا الرسائل لو سمحتم", "توقف عن إرسال الرسائل", "توقف شكرا", "السلام عليكم، إيقاف", "لا، توقف",
    "أريد إلغاء الاشتراك", "لا ترسلوا الرسائل", "لا ترسل لي رسائل", "STOP توقف", "ٳيقاف",
]  # fmt: skip

ASKS = [
    "how do I unsubscribe?", "Comment arrêter ?", "je veux arrêter le traitement", "stop au 36111",
    "STOP MTN", "est-ce que je peux stop", "Je ne suis pas votre client. STOP.",
    "stop the vaccination of my child", "Je vous ai déjà dit d'arrêter", "can you stop this on Monday",
    "arrêtez ou je porte plainte", "stop ou encore", "je veux que tout ça s'arrête",
    "stop by tomorrow, or stop", "ma femme veut se désabonner aussi", "cancel", "Cancel please",
    "annuler svp", "quit", "fin", "Assez !", "leave me alone please", "laissez-moi tranquille svp",
    "plus de messages", "توقف غدا", "إلغاء الموعد", "متى يتوقف هذا؟ إيقاف أو لا أدري", "كفى",
]  # fmt: skip

PASSES = [
    "", " ", "!!!", "🙏", "oui", "non", "ok", "merci", "Bonjour", "thank you", "START", "1", "stopped",
    "nonstop", "bus stop", "Where is the bus stop?", "non-stop", "Non stop",
    "le marché est ouvert non-stop", "ne pas arrêter", "Il ne faut pas arrêter", "n'arrêtez pas",
    "N’arrêtez jamais !", "ne vous arrêtez pas", "pas d'arrêt", "sans arrêt", "elle pleure sans arrêt",
    "don't stop", "Do not stop", "please don't stop the messages", "never stop", "stop by tomorrow",
    "stop over in Dakar", "arrêt de bus", "l'arrêt du bus est loin", "un arrêt maladie", "arrêt de travail",
    "cancel my appointment", "annuler mon rendez-vous de lundi", "la fin du mois",
    "Le vaccin est-il gratuit ?", "promotions", "le préfet a signé", "stylo", "stoppage", "لا تتوقف",
    "بدون توقف", "دون توقف", "لا توقف الرسائل", "السلام عليكم", "شكرا", "موقف الحافلة", "نعم",
]  # fmt: skip


@pytest.mark.parametrize("words", ENDS)
def test_words_that_end_all_messages(words: str) -> None:
    assert wish_of(words, NAMES) is Wish.STOP


@pytest.mark.parametrize("words", ASKS)
def test_words_that_may_mean_a_stop(words: str) -> None:
    assert wish_of(words, NAMES) is Wish.UNCLEAR


@pytest.mark.parametrize("words", PASSES)
def test_words_that_mean_no_stop(words: str) -> None:
    assert wish_of(words, NAMES) is Wish.NOTHING


def test_another_senders_name_is_no_filler() -> None:
    assert wish_of("STOP PNV-SN") is Wish.UNCLEAR
    assert wish_of("STOP", ("STOP",)) is Wish.STOP


ALL_STOPS = [word for words in STOPS.values() for word in words.split()]
ALL_FILLERS = [word for words in FILLERS.values() for word in words.split()]
FORMS: tuple[Literal["NFC", "NFD", "NFKC", "NFKD"], ...] = ("NFC", "NFD", "NFKC", "NFKD")
AROUND = st.text(" \t\u00a0'\"«»…-–_*👍🙏", max_size=4)


@given(
    st.sampled_from(ALL_STOPS),
    st.sampled_from(FORMS),
    st.sampled_from([str.upper, str.lower, str.title, str.swapcase]),
    AROUND,
    AROUND,
)
def test_a_stop_word_counts_in_any_case_form_and_punctuation(
    word: str, form: Literal["NFC", "NFD", "NFKC", "NFKD"], case: object, before: str, after: str
) -> None:
    assert callable(case)
    written = case(unicodedata.normalize(form, word))
    assert wish_of(f"{before}{written}{after}") is Wish.STOP


@given(st.sampled_from(ALL_STOPS), st.lists(st.sampled_from(["zebra", "marché", "سوق", "42"]), min_size=1, max_size=5))
def test_a_word_in_a_sentence_of_other_words_is_never_enough(word: str, others: list[str]) -> None:
    for place in range(len(others) + 1):
        assert wish_of(" ".join([*others[:place], word, *others[place:]])) is not Wish.STOP


@given(st.lists(st.sampled_from(ALL_FILLERS), max_size=12))
def test_fillers_alone_end_nothing(fillers: list[str]) -> None:
    phrases = {phrase for listed in STOP_PHRASES.values() for phrase in listed}
    text = " ".join(fillers)
    if not any(f" {phrase} " in f" {text} " for phrase in phrases) and "".join(fillers) not in ALL_STOPS:
        assert wish_of(text) is not Wish.STOP


def test_the_vocabulary_is_written_as_it_is_read() -> None:
    phrases = [phrase for listed in STOP_PHRASES.values() for phrase in listed]
    for word in (*ALL_STOPS, *phrases):
        assert wish_of(word) is Wish.STOP, word
    for phrase in PERHAPS:
        assert wish_of(phrase) is Wish.UNCLEAR, phrase
    for phrase in HARMLESS:
        assert wish_of(phrase) is Wish.NOTHING, phrase


@given(st.text())
def test_any_text_is_accepted(words: str) -> None:
    wish_of(words, NAMES)
    tongue_of(words)


@pytest.mark.parametrize(
    ("words", "tongue"),
    [
        ("STOP", None), ("stop sms", None), ("STOP PNV-SN", None), ("", None), ("stopall", None),
        ("Stop svp", Tongue.FRENCH), ("arrêtez", Tongue.FRENCH), ("désinscription", Tongue.FRENCH),
        ("Stop merci", Tongue.FRENCH),
        ("Stop. Thank you", Tongue.ENGLISH), ("unsubscribe", Tongue.ENGLISH), ("please stop", Tongue.ENGLISH),
        ("توقف", Tongue.ARABIC), ("STOP من فضلك", Tongue.ARABIC),
    ],
)  # fmt: skip
def test_the_language_of_a_message(words: str, tongue: Tongue | None) -> None:
    assert tongue_of(words) is tongue


@pytest.mark.parametrize(
    ("said_in", "written_in", "country", "expected"),
    [
        (Tongue.ARABIC, "fr", "SN", TEXTS[Tongue.ARABIC]),
        (Tongue.ENGLISH, "fr", "SN", TEXTS[Tongue.ENGLISH]),
        (None, "en", "SN", TEXTS[Tongue.ENGLISH]),
        (None, "fr", "EG", TEXTS[Tongue.FRENCH]),
        (None, "pt", "SN", TEXTS[Tongue.FRENCH]),
        (None, None, "SN", TEXTS[Tongue.FRENCH]),
        (None, None, "EG", TEXTS[Tongue.ARABIC]),
        (None, None, "CM", BOTH),
        (None, None, "001", BOTH),
    ],
)
def test_the_language_of_the_answer_to_a_person(
    said_in: Tongue | None, written_in: str | None, country: str, expected: object
) -> None:
    assert texts_for(said_in, written_in, country) == expected


def test_metas_limits() -> None:
    for texts in (*TEXTS.values(), BOTH):
        assert len(texts.title) <= 20
        assert len(texts.question) <= 1024
        assert wish_of(texts.title) is Wish.STOP
