"""DHIS2's tracker JSON, one tracked entity or enrollment at a time (reference/dhis2.md): an answer of its API, the bare
object of one entity, several of them one after the other (pages that were joined), or an array of them.

Read event by event: at most one entity is held in memory, also if the file is deeply nested or has an endless string.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BufferedReader

import ijson

from shared.base.json import NO_CHARACTER, JsonObject, JsonValue

_LISTS = frozenset({"trackedEntities", "enrollments", "instances"})
"""The envelopes' lists; `instances` is that of 2.40 and older."""

_IDENTITIES = frozenset({"trackedEntity", "enrollment", "attributes", "trackedEntityType", "orgUnit", "createdAt"})
"""What a bare tracked entity or enrollment has, and an envelope has not."""

_PAGER = frozenset({"page", "pageCount", "total", "nextPage", "isLastPage"})
"""What tells of pages: in `pager`, or beside the list."""

_DEEPEST = 64

_LONGEST = 200_000
"""Parser events of one value: far beyond any entity with all its events, and some tens of megabytes."""

_LARGEST = 4 * 1024 * 1024
"""Bytes of one value, or of all that stands before the list."""

_BLOCK = 64 * 1024

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u(?P<half>[dD][89a-fA-F][0-9a-fA-F]{2})|.?)",
    re.DOTALL,
)

_LONGEST_ESCAPE = 12
"""Bytes of a surrogate pair."""

_NO_CHARACTER = f"\\u{ord(NO_CHARACTER):04x}".encode()

type _Event = tuple[str, str | int | float | bool | None]


class TrackerError(Exception):
    """Not what DHIS2's tracker answers: `why` is a word of `shared.api.texts`. Holds nothing of the file."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(slots=True, kw_only=True)
class Pages:
    """What the pagers of a file say of the whole list."""

    entities: int = 0
    """Read from the lists of pages."""
    total: int | None = None
    _page_count: int = 0
    _numbers: set[int] = field(default_factory=set)
    _last: int = 0
    _goes_on: bool = False

    def add(self, pager: JsonObject) -> None:
        """A page has been read."""
        total, page_count, page = (_whole(pager.get(name)) for name in ("total", "pageCount", "page"))
        if total is not None:
            self.total = max(total, self.total or 0)
        self._page_count = max(self._page_count, page_count or 0)
        if page is not None:
            self._numbers.add(page)
        if (page or 0) >= self._last:
            self._last = page or 0
            self._goes_on = bool(pager.get("nextPage")) or pager.get("isLastPage") is False

    @property
    def are_missing(self) -> bool:
        """Whether DHIS2 had more than the file holds."""
        if self.total is not None:
            return self.entities < self.total
        return len(self._numbers) < self._page_count or self._goes_on


def _whole(value: JsonValue) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


class _Measured:
    """The file as the parser reads it: a block at a time, the next one when all of the last one was reported.

    A string is held whole until its end. One that never ends is seen by the parser's silence.
    """

    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        self._remaining = b""
        self.taken = 0
        self.silent = 0
        self.has_begun = False

    def read(self, size: int) -> bytes:
        """The next block, half surrogate pairs replaced: the parser takes them for other characters, or fails."""
        while size:  # the parser asks for no bytes once, to see what kind they are
            block = self._file.read(size)
            self.taken += len(block)
            self.silent += len(block)
            if self.silent > _LARGEST:
                raise TrackerError("entity_too_large")
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


def entities(file: BufferedReader, pages: Pages) -> Iterator[tuple[JsonValue, int]]:
    """The entries of the answers' lists, and the bare objects of GET /trackedEntities/{uid}, as they stand.

    `file`: UTF-8 without a byte order mark. Each entry comes with the bytes that were read for it, to a block. `pages`
    gets each page. Raises TrackerError, also in
    the middle.
    """
    measured = _Measured(file)
    try:
        events = _events(measured)
        began = 0
        for first in events:
            for value in _values(first, events, measured, pages):
                yield value, measured.taken - began
                began = measured.taken
    except (ijson.JSONError, UnicodeDecodeError):
        raise TrackerError("json_broken" if measured.has_begun else "not_json") from None


def _events(measured: _Measured) -> Iterator[_Event]:
    for event in ijson.basic_parse(measured, use_float=True, buf_size=_BLOCK, multiple_values=True):
        measured.silent = 0
        measured.has_begun = True
        yield event


def _values(
    first: _Event, events: Iterator[_Event], measured: _Measured, pages: Pages, *, in_array: bool = False
) -> Iterator[JsonValue]:
    """What the value that begins with `first` holds."""
    if first[0] == "start_map":
        yield from _members(events, measured, pages)
    elif first[0] == "start_array" and not in_array:
        for event in events:
            if event[0] == "end_array":
                return
            yield from _values(event, events, measured, pages, in_array=True)
    elif in_array:
        yield _value(first, events, measured)
    else:
        raise TrackerError("not_dhis2")


def _members(events: Iterator[_Event], measured: _Measured, pages: Pages) -> Iterator[JsonValue]:
    bare: JsonObject = {}
    pager: JsonObject = {}
    enveloped, most = False, measured.taken + _LARGEST + _BLOCK
    for event, name in events:
        if event == "end_map":
            break
        first = next(events)
        if name in _LISTS and first[0] == "start_array" and not _IDENTITIES & bare.keys():
            enveloped = True
            for entry in _entries(events, measured):
                pages.entities += 1
                yield entry
            continue
        value = _value(first, events, measured)
        pager |= _of_pager(str(name), value)
        if enveloped and name in _IDENTITIES:
            raise TrackerError("enrollments_first")
        if not enveloped:
            if measured.taken > most or len(bare) == _LONGEST:
                raise TrackerError("not_dhis2")
            bare[str(name)] = value
    if _IDENTITIES & bare.keys():
        yield bare
    elif enveloped:
        pages.add(pager)
    else:
        raise TrackerError("not_dhis2")


def _of_pager(name: str, value: JsonValue) -> JsonObject:
    if name == "pager" and isinstance(value, dict):
        return {name: value[name] for name in _PAGER & value.keys()}
    return {name: value} if name in _PAGER else {}


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
            raise TrackerError("entity_too_large")
        event = next(events)
