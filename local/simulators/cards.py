"""Digital health cards as pictures. They are drawn from the card's code, always the same, and show no real person."""

import functools
import hashlib
import io
import re
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from local.simulators.settings import Settings

SIZE = (600, 380)
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")

_INK, _PALE, _PAPER = (24, 40, 48), (226, 238, 234), (250, 252, 251)
_THEMES = {
    "VAC": ("CARNET DE VACCINATION", (0, 121, 107)),
    "NUT": ("CARTE DE NUTRITION", (198, 106, 0)),
    "ASM": ("CARTE D'ASSURANCE MALADIE", (26, 82, 153)),
}
_FALLBACK = ("CARTE SANITAIRE", (94, 53, 138))
# No accents: Pillow's own font has none, and a font of the machine would draw other bytes on other machines.
_FIRST = ("Awa", "Koffi", "Fatou", "Moussa", "Aminata", "Yao", "Mariam", "Adama", "Salma", "Issa", "Hasina", "Nour")
_LAST = ("Exemple", "Fictif", "Essai", "Specimen", "Demo", "Patron")


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


@functools.cache
def _blank(title: str, colour: tuple[int, int, int]) -> Image.Image:
    """The card without a person's data. It is cached, because drawing it is most of the work."""
    card = Image.new("RGB", SIZE, _PAPER)
    pen = ImageDraw.Draw(card)
    pen.rectangle((0, 0, SIZE[0], 76), fill=colour)
    pen.text((28, 14), title, fill=_PAPER, font=_font(26))
    pen.text((28, 48), "Oomus CampaignID - SPECIMEN", fill=_PALE, font=_font(14))
    pen.rounded_rectangle((28, 104, 148, 252), radius=8, fill=_PALE, outline=colour, width=2)
    pen.ellipse((62, 126, 114, 178), fill=colour)
    pen.pieslice((44, 186, 132, 286), 180, 360, fill=colour)
    for row, label in enumerate(("Nom", "Autre nom", "Naissance", "Code")):
        pen.text((172, 104 + 40 * row), label, fill=colour, font=_font(13))
    pen.line((28, 300, SIZE[0] - 28, 300), fill=colour, width=2)
    pen.text((28, 316), "Carte fictive, pour les essais seulement.", fill=_INK, font=_font(15))
    return card


def _squares(pen: ImageDraw.ImageDraw, digest: bytes) -> None:
    """Draw a square pattern that differs from card to card. It encodes nothing."""
    bits = int.from_bytes(digest, "big")
    for place in range(13 * 13):
        if bits >> place & 1:
            x, y = 424 + place % 13 * 10, 108 + place // 13 * 10
            pen.rectangle((x, y, x + 9, y + 9), fill=_INK)


@functools.lru_cache(maxsize=512)
def draw(code: str) -> bytes:
    """Draw the card as a PNG of 600 × 380, 8-bit RGB."""
    digest = hashlib.sha256(code.encode()).digest()
    parts = code.upper().split("-")
    title, colour = next((_THEMES[part] for part in parts if part in _THEMES), _FALLBACK)
    card = _blank(title, colour).copy()
    pen = ImageDraw.Draw(card)
    born = f"{1 + digest[2] % 28:02}/{1 + digest[3] % 12:02}/{1950 + digest[4] % 75}"
    values = (_LAST[digest[0] % len(_LAST)], _FIRST[digest[1] % len(_FIRST)], born, code)
    for row, value in enumerate(values):
        pen.text((172, 119 + 40 * row), value, fill=_INK, font=_font(18))
    _squares(pen, digest)
    return _png(card)


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=1)
    return out.getvalue()


def _noise() -> bytes:
    """A picture of more than 5 MB: noise does not compress."""
    seed = hashlib.sha256(b"huge").digest()
    return _png(Image.frombytes("RGB", (1500, 1500), hashlib.shake_128(seed).digest(1500 * 1500 * 3)))


def _garbled() -> bytes:
    """A complete PNG with correct checksums whose pixels cannot be inflated. Only decoding it shows the damage."""
    whole = draw("GARBLED")
    at = whole.index(b"IDAT") + 4
    length = int.from_bytes(whole[at - 8 : at - 4])
    pixels = b"\xff" * length
    checksum = zlib.crc32(b"IDAT" + pixels).to_bytes(4)
    return whole[:at] + pixels + checksum + whole[at + length + 4 :]


SPECIAL: Mapping[str, Callable[[], bytes]] = {
    "broken": lambda: b"Ceci n'est pas une image.",
    "truncated": lambda: draw("TRUNCATED")[:2000],
    "garbled": _garbled,
    "palette": lambda: _png(Image.new("P", SIZE, 7)),
    "grey16": lambda: _png(Image.new("I;16", SIZE, 500)),
    "huge": _noise,
}
"""Names of cards that give another picture or damaged bytes."""

_EXPIRED = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
_LOGIN = "<!DOCTYPE html><html><head><title>Connexion</title></head><body><form>Mot de passe</form></body></html>"
REFUSALS: Mapping[str, Callable[[], Response]] = {
    "missing": lambda: PlainTextResponse("no such card", 404),
    "gone": lambda: PlainTextResponse("no longer there", 410),
    "forbidden": lambda: Response(_EXPIRED, 403, media_type="application/xml"),
    "redirect": lambda: RedirectResponse("/cards/page.png", 302),
    "page": lambda: HTMLResponse(_LOGIN),
    "down": lambda: HTMLResponse("<html><h1>503 Service Unavailable</h1></html>", 503),
}
"""Answers that refuse a card. A card's name chooses one, or the setting `cards` for all cards of a host."""


class Cards:
    """GET /cards/<code>.png. If `folder` is given, its files come first."""

    def __init__(self, folder: Path | None, settings: Settings) -> None:
        self._folder = folder
        self._settings = settings

    async def serve(self, request: Request) -> Response:
        code: str = request.path_params["code"]
        host = request.headers.get("host", "").partition(":")[0]
        refusal = REFUSALS.get(self._settings.cards.get(host, ""), REFUSALS.get(code))
        if refusal is not None:
            return refusal()
        if not CODE.fullmatch(code):
            return REFUSALS["missing"]()
        content = self._content(code)
        return Response(content, media_type="image/png", headers={"ETag": f'"{hashlib.sha256(content).hexdigest()}"'})

    def _content(self, code: str) -> bytes:
        if self._folder is not None:
            path = self._folder / f"{code}.png"
            if path.is_file():
                return path.read_bytes()
        return SPECIAL[code]() if code in SPECIAL else draw(code)
