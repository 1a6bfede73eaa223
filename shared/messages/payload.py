"""The stored content of a message for one recipient. Numbers and texts exist only in this form. Never log it."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NewType

MAX_CAPTION = 1024
"""Characters of a picture's caption on WhatsApp (reference/whatsapp.md, Limits)."""

MAX_SESSION_TEXT = 4096
"""Characters of a WhatsApp text message (reference/whatsapp.md, Limits)."""


class Channel(StrEnum):
    """A way to reach a person."""

    WHATSAPP = "whatsapp"
    SMS = "sms"


Provider = NewType("Provider", str)
"""The company that carries the messages of a channel. Not an enum, because `shared.app.providers` lists the keys."""

META = Provider("meta")

ORANGE = Provider("orange")


class Mode(StrEnum):
    """How the text reaches the person. `session` is WhatsApp within 24 hours after the person's own message."""

    TEMPLATE = "template"
    SESSION = "session"
    SMS = "sms"


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonCall:
    """What fills the variable at the end of a URL button's address. `index` counts from 0."""

    index: int
    suffix: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateCall:
    """A WhatsApp template with its body parameters as (our variable, value), in the template's own order.

    `positional`: the template numbers its parameters and takes no names. The picture is the payload's `card_image`.
    """

    name: str
    language: str
    parameters: tuple[tuple[str, str], ...] = field(repr=False)
    positional: bool = False
    button: ButtonCall | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """The SMS that goes out if the WhatsApp message does not arrive, in minutes after it was sent."""

    text: str = field(repr=False)
    after_minutes: int
    template: str | None = None
    """The name of the template whose SMS text it is; None: the client wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyButton:
    """A button under a WhatsApp text. Its press comes back as the person's answer. `id` has at most 256 characters,
    `title` at most 20."""

    id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """The stored content for one recipient. `to` is E.164 with its +; in the answer to a person who wrote without a
    number it is Meta's user ID. `text` is what the person will read."""

    to: str = field(repr=False)
    country: str
    mode: Mode
    text: str = field(repr=False)
    template: TemplateCall | None = None
    card_image: str | None = field(default=None, repr=False)
    card_generated_at: datetime | None = None
    card_after: datetime | None = None
    """The provider refused the card as uploaded before this instant. Only a later upload is used."""
    consented: bool | None = None
    """What the request said about the person's consent; None: nothing."""
    consented_at: datetime | None = None
    """When the person agreed, if the request said so. It lifts a revocation recorded earlier."""
    consent_received_at: datetime | None = None
    """When the request with this consent came. Every message made from this one keeps the value, so that a resend does
    not make the consent newer."""
    exempt: bool = False
    """Needs no consent: a test send, or the answer to a STOP. It is stored with the rest, so every queue message has
    it."""
    button: ReplyButton | None = None
    """Shown under a session text of at most 1,024 characters."""
    language: str | None = None
    """The language of the text ("fr", "en"), if the template or the request says it."""
    fallback_template: TemplateCall | None = None
    """The template that replaces a session text once the session has closed; only with mode `session`."""
    fallback_template_shows_card: bool = True
    """Whether that template has a picture."""
    fallback: Fallback | None = None
    """Only for a WhatsApp message."""
    fallback_of: str | None = None
    """Only for a fallback SMS: the ID of the message that it replaces. The SMS must not go once that message has
    arrived."""
    resend_of: str | None = None
    """Only for a resend and for a row of a retry: the ID of the failed message that it sends again. It must not go once
    that message has arrived, nor if another message has taken its place."""

    @property
    def is_split(self) -> bool:
        """Whether the text is too long for a caption. The card then goes first, and the text in a second message."""
        return self.mode is Mode.SESSION and self.card_image is not None and len(self.text) > MAX_CAPTION

    def card_half(self) -> "Payload":
        """The card without text."""
        return replace(self, text="")

    def text_half(self) -> "Payload":
        """The text without the card."""
        return replace(self, card_image=None)

    def as_template(self) -> "Payload":
        """The template that was stored beside a session text; the same payload if there is none."""
        if self.fallback_template is None:
            return self
        card_image = self.card_image if self.fallback_template_shows_card else None
        return replace(
            self, mode=Mode.TEMPLATE, template=self.fallback_template, card_image=card_image, fallback_template=None
        )
