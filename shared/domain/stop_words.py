"""Words by which a person ends all messages to them (api.md, "Consent, opt-out, erasure")."""

import re
import unicodedata

STOP_PAYLOAD = "STOP"
"""What our templates' own Stop button sends."""
STOP_WORDS = ("STOP", "ARRET", "ARRÊT", "UNSUBSCRIBE")
STOP_BUTTONS = ("STOP PROMOTIONS",)
"""Buttons that Meta itself puts under messages: more than one word, and still a Stop button."""

_LETTERS = re.compile(r"[^\W_]+")


def asks_to_stop(words: str) -> bool:
    """Whether a whole message, or a button, is one of the words, in any case and spelling, even said twice.

    "Stop !" and "S.T.O.P" are; "ne pas arrêter" and "stop by tomorrow" are not.
    """
    said = _LETTERS.findall(_plain(words))
    return "".join(said) in _ENDS or (bool(said) and all(word in _ENDS for word in said))


def _plain(words: str) -> str:
    """Without accents, case, width and invisible characters, however they were composed."""
    decomposed = unicodedata.normalize("NFKD", words)
    return "".join(c for c in decomposed if unicodedata.category(c) not in ("Mn", "Cf")).casefold()


_ENDS = frozenset("".join(_LETTERS.findall(_plain(words))) for words in (*STOP_WORDS, *STOP_BUTTONS))
