"""What is to be said: a text of one's own, or a template by name; the form in which an SMS may be rewritten; and the
characters that no message can carry.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from shared.base.json import JsonValue


class SmsEncoding(StrEnum):
    """`exact` keeps every letter; `gsm7` rewrites what GSM-7 lacks, so that a text costs fewer segments."""

    EXACT = "exact"
    GSM7 = "gsm7"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Exactly one of `text` and `template`."""

    text: str | None = field(default=None, repr=False)
    template: str | None = None
    language: str | None = None
    """The template's; falls back to the recipient's, then to French."""
    sms_encoding: SmsEncoding = SmsEncoding.EXACT


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackOrder:
    """The SMS that is wished for where a WhatsApp message does not arrive within `after_minutes` of being sent."""

    content: Content
    after_minutes: int


# Characters that no message can carry: SQS, or what reads the message after it, refuses them (api.md, A recipient).
#
# They are the controls but for tab, line feed and carriage return, halves of surrogate pairs, and Unicode's
# noncharacters. People do not type them: a spreadsheet or another program leaves them in a name.


_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(f"{chr(end - 1)}{chr(end)}" for end in range(0xFFFF, 0x110000, 0x10000))

_UNCARRIABLE = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff{_NONCHARACTERS}]")

_BREAKS = "\x0b\x0c"
"""Line and page breaks inside a cell: without a space the words beside them would become one."""


def carriable(text: str) -> str:
    """`text` without those characters."""
    if text.isascii() and text.isprintable():
        return text
    return _UNCARRIABLE.sub(lambda found: " " if found[0] in _BREAKS else "", text)


def carriable_values(values: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """`values` with its texts without those characters; what is nested stays as it is."""
    return {name: carriable(value) if isinstance(value, str) else value for name, value in values.items()}


def carriable_document(value: JsonValue) -> JsonValue:
    """A whole JSON value, however deep, with its texts without those characters."""
    match value:
        case str():
            return carriable(value)
        case list():
            return [carriable_document(one) for one in value]
        case dict():
            return {name: carriable_document(one) for name, one in value.items()}
        case _:
            return value
