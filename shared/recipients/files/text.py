"""The lines of a text file in the encoding in which Excel, LibreOffice or Notepad saved it, in bounded memory.

A file is UTF-8 or UTF-16, with or without a byte order mark. Every other file is read as Windows-1252 (api.md, CSV).
UTF-8 and Windows-1252 agree on ASCII, so the block that begins with the first other character decides.
"""

import codecs
import io
import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Self, override

from shared.campaigns.stored_content import Readable
from shared.recipients.files.cells import LONGEST_ROW
from shared.recipients.files.unreadable import UnreadableFileError, not_this_format

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


_BLOCK = 256 * 1024

_HEAD = 256
"""Bytes that are enough to recognise UTF-16."""

_DAMAGE = b"\xff"
"""This byte is never valid UTF-8. It replaces a byte that cannot be decoded, so that its line is known."""

_ESCAPED = re.compile("[\udc80-\udcff]")
"""What Python makes of such a byte (surrogateescape)."""

_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}

_UTF_32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)

_DOS_OR_MAC = b"\x81\x82\x83\x84\x86\x87\x88\x89\x8a\x8b\x8d\x8e\x8f\x90\x98\x99\x9a\x9b\x9d\x9e\x9f"
"""Bytes that are accented letters where Excel saved "CSV (MS-DOS)" or "CSV (Macintosh)". In Windows-1252 they are signs
that stand in no name, or nothing at all."""

_ACCENTED = bytes(range(0xC0, 0x100))
"""The accented letters of Windows-1252."""

_BEYOND_ASCII = re.compile("[^\x00-\x7f]")


class Lines:
    """Lines with their line ends. `number`: the number of the last line in the file, from 1.

    `taken`: the number of characters since `begin_row`, so the length of the row so far.
    """

    def __init__(self, utf_8: Iterable[bytes]) -> None:
        self._text = io.TextIOWrapper(buffered(utf_8), encoding="utf-8", errors="surrogateescape", newline="")
        self._ahead: deque[str] = deque()
        self._row = 1
        self.taken = 0
        self.number = 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        """Raises UnreadableFileError for a row that is too long and for bytes that are no characters."""
        line = self._ahead.popleft() if self._ahead else self._text.readline(LONGEST_ROW + 1)
        if not line:
            raise StopIteration
        self.number += 1
        self.taken += len(line)
        if self.taken > LONGEST_ROW:
            raise self._endless(line)
        if not line.isascii() and _ESCAPED.search(line):
            raise UnreadableFileError("encoding_unknown", line=self.number)
        return line

    def begin_row(self) -> int:
        """Say that the next line is the first of a row. Returns the line's number."""
        self.taken, self._row = 0, self.number + 1
        return self._row

    def put_back(self, lines: Iterable[str]) -> None:
        """Give these lines again, before the rest of the file."""
        again = list(lines)
        self._ahead.extendleft(reversed(again))
        self.number -= len(again)

    def _endless(self, line: str) -> UnreadableFileError:
        if len(line) > LONGEST_ROW:
            return not_this_format("line_too_long", line=self.number)
        return UnreadableFileError("quote_unclosed", line=self._row)


class _Blocks(io.RawIOBase):
    """Blocks of bytes as a raw file, which the standard library's readers need."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._rest = b""

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer)
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = block
        taken, self._rest = self._rest[: len(view)], self._rest[len(view) :]
        view[: len(taken)] = taken
        return len(taken)


class Refilled:
    """A file whose first bytes were read already: it gives them again."""

    def __init__(self, head: bytes, file: Readable) -> None:
        self._head = head
        self._file = file

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes; empty at the end."""
        if not self._head:
            return self._file.read(size)
        wanted = len(self._head) if size < 0 else size
        head, self._head = self._head[:wanted], self._head[wanted:]
        return head


def buffered(blocks: Iterable[bytes]) -> io.BufferedReader:
    """The blocks as a file."""
    return io.BufferedReader(_Blocks(iter(blocks)), _BLOCK)


def fill(file: Readable, size: int) -> bytes:
    """The next `size` bytes, fewer only at the end: a network gives them in pieces."""
    pieces, wanted = [], size
    while wanted and (piece := file.read(wanted)):
        pieces.append(piece)
        wanted -= len(piece)
    return b"".join(pieces)


def _rest_of(file: Readable) -> Iterator[bytes]:
    while block := file.read(_BLOCK):
        yield block


def utf_8(file: Readable) -> Iterator[bytes]:
    """A file that has to be UTF-8, without its byte order mark."""
    yield fill(file, len(codecs.BOM_UTF8)).removeprefix(codecs.BOM_UTF8)
    yield from _rest_of(file)


def utf_8_of(file: Readable) -> Iterator[bytes]:
    """A file of any encoding in UTF-8, without its byte order mark."""
    head = fill(file, _HEAD)
    if head.startswith(_UTF_32):
        yield _DAMAGE
        return
    mark = next((mark for mark in _MARKS if head.startswith(mark)), b"")
    encoding = _MARKS[mark] if mark else _unmarked_utf_16(head)
    head = head.removeprefix(mark)
    if encoding == "utf-8":
        yield head
        yield from _rest_of(file)
    elif encoding is not None:
        yield from _decoded(head, file, encoding)
    else:
        yield from _eight_bits(head, file)


def _unmarked_utf_16(head: bytes) -> str | None:
    """The kind of UTF-16, by its zero bytes: separators, digits and plain letters have one. None: it is not UTF-16."""
    first, second = head[::2].count(0), head[1::2].count(0)
    if max(first, second) * 10 <= len(head):
        return None
    return "utf-16-be" if first > second else "utf-16-le"


def _eight_bits(block: bytes, file: Readable) -> Iterator[bytes]:
    while block.isascii():
        yield block
        block = file.read(_BLOCK)
        if not block:
            return
    more = fill(file, _BLOCK)
    block += more
    if _is_utf_8(block, whole=len(more) < _BLOCK):
        yield block
        yield from _rest_of(file)
    elif _is_dos_or_mac(block):
        yield block[: next(place for place, byte in enumerate(block) if byte > 127)]
        yield _DAMAGE
    else:
        yield from _decoded(block, file, "cp1252")


def _is_utf_8(block: bytes, *, whole: bool) -> bool:
    """Whether most of the block is UTF-8. A few damaged bytes do not make it another encoding, because then every name
    would be wrong.

    `whole`: nothing follows the block. Otherwise its last character may be cut.
    """
    try:
        codecs.getincrementaldecoder("utf-8")().decode(block, final=whole)
    except UnicodeDecodeError:
        text = block.decode("utf-8", "surrogateescape")
        broken = len(_ESCAPED.findall(text))
        return len(_BEYOND_ASCII.findall(text)) >= 2 * broken
    return True


def _is_dos_or_mac(block: bytes) -> bool:
    return _count(block, _DOS_OR_MAC) > _count(block, _ACCENTED)


def _count(block: bytes, of: bytes) -> int:
    return len(block) - len(block.translate(None, of))


def _decoded(block: bytes, file: Readable, encoding: str) -> Iterator[bytes]:
    """The same text in UTF-8, up to the first damaged byte."""
    decoder = codecs.getincrementaldecoder(encoding)()
    while True:
        try:
            yield decoder.decode(block, final=not block).encode()
        except UnicodeDecodeError as error:
            yield error.object[: error.start].decode(encoding).encode()
            yield _DAMAGE
            return
        if not block:
            return
        block = file.read(_BLOCK)
