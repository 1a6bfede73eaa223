"""What a request wants to say: a free text or a template by name, the SMS encoding and the fallback. Also: removing the
characters that no message can carry.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from shared.base.json import JsonValue


class SmsEncoding(StrEnum):
    """`exact` keeps every letter. `gsm7` replaces the letters that GSM-7 lacks, so that a text costs fewer segments."""

    EXACT = "exact"
    GSM7 = "gsm7"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Exactly one of `text` and `template` is set."""

    text: str | None = field(default=None, repr=False)
    template: str | None = None
    language: str | None = None
    """The template's language. If None: the recipient's, then French."""
    sms_encoding: SmsEncoding = SmsEncoding.EXACT


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackOrder:
    """The SMS to send if a WhatsApp message has not arrived `after_minutes` after it was sent."""

    content: Content
    after_minutes: int


# Characters that no message can carry, because SQS or the reader of a queue message refuses them (api.md, A recipient):
# the controls except tab, line feed and carriage return, halves of surrogate pairs, and Unicode's noncharacters. People
# do not type them: a spreadsheet or another program leaves them in a name.


_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(f"{chr(end - 1)}{chr(end)}" for end in range(0xFFFF, 0x110000, 0x10000))

_UNCARRIABLE = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff{_NONCHARACTERS}]")

_BREAKS = "\x0b\x0c"
"""Line and page breaks inside a cell. They become a space, because otherwise two words would become one."""


def carriable(text: str) -> str:
    """`text` without the characters that no message can carry."""
    if text.isascii() and text.isprintable():
        return text
    return _UNCARRIABLE.sub(lambda found: " " if found[0] in _BREAKS else "", text)


def unaccented(text: str) -> str:
    """`text` in small letters without accents and other marks, for comparing words: "Prénom" → "prenom"."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def carriable_values(values: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The same for the texts of `values`. Nested values stay as they are."""
    return {name: carriable(value) if isinstance(value, str) else value for name, value in values.items()}


def carriable_document(value: JsonValue) -> JsonValue:
    """The same for all texts of a JSON value, at any depth."""
    match value:
        case str():
            return carriable(value)
        case list():
            return [carriable_document(one) for one in value]
        case dict():
            return {name: carriable_document(one) for name, one in value.items()}
        case _:
            return value
