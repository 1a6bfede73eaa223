"""What is to be said: a text of one's own, or a template by name; and the form in which an SMS may be rewritten."""

from dataclasses import dataclass, field
from enum import StrEnum


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
