"""Holds on the state table: one item for each organisation and channel, written whole on the revision that was read."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from shared.base.instants import milliseconds
from shared.campaigns.distribution import Distribution
from shared.holds.hold import Holds
from shared.messages.payload import Channel
from shared.storage.aws import Aws
from shared.storage.codec import decode, encode
from shared.storage.dynamodb.distributions import from_item as distribution_from
from shared.storage.dynamodb.distributions import item_key as distribution_key
from shared.storage.dynamodb.items import Item, Plain, due_items, get_items, put_document

_ITEM = "holds"

_AGENDA = "holds"


class DynamoHolds:
    """`HoldStore` on the state table."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    async def get(self, organisation: str, channel: Channel) -> Holds:
        items = await get_items(self._aws, self._table, [_key(organisation, channel)])
        return _from_item(items[0]) if items else Holds(organisation=organisation, channel=channel)

    async def read(
        self, distributions: Collection[tuple[str, str]], holds: Collection[tuple[str, Channel]]
    ) -> tuple[Mapping[tuple[str, str], Distribution], Mapping[tuple[str, Channel], Holds]]:
        """One BatchGetItem for up to 100 keys."""
        keys = [distribution_key(*one) for one in distributions] + [_key(*one) for one in holds]
        items = await get_items(self._aws, self._table, keys)
        found = [distribution_from(item) for item in items if item["sk"] != _ITEM]
        held = [_from_item(item) for item in items if item["sk"] == _ITEM]
        return (
            {(one.organisation, one.distribution_id): one for one in found},
            {(one.organisation, one.channel): one for one in held},
        )

    async def save(self, holds: Holds) -> bool:
        saved = dataclasses.replace(holds, revision=holds.revision + 1)
        return await put_document(self._aws, self._table, _to_item(saved), holds.revision)

    async def due(self, now: datetime, limit: int) -> Sequence[tuple[str, Channel]]:
        found = await due_items(self._aws, self._table, _AGENDA, now, limit)
        keys = [str(item["pk"]).partition("#holds#") for item in found]
        return [(organisation, Channel(channel)) for organisation, _, channel in keys]


def _key(organisation: str, channel: Channel) -> dict[str, str]:
    return {"pk": f"{organisation}#holds#{channel}", "sk": _ITEM}


def _to_item(holds: Holds) -> dict[str, Plain | None]:
    return {
        **_key(holds.organisation, holds.channel),
        "revision": holds.revision,
        "due_at": milliseconds(holds.check_at) if holds.check_at else None,
        "agenda_shard": _AGENDA if holds.check_at else None,
        "document": encode(holds).decode(),
    }


def _from_item(item: Item) -> Holds:
    return decode(str(item["document"]), Holds)
