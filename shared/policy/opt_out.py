"""Opt-out by message: what a person's message asks for, the words that mean STOP, and our answers (api.md, "Consent,
opt-out, erasure").

`wish_of` compares the words without case, accents, vowel signs and variant forms of a letter. Apostrophes and hyphens
count as blanks. The key "any" holds words that do not tell the language.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.recipients.countries import COVERED

STOPS: Mapping[str, str] = {
    "any": "stop stopall",
    "fr": """
        arret arreter arrete arretes arretez stopper stoppez stoppe
        desabonner desabonne desabonnez desabonnement desabo
        desinscription desinscrire desinscris desinscrivez desinscrit
    """,
    "en": "unsubscribe unsub optout",
    "ar": "توقف توقفوا توقفي ايقاف الايقاف الغاء الالغاء الغ الغي قف قفوا اوقف اوقفوا اوقفي وقف وقفوا كفوا",
}
"""One of these words ends the messages, alone or with fillers."""

STOP_PHRASES: Mapping[str, tuple[str, ...]] = {
    "fr": (
        "ne veux plus recevoir", "veux plus recevoir", "ne souhaite plus recevoir", "souhaite plus recevoir",
        "ne plus recevoir", "ne m envoyez plus", "ne m envoie plus", "ne nous envoyez plus", "n envoyez plus",
        "m envoyez plus", "ne m ecrivez plus", "m ecrivez plus", "ne me contactez plus", "me contactez plus",
    ),
    "en": (
        "stop promotions", "opt out", "opt me out", "remove me", "take me off", "do not contact", "don t contact",
        "dont contact", "do not send", "don t send", "dont send", "do not text", "don t text", "dont text",
        "do not message", "don t message", "dont message", "no more messages", "no more sms", "no more texts",
    ),
    "ar": ("لا ترسل", "لا ترسلوا", "لا ترسلي", "لا اريد رسائل", "لا اريد الرسائل", "لا اريد استلام"),
}  # fmt: skip
"""Phrases that count as one of `STOPS`."""

FILLERS: Mapping[str, str] = {
    "any": "sms msg msgs message messages whatsapp ok okay info infos spam no numero",
    "fr": """
        svp stp s il te vous plait merci mercis d avance beaucoup bien bonjour bonsoir salut madame monsieur non nan
        je j veux voudrais souhaite souhaiterais demande prie tout tous toute toutes de des du la le les l ca cela ce
        ces cette vos votre mes mon moi me m nous immediatement maintenant envoyer envoi envois d envoyer envoie
        ecrire contacter recevoir contact texto textos pub pubs publicite publicites notification notifications alerte
        alertes abonnement se numero liste desormais a aux
    """,
    "en": """
        please pls plz thanks thank you thx ty kindly hello hi hey dear sir madam nope i want would like to
        the this these those that it all any your my me us at once now immediately from of for list sending send
        texting text texts messaging contacting receiving getting notification notifications alert alerts
        subscription promotions contact
    """,
    "ar": """
        من فضلك فضلكم لو سمحت سمحتم رجاء ارجو ارجوك ارجوكم شكرا لكم السلام عليكم مرحبا لا اريد عن لي الي هذه هذا كل جميع
        رساله الرساله رسائل الرسائل رسائلكم ارسال الارسال اشتراك الاشتراك اشتراكي الاشعارات الاعلانات
    """,
}
"""Polite words, and words for what is to be stopped. They do not change the meaning of a STOP word."""

NEGATIONS_BEFORE = frozenset(
    ("pas", "jamais", "sans", "non", "not", "never", "t", "dont", "without", "لا", "بدون", "دون", "بلا", "لن", "لم")
)
"""Directly before a STOP word in the same clause, these reverse it: "ne pas arrêter", "non-stop", "don't stop"."""

NEGATIONS_AFTER = frozenset(["pas", "jamais"])
"""Directly after a STOP word, these reverse it: "n'arrêtez pas"."""

HARMLESS = (
    "bus stop", "bus stops", "next stop", "last stop", "pit stop", "one stop", "full stop", "truck stop", "stop by",
    "stop over", "stop sign", "stop motion", "auto stop", "stop palu", "stop polio", "stop sida", "stop covid",
    "arret de bus", "arret du bus", "arret bus", "arret de taxi", "arret maladie", "arret de travail",
    "arret cardiaque", "وقف اطلاق النار",
)  # fmt: skip
"""Fixed phrases in which the word means something else."""

PERHAPS = (
    "cancel", "quit", "end", "annuler", "annulez", "annulation", "fin", "assez", "enough", "leave me alone",
    "laissez moi tranquille", "plus de message", "plus de messages", "plus de sms", "plus rien", "كفي", "كفايه",
)  # fmt: skip
"""Alone or with fillers, these may mean STOP: we ask the person."""

STOP_PAYLOAD = "STOP"
"""The payload that our own Stop buttons send."""


class Wish(StrEnum):
    """What a message asks for."""

    STOP = "stop"
    UNCLEAR = "unclear"
    """It may mean STOP: we have to ask the person."""
    NOTHING = "nothing"


class Tongue(StrEnum):
    """A language that people write to us in."""

    FRENCH = "fr"
    ENGLISH = "en"
    ARABIC = "ar"


_WORD = re.compile(r"[^\W_]+")

_CLAUSE_END = re.compile(r"[.,;:!?…\n\r،؛؟]+")

_LONG_DRAWN = re.compile(r"(\w)\1{2,}")

_ARABIC = re.compile(r"[\u0621-\u064a]")

_LETTER_FORMS = str.maketrans({"ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "ٱ": "ا", "ٲ": "ا", "ٳ": "ا", "ـ": None})
"""Arabic letters that people use one for the other. The tatweel only makes a word longer."""

_SET_PHRASE = "·"
"""Replaces a fixed phrase. No word is written like this."""


def wish_of(words: str, names: Iterable[str] = ()) -> Wish:
    """What the message or the pressed button asks for. `names`: names of the sender that people add to the word.

    A STOP word counts if it is alone or with fillers. In any other sentence the wish is unclear, unless the word is
    negated or part of a fixed phrase.
    """
    clauses = _clauses(words)
    if "".join(word for clause in clauses for word in clause) in _STOPS:  # "S.T.O.P"
        return Wish.STOP
    read = [_read(clause, names) for clause in clauses]
    said = [word for clause in read for word in clause]
    others = [word for word in said if word not in _STOPS and word not in _FILLERS]
    if any(word in _STOPS for word in said):
        return Wish.UNCLEAR if others else Wish.STOP
    plain = " ".join(word for clause in clauses for word in clause if word not in _FILLERS or _is_part(word))
    return Wish.UNCLEAR if plain in _PERHAPS else Wish.NOTHING


def tongue_of(words: str) -> Tongue | None:
    """The language of a message; None if its words fit several languages or none."""
    if _ARABIC.search(words):
        return Tongue.ARABIC
    said = [word for clause in _clauses(words) for word in clause if len(word) > 1]
    french, english = (sum(word in _ONLY[tongue] for word in said) for tongue in (Tongue.FRENCH, Tongue.ENGLISH))
    if french == english:
        return None
    return Tongue.FRENCH if french > english else Tongue.ENGLISH


def _clauses(words: str) -> list[list[str]]:
    """The words of each clause, without accents, case, width, vowel signs and invisible characters."""
    return [found for clause in _CLAUSE_END.split(words) if (found := _WORD.findall(_plain(clause)))]


def _plain(words: str) -> str:
    decomposed = unicodedata.normalize("NFKD", words).translate(_LETTER_FORMS)
    bare = "".join(c for c in decomposed if unicodedata.category(c) not in ("Mn", "Cf"))
    return _LONG_DRAWN.sub(r"\1", bare.casefold())


def _read(clause: Sequence[str], names: Iterable[str]) -> list[str]:
    """The clause as words: STOP phrases become one word, negated STOP words are replaced, and `names` are removed."""
    text = _spaced(clause)
    for phrase in _HARMLESS:
        text = text.replace(phrase, f" {_SET_PHRASE} ")
    for phrase in _PHRASES:
        text = text.replace(phrase, " stop ")
    for name in names:
        text = text.replace(_spaced(word for part in _clauses(name) for word in part), " ")
    said = text.split()
    return [_SET_PHRASE if _is_turned_round(said, place) else word for place, word in enumerate(said)]


def _is_turned_round(said: Sequence[str], place: int) -> bool:
    if said[place] not in _STOPS:
        return False
    before, after = said[max(place - 2, 0) : place], said[place + 1 : place + 2]
    if before and before[-1] in _LINKS:
        before = before[:-1]
    return any(word in _BEFORE for word in before[-1:]) or any(word in _AFTER for word in after)


def _spaced(words: Iterable[str]) -> str:
    return f" {' '.join(words)} "


def _words(listed: str) -> frozenset[str]:
    return frozenset(word for clause in _clauses(listed) for word in clause)


def _all(listed: Mapping[str, str]) -> frozenset[str]:
    return frozenset().union(*map(_words, listed.values()))


def _longest_first(phrases: Iterable[str]) -> tuple[str, ...]:
    """The phrases as they appear in a clause, the longest first, because a longer phrase may contain a shorter one."""
    return tuple(sorted((_spaced(_WORD.findall(_plain(phrase))) for phrase in phrases), key=len, reverse=True))


def _only(tongue: Tongue) -> frozenset[str]:
    """The words that occur in no other language."""
    others = [one for one in (*STOPS, *FILLERS) if one != tongue]
    shared = [_words(listed[one]) for listed in (STOPS, FILLERS) for one in others if one in listed]
    return (_words(STOPS[tongue]) | _words(FILLERS[tongue])).difference(*shared)


def _is_part(word: str) -> bool:
    return word in _PARTS


_LINKS = frozenset(["d", "de", "l", "m", "s", "vous"])
"""Words that may come between a negation and its word: "pas d'arrêt"."""

_STOPS = _all(STOPS)

_FILLERS = _all(FILLERS)

_BEFORE, _AFTER = _words(" ".join(NEGATIONS_BEFORE)), _words(" ".join(NEGATIONS_AFTER))

_HARMLESS = _longest_first(HARMLESS)

_PHRASES = _longest_first(phrase for phrases in STOP_PHRASES.values() for phrase in phrases)

_PERHAPS = frozenset(phrase.strip() for phrase in _longest_first(PERHAPS))

_PARTS = _words(" ".join(PERHAPS))

_ONLY = {tongue: _only(tongue) for tongue in (Tongue.FRENCH, Tongue.ENGLISH)}


@dataclass(frozen=True, slots=True, kw_only=True)
class StopTexts:
    """`done` answers a STOP. `question` asks whether the person means STOP, above a button with `title` (at most 20
    characters, Meta's limit). `language` None: the texts are in two languages.
    """

    language: Tongue | None
    done: str
    question: str
    title: str


TEXTS: Mapping[Tongue, StopTexts] = {
    Tongue.FRENCH: StopTexts(
        language=Tongue.FRENCH,
        done="Vous ne recevrez plus de messages de notre part.",
        question="Voulez-vous ne plus recevoir de messages de notre part ? Si oui, appuyez sur le bouton.",
        title="Arrêter",
    ),
    Tongue.ENGLISH: StopTexts(
        language=Tongue.ENGLISH,
        done="You will no longer receive messages from us.",
        question="Do you want to stop receiving messages from us? If so, press the button.",
        title="Stop",
    ),
    Tongue.ARABIC: StopTexts(
        language=Tongue.ARABIC,
        done="لن تصلك رسائل منا بعد الآن.",
        question="هل تريد إيقاف رسائلنا؟ إذا نعم، اضغط على الزر.",
        title="إيقاف",
    ),
}

_FRENCH, _ENGLISH = TEXTS[Tongue.FRENCH], TEXTS[Tongue.ENGLISH]

BOTH = StopTexts(
    language=None,
    done=f"{_FRENCH.done} / {_ENGLISH.done}",
    question=f"{_FRENCH.question} / {_ENGLISH.question}",
    title="STOP",
)
"""For an unknown language."""


def texts_for(said_in: Tongue | None, written_in: str | None, country: str) -> StopTexts:
    """The texts in the language of the person's message, else of our last message to them, else of their country."""
    spoken = COVERED[country].language if country in COVERED else None
    known = said_in or next((Tongue(each) for each in (written_in, spoken) if each in set(Tongue)), None)
    return TEXTS[known] if known is not None else BOTH
