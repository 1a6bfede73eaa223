"""What is frozen for one recipient at planning: the only form in which numbers and texts travel. Never logged."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NewType

MAX_CAPTION = 1024
"""Characters of a picture's caption on WhatsApp (reference/whatsapp.md, Limits)."""

MAX_SESSION_TEXT = 4096
"""Characters of a WhatsApp text message (the same)."""


class Channel(StrEnum):
    """A way to reach a person."""

    WHATSAPP = "whatsapp"
    SMS = "sms"


Provider = NewType("Provider", str)
"""Who carries the messages of a channel. Not an enum: a provider's key is in its row (`shared.app.providers`)."""

META = Provider("meta")

ORANGE = Provider("orange")


class Mode(StrEnum):
    """How the text reaches the person; `session` is WhatsApp inside the 24 hours that a person's own message opens."""

    TEMPLATE = "template"
    SESSION = "session"
    SMS = "sms"


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonCall:
    """What the variable at the end of a URL button's address is filled with. `index` counts from 0."""

    index: int
    suffix: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateCall:
    """A WhatsApp template with its body parameters, (our variable, value) each, in the order of the template's own.

    `positional`: Meta counts them and takes no names. The picture is the payload's `card_image`.
    """

    name: str
    language: str
    parameters: tuple[tuple[str, str], ...] = field(repr=False)
    positional: bool = False
    button: ButtonCall | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """The SMS that goes out where the WhatsApp message does not arrive, in minutes after it was sent."""

    text: str = field(repr=False)
    after_minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyButton:
    """A button under a WhatsApp text; pressed, it comes back as the person's answer. `id` is at most 256 characters,
    `title` at most 20."""

    id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """One recipient's frozen message. `to` is E.164 with its +; in the answer to a person who wrote without a number it
    is Meta's user ID. `text` is what the person will read."""

    to: str = field(repr=False)
    country: str
    mode: Mode
    text: str = field(repr=False)
    template: TemplateCall | None = None
    card_image: str | None = field(default=None, repr=False)
    card_generated_at: datetime | None = None
    card_after: datetime | None = None
    """The provider refused the card as it was uploaded before this instant: only a later upload is used."""
    consented: bool | None = None
    """What the request itself said of the person's consent, if anything."""
    consented_at: datetime | None = None
    """When the person agreed, where the request said so: lifts a revocation recorded earlier."""
    consent_received_at: datetime | None = None
    """When the request came that said so. Every message made from this one keeps it: a grant does not become newer by
    being sent again."""
    exempt: bool = False
    """Needs nobody's consent: a test send, the answer to a STOP. Frozen with the rest, so that every copy is exempt."""
    button: ReplyButton | None = None
    """Stands under a session's text of at most 1,024 characters."""
    language: str | None = None
    """What it is written in ("fr", "en"), as far as the template or the request says."""
    fallback_template: TemplateCall | None = None
    """The template that goes instead of a session's text once the session has closed; only with mode `session`."""
    fallback_template_shows_card: bool = True
    """Whether that template has a picture."""
    fallback: Fallback | None = None
    """Only of a WhatsApp message."""
    fallback_of: str | None = None
    """Of a fallback's own SMS: the message that it stands in for, and must not follow once that has arrived."""

    @property
    def is_split(self) -> bool:
        """Whether the text is too long to stand under the card: then the card goes ahead, and the text by itself."""
        return self.mode is Mode.SESSION and self.card_image is not None and len(self.text) > MAX_CAPTION

    def card_half(self) -> "Payload":
        """The card without a word."""
        return replace(self, text="")

    def text_half(self) -> "Payload":
        """The text without the card."""
        return replace(self, card_image=None)

    def as_template(self) -> "Payload":
        """The template that was frozen beside a session's text; itself where there is none."""
        if self.fallback_template is None:
            return self
        card_image = self.card_image if self.fallback_template_shows_card else None
        return replace(
            self, mode=Mode.TEMPLATE, template=self.fallback_template, card_image=card_image, fallback_template=None
        )
