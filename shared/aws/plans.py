"""What planning freezes, on S3: encrypted by the bucket, expiring by its lifecycle rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from botocore.exceptions import ClientError

from shared.aws.codec import decode, decode_lines, encode, encode_lines
from shared.aws.session import Aws
from shared.domain.content import Content
from shared.domain.distribution import Order, Upload
from shared.domain.message import Chunk, PayloadRef
from shared.domain.payload import Payload
from shared.domain.refusal import Fault
from shared.usecases.ports import PlannedRow

if TYPE_CHECKING:
    from shared.domain.json import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class _StoredOrder:
    """An order with its defaults as plain JSON."""

    content: Content
    upload: Upload | None
    defaults: dict[str, object]


class S3Plans:
    """`Plans` on the payload bucket. Keys: plans/<organisation>/<distribution>/…, messages/<organisation>/…"""

    def __init__(self, aws: Aws, bucket: str) -> None:
        self._aws = aws
        self._bucket = bucket

    async def write_order(self, organisation: str, distribution_id: str, order: Order) -> None:
        """See `Plans`."""
        stored = _StoredOrder(content=order.content, upload=order.upload, defaults=dict(order.defaults))
        await self._put(f"{_prefix(organisation, distribution_id)}/order.json", encode(stored))

    async def read_order(self, organisation: str, distribution_id: str) -> Order:
        """See `Plans`."""
        stored = decode(await self._get(f"{_prefix(organisation, distribution_id)}/order.json"), _StoredOrder)
        return Order(content=stored.content, upload=stored.upload, defaults=cast("JsonObject", stored.defaults))

    async def write_chunk(self, organisation: str, attempt: int, chunk: Chunk, rows: Sequence[PlannedRow]) -> None:
        """See `Plans`."""
        await self._put(self.chunk_key(organisation, attempt, chunk), encode_lines(rows))

    async def read_chunk(self, organisation: str, attempt: int, chunk: Chunk) -> Sequence[PlannedRow]:
        """See `Plans`."""
        return decode_lines(await self._get(self.chunk_key(organisation, attempt, chunk)), PlannedRow)

    def chunk_key(self, organisation: str, attempt: int, chunk: Chunk) -> str:
        """See `Plans`."""
        prefix = _prefix(organisation, chunk.distribution_id)
        return f"{prefix}/{attempt}/run-{chunk.run:02d}/chunk-{chunk.number:06d}.ndjson"

    async def write_faults(
        self, organisation: str, distribution_id: str, attempt: int, part: int, faults: Sequence[Fault]
    ) -> None:
        """See `Plans`."""
        await self._put(_faults(organisation, distribution_id, attempt, part), encode_lines(faults))

    async def read_faults(
        self, organisation: str, distribution_id: str, attempt: int, part: int
    ) -> Sequence[Fault] | None:
        """See `Plans`."""
        found = await self._find(_faults(organisation, distribution_id, attempt, part))
        return None if found is None else decode_lines(found, Fault)

    async def write_payload(self, organisation: str, message_id: str, payload: Payload) -> PayloadRef:
        """See `Plans`."""
        key = f"messages/{organisation}/{message_id}.json"
        await self._put(key, encode(payload))
        return PayloadRef(object_key=key)

    async def read_payload(self, reference: PayloadRef) -> Payload | None:
        """See `Plans`."""
        found = await self._find(reference.object_key)
        if found is None:
            return None
        if reference.row is None:
            return decode(found, Payload)
        rows = decode_lines(found, PlannedRow)
        return next((row.payload for row in rows if row.row == reference.row), None)

    async def _put(self, key: str, body: bytes) -> None:
        await self._aws.run(lambda: self._aws.s3.put_object(Bucket=self._bucket, Key=key, Body=body))

    async def _get(self, key: str) -> bytes:
        def read() -> bytes:
            return self._aws.s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()

        return await self._aws.run(read)

    async def _find(self, key: str) -> bytes | None:
        try:
            return await self._get(key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise


def _prefix(organisation: str, distribution_id: str) -> str:
    return f"plans/{organisation}/{distribution_id}"


def _faults(organisation: str, distribution_id: str, attempt: int, part: int) -> str:
    return f"{_prefix(organisation, distribution_id)}/{attempt}/errors-{part:06d}.ndjson"
