"""What a distribution is planned from and the stored content that planning makes, with the interfaces to storage."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shared.base.refusal import FieldError
from shared.campaigns.distribution import Order, Upload
from shared.messages.message import Chunk, PayloadRef, Price
from shared.messages.payload import Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRow:
    """One accepted row as stored in a chunk: all that logging and sending need, without another look-up.

    An erased row has no payload and no `person`. It is still logged and ends at once, so that the counts stay right.
    """

    row: int
    message_id: str
    person: str
    recipient: str
    country: str
    enrollment_id: str | None
    segments: int | None
    price: Price | None
    payload: Payload | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateRow:
    """A row that is not sent because another message has the same content for the same phone. `recipient` is masked.

    `duplicate_of`: the accepted row of the same file; None: an earlier message of the campaign.
    """

    row: int
    duplicate_of: int | None
    recipient: str
    enrollment_id: str | None


class Plans(Protocol):
    """What planning stores, encrypted and expiring: the order, chunks of rows, rejected rows, duplicates, single
    messages' content."""

    async def write_order(self, organisation: str, distribution_id: str, order: Order) -> str:
        """Store the order. Returns its name, which is derived from its content, so two requests with the same key and
        different bodies store two orders."""
        ...

    async def read_order(self, organisation: str, distribution_id: str, name: str) -> Order | None:
        """The order; None: it has expired."""
        ...

    async def write_chunk(self, organisation: str, attempt: int, chunk: Chunk, rows: Sequence[PlannedRow]) -> None:
        """Store a chunk of a planning run."""
        ...

    async def read_chunk(self, organisation: str, attempt: int, chunk: Chunk) -> Sequence[PlannedRow] | None:
        """A stored chunk; None: it has expired."""
        ...

    async def chunks(self, organisation: str, distribution_id: str, attempt: int) -> Sequence[Chunk]:
        """The chunks that a planning run has left, in a fixed order, even if its plan was not taken. Includes chunks
        that have expired and are not deleted yet."""
        ...

    def chunk_key(self, organisation: str, attempt: int, chunk: Chunk) -> str:
        """The S3 key of the chunk."""
        ...

    async def write_dedupe_index(self, organisation: str, distribution_id: str, attempt: int, book: bytes) -> None:
        """Store the dedupe index of a planning run (`shared.duplicates.dedupe_index`), for as long as the log is
        kept."""
        ...

    async def read_dedupe_index(self, organisation: str, distribution_id: str, attempt: int) -> bytes | None:
        """The dedupe index of a planning run; None: it has expired."""
        ...

    async def write_field_errors(
        self, organisation: str, distribution_id: str, attempt: int, part: int, field_errors: Sequence[FieldError]
    ) -> None:
        """Store a part of the rejected rows. Parts count from 0."""
        ...

    async def read_field_errors(
        self, organisation: str, distribution_id: str, attempt: int, part: int
    ) -> Sequence[FieldError] | None:
        """A part of the rejected rows; None after the last part."""
        ...

    async def write_duplicates(
        self, organisation: str, distribution_id: str, attempt: int, part: int, rows: Sequence[DuplicateRow]
    ) -> None:
        """Store a part of the duplicates. Parts count from 0."""
        ...

    async def read_duplicates(
        self, organisation: str, distribution_id: str, attempt: int, part: int
    ) -> Sequence[DuplicateRow] | None:
        """A part of the duplicates; None after the last part."""
        ...

    async def write_payload(self, organisation: str, person: str, message_id: str, payload: Payload) -> PayloadRef:
        """Store the content of a single message under a name derived from it, so that another request for the same
        message never overwrites it."""
        ...

    async def read_payload(self, reference: PayloadRef) -> Payload | None:
        """The content of any message; None: it has expired or was erased."""
        ...

    async def erase_payload(self, reference: PayloadRef) -> None:
        """Remove the content from every version of its object, and a row's entry in the dedupe index. The other rows of
        a chunk stay."""
        ...

    async def erase_singles(self, organisation: str, person: str, *, but: Collection[str]) -> None:
        """Remove the content of all single messages of a person, also without a row in the log. The messages in `but`
        are kept."""
        ...

    async def erase_person(self, organisation: str, attempt: int, chunk: Chunk, person: str) -> None:
        """Remove a person's rows from a chunk, and their entries in the dedupe index. If the chunk has expired, remove
        all of its versions."""
        ...


class Readable(Protocol):
    """A file that is being read. It blocks, because only planning reads files, and planning has a process of its
    own."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; empty at the end."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadTarget:
    """Where and how a client puts a file. The URL is signed: it gives the right to write."""

    url: str = field(repr=False)
    headers: Mapping[str, str]
    expires_at: datetime


class Uploads(Protocol):
    """Files that clients put directly into the bucket."""

    async def target(self, organisation: str, upload_id: str, *, format: str, size: int, now: datetime) -> UploadTarget:
        """A presigned PUT for exactly `size` bytes."""
        ...

    async def find(self, organisation: str, upload_id: str) -> Upload | None:
        """The file, with its version; None: there is none."""
        ...

    async def open(self, upload: Upload) -> Readable | None:
        """This version of the file, from its beginning; None: it has expired or was erased."""
        ...

    async def erase(self, organisation: str, upload_id: str) -> None:
        """Remove the file in all versions."""
        ...
