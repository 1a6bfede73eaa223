"""The ready-made templates: vaccination, nutrition and health insurance cards, in French and English.

The WhatsApp bodies keep Meta's rules (reference/whatsapp.md §6): no variable at the start or the end, none adjacent,
at most 1,024 characters once filled in. The SMS texts fit one GSM-7 segment with typical values; French ones avoid the
letters that GSM-7 lacks.
"""

from collections.abc import Mapping
from dataclasses import dataclass

DEFAULT_LANGUAGE = "fr"
MAX_BODY = 1024
"""Characters of a filled-in template body (reference/whatsapp.md, Limits)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One template in one language. Both texts use the six variables in braces."""

    name: str
    language: str
    use_case: str
    whatsapp: str
    sms: str


_ENGLISH = (
    "Hello {first_name} {last_name},\n\nHere is your {programme_name} card. Please keep this message safe.\n\n"
    "Card code: {card_code}\nVerification: {verification_url}\n\n"
)
_FRENCH = (
    "Bonjour {first_name} {last_name},\n\nVoici votre carte {programme_name}. Conservez bien ce message.\n\n"
    "Code de la carte : {card_code}\nVérification : {verification_url}\n\n"
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


def find(name: str, *wished: str | None) -> Template | None:
    """The template in the first wished language that is set, else in French."""
    language = next((wish for wish in wished if wish), DEFAULT_LANGUAGE)
    return READY_MADE.get((name, language))
