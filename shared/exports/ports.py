"""What exports need: a store of their states, files in parts, and the rows. `shared/storage` implements the first two
on AWS, `tests/fakes` in memory; one contract suite tests both. Every method may be called twice."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from shared.base.json import Renderable
from shared.exports.export import Export, ExportOrder, ExportQueue, Language, Part
from shared.messages.ports import Page

type Document = Mapping[str, Renderable]
"""A row as the API shows it."""


class ExportStore(Protocol):
    """The states of exports. No personal data."""

    async def create(self, export: Export) -> None:
        """Store a new export. One that exists under its ID stays."""
        ...

    async def get(self, organisation: str, export_id: str) -> Export | None:
        """The export, read consistently."""
        ...

    async def save(self, export: Export) -> Export | None:
        """Replace the export of the same revision. Returns the saved one with its new revision; None: it has
        changed."""
        ...

    async def queue(self, organisation: str) -> ExportQueue:
        """The exports that wait, read consistently; empty if none was ever asked for."""
        ...

    async def save_queue(self, queue: ExportQueue) -> bool:
        """Replace the queue of the same revision; False: it has changed."""
        ...

    async def due(self, now: datetime, limit: int) -> Sequence[str]:
        """Organisations with an export that waits since `now` or earlier."""
        ...


class ExportFiles(Protocol):
    """The files, each written in parts and seen only when it is complete. All parts but the last have at least 5 MiB.

    A part that is written twice replaces the first one. A remainder's number is a revision of the export, which only
    one worker holds.
    """

    async def begin(self, export: Export) -> str:
        """Begin a file. Returns its upload ID."""
        ...

    async def put_part(self, export: Export, number: int, body: bytes) -> Part | None:
        """Store a part under the export's upload ID; None: that upload is over or removed."""
        ...

    async def put_remainder(self, export: Export, number: int, body: bytes) -> None:
        """Store the rows that do not fill a part yet."""
        ...

    async def read_remainder(self, export: Export) -> bytes | None:
        """The stored remainder; None: it was removed."""
        ...

    async def complete(self, export: Export) -> bool:
        """Put the export's parts together, or find that this is done. False: one of them is gone or was overwritten."""
        ...

    async def clean(self, export: Export, *, keep_file: bool) -> None:
        """Remove remainders and uploads of the export, and its file too unless `keep_file`."""
        ...

    async def url(self, export: Export) -> str:
        """A signed URL of the file, valid for `URL_VALID_FOR`, with the name under which a browser saves it."""
        ...


class ContentGoneError(Exception):
    """The rows have expired or were removed, so they cannot be exported any more."""


class Rows(Protocol):
    """Reads the lists."""

    async def page(self, organisation: str, order: ExportOrder, position: str | None) -> Page[Document]:
        """A page of a list, in the list's order. Raises ContentGoneError."""
        ...


class Wording(Protocol):
    """The texts of a sheet."""

    def title(self, column: str, language: Language) -> str:
        """The title of a column."""
        ...

    def term(self, column: str, value: str, language: Language) -> str:
        """A code as an officer reads it ("delivered" → "remis")."""
        ...
