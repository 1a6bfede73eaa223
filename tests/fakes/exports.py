"""Exports in memory: states, files in parts, and what a list has."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count

from shared.exports.export import Export, ExportQueue, Part
from tests.fakes.world import Points

SMALLEST_PART = 5 * 1024 * 1024
"""S3's own limit. Tests whose parts are small set another."""


class FakeExports:
    """Implements `ExportStore` in memory."""

    def __init__(self, points: Points) -> None:
        self.items: dict[tuple[str, str], Export] = {}
        self.queues: dict[str, ExportQueue] = {}
        self._points = points

    async def create(self, export: Export) -> None:
        await self._points("exports.create")
        self.items.setdefault((export.organisation, export.export_id), export)

    async def get(self, organisation: str, export_id: str) -> Export | None:
        await self._points("exports.get")
        return self.items.get((organisation, export_id))

    async def save(self, export: Export) -> Export | None:
        await self._points("exports.save")
        key = (export.organisation, export.export_id)
        saved = replace(export, revision=export.revision + 1)
        stands = self.items.get(key)
        if stands is None or (stands.revision != export.revision and stands != saved):
            return None
        self.items[key] = saved
        return saved

    async def queue(self, organisation: str) -> ExportQueue:
        await self._points("exports.queue")
        return self.queues.get(organisation, ExportQueue(organisation=organisation))

    async def save_queue(self, queue: ExportQueue) -> bool:
        await self._points("exports.save_queue")
        saved = replace(queue, revision=queue.revision + 1)
        stands = self.queues.get(queue.organisation, ExportQueue(organisation=queue.organisation))
        if stands.revision != queue.revision and stands != saved:
            return False
        self.queues[queue.organisation] = saved
        return True

    async def due(self, now: datetime, limit: int) -> Sequence[str]:
        await self._points("exports.due")
        waiting = [one for one in self.queues.values() if one.since is not None and one.since <= now]
        return [one.organisation for one in waiting][:limit]


@dataclass(slots=True)
class FakeUpload:
    """A file that is being written. `parts`: number → (what the part is known by, its bytes)."""

    key: tuple[str, str]
    parts: dict[int, tuple[Part, bytes]] = field(default_factory=dict)


class FakeExportFiles:
    """Implements `ExportFiles` in memory."""

    def __init__(self, points: Points, smallest_part: int = SMALLEST_PART) -> None:
        self.files: dict[tuple[str, str], bytes] = {}
        self.uploads: dict[str, FakeUpload] = {}
        self.remainders: dict[tuple[tuple[str, str], int], bytes] = {}
        self.largest = 0
        """Bytes of the largest part or remainder: what a worker held in memory."""
        self._smallest_part = smallest_part
        self._numbers = count(1)
        self._points = points

    async def begin(self, export: Export) -> str:
        await self._points("export_files.begin")
        identity = f"upload-{next(self._numbers)}"
        self.uploads[identity] = FakeUpload(key=_key(export))
        return identity

    async def put_part(self, export: Export, number: int, body: bytes) -> Part | None:
        await self._points("export_files.put_part")
        upload = self.uploads.get(export.upload_id or "")
        if upload is None:
            return None
        self.largest = max(self.largest, len(body))
        part = Part(number=number, etag=f"etag-{next(self._numbers)}", checksum=str(zlib.crc32(body)))
        upload.parts[number] = (part, body)
        return part

    async def put_remainder(self, export: Export, number: int, body: bytes) -> None:
        await self._points("export_files.put_remainder")
        self.largest = max(self.largest, len(body))
        self.remainders[_key(export), number] = body

    async def read_remainder(self, export: Export) -> bytes | None:
        await self._points("export_files.read_remainder")
        return self.remainders.get((_key(export), export.remainder or 0))

    async def complete(self, export: Export) -> bool:
        await self._points("export_files.complete")
        upload = self.uploads.get(export.upload_id or "")
        if upload is None:
            return _key(export) in self.files
        found = [upload.parts.get(part.number) for part in export.parts]
        bodies = [one[1] for one, part in zip(found, export.parts, strict=True) if one is not None and one[0] == part]
        if len(bodies) < len(export.parts):
            return False
        assert [part.number for part in export.parts] == list(range(1, len(bodies) + 1))
        assert all(len(body) >= self._smallest_part for body in bodies[:-1])
        self.files[_key(export)] = b"".join(bodies)
        del self.uploads[export.upload_id or ""]
        return True

    async def clean(self, export: Export, *, keep_file: bool) -> None:
        await self._points("export_files.clean")
        key = _key(export)
        self.uploads = {name: upload for name, upload in self.uploads.items() if upload.key != key}
        self.remainders = {place: body for place, body in self.remainders.items() if place[0] != key}
        if not keep_file:
            self.files.pop(key, None)

    async def url(self, export: Export) -> str:
        return f"https://files.invalid/{export.export_id}/{export.file_name}"


def _key(export: Export) -> tuple[str, str]:
    return export.organisation, export.export_id
