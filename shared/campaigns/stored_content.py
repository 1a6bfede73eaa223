"""What a distribution is planned from and what planning freezes, as the use cases ask for it (see `ports`)."""

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
    """One accepted row as frozen in a chunk: enough to log and to send it, without asking anyone again.

    An erased one has no payload and no `person`. It is logged all the same and ends at once, so that counts stay right.
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
    """A row that is not sent because another message says the same to the same phone. `recipient` is masked.

    `duplicate_of`: the accepted row of the same file; None if an earlier message of the campaign is meant.
    """

    row: int
    duplicate_of: int | None
    recipient: str
    enrollment_id: str | None


class Plans(Protocol):
    """What planning freezes, encrypted and expiring: the order, chunks of rows, rejected rows, duplicates, single
    payloads."""

    async def write_order(self, organisation: str, distribution_id: str, order: Order) -> str:
        """Keep what was asked for; answers its name, which is made of its content. Two requests with the same key and
        different bodies keep two."""
        ...

    async def read_order(self, organisation: str, distribution_id: str, name: str) -> Order:
        """What was asked for."""
        ...

    async def write_chunk(self, organisation: str, attempt: int, chunk: Chunk, rows: Sequence[PlannedRow]) -> None:
        """Freeze a chunk of a planning run."""
        ...

    async def read_chunk(self, organisation: str, attempt: int, chunk: Chunk) -> Sequence[PlannedRow] | None:
        """A frozen chunk; None where it has expired."""
        ...

    async def chunks(self, organisation: str, distribution_id: str, attempt: int) -> Sequence[Chunk]:
        """The chunks that a planning run has left, in a steady order, whether or not its plan was taken; also those
        that have expired and are not gone yet."""
        ...

    def chunk_key(self, organisation: str, attempt: int, chunk: Chunk) -> str:
        """The chunk's object."""
        ...

    async def write_dedupe_index(self, organisation: str, distribution_id: str, attempt: int, book: bytes) -> None:
        """Keep the dedupe index of a planning run (`shared.duplicates.dedupe_index`), for as long as the log is
        kept."""
        ...

    async def read_dedupe_index(self, organisation: str, distribution_id: str, attempt: int) -> bytes | None:
        """The book of a planning run; None where it has expired."""
        ...

    async def write_field_errors(
        self, organisation: str, distribution_id: str, attempt: int, part: int, field_errors: Sequence[FieldError]
    ) -> None:
        """Keep a part of the rejected rows. Parts count from 0."""
        ...

    async def read_field_errors(
        self, organisation: str, distribution_id: str, attempt: int, part: int
    ) -> Sequence[FieldError] | None:
        """A part of the rejected rows; None past the last."""
        ...

    async def write_duplicates(
        self, organisation: str, distribution_id: str, attempt: int, part: int, rows: Sequence[DuplicateRow]
    ) -> None:
        """Keep a part of the duplicates. Parts count from 0."""
        ...

    async def read_duplicates(
        self, organisation: str, distribution_id: str, attempt: int, part: int
    ) -> Sequence[DuplicateRow] | None:
        """A part of the duplicates; None past the last."""
        ...

    async def write_payload(self, organisation: str, person: str, message_id: str, payload: Payload) -> PayloadRef:
        """Freeze a single message's payload, under a name that is made of its content: another request for the same
        message never overwrites it."""
        ...

    async def read_payload(self, reference: PayloadRef) -> Payload | None:
        """The payload of any message; None where it has expired or was erased."""
        ...

    async def erase_payload(self, reference: PayloadRef) -> None:
        """Remove it for good, whatever version of its object it is in, and a row's print with it. The other rows of a
        chunk stay as they are."""
        ...

    async def erase_singles(self, organisation: str, person: str, *, but: Collection[str]) -> None:
        """Remove for good all payloads of a person's single messages, also those that no row of the log names; but not
        those of these messages."""
        ...

    async def erase_person(self, organisation: str, attempt: int, chunk: Chunk, person: str) -> None:
        """Remove for good what a chunk holds of a person, and the prints of those rows. Of a chunk that has expired all
        is removed that a version still holds."""
        ...


class Readable(Protocol):
    """A file being read; blocking, because only planning reads one, and planning has its process to itself."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; empty at the end."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadTarget:
    """Where and how a client puts a file. The URL is signed: whoever has it may."""

    url: str = field(repr=False)
    headers: Mapping[str, str]
    expires_at: datetime


class Uploads(Protocol):
    """Files that clients put straight into the bucket."""

    async def target(self, organisation: str, upload_id: str, *, format: str, size: int, now: datetime) -> UploadTarget:
        """A presigned PUT for exactly `size` bytes."""
        ...

    async def find(self, organisation: str, upload_id: str) -> Upload | None:
        """The file that was put, pinned to its version; None if there is none."""
        ...

    async def open(self, upload: Upload) -> Readable | None:
        """The pinned version, from its beginning; None where it has expired or was erased."""
        ...

    async def erase(self, organisation: str, upload_id: str) -> None:
        """Remove the file for good, in every version."""
        ...
