import ast
import io
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from shared.cards import picture as picture_module
from shared.cards.picture import MAX_BYTES, MOST_PIECES, kind
from shared.messages.errors import Kind, SendError

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def picture(form: str, mode: str = "RGB", size: tuple[int, int] = (37, 23), **options: object) -> bytes:
    image = Image.effect_noise(size, 60).convert(mode)
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, pixels: bytes, *, interlace: int = 0, colour: int = 0) -> bytes:
    return packed(zlib.compress(pixels), width, height, interlace=interlace, colour=colour)


def packed(data: bytes, width: int = 5, height: int = 3, *, interlace: int = 0, colour: int = 0) -> bytes:
    """A PNG whose IDAT holds these bytes."""
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, interlace)
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def refused(content: bytes) -> str:
    with pytest.raises(SendError) as caught:
        kind(content)
    assert caught.value.kind is Kind.RECIPIENT
    return caught.value.reason


# Passes of 5 × 3: 1×1, 1×1, none, 1×1, 3×1, 2×2 and 5×1, each row with its filter byte.
INTERLACED = png(5, 3, b"\0" * (2 + 2 + 2 + 4 + 6 + 6), interlace=1)
PNG, JPEG = picture("PNG"), picture("JPEG", quality=80)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PNG, "image/png"),
        *[(picture("PNG", mode), "image/png") for mode in ("1", "L", "LA", "P", "RGBA")],
        (picture("PNG", size=(1, 1)), "image/png"),
        (picture("PNG", size=(700, 500)), "image/png"),
        (INTERLACED, "image/png"),
        (PNG + b"trailing", "image/png"),
        (JPEG, "image/jpeg"),
        (picture("JPEG", "L"), "image/jpeg"),
        (picture("JPEG", "CMYK"), "image/jpeg"),
        (picture("JPEG", progressive=True, size=(300, 200)), "image/jpeg"),
        (picture("JPEG", optimize=True, quality=100, subsampling=0), "image/jpeg"),
        (picture("JPEG", exif=b"Exif\0\0" + b"\xff\xd9" * 20), "image/jpeg"),
        (picture("JPEG", restart_marker_blocks=2, size=(200, 200)), "image/jpeg"),
        (JPEG + b"\0trailer", "image/jpeg"),
        (JPEG[:2] + b"\xff" * 4_000_000 + JPEG[3:], "image/jpeg"),  # fill bytes before a marker are allowed
        (SIGNATURE + PNG[8:33] + chunk(b"tEXt", b"a\0b") * (MOST_PIECES - 3) + PNG[33:], "image/png"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)} bytes",
)
def test_valid_pictures(content: bytes, media_type: str) -> None:
    assert kind(content) == media_type


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<!doctype html><title>Not found</title>",
        b"GIF89a\x01\x00\x01\x00\x00\x00\x00;",
        SIGNATURE,
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xe0" + b"<html>" * 40,
        png(0, 3, b""),
        packed(b""),
        png(5, 3, b"\0" * 18, colour=3),  # a palette picture without its palette
        png(5, 3, b"\0" * 18, colour=5),
        png(5, 3, b"\0" * 18, interlace=2),
        SIGNATURE + chunk(b"IEND", b""),
        SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 5, 3, 8, 0, 0, 0, 0)) + chunk(b"IEND", b""),
        PNG.replace(b"IDAT", b"IDAX", 1),
        PNG[:-30] + b"\0" + PNG[-29:],
        JPEG[:2] + JPEG[-2:],
        JPEG.replace(b"\xff\xc0", b"\xff\xc9", 1),
        SIGNATURE + PNG[8:33] + chunk(b"tEXt", b"") * MOST_PIECES + PNG[33:],
        JPEG[:2] + b"\xff\xfe\0\2" * MOST_PIECES + JPEG[2:],
    ],
    ids=lambda value: f"{len(value)} bytes",
)
def test_invalid_pictures(content: bytes) -> None:
    assert refused(content) == "card_not_a_picture"


@pytest.mark.parametrize("make", [lambda: PNG, lambda: JPEG, lambda: picture("JPEG", progressive=True)])
def test_every_truncation_is_found(make: Callable[[], bytes]) -> None:
    whole = make()
    for length in range(len(whole)):
        assert refused(whole[:length]) == "card_not_a_picture"


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_never_raises_anything_else(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from([PNG, JPEG])))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(SendError):
        assert kind(bytes(content)) in {"image/png", "image/jpeg"}


def test_a_changed_pixel_of_a_png_is_found() -> None:
    at = PNG.index(b"IDAT") + 40
    assert refused(PNG[:at] + bytes([PNG[at] ^ 1]) + PNG[at + 1 :]) == "card_not_a_picture"


def test_five_megabytes() -> None:
    assert kind(PNG + b"\0" * (MAX_BYTES - len(PNG))) == "image/png"
    assert refused(PNG + b"\0" * (MAX_BYTES - len(PNG) + 1)) == "card_too_large"


def test_pillow_agrees_on_the_interlaced_one() -> None:
    Image.open(io.BytesIO(INTERLACED)).load()


BOMB = png(40_000, 40_000, b"\0" * 100_000_000)
"""Small as a file, 1.6 GB as pixels."""


@pytest.mark.parametrize("content", [BOMB, packed(b"no zlib"), packed(b"\xff" * 4_000_000)], ids=["bomb", "7", "4 MB"])
def test_nothing_is_decompressed(content: bytes) -> None:
    """Pixels are not decompressed, because they may be broken or inflate to gigabytes. Meta checks them and reports."""
    assert kind(content) == "image/png"


def test_the_module_imports_no_decompression() -> None:
    tree = ast.parse(Path(picture_module.__file__).read_text(encoding="utf-8"))
    of_zlib = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "zlib"
    }
    imported = {
        name.name for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom) for name in node.names
    }
    assert of_zlib == {"crc32"}
    assert imported == {"re", "struct", "zlib", "Iterator", "Kind", "SendError"}


def test_memory_does_not_grow_with_the_pixels() -> None:
    tracemalloc.start()
    try:
        kind(BOMB)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000
