"""What is frozen for one recipient at planning: the only form in which numbers and texts travel. Never logged."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Channel(StrEnum):
    """A way to reach a person."""

    WHATSAPP = "whatsapp"
    SMS = "sms"


class Mode(StrEnum):
    """How the text reaches the person; `session` is WhatsApp inside the 24 hours that a person's own message opens."""

    TEMPLATE = "template"
    SESSION = "session"
    SMS = "sms"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateCall:
    """A WhatsApp template with its named body parameters, in the order of the template's text."""

    name: str
    language: str
    parameters: tuple[tuple[str, str], ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """One recipient's frozen message. `to` is E.164 with its +; `text` is what the person will read."""

    to: str = field(repr=False)
    country: str
    mode: Mode
    text: str = field(repr=False)
    template: TemplateCall | None = None
    card_image: str | None = field(default=None, repr=False)
    card_generated_at: datetime | None = None
    consented: bool | None = None
    """What the request itself said of the person's consent, if anything."""
    consented_at: datetime | None = None
    """When the person agreed, where the request said so: lifts a revocation recorded earlier."""
