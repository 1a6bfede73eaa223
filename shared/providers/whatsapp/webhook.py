"""What Meta calls us with (reference/whatsapp.md, section 5): is it Meta, cut to size, and read.

Bodies come signed, batched (up to 1,000 updates, 3 MB), repeated for days and in any order, with fields that nobody
announced. Nothing here raises for any of them.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.domain.json import JsonObject, JsonValue
from shared.domain.masking import blank_number_in_wamid
from shared.domain.receipt import Attempt, StatusReport
from shared.domain.status import Status
from shared.providers.answers import identifier, integer, obj, objects, parse, text
from shared.providers.whatsapp.errors import error_from_code

PIECE_BYTES = 200_000
"""Several fit an SQS message (1 MiB at most) and several messages fit a batch."""

STATUSES = {
    "sent": Status.SENT,
    "delivered": Status.DELIVERED,
    "read": Status.READ,
    "played": Status.READ,
    "failed": Status.FAILED,
}
UPDATES = ("statuses", "messages")
"""The lists in a change's value whose elements are news: of messages sent, and messages received."""

_ATTEMPT = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([0-9]{1,4})")
_SECONDS = range(1_000_000_000, 10_000_000_000)
_MILLISECONDS = range(_SECONDS.start * 1000, _SECONDS.stop * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a document held. `ignored` counts every update that says nothing to us."""

    reports: list[StatusReport]
    ignored: int


def verified(body: bytes, signature_header: str | None, secrets: Sequence[str]) -> bool:
    """Whether X-Hub-Signature-256 is right for the raw bytes under one of the app secrets.

    Two are valid while one replaces the other. Without any secret nothing verifies: there is no unsigned mode, and an
    empty string is no secret, because anyone can sign with it.
    """
    given = (signature_header or "").encode("utf-8", "replace")
    expected = (hmac.new(secret.encode(), body, hashlib.sha256).hexdigest() for secret in secrets if secret)
    return any(hmac.compare_digest(f"sha256={digest}".encode(), given) for digest in expected)


def pieces(body: bytes) -> list[str]:
    """Documents of less than 200 kB that together hold the body's entries, each update once. Empty if it is not JSON.

    They are ASCII (SQS refuses some characters that JSON allows), and each has the shape of a whole webhook. An update
    that is too large by itself is left out: Meta's own limits keep every real one below 20 kB.
    """
    document = obj(parse(body))
    try:
        return list(_split(document)) if objects(document.get("entry")) else []
    except RecursionError:
        return []


def reports(document: str, *, received: datetime | None = None) -> Read:
    """Every status of every change of every entry. `received` stands in for an instant that cannot be read.

    Received messages, other fields and unknown statuses are counted as ignored.
    """
    found: list[StatusReport] = []
    changes = list(_changes(parse(document)))
    ignored = 0 if changes else 1
    for change in changes:
        value = obj(change.get("value"))
        updates = [(kind, update) for kind in UPDATES for update in _items(value.get(kind))]
        ignored += 0 if updates else 1
        for kind, update in updates:
            report = _report(obj(update), received) if kind == "statuses" else None
            if report is None:
                ignored += 1
            else:
                found.append(report)
    return Read(reports=found, ignored=ignored)


def _changes(document: JsonValue) -> Iterator[JsonObject]:
    for entry in objects(obj(document).get("entry")):
        yield from objects(entry.get("changes"))


def _items(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _report(status: JsonObject, received: datetime | None) -> StatusReport | None:
    """One status; None where it names no message, no status we know, or no instant."""
    moved = STATUSES.get(text(status.get("status")))
    attempt = _attempt(text(status.get("biz_opaque_callback_data")))
    message = identifier(status.get("id"))
    at = _instant(status.get("timestamp")) or received
    if moved is None or at is None or not (attempt or message):
        return None
    errors = objects(status.get("errors"))
    return StatusReport(
        attempt=attempt,
        provider_message_id=blank_number_in_wamid(message) if message else "",
        status=moved,
        at=at,
        error=error_from_code(errors[0].get("code") if errors else None) if moved is Status.FAILED else None,
    )


def _attempt(key: str) -> Attempt | None:
    """Our own callback key; anything else was sent by another program on the same number."""
    found = _ATTEMPT.fullmatch(key)
    return Attempt(message_id=found[1], number=int(found[2])) if found else None


def _instant(value: JsonValue) -> datetime | None:
    """Unix seconds, as a string or a number; some have come in milliseconds."""
    number = integer(value)
    if number is None:
        return None
    if number in _MILLISECONDS:
        number //= 1000
    return datetime.fromtimestamp(number, UTC) if number in _SECONDS else None


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
    """What else the value holds stays with the first half; its metadata and other plain facts with both."""
    lists = {name: items for name, items in value.items() if isinstance(items, list)}
    long = [name for name, items in lists.items() if len(items) > 1]
    name = max(long, key=lambda name: len(json.dumps(lists[name])), default="")
    halves = _halved(lists.get(name, []))
    shared = {key: item for key, item in value.items() if key not in lists}
    return [{**(shared if at else value), name: list(half)} for at, half in enumerate(halves)]


def _halved[T](items: Sequence[T]) -> list[Sequence[T]]:
    middle = len(items) // 2
    return [items[:middle], items[middle:]] if middle else []
