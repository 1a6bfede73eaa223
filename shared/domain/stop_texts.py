"""What a person is told about a stop, in their language. Data only."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.stop_words import Tongue

_COUNTRIES: Mapping[str, Tongue] = {
    **dict.fromkeys(("SN", "CI", "ML", "BF", "GN", "MG", "TN"), Tongue.FRENCH),
    "EG": Tongue.ARABIC,
}
"""What our messages are answered in where nothing better is known. In Cameroon both languages are official."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopTexts:
    """`done` answers a stop; `question` asks whether one is meant, above a button with `title` (at most 20 characters,
    Meta's limit). `language` None: in two languages."""

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
"""Where the language is not known."""


def texts_for(said_in: Tongue | None, written_in: str | None, country: str) -> StopTexts:
    """The texts in the language that the person wrote in, else of our last message to them, else of the country."""
    known = said_in or (Tongue(written_in) if written_in in set(Tongue) else None) or _COUNTRIES.get(country)
    return TEXTS[known] if known is not None else BOTH
