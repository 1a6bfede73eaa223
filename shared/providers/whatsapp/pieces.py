"""Cuts a webhook's body into documents that fit the status queue, each of the shape of a whole webhook."""

import json
from collections.abc import Collection, Iterator, Sequence

from shared.domain.json import JsonObject, JsonValue
from shared.domain.masking import blank_number_in_wamid
from shared.providers.answers import PIECE_BYTES, identifier, obj, objects, parse


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
