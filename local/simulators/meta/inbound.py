"""What a person sends to a business number, in Meta's shapes (reference/whatsapp.md §5.4)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

KINDS: Mapping[str, dict[str, object]] = {
    "audio": {"id": "1037543291543636", "mime_type": "audio/ogg; codecs=opus", "sha256": "x", "voice": True},
    "location": {"latitude": 14.6937, "longitude": -17.4441},
    "reaction": {"message_id": "wamid.OTHER", "emoji": "👍"},
    "sticker": {"id": "1037543291543637", "mime_type": "image/webp", "sha256": "x", "animated": False},
    "unsupported": {"type": "unknown"},
}
"""Messages without a text. Those with a text are text, image, button, button_reply, list_reply and edit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A WhatsApp user. `wa_id` is the number in digits.

    If `shows_number` is False, the person uses a username, and Meta reports only the user ID.
    """

    wa_id: str
    user_id: str
    shows_number: bool = True

    def contact(self) -> dict[str, object]:
        """Return an element of `contacts`."""
        number = {"wa_id": self.wa_id} if self.shows_number else {}
        return {"profile": {"name": "Bénéficiaire d'essai"}, **number, "user_id": self.user_id}

    def sender(self) -> dict[str, object]:
        """Return the sender's fields in a message."""
        number = {"from": self.wa_id} if self.shows_number else {}
        return {**number, "from_user_id": self.user_id}

    def named(self) -> dict[str, object]:
        """Return the person's fields in a preference."""
        return {"wa_id": self.wa_id} if self.shows_number else {"user_id": self.user_id}


def person(wa_id: str, user_id: str | None = None, *, shows_number: bool = True) -> Person:
    """Return a person. Without `user_id`, the ID derives from the number."""
    return Person(wa_id=wa_id, user_id=user_id or user_id_of(wa_id), shows_number=shows_number)


def user_id_of(wa_id: str) -> str:
    """Return the user ID of a number. It is always the same."""
    return f"XX.{hashlib.sha256(wa_id.encode()).hexdigest()[:20]}"


def content(kind: str, text: str, payload: str) -> dict[str, object]:
    """Return the part of a message that depends on its kind. Raises ValueError for an unknown kind."""
    reply = {"id": payload or text, "title": text}
    match kind:
        case "text":
            return {"type": kind, "text": {"body": text}}
        case "image":
            picture = {"id": "1037543291543638", "mime_type": "image/jpeg", "sha256": "x", "caption": text}
            return {"type": kind, "image": picture}
        case "button":
            return {"type": kind, "button": {"payload": payload or text, "text": text}}
        case "button_reply" | "list_reply":
            return {"type": "interactive", "interactive": {"type": kind, kind: reply}}
        case "edit":
            changed = {"type": "text", "text": {"body": text}}
            return {"type": kind, "edit": {"original_message_id": "wamid.ORIGINAL", "message": changed}}
    if kind not in KINDS:
        words = "text, image, button, button_reply, list_reply, edit"
        raise ValueError(f"type must be one of {words}, {', '.join(KINDS)}")
    return {"type": kind, kind: KINDS[kind]}
