"""What Meta calls us with (reference/whatsapp.md, section 5): is it Meta, cut to size, and read.

Bodies come signed, batched (up to 1,000 updates, 3 MB), repeated for days and in any order, with fields that nobody
announced. Nothing here raises for any of them.
"""

import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from shared.domain.json import JsonObject, JsonValue
from shared.domain.news import News, Source
from shared.domain.receipt import StatusReport, WebhookUpdates
from shared.providers.answers import PIECE_BYTES, identifier, obj, objects, parse, text
from shared.providers.whatsapp import account, inbound, statuses
from shared.providers.whatsapp.contacts import acquaintance
from shared.providers.whatsapp.instants import instant
from shared.providers.whatsapp.pieces import only_statuses, pieces

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
    news: dict[News, None] = {}
    ignored = 0
    changes = list(_changes(parse(document)))
    for entry, value in changes:
        heard = instant(entry.get("time")) or received
        told = list(account.account_news(value, heard))
        number = identifier(obj(value.get("metadata")).get("phone_number_id"))
        found = [(kind, update) for kind in UPDATES for update in _items(value.get(kind))]
        ignored += 0 if found or told else 1
        for kind, update in found:
            report = statuses.report(update, received, number) if kind == "statuses" else None
            heard_of = list(_news(kind, update, value, heard))
            told += heard_of
            reports += [report] if report else []
            ignored += 0 if report or (heard_of and kind != "statuses") else 1
        told += filter(None, (acquaintance(inbound.person(one)) for one in objects(value.get("contacts"))))
        source = _source(entry, value)
        news |= dict.fromkeys(replace(one, source=source) for one in told)
    return WebhookUpdates(reports=reports, news=list(news), ignored=ignored if changes else 1)


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


def _news(kind: str, update: JsonObject, value: JsonObject, heard: datetime | None) -> Iterator[News]:
    """What one update tells besides the status of a message of ours."""
    match kind:
        case "messages":
            yield from inbound.message(update, value, heard)
        case "calls":
            yield from inbound.call(update, value, heard)
        case "user_preferences":
            yield from inbound.preference(update, heard)
        case "user_id_update":
            yield from inbound.user_id_update(update, heard)
        case _:
            known = acquaintance(inbound.recipient(update))
            if known is not None:
                yield known
