"""Stored content and plans on S3. The bucket encrypts them; its lifecycle rules let them expire."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, cast

from botocore.exceptions import ClientError

from shared.base.refusal import FieldError
from shared.campaigns.distribution import Order, Retry, Upload
from shared.campaigns.stored_content import DuplicateRow, PlannedRow
from shared.duplicates.dedupe_index import without
from shared.messages.message import Chunk, PayloadRef
from shared.messages.payload import Payload
from shared.storage.aws import Aws, tries
from shared.storage.codec import decode, decode_lines, encode, encode_lines
from shared.storage.dynamodb.items import UnwrittenError
from shared.storage.dynamodb.message_item import single_key, singles_of
from shared.storage.files import remove_versions
from shared.texts.content import Content, FallbackOrder

if TYPE_CHECKING:
    from shared.base.json import JsonObject


_CHUNK = re.compile(r"/run-(?P<run>\d+)/chunk-(?P<number>\d+)\.ndjson$")

_OVERTAKEN = ("PreconditionFailed", "ConditionalRequestConflict")
"""Another request wrote the object since it was read, or is writing it now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _StoredOrder:
    """An order; its defaults are plain JSON."""

    content: Content
    upload: Upload | None
    defaults: dict[str, object] = field(repr=False)
    skip_already_sent: bool = False
    fallback: FallbackOrder | None = None
    retry: Retry | None = None


class S3Plans:
    """`Plans` on the payload bucket. Keys: plans/<organisation>/<distribution>/…, dedupe_index/<organisation>/…,
    messages/<organisation>/<person>/…

    An object that is stored before the conditional write of its item is named by its content. So a request that loses
    the race cannot overwrite the object of the winner.
    """

    def __init__(self, aws: Aws, bucket: str, hashed: Callable[[bytes], str]) -> None:
        """`hashed` makes a name from stored bytes (`shared.recipients.number_key.NumberKey.content`)."""
        self._aws = aws
        self._bucket = bucket
        self._hashed = hashed

    async def write_order(self, organisation: str, distribution_id: str, order: Order) -> str:
        stored = _StoredOrder(
            content=order.content,
            upload=order.upload,
            defaults=dict(order.defaults),
            skip_already_sent=order.skip_already_sent,
            fallback=order.fallback,
            retry=order.retry,
        )
        body = encode(stored)
        name = self._hashed(body)
        await self._put_once(_order(organisation, distribution_id, name), body)
        return name

    async def read_order(self, organisation: str, distribution_id: str, name: str) -> Order | None:
        found = await self._find(_order(organisation, distribution_id, name))
        if found is None:
            return None
        stored = decode(found, _StoredOrder)
        return Order(
            content=stored.content,
            upload=stored.upload,
            defaults=cast("JsonObject", stored.defaults),
            skip_already_sent=stored.skip_already_sent,
            fallback=stored.fallback,
            retry=stored.retry,
        )

    async def write_chunk(self, organisation: str, attempt: int, chunk: Chunk, rows: Sequence[PlannedRow]) -> None:
        await self._put_once(self.chunk_key(organisation, attempt, chunk), encode_lines(rows))

    async def read_chunk(self, organisation: str, attempt: int, chunk: Chunk) -> Sequence[PlannedRow] | None:
        found = await self._find(self.chunk_key(organisation, attempt, chunk))
        return None if found is None else decode_lines(found, PlannedRow)

    async def chunks(self, organisation: str, distribution_id: str, attempt: int) -> Sequence[Chunk]:
        prefix = f"{_prefix(organisation, distribution_id)}/{attempt}/run-"

        def listed() -> list[Chunk]:
            pages = self._aws.s3.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix)
            keys = sorted({one["Key"] for page in pages for one in page.get("Versions", ())})
            return [
                Chunk(distribution_id=distribution_id, run=int(one["run"]), number=int(one["number"]))
                for one in map(_CHUNK.search, keys)
                if one is not None
            ]

        return await self._aws.run(listed)

    def chunk_key(self, organisation: str, attempt: int, chunk: Chunk) -> str:
        prefix = _prefix(organisation, chunk.distribution_id)
        return f"{prefix}/{attempt}/run-{chunk.run:02d}/chunk-{chunk.number:06d}.ndjson"

    async def write_dedupe_index(self, organisation: str, distribution_id: str, attempt: int, book: bytes) -> None:
        await self._put_once(_dedupe_index_key(organisation, distribution_id, attempt), book)

    async def read_dedupe_index(self, organisation: str, distribution_id: str, attempt: int) -> bytes | None:
        return await self._find(_dedupe_index_key(organisation, distribution_id, attempt))

    async def write_field_errors(
        self, organisation: str, distribution_id: str, attempt: int, part: int, field_errors: Sequence[FieldError]
    ) -> None:
        await self._put_once(_field_errors(organisation, distribution_id, attempt, part), encode_lines(field_errors))

    async def read_field_errors(
        self, organisation: str, distribution_id: str, attempt: int, part: int
    ) -> Sequence[FieldError] | None:
        found = await self._find(_field_errors(organisation, distribution_id, attempt, part))
        return None if found is None else decode_lines(found, FieldError)

    async def write_duplicates(
        self, organisation: str, distribution_id: str, attempt: int, part: int, rows: Sequence[DuplicateRow]
    ) -> None:
        await self._put_once(_duplicates(organisation, distribution_id, attempt, part), encode_lines(rows))

    async def read_duplicates(
        self, organisation: str, distribution_id: str, attempt: int, part: int
    ) -> Sequence[DuplicateRow] | None:
        found = await self._find(_duplicates(organisation, distribution_id, attempt, part))
        return None if found is None else decode_lines(found, DuplicateRow)

    async def write_payload(self, organisation: str, person: str, message_id: str, payload: Payload) -> PayloadRef:
        body = encode(payload)
        key = single_key(organisation, person, message_id, self._hashed(body))
        await self._put_once(key, body)
        return PayloadRef(object_key=key)

    async def read_payload(self, reference: PayloadRef) -> Payload | None:
        found = await self._find(reference.object_key) if reference.object_key else None
        if found is None:
            return None
        if reference.row is None:
            return decode(found, Payload)
        rows = decode_lines(found, PlannedRow)
        return next((row.payload for row in rows if row.row == reference.row), None)

    async def erase_payload(self, reference: PayloadRef) -> None:
        if not reference.object_key:
            return
        if reference.row is None:
            await self._aws.run(lambda: self._remove_versions(reference.object_key, but=None))
        else:
            # The dedupe index is kept longer than the chunk.
            await self._aws.run(partial(self._drop_dedupe_index, reference.object_key, {reference.row}))
            await self._aws.run(lambda: self._blank(reference.object_key, lambda row: row.row == reference.row))

    async def erase_singles(self, organisation: str, person: str, *, but: Collection[str]) -> None:
        prefix = singles_of(organisation, person)

        def is_meant(key: str) -> bool:
            return key.removeprefix(prefix).partition(".")[0] not in but

        await self._aws.run(lambda: self._remove_below(prefix, is_meant))

    async def erase_person(self, organisation: str, attempt: int, chunk: Chunk, person: str) -> None:
        key = self.chunk_key(organisation, attempt, chunk)
        await self._aws.run(lambda: self._blank(key, lambda row: row.person == person))

    def _blank(self, key: str, is_meant: Callable[[PlannedRow], bool]) -> None:
        """Write the chunk again without the meant rows, then remove the versions that still have them.

        The write is conditional on the version that was read, so that two erasures in one chunk do not bring back each
        other's rows. A worker that dies between the two steps leaves a blank row; it shows the next erasure that old
        versions remain.
        """
        while True:
            try:
                found = self._aws.s3.get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if _is_gone(error):
                    self._remove_versions(key, but=None)  # expiry hides an object, and removes it a day later
                    return
                raise
            rows = decode_lines(found["Body"].read(), PlannedRow)
            blank = {row.row for row in rows if row.payload is None or is_meant(row)}
            if not blank:
                return
            self._drop_dedupe_index(key, blank)
            current = found["VersionId"]
            remaining = [replace(row, payload=None, person="") if is_meant(row) else row for row in rows]
            if remaining != list(rows):
                written = self._put_over(key, encode_lines(remaining), found["ETag"])
                if written is None:
                    continue
                current = written
            self._remove_versions(key, but=current)
            return

    def _drop_dedupe_index(self, chunk_key: str, rows: Collection[int]) -> None:
        """Remove the rows' keys from the dedupe index: no key may lead to a blank row."""
        key = _dedupe_index_parts(chunk_key)
        while key is not None:
            try:
                found = self._aws.s3.get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if _is_gone(error):
                    return
                raise
            book, current = found["Body"].read(), found["VersionId"]
            remaining = without(book, rows)
            if remaining != book:
                written = self._put_over(key, remaining, found["ETag"])
                if written is None:
                    continue
                current = written
            self._remove_versions(key, but=current)
            return

    def _put_over(self, key: str, body: bytes, seen: str) -> str | None:
        """The new version; None if the object has changed since it was read."""
        try:
            return self._aws.s3.put_object(Bucket=self._bucket, Key=key, Body=body, IfMatch=seen)["VersionId"]
        except ClientError as error:
            if _is_gone(error) or error.response["Error"]["Code"] in _OVERTAKEN:
                return None
            raise

    def _remove_versions(self, key: str, *, but: str | None) -> None:
        """Remove all versions of an object. With `but`, the latest version and version `but` stay."""
        self._remove_below(key, lambda found: found == key, but=but)

    def _remove_below(self, prefix: str, is_meant: Callable[[str], bool], *, but: str | None = None) -> None:
        """Remove all versions of the objects below a prefix whose keys pass `is_meant`; `but` as in
        `_remove_versions`."""
        remove_versions(self._aws, self._bucket, prefix, is_meant, but=but)

    async def _put_once(self, key: str, body: bytes) -> None:
        """An existing object stays: its name proves that it is the same, or an earlier attempt of this write made
        it."""
        await self._aws.run(partial(self._put_absent, key, body))

    def _put_absent(self, key: str, body: bytes) -> None:
        for _ in tries(self._aws):
            try:
                self._aws.s3.put_object(Bucket=self._bucket, Key=key, Body=body, IfNoneMatch="*")
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code == "PreconditionFailed":
                    return
                if code != "ConditionalRequestConflict":
                    raise
            else:
                return
        raise UnwrittenError("another write of the same object does not end")

    async def _get(self, key: str) -> bytes:
        def read() -> bytes:
            return self._aws.s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()

        return await self._aws.run(read)

    async def _find(self, key: str) -> bytes | None:
        try:
            return await self._get(key)
        except ClientError as error:
            if _is_gone(error):
                return None
            raise


def _is_gone(error: ClientError) -> bool:
    return error.response["Error"]["Code"] in ("NoSuchKey", "404")


def _prefix(organisation: str, distribution_id: str) -> str:
    return f"plans/{organisation}/{distribution_id}"


def _order(organisation: str, distribution_id: str, name: str) -> str:
    return f"{_prefix(organisation, distribution_id)}/order-{name}.json"


def _dedupe_index_parts(chunk_key: str) -> str | None:
    """The key of the dedupe index with the chunk's rows; None if this is not the key of a chunk."""
    match chunk_key.split("/"):
        case [_, organisation, distribution_id, attempt, _, _]:
            return _dedupe_index_key(organisation, distribution_id, int(attempt))
        case _:
            return None


def _dedupe_index_key(organisation: str, distribution_id: str, attempt: int) -> str:
    return f"dedupe_index/{organisation}/{distribution_id}/{attempt}.bin"


def _field_errors(organisation: str, distribution_id: str, attempt: int, part: int) -> str:
    return f"{_prefix(organisation, distribution_id)}/{attempt}/errors-{part:06d}.ndjson"


def _duplicates(organisation: str, distribution_id: str, attempt: int, part: int) -> str:
    return f"{_prefix(organisation, distribution_id)}/{attempt}/duplicates-{part:06d}.ndjson"
