"""Reads what people send: messages, calls, preferences, new numbers (reference/whatsapp.md, sections 5.4 to 5.6).

Whom Meta means: a number, a business-scoped user ID, or both (reference/whatsapp.md, section 5.6).
"""

import re
from collections.abc import Iterator
from datetime import datetime

from shared.base.json import JsonObject, JsonValue
from shared.providers.answers import identifier, obj, objects, text
from shared.providers.meta.instants import instant
from shared.webhooks.updates import Acquaintance, Contact, Inbound, Preference, Succession, WebhookEvent

NOT_WRITTEN = frozenset({"system", "revoke", "request_welcome"})
"""Kinds of message by which nobody writes: they open no session and say nothing."""

EDIT = "edit"
"""A message that the person has changed: {original_message_id, message: {type, …}} (pywa, tests/data/updates)."""

WORDS = {
    "text": ("body",),
    "button": ("text", "payload"),
    "button_reply": ("title", "id"),
    "list_reply": ("title", "id"),
    "image": ("caption",),
    "video": ("caption",),
    "document": ("caption",),
}
"""Where a kind of message, or of interactive reply, holds the person's words."""

_CHANGES = frozenset({"user_changed_number", "user_changed_user_id"})


def message(update: JsonObject, value: JsonObject, entry_at: datetime | None) -> Iterator[WebhookEvent]:
    """What one element of `messages` tells. `entry_at` stands in for an instant that cannot be read."""
    at = instant(update.get("timestamp")) or entry_at
    kind = text(update.get("type"))
    if at is None or "group_id" in update:
        return
    if kind == "system":
        yield from _system(obj(update.get("system")), update, at)
        return
    sender = _sender(update, value)
    if sender is None:
        return
    yield from _introduced(sender)
    if kind not in NOT_WRITTEN:
        said = obj(obj(update.get(EDIT)).get("message")) if kind == EDIT else update
        yield Inbound(
            contact=sender,
            message_id=identifier(update.get("id")),
            at=at,
            words=_words(_kind(said), said),
            is_edit=kind == EDIT,
        )


def call(update: JsonObject, value: JsonObject, entry_at: datetime | None) -> Iterator[WebhookEvent]:
    """A person's call opens the session as a message does; one of the organisation's own tells nothing."""
    at, sender = instant(update.get("timestamp")) or entry_at, _sender(update, value)
    if at is None or sender is None or text(update.get("direction")) == "BUSINESS_INITIATED":
        return
    yield from _introduced(sender)
    name = identifier(update.get("id"))
    yield Inbound(contact=sender, message_id=name, at=at)


def preference(update: JsonObject, entry_at: datetime | None) -> Iterator[WebhookEvent]:
    """Meta's own opt-out; a value that nobody announced tells nothing."""
    at, person = instant(update.get("timestamp")) or entry_at, contact(update.get("wa_id"), update.get("user_id"))
    wish = text(update.get("value")).lower()
    if at is None or person is None or wish not in ("stop", "resume", "signup"):
        return
    yield from _introduced(person)
    yield Preference(contact=person, stopped=wish == "stop", at=at)


def user_id_update(update: JsonObject, entry_at: datetime | None) -> Iterator[WebhookEvent]:
    """{wa_id?, user_id: {previous, current}, timestamp}: the ID that goes with another number."""
    names = obj(update.get("user_id"))
    previous = contact(names.get("previous"), update.get("previous_user_id"))
    current = contact(update.get("wa_id"), names.get("current"), update.get("current_user_id"), update.get("user_id"))
    yield from _succeeded(previous, current, instant(update.get("timestamp")) or entry_at)


def person(update: JsonObject) -> Contact | None:
    """Whom an element of `contacts` names."""
    return contact(update.get("wa_id"), update.get("user_id"))


def recipient(status: JsonObject) -> Contact | None:
    """Whom one of our messages went to, as its status says; nobody where it went to a group."""
    if text(status.get("recipient_type")) == "group":
        return None
    return contact(status.get("recipient_id"), status.get("recipient_user_id"))


def _sender(update: JsonObject, value: JsonObject) -> Contact | None:
    """By number, else by user ID, else the one contact of a value with one message."""
    named = contact(update.get("from"), update.get("from_user_id"))
    contacts = objects(value.get("contacts"))
    if named is not None or len(contacts) != 1:
        return named
    return person(contacts[0])


def _system(system: JsonObject, update: JsonObject, at: datetime) -> Iterator[WebhookEvent]:
    if text(system.get("type")) not in _CHANGES:
        return
    previous = contact(update.get("from"), update.get("from_user_id"), system.get("previous_user_id"))
    current = contact(system.get("wa_id"), system.get("new_wa_id"), system.get("user_id"))
    yield from _succeeded(previous, current, at)


def _succeeded(previous: Contact | None, current: Contact | None, at: datetime | None) -> Iterator[WebhookEvent]:
    yield from _introduced(current)
    if previous is not None and current is not None and at is not None and previous != current:
        yield Succession(previous=previous, current=current, at=at)


def _introduced(someone: Contact | None) -> Iterator[WebhookEvent]:
    known = acquaintance(someone)
    if known is not None:
        yield known


def _kind(said: JsonObject) -> str:
    """What sort of message it is: told, or to be seen from the part that is there."""
    return text(said.get("type")) or next((name for name in WORDS if name in said), "")


def _words(kind: str, update: JsonObject) -> tuple[str, ...]:
    part = obj(update.get(kind))
    if kind == "interactive":
        kind = text(part.get("type"))
        part = obj(part.get(kind))
    return tuple(words for words in (text(part.get(name)) for name in WORDS.get(kind, ())) if words)


_NUMBER = re.compile(r"\+?([1-9][0-9]{6,14})", re.ASCII)

_USER_ID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}", re.ASCII)


def contact(*values: JsonValue) -> Contact | None:
    """The person that these fields name together; None where none of them names anybody.

    Each may hold either kind of name, because user IDs were seen in `from` and `wa_id`; of each kind the first counts.
    """
    reported = [str(value) if type(value) is int else text(value).strip() for value in values]
    numbers = [found[1] for found in map(_NUMBER.fullmatch, reported) if found]
    user_ids = [found[0] for found in map(_USER_ID.fullmatch, reported) if found]
    if not numbers and not user_ids:
        return None
    return Contact(phone=f"+{numbers[0]}" if numbers else None, user_id=user_ids[0] if user_ids else None)


def acquaintance(person: Contact | None) -> Acquaintance | None:
    """That both names are one person's, where both are told."""
    if person is None or person.phone is None or person.user_id is None:
        return None
    return Acquaintance(phone=person.phone, user_id=person.user_id)
