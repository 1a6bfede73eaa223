"""Whether bytes are a whole PNG or JPEG picture: WhatsApp finds out too late, when the message already fails.

Only the standard library: Pillow would be the heaviest thing in the artefact. The structure is walked to its end, a
PNG's pixels are inflated and counted, so that a page of HTML, a cut download and a decompression bomb are all found.
"""

import re
import struct
import zlib
from collections.abc import Iterator

from shared.domain.errors import Kind, SendError

MAX_BYTES = 5 * 1024 * 1024
"""Meta's limit for an image (reference/whatsapp.md, "Limits")."""
MAX_PIXEL_BYTES = 128 * 1024 * 1024
"""A PNG that inflates to more is no card; 5 MB of zlib can hold 5 GB."""

PNG = "image/png"
JPEG = "image/jpeg"

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JPEG_SIGNATURE = b"\xff\xd8\xff"
_SIGNATURES = (_PNG_SIGNATURE, _JPEG_SIGNATURE, b"RIFF", b"GIF8", b"BM")
_PAGES = ("text/", "application/json", "application/xml", "application/xhtml", "application/problem")
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PNG_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Interlaced passes: first column, first row, column step, row step (PNG specification, 8.2)."""

# In the scan a 0xFF is data when 0x00, a restart marker or another 0xFF follows.
_JPEG_NEXT_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])", re.DOTALL)
_JPEG_FRAMES = {0xC0, 0xC1, 0xC2}
"""Baseline, extended and progressive Huffman: what phones and browsers show."""
_JPEG_START, _JPEG_END, _JPEG_SCAN, _JPEG_TABLES = 0xD8, 0xD9, 0xDA, 0xDB


def kind(content: bytes) -> str:
    """The media type of a whole picture: "image/png" or "image/jpeg".

    Raises `SendError` of kind recipient: `card_too_large` above 5 MB, `card_not_a_picture` for all else.
    """
    if len(content) > MAX_BYTES:
        raise SendError(Kind.RECIPIENT, "too_large", "card_too_large")
    if content.startswith(_PNG_SIGNATURE):
        _check_png(content)
        return PNG
    if content.startswith(_JPEG_SIGNATURE):
        _check_jpeg(content)
        return JPEG
    raise _no_picture("neither_png_nor_jpeg" if content else "empty")


def is_page(content: bytes, media_type: str = "") -> bool:
    """Whether a web server sent something else than the picture it was asked for: nothing, a page of HTML, an error as
    JSON. `media_type` is what the server calls it, which counts only where the bytes are no picture."""
    if content.startswith(_SIGNATURES):
        return False
    start = content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return start in (b"", b"<", b"{") or media_type.strip().lower().startswith(_PAGES)


def _no_picture(code: str) -> SendError:
    return SendError(Kind.RECIPIENT, code, "card_not_a_picture")


def _check_png(content: bytes) -> None:
    chunks = list(_png_chunks(content))
    name, header = chunks[0]
    if name != b"IHDR" or len(header) != 13:
        raise _no_picture("png_header")
    expected = _png_size(header)
    names = [name for name, _ in chunks]
    if header[9] == 3 and b"PLTE" not in names:
        raise _no_picture("png_palette")
    if names.count(b"IDAT") == 0:
        raise _no_picture("png_pixels")
    _inflate((data for name, data in chunks if name == b"IDAT" and data), expected)


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Every chunk up to IEND, its checksum verified."""
    view, at, name = memoryview(content), len(_PNG_SIGNATURE), b""
    while name != b"IEND":
        if at + 12 > len(view):
            raise _no_picture("png_cut")
        length, name = struct.unpack_from(">I4s", view, at)
        end = at + 8 + length
        if end + 4 > len(view):
            raise _no_picture("png_cut")
        if zlib.crc32(view[at + 4 : end]) != struct.unpack_from(">I", view, end)[0]:
            raise _no_picture("png_checksum")
        yield name, view[at + 8 : end]
        at = end + 4


def _png_size(header: memoryview) -> int:
    """How many bytes the pixels inflate to, each row with its filter byte."""
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", header)
    if not (0 < width < 2**31 and 0 < height < 2**31) or depth not in _PNG_DEPTHS.get(colour, ()):
        raise _no_picture("png_header")
    if compression or filtering or interlace > 1:
        raise _no_picture("png_header")
    bits, size = depth * _PNG_CHANNELS[colour], 0
    for column, row, column_step, row_step in _ADAM7 if interlace else ((0, 0, 1, 1),):
        columns, rows = -(-(width - column) // column_step), -(-(height - row) // row_step)
        if columns > 0 and rows > 0:
            size += rows * (1 + (columns * bits + 7) // 8)
    if size > MAX_PIXEL_BYTES:
        raise _no_picture("png_bomb")
    return size


def _inflate(parts: Iterator[memoryview], expected: int) -> None:
    """Count what comes out, a little at a time, and never more than `expected` and one."""
    inflater, size, rest = zlib.decompressobj(), 0, b""
    try:
        while size <= expected and not inflater.eof:
            rest = inflater.unconsumed_tail or bytes(next(parts, b""))
            more = inflater.decompress(rest, 1 << 16)
            size += len(more)
            if not rest and not more:
                break
    except zlib.error:
        raise _no_picture("png_pixels") from None
    if size != expected or not inflater.eof:
        raise _no_picture("png_pixels")


def _check_jpeg(content: bytes) -> None:
    seen: set[int] = set()
    at = 2
    while True:
        marker, at = _jpeg_marker(content, at)
        if marker == _JPEG_END:
            break
        body, at = _jpeg_segment(content, at)
        if marker in _JPEG_FRAMES:
            _check_jpeg_frame(body)
        if marker == _JPEG_SCAN:
            at = _skip_jpeg_scan(content, at, seen)
        seen.add(marker)
    if _JPEG_SCAN not in seen:
        raise _no_picture("jpeg_pixels")


def _jpeg_marker(content: bytes, at: int) -> tuple[int, int]:
    """The marker at `at` and where its segment begins; any number of 0xFF may stand before it."""
    if content[at : at + 1] != b"\xff":
        raise _no_picture("jpeg_cut" if at >= len(content) else "jpeg_marker")
    while content[at : at + 1] == b"\xff":
        at += 1
    if at >= len(content):
        raise _no_picture("jpeg_cut")
    if content[at] in {0x00, 0x01, _JPEG_START, *range(0xD0, 0xD8)}:
        raise _no_picture("jpeg_marker")
    return content[at], at + 1


def _jpeg_segment(content: bytes, at: int) -> tuple[bytes, int]:
    length = int.from_bytes(content[at : at + 2])
    if length < 2 or at + length > len(content):
        raise _no_picture("jpeg_cut")
    return content[at + 2 : at + length], at + length


def _check_jpeg_frame(body: bytes) -> None:
    if len(body) < 6:
        raise _no_picture("jpeg_frame")
    precision, height, width, components = struct.unpack_from(">BHHB", body)
    if precision not in (8, 12) or not (height and width) or components not in (1, 3, 4):
        raise _no_picture("jpeg_frame")
    if len(body) != 6 + 3 * components:
        raise _no_picture("jpeg_frame")


def _skip_jpeg_scan(content: bytes, at: int, seen: set[int]) -> int:
    """Where the next marker after the entropy-coded data stands."""
    if not seen & _JPEG_FRAMES or _JPEG_TABLES not in seen:
        raise _no_picture("jpeg_frame")
    found = _JPEG_NEXT_MARKER.search(content, at)
    if not found:
        raise _no_picture("jpeg_cut")
    if found.start() == at:
        raise _no_picture("jpeg_pixels")
    return found.start()
