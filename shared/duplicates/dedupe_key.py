"""Which messages are one and the same message (api.md, Duplicates and messages already sent).

One phone may get several messages: brothers and sisters share it. So two rows of one phone are compared by what tells
cards apart. The same card code is one message. If either row has no code, the same enrolment is one. If either row has
neither, the same text and picture are one. If nothing can be compared, they are two.

A row leaves a mark for each of these three that it has. A mark *decides* for its row if the row has no better one. Two
rows are one message if they share a mark that decides for either of them.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.duplicates.dedupe_index import DedupeIndex, Print, number_of, row_in
from shared.duplicates.digests import DigestMap
from shared.messages.payload import Payload

_WIDTH = 16

_KEPT = 8
"""Bytes of a digest that are stored, as in a book of prints."""

_CODE, _ENROLLMENT, _CONTENT = range(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class DedupeKey:
    """What a message is recognised by. Keyed digests of 16 bytes: none of them leads to a number or a card."""

    code: bytes | None
    enrollment: bytes | None
    content: bytes

    @property
    def marks(self) -> tuple[Print, ...]:
        """One for each of the three that the message has, the best one first."""
        return tuple(mark for _, mark in _levels(self))

    @property
    def text(self) -> str:
        """The same for a table: 16 hex digits a mark, a `!` behind the one that decides."""
        return " ".join(mark.digest[:_KEPT].hex() + "!" * mark.decides for mark in self.marks)


def dedupe_key(person: str, card_code: str | None, enrollment_id: str | None, payload: Payload) -> DedupeKey:
    """The key of a message to `person`, the keyed hash of a number."""
    return DedupeKey(
        code=_digest(person, "code", card_code) if card_code else None,
        enrollment=_digest(person, "enrollment", enrollment_id) if enrollment_id else None,
        content=_digest(person, "content", _content(payload)),
    )


def marks_in(text: str) -> tuple[Print, ...]:
    """The marks of a key's text."""
    return tuple(Print(digest=bytes.fromhex(one.rstrip("!")), decides=one.endswith("!")) for one in text.split())


class AcceptedRows:
    """The accepted rows of a file, as far as duplicates are concerned: up to three digests a row, with its number.

    Of all rows that share a mark only the first one is looked at again: a mark that decides for a row makes every later
    row with the same mark a duplicate, so only the first row can have one that decides.
    """

    def __init__(self) -> None:
        self._first = (DigestMap(), DigestMap(), DigestMap())
        self._later = DedupeIndex()

    def take(self, key: DedupeKey, row: int) -> int | None:
        """Accept the row (None), or say which accepted row it is a duplicate of: the first one that matches.

        That one takes over the code of the duplicate if it has no code itself.
        """
        levels = _levels(key)
        match = min(self._matches(levels), default=None)
        if match is None:
            for level, mark in levels:
                self._note(level, mark, row)
            return None
        first, level = match
        if key.code is not None and level != _CODE:
            self._take_over(first, level, key)
        return first

    def _matches(self, levels: Sequence[tuple[int, Print]]) -> Iterator[tuple[int, int]]:
        """(row, level) of what the marks find."""
        for level, mark in levels:
            found = self._first[level].get(mark.digest)
            if found is not None:
                row, decides = row_in(found)
                if mark.decides or decides:
                    yield row, level

    def _note(self, level: int, mark: Print, row: int) -> None:
        known = self._first[level].get(mark.digest)
        if known is None:
            self._first[level].put(mark.digest, number_of(row, decides=mark.decides))
        else:
            self._later.add(mark, row)

    def _take_over(self, row: int, level: int, duplicate: DedupeKey) -> None:
        """From now on the row's code is the best that it has: its other mark no longer decides."""
        _, mark = next(one for one in _levels(duplicate) if one[0] == level)
        self._first[level].put(mark.digest, number_of(row, decides=False))
        code = Print(digest=duplicate.code or b"", decides=True)
        known = self._first[_CODE].get(code.digest)
        if known is None or row_in(known)[0] > row:
            self._first[_CODE].put(code.digest, number_of(row, decides=True))
            if known is not None:
                self._later.add(code, row_in(known)[0])
        else:
            self._later.add(code, row)

    def book(self) -> bytes:
        """All marks with their rows (`shared.duplicates.dedupe_index`). The rows themselves are forgotten as it is
        made, so that both never stand in memory at once."""
        for table in self._first:
            for digest, number in table.drain():
                row, decides = row_in(number)
                self._later.add(Print(digest=digest, decides=decides), row)
        return self._later.book()


def _levels(key: DedupeKey) -> list[tuple[int, Print]]:
    found = [
        (level, digest)
        for level, digest in ((_CODE, key.code), (_ENROLLMENT, key.enrollment), (_CONTENT, key.content))
        if digest is not None
    ]
    return [(level, Print(digest=digest, decides=not place)) for place, (level, digest) in enumerate(found)]


def _content(payload: Payload) -> str:
    """What the person gets: the text, the picture, and where a template's button leads."""
    button = payload.template.button.suffix if payload.template and payload.template.button else None
    return json.dumps([payload.text, payload.card_image, button])


def _digest(person: str, kind: str, value: str) -> bytes:
    return hashlib.sha256(f"{person}\n{kind}\n{value}".encode("utf-8", "surrogatepass")).digest()[:_WIDTH]
