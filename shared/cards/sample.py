"""The card of a test send: a picture that needs no storage and shows nobody's data."""

import struct
import zlib

SAMPLE_CARD = "sample:card"
"""Its reference. No client can name it: planning takes `s3://` and `https://` only."""

_WIDTH, _HEIGHT, _BORDER = 600, 380, 24

_EDGE, _FACE = b"\x0b\x6e\x4f", b"\xf4\xf1\xe8"


def picture() -> bytes:
    """A PNG, 8-bit RGB, 600 x 380: a plain card with a green border."""
    edge_row = b"\0" + _EDGE * _WIDTH
    face_row = b"\0" + _EDGE * _BORDER + _FACE * (_WIDTH - 2 * _BORDER) + _EDGE * _BORDER
    rows = edge_row * _BORDER + face_row * (_HEIGHT - 2 * _BORDER) + edge_row * _BORDER
    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
