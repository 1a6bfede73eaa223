"""What Meta calls us with (reference/whatsapp.md, section 5): is it Meta, cut to size, and read.

Bodies come signed, batched (up to 1,000 updates, 3 MB), repeated for days and in any order, with fields that nobody
announced. Nothing here raises for any of them.

Cuts a webhook's body into documents that fit the status queue, each of the shape of a whole webhook.

Reads one status of a message that we sent (reference/whatsapp.md, section 5.2).
"""

import hashlib
import hmac
import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from shared.base.json import JsonObject, JsonValue
from shared.messages.status import Status
from shared.providers.answers import PIECE_BYTES, identifier, obj, objects, parse, text
from shared.providers.meta import account, inbound
from shared.providers.meta.errors import error_from_code
from shared.providers.meta.inbound import acquaintance, recipient
from shared.providers.meta.instants import instant
from shared.recipients.masking import blank_number_in_wamid
from shared.webhooks.updates import Attempt, Source, StatusReport, WebhookEvent, WebhookUpdates

__all__ = ["PIECE_BYTES", "UPDATES", "only_statuses", "pieces", "read", "verified"]

UPDATES = ("statuses", "messages", "calls", "user_preferences", "user_id_update")
"""The lists in a change's value whose elements are news."""


_LONGEST_NUMBER = 64
"""Characters; a number with all its blanks and brackets has fewer."""


def verified(body: bytes, signature_header: str | None, secrets: Sequence[str]) -> bool:
    """Whether X-Hub-Signature-256 is right for the raw bytes under one of the app secrets.

    Two are valid while one replaces the other. Without any secret nothing verifies: there is no unsigned mode, and an
    empty string is no secret, because anyone can sign with it.
    """
    given = (signature_header or "").encode("utf-8", "replace")
    expected = (hmac.new(secret.encode(), body, hashlib.sha256).hexdigest() for secret in secrets if secret)
    return any(hmac.compare_digest(f"sha256={digest}".encode(), given) for digest in expected)


def read(document: str, *, received: datetime | None = None) -> WebhookUpdates:
    """Every status and all other news of every change of every entry.

    `received` stands in for an instant that cannot be read; of news the entry's own comes before it, because that one
    is the same in every repetition. The same news stands once, however many updates tell it.
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
        reported += filter(None, (acquaintance(inbound.person(one)) for one in objects(value.get("contacts"))))
        source = _source(entry, value)
        webhook_events |= dict.fromkeys(replace(one, source=source) for one in reported)
    return WebhookUpdates(reports=reports, webhook_events=list(webhook_events), ignored=ignored if changes else 1)


def _changes(document: JsonValue) -> Iterator[tuple[JsonObject, JsonObject]]:
    """Each change's entry and value."""
    for entry in objects(obj(document).get("entry")):
        for change in objects(entry.get("changes")):
            yield entry, obj(change.get("value"))


def _source(entry: JsonObject, value: JsonObject) -> Source:
    """Whom the change is about. Numbers are shown in several forms: only their digits count."""
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
    """What one update tells besides the status of a message of ours."""
    match kind:
        case "messages":
            yield from inbound.message(update, value, entry_at)
        case "calls":
            yield from inbound.call(update, value, entry_at)
        case "user_preferences":
            yield from inbound.preference(update, entry_at)
        case "user_id_update":
            yield from inbound.user_id_update(update, entry_at)
        case _:
            known = acquaintance(inbound.recipient(update))
            if known is not None:
                yield known


def pieces(body: bytes) -> list[str]:
    """Documents of less than 50 kB that together hold the body's entries, each update once. Empty if it is not JSON.

    They are ASCII (SQS refuses some characters that JSON allows), and each has the shape of a whole webhook. An update
    that is too large by itself is left out: Meta's own limits keep every real one below 20 kB.
    """
    document = obj(parse(body))
    try:
        return list(_split(document)) if objects(document.get("entry")) else []
    except RecursionError:
        return []


def only_statuses(document: str, message_ids: Collection[str]) -> str:
    """A webhook of the same shape that holds nothing but the statuses of those messages (by the blanked ID)."""
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
    """The document if it is small enough, else its halves, and theirs."""
    written = json.dumps(document, separators=(",", ":"))
    if len(written) < PIECE_BYTES:
        yield written
        return
    for half in _halves(document):
        yield from _split(half)


def _halves(document: JsonObject) -> list[JsonObject]:
    """Cut at the outermost list that has two elements: entries, then changes, then the longest list of a value."""
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
    """What else the value holds stays with the first half; with both go its metadata and other plain facts, and the
    one contact that the messages of a value may leave unsaid."""
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
    """One status; None where it names no message, no status we know, or no instant. `phone_number_id`: as the value
    around it says."""
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
