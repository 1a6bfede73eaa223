"""Exports on the state table: one item for each export, which expires, and one for each organisation with the exports
that wait. Each is written whole on the revision that was read."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from math import ceil

from shared.base.instants import milliseconds
from shared.exports.export import Export, ExportQueue
from shared.storage.aws import Aws
from shared.storage.codec import decode, encode
from shared.storage.dynamodb.items import Item, Plain, due_items, get_items, put_document, put_if_absent

_EXPORT = "export"

_QUEUE = "exports"

_AGENDA = "exports"


class DynamoExports:
    """`ExportStore` on the state table."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    async def create(self, export: Export) -> None:
        await self._aws.run(partial(put_if_absent, self._aws, self._table, _to_item(export)))

    async def get(self, organisation: str, export_id: str) -> Export | None:
        items = await get_items(self._aws, self._table, [_key(organisation, export_id)])
        return _from_item(items[0]) if items else None

    async def save(self, export: Export) -> Export | None:
        saved = dataclasses.replace(export, revision=export.revision + 1)
        return saved if await put_document(self._aws, self._table, _to_item(saved), export.revision) else None

    async def queue(self, organisation: str) -> ExportQueue:
        items = await get_items(self._aws, self._table, [_queue_key(organisation)])
        return decode(str(items[0]["document"]), ExportQueue) if items else ExportQueue(organisation=organisation)

    async def save_queue(self, queue: ExportQueue) -> bool:
        saved = dataclasses.replace(queue, revision=queue.revision + 1)
        return await put_document(self._aws, self._table, _queue_item(saved), queue.revision)

    async def due(self, now: datetime, limit: int) -> Sequence[str]:
        found = await due_items(self._aws, self._table, _AGENDA, now, limit)
        return [str(item["pk"]).partition("#")[0] for item in found]


def _key(organisation: str, export_id: str) -> dict[str, str]:
    return {"pk": f"{organisation}#export#{export_id}", "sk": _EXPORT}


def _queue_key(organisation: str) -> dict[str, str]:
    return {"pk": f"{organisation}#exports", "sk": _QUEUE}


def _to_item(export: Export) -> dict[str, Plain | None]:
    return {
        **_key(export.organisation, export.export_id),
        "revision": export.revision,
        "expires_at": ceil(export.expires_at.timestamp()),
        "document": encode(export).decode(),
    }


def _from_item(item: Item) -> Export:
    return decode(str(item["document"]), Export)


def _queue_item(queue: ExportQueue) -> dict[str, Plain | None]:
    return {
        **_queue_key(queue.organisation),
        "revision": queue.revision,
        "due_at": milliseconds(queue.since) if queue.since else None,
        "agenda_shard": _AGENDA if queue.since else None,
        "document": encode(queue).decode(),
    }
