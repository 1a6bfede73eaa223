"""Templates: the ready-made ones (vaccination, nutrition and health insurance cards, in French and English), the
variables in their texts, and the catalogue of what an organisation can use.

The WhatsApp texts follow Meta's rules (reference/whatsapp.md §6): no variable at the start or the end, no two variables
side by side, at most 1,024 characters when filled in. The SMS texts fit one GSM-7 segment with typical values; the
French ones avoid the letters that GSM-7 does not have.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Literal
from urllib.parse import quote

from shared.webhooks.updates import TemplateStatus

DEFAULT_LANGUAGE = "fr"

MAX_BODY = 1024
"""Characters of a filled-in template body (reference/whatsapp.md, Limits)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlButton:
    """A button whose URL is `prefix` and then its only variable. `index`: its place among the template's buttons, from
    0.
    """

    index: int
    prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How a template is called at Meta, and the text that the person reads.

    `body` has our variables in braces. `parameters` are our names for Meta's parameters, in Meta's order; a positional
    template may use one name twice.
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
        """The shape that `submit` gives the template at Meta: named parameters, the card above the text."""
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
"""By (name, language)."""


READY_NAMES = frozenset(template.name for template in _ALL)

EXAMPLES: Mapping[str, str] = {
    "first_name": "Aminata",
    "last_name": "Diallo",
    "card_code": "DKR-VAC-9XQ7LM2A",
    "programme_name": "PNV",
    "issue_date": "23/11/2026",
    "verification_url": "https://v.oomus.health/c/DKR-VAC-9XQ7LM2A",
}
"""Invented values: Meta's reviewers see them, and with them an SMS text must fit one segment."""


# The six variables of a message. A text is expanded once: braces inside a value stay as they are.
#
# - `{{` and `}}` are literal braces.
# - `{…}` is a variable if its content could be meant as a name: up to three words that begin with a letter, a number of
#   one or two digits, or any text that contains one of the six names. So `{prénom}`, `{first name}`, `{1}` and
#   `{first_name:}` are refused as unknown.
# - Every other brace (`{`, `{}`, `{5 000 F}`) is plain text.


VARIABLES = ("first_name", "last_name", "card_code", "programme_name", "issue_date", "verification_url")

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")

_LIKE_A_NAME = re.compile(r"\s*[^\W\d]\w*(?:[ '’.-]\w+){0,2}\s*|[0-9]{1,2}")

_HOLDS_A_NAME = re.compile("|".join(name.replace("_", "[ _-]?") for name in VARIABLES), re.IGNORECASE)

_CARD_CODE = "{card_code}"

_LONGEST_NAME_SHOWN = 64


class VariableCode(StrEnum):
    """Codes of api.md, "Fields and rows"."""

    UNKNOWN = "variable_unknown"
    MISSING = "variable_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableProblem:
    """One variable that cannot be filled in. `name` is what the author wrote, cut at 64 characters."""

    code: VariableCode
    name: str


class VariableError(ValueError):
    """All errors of a text's variables, each once, in order of appearance. It holds no value."""

    def __init__(self, field_errors: tuple[VariableProblem, ...]) -> None:
        super().__init__(", ".join(field_error.code for field_error in field_errors))
        self.field_errors = field_errors


@lru_cache(maxsize=64)  # asked for each row of a list, which has one text
def names(text: str) -> tuple[str, ...]:
    """The names in braces, known or unknown, each once, in order of appearance."""
    return tuple(dict.fromkeys(token[1] for token in _TOKEN.finditer(text) if _is_variable(token)))


def expand(text: str, values: Mapping[str, str | None]) -> str:
    """`text` with its variables filled in. A value that is absent, empty or blank counts as missing. Raises
    VariableError.
    """
    field_errors = tuple(_field_errors(text, values))
    if field_errors:
        raise VariableError(field_errors)
    return _TOKEN.sub(lambda token: _in_place_of(token, values), text)


def fill_card_code(reference: str, card_code: str | None) -> str:
    """`reference` (a card image or verification URL) with its `{card_code}` filled in. Raises VariableError.

    The code is percent-encoded in a URL. In an s3:// key it is not, because a per cent sign would be part of the key.
    """
    if _CARD_CODE not in reference:
        return reference
    if card_code is None or not card_code.strip():
        raise VariableError((VariableProblem(code=VariableCode.MISSING, name="card_code"),))
    code = card_code if reference.lower().startswith("s3://") else quote(card_code, safe="")
    return reference.replace(_CARD_CODE, code)


def _is_variable(token: re.Match[str]) -> bool:
    """Whether the token is meant as a variable, known or unknown."""
    name = token[1]
    return name is not None and bool(_LIKE_A_NAME.fullmatch(name) or _HOLDS_A_NAME.search(name))


def _in_place_of(token: re.Match[str], values: Mapping[str, str | None]) -> str:
    if token[1] is None:
        return token[0][0]
    return (values[token[1]] or "") if _is_variable(token) else token[0]


def _field_errors(text: str, values: Mapping[str, str | None]) -> Iterator[VariableProblem]:
    for name in names(text):
        if name not in VARIABLES:
            yield VariableProblem(code=VariableCode.UNKNOWN, name=name[:_LONGEST_NAME_SHOWN])
        elif not (values.get(name) or "").strip():
            yield VariableProblem(code=VariableCode.MISSING, name=name)


UTILITY = "UTILITY"

SHOWN = frozenset({TemplateStatus.APPROVED, TemplateStatus.PAUSED, TemplateStatus.DISABLED})
"""The organisation's own templates that may be listed. Those under review are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTemplate:
    """One template in one language, with what Meta reported about it.

    - `reported_at`: when it had this status, in whole seconds.
    - `shape`: None if only a webhook named the template, or if it has parts that we cannot fill in.
    - `recategorised_at`: when Meta moved it out of the Utility category; None while it is in it.
    """

    name: str
    language: str
    status: TemplateStatus | None
    reported_at: datetime
    category: str | None = None
    recategorised_at: datetime | None = None
    shape: Shape | None = None
    template_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What is stored of an account's templates. `read_at`: when Meta's whole list was last read."""

    templates: tuple[KnownTemplate, ...] = ()
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usable:
    """A template that a request can name.

    - `status`: None if Meta has not reported it.
    - `is_sure`: whether the status was read just now or recently.
    - `sms`: None for an organisation's own template.
    """

    name: str
    language: str
    origin: Literal["ready", "own"]
    use_case: str | None
    shape: Shape
    sms: str | None
    status: TemplateStatus | None
    is_sure: bool

    @property
    def is_refused(self) -> bool:
        """Whether Meta would refuse a message with this template."""
        return self.status not in (None, TemplateStatus.APPROVED)


class Catalogue:
    """The templates of one organisation. `is_sure`: Meta's list was read recently, so a template that is not in it does
    not exist.
    """

    def __init__(self, known: Iterable[KnownTemplate] = (), *, is_sure: bool = False) -> None:
        self.is_sure = is_sure
        by_key = {(one.name, one.language): one for one in known}
        found = [*_ready(by_key, is_sure=is_sure), *_own(by_key, is_sure=is_sure)]
        self._usable: Mapping[tuple[str, str], Usable] = {(one.name, one.language): one for one in found}

    @property
    def items(self) -> tuple[Usable, ...]:
        """The ready-made templates first, then the organisation's own by name and language."""
        return tuple(self._usable.values())

    def languages(self, name: str) -> tuple[Usable, ...]:
        """The template in all its languages; empty if the name is unknown."""
        return tuple(one for one in self._usable.values() if one.name == name)

    def find(self, name: str, language: str | None = None, recipients: str | None = None) -> Usable | None:
        """The template in `language`, if given; else in the recipient's language, else in French, else in any."""
        if language:
            return self._in(name, language)
        for wish in (recipients, DEFAULT_LANGUAGE):
            if wish and (found := self._in(name, wish)):
                return found
        return next(iter(self.languages(name)), None)

    def _in(self, name: str, language: str) -> Usable | None:
        """The template in exactly that language or in a regional form of it: Meta has `en`, `en_US` and `en_GB`."""
        exact = self._usable.get((name, language))
        return exact or next((one for one in self.languages(name) if one.language.startswith(f"{language}_")), None)


def _ready(known: Mapping[tuple[str, str], KnownTemplate], *, is_sure: bool) -> Iterable[Usable]:
    for key, template in READY_MADE.items():
        current = known.get(key)
        absent = TemplateStatus.NOT_SUBMITTED if is_sure else None
        yield Usable(
            name=template.name,
            language=template.language,
            origin="ready",
            use_case=template.use_case,
            shape=(current.shape if current else None) or template.shape,
            sms=template.sms,
            status=current.status if current else absent,
            is_sure=is_sure,
        )


def _own(known: Mapping[tuple[str, str], KnownTemplate], *, is_sure: bool) -> Iterable[Usable]:
    for key in sorted(known):
        one = known[key]
        if one.shape is not None and key not in READY_MADE:
            yield Usable(
                name=one.name,
                language=one.language,
                origin="own",
                use_case=None,
                shape=one.shape,
                sms=None,
                status=one.status,
                is_sure=is_sure,
            )


READY_ONLY = Catalogue()
"""The catalogue before Meta has been asked, and the one for SMS."""


def is_ready_made(name: str) -> bool:
    """Whether the template is one of ours. Only these can be submitted through this API."""
    return name in READY_NAMES
