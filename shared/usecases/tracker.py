"""DHIS2's tracker JSON, one tracked entity or enrollment at a time (reference/dhis2.md).

Read event by event: what is held at once is one entity, whatever the file holds and however deep it is nested.
"""

from collections.abc import Iterator
from typing import BinaryIO

import ijson

from shared.domain.json import JsonObject, JsonValue

_LISTS = frozenset({"trackedEntities", "enrollments", "instances"})
"""The envelopes' lists; `instances` is that of 2.40 and older."""
_IDENTITIES = frozenset({"trackedEntity", "enrollment"})
"""What a bare tracked entity or enrollment has, and an envelope has not."""
_DEEPEST = 64
_LONGEST = 200_000
"""Parser events of one value: far beyond any entity with all its events, and some tens of megabytes."""

type _Event = tuple[str, str | int | float | bool | None]


class TrackerError(Exception):
    """Not what DHIS2's tracker answers. Holds nothing of the file."""


def entities(file: BinaryIO) -> Iterator[JsonValue]:
    """The entries of an envelope's list, or the bare object of GET /trackedEntities/{uid}, as they stand.

    Raises TrackerError, also in the middle.
    """
    try:
        events: Iterator[_Event] = ijson.basic_parse(file, use_float=True)
        if next(events) != ("start_map", None):
            raise TrackerError("no object")
        yield from _members(events)
        for _ in events:  # what stands after the object is refused by the parser
            pass
    except ijson.JSONError as error:
        raise TrackerError(type(error).__name__) from None


def _members(events: Iterator[_Event]) -> Iterator[JsonValue]:
    bare: JsonObject = {}
    enveloped = False
    for event, name in events:
        if event == "end_map":
            break
        first = next(events)
        if name in _LISTS and first[0] == "start_array" and not _IDENTITIES & bare.keys():
            enveloped = True
            yield from _entries(events)
            continue
        value = _value(first, events)
        if enveloped and name in _IDENTITIES:
            raise TrackerError("the enrollments of an entity stand before it")
        if not enveloped and len(bare) < _LONGEST:
            bare[str(name)] = value
    if _IDENTITIES & bare.keys():
        yield bare
    elif not enveloped:
        raise TrackerError("no list of tracked entities or enrollments")


def _entries(events: Iterator[_Event]) -> Iterator[JsonValue]:
    for event in events:
        if event[0] == "end_array":
            return
        yield _value(event, events)


def _value(first: _Event, events: Iterator[_Event]) -> JsonValue:
    """The value that begins with `first`."""
    builder = ijson.ObjectBuilder()
    event, depth, length = first, 0, 0
    while True:
        builder.event(*event)
        length += 1
        depth += event[0] in ("start_map", "start_array")
        depth -= event[0] in ("end_map", "end_array")
        if depth == 0:
            value: JsonValue = builder.value
            return value
        if depth > _DEEPEST or length > _LONGEST:
            raise TrackerError("one entity is too deep or too long")
        event = next(events)
