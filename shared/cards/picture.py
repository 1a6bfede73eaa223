"""Checks that bytes are a whole PNG or JPEG picture. WhatsApp reports a bad picture too late: the message has failed
then.

The check reads the structure to its end, so it finds an HTML page and a cut download. It decompresses nothing, because
it runs on the sender's event loop, where the pixels of one card would delay all messages of the batch. It uses only the
standard library: Pillow would be the largest dependency of the function.
"""

import re
import struct
import zlib
from collections.abc import Iterator

from shared.messages.errors import Kind, SendError

MAX_BYTES = 5 * 1024 * 1024
"""Meta's limit for an image (reference/whatsapp.md, "Limits")."""

MOST_PIECES = 10_000
"""The most chunks (PNG) or segments (JPEG) that the check reads. Cameras and drawing programs write some hundreds."""

PNG = "image/png"

JPEG = "image/jpeg"

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

_JPEG_SIGNATURE = b"\xff\xd8\xff"

_SIGNATURES = (_PNG_SIGNATURE, _JPEG_SIGNATURE, b"RIFF", b"GIF8", b"BM")

_PAGES = ("text/", "application/json", "application/xml", "application/xhtml", "application/problem")

_PNG_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}

_PNG_PALETTE = 3
"""The colour type of a picture with a palette."""

# In the scan, a 0xFF is data if a 0x00, a restart marker or another 0xFF follows.
_JPEG_NEXT_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])", re.DOTALL)

_JPEG_FILL = re.compile(rb"\xff+")

_JPEG_FRAMES = {0xC0, 0xC1, 0xC2}
"""Baseline, extended and progressive Huffman: the kinds that phones and browsers show."""

_JPEG_START, _JPEG_END, _JPEG_SCAN, _JPEG_TABLES = 0xD8, 0xD9, 0xDA, 0xDB


def kind(content: bytes) -> str:
    """The media type of a whole picture: "image/png" or "image/jpeg".

    Raises `SendError` of kind recipient: `card_too_large` above 5 MB, `card_not_a_picture` for any other error.
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
    """Whether a web server sent something else than a picture: nothing, an HTML page, or an error as JSON.

    `media_type` is the server's Content-Type. It counts only if the bytes do not begin like a picture.
    """
    if content.startswith(_SIGNATURES):
        return False
    start = content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return start in (b"", b"<", b"{") or media_type.strip().lower().startswith(_PAGES)


def _no_picture(code: str) -> SendError:
    return SendError(Kind.RECIPIENT, code, "card_not_a_picture")


def _check_png(content: bytes) -> None:
    chunks = _png_chunks(content)
    name, header = next(chunks)
    if name != b"IHDR":
        raise _no_picture("png_header")
    colour = _png_colour(header)
    filled = {name for name, data in chunks if data}
    if colour == _PNG_PALETTE and b"PLTE" not in filled:
        raise _no_picture("png_palette")
    if b"IDAT" not in filled:
        raise _no_picture("png_pixels")


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """All chunks up to IEND. Their checksums are verified."""
    view, at = memoryview(content), len(_PNG_SIGNATURE)
    for _ in range(MOST_PIECES):
        if at + 12 > len(view):
            raise _no_picture("png_cut")
        length, name = struct.unpack_from(">I4s", view, at)
        end = at + 8 + length
        if end + 4 > len(view):
            raise _no_picture("png_cut")
        if zlib.crc32(view[at + 4 : end]) != struct.unpack_from(">I", view, end)[0]:
            raise _no_picture("png_checksum")
        yield name, view[at + 8 : end]
        if name == b"IEND":
            return
        at = end + 4
    raise _no_picture("png_chunks")


def _png_colour(header: memoryview) -> int:
    """The colour type. Raises `SendError` if a field of IHDR has a value that PNG does not allow."""
    if len(header) != 13:
        raise _no_picture("png_header")
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", header)
    if not (0 < width < 2**31 and 0 < height < 2**31) or depth not in _PNG_DEPTHS.get(colour, ()):
        raise _no_picture("png_header")
    if compression or filtering or interlace > 1:
        raise _no_picture("png_header")
    return int(colour)


def _check_jpeg(content: bytes) -> None:
    seen: set[int] = set()
    at = 2
    for _ in range(MOST_PIECES):
        marker, at = _jpeg_marker(content, at)
        if marker == _JPEG_END:
            break
        body, at = _jpeg_segment(content, at)
        if marker in _JPEG_FRAMES:
            _check_jpeg_frame(body)
        if marker == _JPEG_SCAN:
            at = _skip_jpeg_scan(content, at, seen)
        seen.add(marker)
    else:
        raise _no_picture("jpeg_segments")
    if _JPEG_SCAN not in seen:
        raise _no_picture("jpeg_pixels")


def _jpeg_marker(content: bytes, at: int) -> tuple[int, int]:
    """The marker at `at`, and the place where its segment begins. Any number of 0xFF may precede the marker."""
    fill = _JPEG_FILL.match(content, at)
    if fill is None:
        raise _no_picture("jpeg_cut" if at >= len(content) else "jpeg_marker")
    at = fill.end()
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
    """The place of the next marker after the entropy-coded data."""
    if not seen & _JPEG_FRAMES or _JPEG_TABLES not in seen:
        raise _no_picture("jpeg_frame")
    found = _JPEG_NEXT_MARKER.search(content, at)
    if not found:
        raise _no_picture("jpeg_cut")
    if found.start() == at:
        raise _no_picture("jpeg_pixels")
    return found.start()
