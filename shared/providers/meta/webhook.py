"""Reading Meta's webhooks (reference/whatsapp.md, section 5): check the signature, split the body, read the parts.

Bodies are signed and contain up to 1,000 updates (3 MB). They may be repeated for days, come in any order, and have
unknown fields. No function here raises because of a body's content.

A body is split into documents that fit the status queue; each has the form of a whole webhook. `read` takes the
statuses of our messages (section 5.2) and what persons send: messages, calls, preferences, new numbers (sections 5.4 to
5.6). Meta names a person by a number, a business-scoped user ID, or both.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from shared.base.json import JsonObject, JsonValue
from shared.messages.message import Status
from shared.providers.answers import PIECE_BYTES, identifier, obj, objects, parse, text
from shared.providers.meta import account
from shared.providers.meta.account import instant
from shared.providers.meta.errors import error_from_code
from shared.recipients.masking import blank_number_in_wamid
from shared.webhooks.updates import (
    Acquaintance,
    Attempt,
    Contact,
    Inbound,
    Preference,
    Source,
    StatusReport,
    Succession,
    WebhookEvent,
    WebhookUpdates,
)

__all__ = ["PIECE_BYTES", "UPDATES", "only_statuses", "pieces", "read", "verified"]

UPDATES = ("statuses", "messages", "calls", "user_preferences", "user_id_update")
"""The lists in a change's value whose elements are updates."""


_LONGEST_NUMBER = 64
"""Characters. A number is shorter, even with its spaces and brackets."""


def verified(body: bytes, signature_header: str | None, secrets: Sequence[str]) -> bool:
    """Whether X-Hub-Signature-256 is correct for the raw bytes and one of the app secrets.

    During a change of the secret, two are valid. Without a secret, no body is accepted. An empty string is not accepted
    as a secret, because anyone could sign with it.
    """
    given = (signature_header or "").encode("utf-8", "replace")
    expected = (hmac.new(secret.encode(), body, hashlib.sha256).hexdigest() for secret in secrets if secret)
    return any(hmac.compare_digest(f"sha256={digest}".encode(), given) for digest in expected)


def read(document: str, *, received: datetime | None = None) -> WebhookUpdates:
    """All statuses and other updates of all changes and entries.

    `received` replaces a time that cannot be read. For updates other than statuses, the entry's own time is used first,
    because it is the same in every repetition. Equal updates are returned once.
    """
    reports: list[StatusReport] = []
    webhook_events: dict[WebhookEvent, None] = {}
    ignored = 0
    changes = list(_changes(parse(document)))
    for entry, value in changes:
        entry_at = instant(entry.get("time")) or received
        reported = list(account.account_updates(value, entry_at))
        number = identifier(obj(value.get("metadata")).get("phone_number_id"))
        found = [(kind, update) for kind in UPDATES for update in _items(value.get(kind))]
        ignored += 0 if found or reported else 1
        for kind, update in found:
            report = status_report(update, received, number) if kind == "statuses" else None
            found_in_update = list(_webhook_events(kind, update, value, entry_at))
            reported += found_in_update
            reports += [report] if report else []
            ignored += 0 if report or (found_in_update and kind != "statuses") else 1
        reported += filter(None, (acquaintance(person(one)) for one in objects(value.get("contacts"))))
        source = _source(entry, value)
        webhook_events |= dict.fromkeys(replace(one, source=source) for one in reported)
    return WebhookUpdates(reports=reports, webhook_events=list(webhook_events), ignored=ignored if changes else 1)


def _changes(document: JsonValue) -> Iterator[tuple[JsonObject, JsonObject]]:
    """Each change's entry and value."""
    for entry in objects(obj(document).get("entry")):
        for change in objects(entry.get("changes")):
            yield entry, obj(change.get("value"))


def _source(entry: JsonObject, value: JsonObject) -> Source:
    """The account and number of the change. Numbers are shown in several notations, so only the digits are compared."""
    metadata = obj(value.get("metadata"))
    alerted = identifier(value.get("entity_id")) if text(value.get("entity_type")) == "PHONE_NUMBER" else ""
    shown = text(value.get("display_phone_number")) or text(metadata.get("display_phone_number"))
    return Source(
        account=identifier(entry.get("id")),
        phone_number_id=identifier(metadata.get("phone_number_id")) or alerted,
        shown_number=re.sub(r"[^0-9]", "", shown[:_LONGEST_NUMBER]),
    )


def _items(value: JsonValue) -> list[JsonObject]:
    items = value if isinstance(value, list) else [] if value is None else [value]
    return [obj(item) for item in items]


def _webhook_events(
    kind: str, update: JsonObject, value: JsonObject, entry_at: datetime | None
) -> Iterator[WebhookEvent]:
    """The updates in one element, apart from the status of one of our messages."""
    match kind:
        case "messages":
            yield from message(update, value, entry_at)
        case "calls":
            yield from call(update, value, entry_at)
        case "user_preferences":
            yield from preference(update, entry_at)
        case "user_id_update":
            yield from user_id_update(update, entry_at)
        case _:
            known = acquaintance(recipient(update))
            if known is not None:
                yield known


def pieces(body: bytes) -> list[str]:
    """The body's updates, each once, in documents of less than 50 kB. Empty if the body is not JSON.

    The documents are ASCII, because SQS refuses some characters that JSON allows. Each has the form of a whole webhook.
    An update that is too large by itself is left out; Meta's limits keep every real one below 20 kB.
    """
    document = obj(parse(body))
    try:
        return list(_split(document)) if objects(document.get("entry")) else []
    except RecursionError:
        return []


def only_statuses(document: str, message_ids: Collection[str]) -> str:
    """The webhook with only the statuses of these messages. `message_ids` are Meta's message IDs with the number
    blanked.
    """
    whole = obj(parse(document))
    entries: list[JsonValue] = []
    for entry in objects(whole.get("entry")):
        changes: list[JsonValue] = [
            {**change, "value": value}
            for change in objects(entry.get("changes"))
            if (value := _only(obj(change.get("value")), message_ids))
        ]
        entries += [{**entry, "changes": changes}] if changes else []
    return json.dumps({**whole, "entry": entries}, separators=(",", ":"))


def _only(value: JsonObject, message_ids: Collection[str]) -> JsonObject | None:
    kept: list[JsonValue] = [
        status
        for status in objects(value.get("statuses"))
        if blank_number_in_wamid(identifier(status.get("id"))) in message_ids
    ]
    facts = {name: item for name, item in value.items() if not isinstance(item, list)}
    return {**facts, "statuses": kept} if kept else None


def _split(document: JsonObject) -> Iterator[str]:
    """The document if it is small enough, else its halves, split again if needed."""
    written = json.dumps(document, separators=(",", ":"))
    if len(written) < PIECE_BYTES:
        yield written
        return
    for half in _halves(document):
        yield from _split(half)


def _halves(document: JsonObject) -> list[JsonObject]:
    """Split at the outermost list with two elements: entries, then changes, then the longest list of a value."""
    entries = objects(document.get("entry"))
    if len(entries) != 1:
        return [{**document, "entry": list(half)} for half in _halved(entries)]
    entry = entries[0]
    changes = objects(entry.get("changes"))
    if len(changes) != 1:
        return [{**document, "entry": [{**entry, "changes": list(half)}]} for half in _halved(changes)]
    return [
        {**document, "entry": [{**entry, "changes": [{**changes[0], "value": value}]}]}
        for value in _value_halves(obj(changes[0].get("value")))
    ]


def _value_halves(value: JsonObject) -> list[JsonObject]:
    """Split a value at its longest list. Other lists stay with the first half.

    Both halves get the metadata and other plain fields, and a single contact, because messages may omit their sender
    and rely on it.
    """
    lists = {name: items for name, items in value.items() if isinstance(items, list)}
    long = [name for name, items in lists.items() if len(items) > 1]
    name = max(long, key=lambda name: len(json.dumps(lists[name])), default="")
    halves = _halved(lists.get(name, []))
    alone = [key for key, items in lists.items() if key == "contacts" and len(items) == 1]
    shared = {key: item for key, item in value.items() if key not in lists or key in alone}
    return [{**(shared if at else value), name: list(half)} for at, half in enumerate(halves)]


def _halved[T](items: Sequence[T]) -> list[Sequence[T]]:
    middle = len(items) // 2
    return [items[:middle], items[middle:]] if middle else []


STATUSES = {
    "sent": Status.SENT,
    "delivered": Status.DELIVERED,
    "read": Status.READ,
    "played": Status.READ,
    "failed": Status.FAILED,
}


def status_report(status: JsonObject, received: datetime | None, phone_number_id: str = "") -> StatusReport | None:
    """The report of one status; None if it names no message, has an unknown status, or has no time.

    `phone_number_id`: from the value that contains the status.
    """
    moved = STATUSES.get(text(status.get("status")))
    key = text(status.get("biz_opaque_callback_data"))
    attempt = Attempt.read(key)
    message = identifier(status.get("id"))
    at = instant(status.get("timestamp")) or received
    if moved is None or at is None or not (attempt or message):
        return None
    errors = objects(status.get("errors"))
    return StatusReport(
        attempt=attempt,
        provider_message_id=blank_number_in_wamid(message) if message else "",
        status=moved,
        at=at,
        error=error_from_code(errors[0].get("code") if errors else None) if moved is Status.FAILED else None,
        other_key=bool(key) and attempt is None,
        phone_number_id=phone_number_id,
        recipient=recipient(status),
    )


NOT_WRITTEN = frozenset({"system", "revoke", "request_welcome"})
"""Kinds of message that persons do not write: they open no session and have no words."""

EDIT = "edit"
"""A message that the person has edited: {original_message_id, message: {type, …}} (pywa, tests/data/updates)."""

WORDS = {
    "text": ("body",),
    "button": ("text", "payload"),
    "button_reply": ("title", "id"),
    "list_reply": ("title", "id"),
    "image": ("caption",),
    "video": ("caption",),
    "document": ("caption",),
}
"""The fields with the person's words, by kind of message or of interactive reply."""

_CHANGES = frozenset({"user_changed_number", "user_changed_user_id"})


def message(update: JsonObject, value: JsonObject, entry_at: datetime | None) -> Iterator[WebhookEvent]:
    """The updates in one element of `messages`. `entry_at` replaces a time that cannot be read."""
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
    """The updates in one element of `calls`. A person's call opens the session like a message; the organisation's own
    call changes nothing.
    """
    at, sender = instant(update.get("timestamp")) or entry_at, _sender(update, value)
    if at is None or sender is None or text(update.get("direction")) == "BUSINESS_INITIATED":
        return
    yield from _introduced(sender)
    name = identifier(update.get("id"))
    yield Inbound(contact=sender, message_id=name, at=at)


def preference(update: JsonObject, entry_at: datetime | None) -> Iterator[WebhookEvent]:
    """The updates in one element of `user_preferences`, Meta's own opt-out. Unknown values are ignored."""
    at, person = instant(update.get("timestamp")) or entry_at, contact(update.get("wa_id"), update.get("user_id"))
    wish = text(update.get("value")).lower()
    if at is None or person is None or wish not in ("stop", "resume", "signup"):
        return
    yield from _introduced(person)
    yield Preference(contact=person, stopped=wish == "stop", at=at)


def user_id_update(update: JsonObject, entry_at: datetime | None) -> Iterator[WebhookEvent]:
    """The updates in {wa_id?, user_id: {previous, current}, timestamp}: a person has a new number and so a new user
    ID.
    """
    names = obj(update.get("user_id"))
    previous = contact(names.get("previous"), update.get("previous_user_id"))
    current = contact(update.get("wa_id"), names.get("current"), update.get("current_user_id"), update.get("user_id"))
    yield from _succeeded(previous, current, instant(update.get("timestamp")) or entry_at)


def person(update: JsonObject) -> Contact | None:
    """The person in an element of `contacts`."""
    return contact(update.get("wa_id"), update.get("user_id"))


def recipient(status: JsonObject) -> Contact | None:
    """The person to whom one of our messages went, as its status says; None if it went to a group."""
    if text(status.get("recipient_type")) == "group":
        return None
    return contact(status.get("recipient_id"), status.get("recipient_user_id"))


def _sender(update: JsonObject, value: JsonObject) -> Contact | None:
    """The sender by number or user ID. If neither is given, the single contact of the value."""
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
    """The kind of a message: its `type`, or else the part that it has."""
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
    """The person that these fields name together; None if none of them contains a name.

    Each field may contain a number or a user ID, because Meta has sent user IDs in `from` and `wa_id`. The first of
    each counts.
    """
    reported = [str(value) if type(value) is int else text(value).strip() for value in values]
    numbers = [found[1] for found in map(_NUMBER.fullmatch, reported) if found]
    user_ids = [found[0] for found in map(_USER_ID.fullmatch, reported) if found]
    if not numbers and not user_ids:
        return None
    return Contact(phone=f"+{numbers[0]}" if numbers else None, user_id=user_ids[0] if user_ids else None)


def acquaintance(person: Contact | None) -> Acquaintance | None:
    """That both names belong to one person, if Meta gave both."""
    if person is None or person.phone is None or person.user_id is None:
        return None
    return Acquaintance(phone=person.phone, user_id=person.user_id)
