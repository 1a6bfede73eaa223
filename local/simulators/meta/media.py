"""POST /{number}/media, and the uploaded pictures (reference/whatsapp.md §2)."""

import asyncio
import hashlib
import io
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from PIL import Image
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from local.simulators.meta.errors import BAD_MEDIA, GraphError

LIFE = timedelta(days=30)
MAX_BYTES = 5 * 1024 * 1024
KINDS = {"image/png": "PNG", "image/jpeg": "JPEG"}
KEPT = 200
"""How many contents are kept for download. An older picture's ID can still be sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """One upload."""

    media_id: str
    number_id: str
    mime_type: str
    sha256: str
    size: int
    uploaded_at: datetime


class MediaStore:
    """Stores uploads. Every upload has its own ID, even if the bytes are the same."""

    def __init__(self, next_serial: Callable[[], int]) -> None:
        self._next_serial = next_serial
        self._media: dict[str, Media] = {}
        self._deleted: set[str] = set()
        self._contents: OrderedDict[str, bytes] = OrderedDict()

    def add(self, number_id: str, content: bytes, mime_type: str, now: datetime) -> Media:
        media = Media(
            media_id=str(1_000_000_000_000_000 + self._next_serial()),
            number_id=number_id,
            mime_type=mime_type,
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
            uploaded_at=now,
        )
        self._media[media.media_id] = media
        self._contents[media.media_id] = content
        if len(self._contents) > KEPT:
            self._contents.popitem(last=False)
        return media

    def get(self, media_id: str, now: datetime) -> Media | None:
        """Return an upload. None if it never existed, was deleted, or is 30 days old."""
        media = self._media.get(media_id)
        return media if media is not None and now - media.uploaded_at < LIFE else None

    def usable(self, media_id: str, number_id: str, now: datetime) -> Media:
        """Return an upload for a message of `number_id`. Raises GraphError 100 with the documented text."""
        media = self.get(media_id, now)
        if media is None or media.number_id != number_id:
            raise GraphError(100, BAD_MEDIA)
        return media

    def content(self, media_id: str) -> bytes | None:
        return self._contents.get(media_id)

    def delete(self, media_id: str) -> bool:
        self._contents.pop(media_id, None)
        if self._media.pop(media_id, None) is None:
            return False
        self._deleted.add(media_id)
        return True

    def was_issued(self, media_id: str) -> bool:
        """Whether an upload has or had this ID. Such an ID never counts as another kind of node."""
        return media_id in self._media or media_id in self._deleted

    def clear(self) -> None:
        self._media.clear()
        self._deleted.clear()
        self._contents.clear()


def why_not_a_card(content: bytes, mime_type: str) -> str | None:
    """Return what is wrong with a picture, or None. Meta accepts PNG and JPEG up to 5 MB, 8-bit RGB or RGBA."""
    if len(content) > MAX_BYTES:
        return "File size exceeds 5 MB"
    try:
        with Image.open(io.BytesIO(content), formats=list(KINDS.values())) as picture:
            picture.load()
            kind, mode = picture.format, picture.mode
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return "The file is not a picture that can be decoded"
    if kind != KINDS[mime_type]:
        return f"The file is {kind}, not {mime_type}"
    # Pillow opens a 16-bit PNG as if it had 8 bits; the file's 25th byte holds the real depth.
    if mode not in {"RGB", "RGBA"} or (kind == "PNG" and content[24] != 8):
        return f"The picture's mode is {mode}, not 8-bit RGB or RGBA"
    return None


async def uploaded(request: Request) -> tuple[bytes, str]:
    """Return the picture of a multipart request, and its type. Raises GraphError."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise GraphError(100, "The request must be multipart/form-data")
    try:
        async with request.form(max_files=1, max_fields=5) as form:
            for name in form:
                if name not in {"messaging_product", "file", "type"}:
                    raise GraphError(100, f'Unexpected key "{name}" on param ""')
            if form.get("messaging_product") != "whatsapp":
                raise GraphError(100, "The parameter messaging_product is required.")
            file, declared = form.get("file"), form.get("type")
            if not isinstance(file, UploadFile):
                raise GraphError(100, "The parameter file is required.")
            content, mime_type = await file.read(MAX_BYTES + 1), file.content_type
    except HTTPException as error:
        raise GraphError(100, "The multipart body cannot be read") from error
    if mime_type not in KINDS:
        raise GraphError(100, "Param file must be a file with one of the following types: image/jpeg, image/png")
    if declared != mime_type:
        raise GraphError(100, "The parameter type is required and must be the type of the file's part")
    wrong = await asyncio.to_thread(why_not_a_card, content, mime_type)
    if wrong is not None:
        raise GraphError(131053, wrong)
    return content, mime_type
