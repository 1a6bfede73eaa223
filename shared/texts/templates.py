"""The ready-made templates: vaccination, nutrition and health insurance cards, in French and English; and the form in
which any template is called.

The WhatsApp bodies keep Meta's rules (reference/whatsapp.md §6): no variable at the start or the end, none side by
side, at most 1,024 characters once filled in. The SMS texts fit one GSM-7 segment with typical values; French ones
avoid the letters that GSM-7 lacks.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.texts.variables import names

DEFAULT_LANGUAGE = "fr"

MAX_BODY = 1024
"""Characters of a filled-in template body (reference/whatsapp.md, Limits)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlButton:
    """A button whose address ends in the template's only variable; `prefix` is what stands before it."""

    index: int
    prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How Meta wants a template called, and what the person reads.

    `body` is written with our variables in braces. `parameters` names what each of Meta's parameters is filled with, in
    Meta's order; a positional template may name one twice.
    """

    body: str
    parameters: tuple[str, ...]
    positional: bool = False
    has_picture: bool = True
    button: UrlButton | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One template in one language. Both texts use the six variables in braces."""

    name: str
    language: str
    use_case: str
    whatsapp: str
    sms: str

    @property
    def shape(self) -> Shape:
        """As `submit` creates it: named parameters, the card above the text."""
        return Shape(body=self.whatsapp, parameters=names(self.whatsapp))


_ENGLISH = (
    "Hello {first_name},\n\nHere is your {programme_name} card. Please keep this message safe.\n\n"
    "Name: {last_name}\nCard code: {card_code}\nVerification: {verification_url}\n\n"
)

_FRENCH = (
    "Bonjour {first_name},\n\nVoici votre carte {programme_name}. Conservez bien ce message.\n\n"
    "Nom : {last_name}\nCode de la carte : {card_code}\nVérification : {verification_url}\n\n"
)


def _template(name: str, language: str, use_case: str, *, closing: str, sms: str) -> Template:
    opening = _FRENCH if language == "fr" else _ENGLISH
    return Template(name=name, language=language, use_case=use_case, whatsapp=opening + closing, sms=sms)


_ALL = (
    _template(
        "vaccination_card",
        "fr",
        "vaccination",
        closing="Présentez cette carte à chaque séance de vaccination.",
        sms="Bonjour {first_name}, votre carte de vaccination {card_code} est disponible : {verification_url}",
    ),
    _template(
        "vaccination_card",
        "en",
        "vaccination",
        closing="Show this card at every vaccination visit.",
        sms="Hello {first_name}, your vaccination card {card_code} is ready: {verification_url}",
    ),
    _template(
        "nutrition_card",
        "fr",
        "nutrition",
        closing="Présentez cette carte à chaque visite de suivi nutritionnel.",
        sms="Bonjour {first_name}, votre carte de nutrition {card_code} est disponible : {verification_url}",
    ),
    _template(
        "nutrition_card",
        "en",
        "nutrition",
        closing="Show this card at every nutrition visit.",
        sms="Hello {first_name}, your nutrition card {card_code} is ready: {verification_url}",
    ),
    _template(
        "insurance_card",
        "fr",
        "insurance",
        closing="Présentez cette carte pour vos soins.",
        sms="Bonjour {first_name}, votre carte d'assurance {card_code} est disponible : {verification_url}",
    ),
    _template(
        "insurance_card",
        "en",
        "insurance",
        closing="Show this card when you seek care.",
        sms="Hello {first_name}, your insurance card {card_code} is ready: {verification_url}",
    ),
)

READY_MADE: Mapping[tuple[str, str], Template] = {(template.name, template.language): template for template in _ALL}
"""(name, language) → template."""


READY_NAMES = frozenset(template.name for template in _ALL)

EXAMPLES: Mapping[str, str] = {
    "first_name": "Aminata",
    "last_name": "Diallo",
    "card_code": "DKR-VAC-9XQ7LM2A",
    "programme_name": "PNV",
    "issue_date": "23/11/2026",
    "verification_url": "https://v.oomus.health/c/DKR-VAC-9XQ7LM2A",
}
"""Typical values of nobody: what Meta's reviewers see, and what one SMS segment must hold."""
