"""DHIS2's tracker JSON, one tracked entity or enrollment at a time (reference/dhis2.md).

Read event by event: what is held at once is one entity, whatever the file holds, however deep it is nested and however
long a string in it is.
"""

import re
from collections.abc import Iterator
from io import BufferedReader

import ijson

from shared.base.json import NO_CHARACTER, JsonObject, JsonValue

_LISTS = frozenset({"trackedEntities", "enrollments", "instances"})
"""The envelopes' lists; `instances` is that of 2.40 and older."""

_IDENTITIES = frozenset({"trackedEntity", "enrollment"})
"""What a bare tracked entity or enrollment has, and an envelope has not."""

_DEEPEST = 64

_LONGEST = 200_000
"""Parser events of one value: far beyond any entity with all its events, and some tens of megabytes."""

_LARGEST = 4 * 1024 * 1024
"""Bytes of one value, or of all that stands before the list."""

_BLOCK = 64 * 1024

_MARK = b"\xef\xbb\xbf"

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u(?P<half>[dD][89a-fA-F][0-9a-fA-F]{2})|.?)",
    re.DOTALL,
)

_LONGEST_ESCAPE = 12
"""Bytes of a surrogate pair."""

_NO_CHARACTER = f"\\u{ord(NO_CHARACTER):04x}".encode()

type _Event = tuple[str, str | int | float | bool | None]


class TrackerError(Exception):
    """Not what DHIS2's tracker answers. Holds nothing of the file."""


class _Measured:
    """The file as the parser reads it, which takes a block when it has told all of the one before.

    A string is held whole until its end. One that never ends is seen by the parser's silence.
    """

    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        head = file.read(len(_MARK))
        self._remaining = b"" if head == _MARK else head
        self.taken = 0
        self.silent = 0

    def read(self, size: int) -> bytes:
        """The next block, half surrogate pairs replaced: the parser takes them for other characters, or fails."""
        while size:  # the parser asks for no bytes once, to see what kind they are
            block = self._file.read(size)
            self.taken += len(block)
            self.silent += len(block)
            if self.silent > _LARGEST:
                raise TrackerError("one value is too long")
            text = self._remaining + block
            end = _end_of_escapes(text) if block else len(text)
            self._remaining = text[end:]
            if end or not block:
                return _ESCAPE.sub(lambda escape: _NO_CHARACTER if escape["half"] else escape[0], text[:end])
        return b""


def _end_of_escapes(text: bytes) -> int:
    """Up to where `text` cuts no escape. What comes after it may be the beginning of one."""
    if b"\\" in text[1 - _LONGEST_ESCAPE :]:
        latest = len(text) - _LONGEST_ESCAPE
        return next((one.start() for one in _ESCAPE.finditer(text) if one.start() > latest), len(text))
    return len(text)


def entities(file: BufferedReader) -> Iterator[tuple[JsonValue, int]]:
    """The entries of an envelope's list, or the bare object of GET /trackedEntities/{uid}, as they stand.

    Each with the bytes that were read for it, to a block. Raises TrackerError, also in the middle.
    """
    measured = _Measured(file)
    try:
        events = _events(measured)
        if next(events) != ("start_map", None):
            raise TrackerError("no object")
        began = 0
        for value in _members(events, measured):
            yield value, measured.taken - began
            began = measured.taken
        for _ in events:  # what stands after the object is refused by the parser
            pass
    except (ijson.JSONError, UnicodeDecodeError) as error:
        raise TrackerError(type(error).__name__) from None


def _events(measured: _Measured) -> Iterator[_Event]:
    for event in ijson.basic_parse(measured, use_float=True, buf_size=_BLOCK):
        measured.silent = 0
        yield event


def _members(events: Iterator[_Event], measured: _Measured) -> Iterator[JsonValue]:
    bare: JsonObject = {}
    enveloped = False
    for event, name in events:
        if event == "end_map":
            break
        first = next(events)
        if name in _LISTS and first[0] == "start_array" and not _IDENTITIES & bare.keys():
            enveloped = True
            yield from _entries(events, measured)
            continue
        value = _value(first, events, measured)
        if enveloped and name in _IDENTITIES:
            raise TrackerError("the enrollments of an entity stand before it")
        if not enveloped:
            if measured.taken > _LARGEST + _BLOCK or len(bare) == _LONGEST:
                raise TrackerError("no list of tracked entities or enrollments at the beginning")
            bare[str(name)] = value
    if _IDENTITIES & bare.keys():
        yield bare
    elif not enveloped:
        raise TrackerError("no list of tracked entities or enrollments")


def _entries(events: Iterator[_Event], measured: _Measured) -> Iterator[JsonValue]:
    for event in events:
        if event[0] == "end_array":
            return
        yield _value(event, events, measured)


def _value(first: _Event, events: Iterator[_Event], measured: _Measured) -> JsonValue:
    """The value that begins with `first`."""
    builder = ijson.ObjectBuilder()
    event, depth, length, most = first, 0, 0, measured.taken + _LARGEST
    while True:
        builder.event(*event)
        length += 1
        depth += event[0] in ("start_map", "start_array")
        depth -= event[0] in ("end_map", "end_array")
        if depth == 0:
            value: JsonValue = builder.value
            return value
        if depth > _DEEPEST or length > _LONGEST or measured.taken > most:
            raise TrackerError("one entity is too deep or too long")
        event = next(events)
