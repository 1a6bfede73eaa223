"""Distributions on the state table: one item each, with its plan as one JSON attribute, and one item of counts a chunk.

Written whole, on condition of the revision that was read: pause, release and planning never overwrite each other.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shared.aws.attributes import Item, Plain, attribute, attributes, plain
from shared.aws.codec import decode, encode
from shared.aws.conditional import put_if_absent, standing
from shared.aws.reading import get_items
from shared.aws.session import Aws
from shared.domain.distribution import Counts, Distribution, DistributionStatus
from shared.domain.instants import milliseconds
from shared.domain.message import Chunk
from shared.domain.status import Status
from shared.usecases.ports import Page

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import QueryInputTypeDef

_META = "meta"
_AGENDA = "distributions"
_STATUS = "status."
_REASON = "reason."


class DynamoDistributions:
    """`Distributions` on the state table."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    async def create(self, distribution: Distribution) -> Distribution | None:
        """See `Distributions`."""
        if await self._aws.run(lambda: put_if_absent(self._aws, self._table, _to_item(distribution))):
            return None
        return await self.get(distribution.organisation, distribution.distribution_id)

    async def get(self, organisation: str, distribution_id: str) -> Distribution | None:
        """See `Distributions`."""
        return (await self.get_many([(organisation, distribution_id)])).get(distribution_id)

    async def get_many(self, keys: Iterable[tuple[str, str]]) -> Mapping[str, Distribution]:
        """See `Distributions`."""
        wanted = [{"pk": _key(*key), "sk": _META} for key in keys]
        found = map(_from_item, await get_items(self._aws, self._table, wanted))
        return {distribution.distribution_id: distribution for distribution in found}

    async def save(self, distribution: Distribution) -> Distribution | None:
        """See `Distributions`."""
        saved = dataclasses.replace(distribution, revision=distribution.revision + 1)

        def put() -> bool:
            try:
                self._aws.dynamodb.put_item(
                    TableName=self._table,
                    Item=attributes(_to_item(saved)),
                    ConditionExpression="revision = :seen",
                    ExpressionAttributeValues={":seen": attribute(distribution.revision)},
                )
            except ClientError as error:
                standing(error)
                return False
            return True

        return saved if await self._aws.run(put) else None

    async def page(
        self,
        organisation: str,
        *,
        campaign_id: str | None,
        status: DistributionStatus | None,
        position: str | None,
        limit: int,
    ) -> Page[Distribution]:
        """See `Distributions`."""
        filters = {"campaign_id": campaign_id, "state": str(status) if status else None}
        wished = {name: value for name, value in filters.items() if value is not None}
        items: list[Distribution] = []
        below = position or "~"
        while True:
            batch, last = await self._aws.run(partial(self._query_page, organisation, wished, below, limit))
            for distribution in batch:
                if len(items) == limit:
                    return Page(items=items, position=_position(items[-1]))
                items.append(distribution)
            if last is None:
                return Page(items=items, position=None)
            below = last

    async def due(self, now: datetime, limit: int) -> Sequence[tuple[str, str]]:
        """See `Distributions`."""
        found = await self._aws.run(
            lambda: self._aws.dynamodb.query(
                TableName=self._table,
                IndexName="agenda",
                KeyConditionExpression="agenda_shard = :shard AND due_at <= :now",
                ExpressionAttributeValues={":shard": attribute(_AGENDA), ":now": attribute(milliseconds(now))},
                Limit=limit,
            )
        )
        keys = [str(plain(item)["pk"]).split("#distribution#", 1) for item in found["Items"]]
        return [(organisation, distribution_id) for organisation, distribution_id in keys]

    async def count(self, organisation: str, chunk: Chunk, change: Counts) -> None:
        """See `Distributions`."""
        values = _columns(change)
        if not values:
            return
        names = {f"#n{number}": name for number, name in enumerate(values)}
        await self._aws.run(
            lambda: self._aws.dynamodb.update_item(
                TableName=self._table,
                Key=attributes(_chunk_key(organisation, chunk)),
                UpdateExpression="ADD " + ", ".join(f"#n{number} :v{number}" for number in range(len(values))),
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={
                    f":v{number}": attribute(value) for number, value in enumerate(values.values())
                },
            )
        )

    async def set_counts(self, organisation: str, chunk: Chunk, counts: Counts, *, seen: Counts) -> bool:
        """See `Distributions`. As one ADD of the difference: a count that comes at the same time is not lost."""
        minus = Counts(
            by_status={status: -count for status, count in seen.by_status.items()},
            by_reason={reason: -count for reason, count in seen.by_reason.items()},
        )
        await self.count(organisation, chunk, counts.plus(minus))
        return True

    async def counts(self, organisation: str, distribution_id: str) -> Mapping[tuple[int, int], Counts]:
        """See `Distributions`."""

        def query() -> dict[tuple[int, int], Counts]:
            pages = self._aws.dynamodb.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :chunk)",
                ExpressionAttributeValues={
                    ":pk": attribute(_key(organisation, distribution_id)),
                    ":chunk": attribute("chunk#"),
                },
                ConsistentRead=True,
            )
            items = [plain(item) for page in pages for item in page["Items"]]
            return {_chunk_of(item): _counts(item) for item in items}

        return await self._aws.run(query)

    def _query_page(
        self, organisation: str, wished: Mapping[str, str], below: str, limit: int
    ) -> tuple[list[Distribution], str | None]:
        values = {":list": f"{organisation}#distributions", ":below": below}
        request: QueryInputTypeDef = {
            "TableName": self._table,
            "IndexName": "listing",
            "KeyConditionExpression": "list_key = :list AND listed_at < :below",
            "ExpressionAttributeValues": attributes(values | {f":{name}": value for name, value in wished.items()}),
            "ScanIndexForward": False,
            "Limit": limit + 1,
        }
        if wished:
            request["FilterExpression"] = " AND ".join(f"{name} = :{name}" for name in wished)
        found = self._aws.dynamodb.query(**request)
        last = found.get("LastEvaluatedKey")
        return [_from_item(plain(item)) for item in found["Items"]], str(plain(last)["listed_at"]) if last else None


def _key(organisation: str, distribution_id: str) -> str:
    return f"{organisation}#distribution#{distribution_id}"


def _chunk_key(organisation: str, chunk: Chunk) -> dict[str, str]:
    return {"pk": _key(organisation, chunk.distribution_id), "sk": f"chunk#{chunk.run:02d}#{chunk.number:06d}"}


def _chunk_of(item: Item) -> tuple[int, int]:
    _, run, number = str(item["sk"]).split("#")
    return int(run), int(number)


def _position(distribution: Distribution) -> str:
    return f"{milliseconds(distribution.created_at):013d}#{distribution.distribution_id}"


def _to_item(distribution: Distribution) -> dict[str, Plain | None]:
    return {
        "pk": _key(distribution.organisation, distribution.distribution_id),
        "sk": _META,
        "list_key": f"{distribution.organisation}#distributions",
        "listed_at": _position(distribution),
        "campaign_id": distribution.campaign_id,
        "state": str(distribution.status),
        "revision": distribution.revision,
        "due_at": milliseconds(distribution.due_at) if distribution.due_at else None,
        "agenda_shard": _AGENDA if distribution.due_at else None,
        "document": encode(distribution).decode(),
    }


def _from_item(item: Item) -> Distribution:
    return decode(str(item["document"]), Distribution)


def _columns(counts: Counts) -> dict[str, int]:
    columns = {f"{_STATUS}{status}": count for status, count in counts.by_status.items()}
    columns |= {f"{_REASON}{reason}": count for reason, count in counts.by_reason.items()}
    return {name: count for name, count in columns.items() if count}


def _counts(item: Item) -> Counts:
    numbers = {name: value for name, value in item.items() if isinstance(value, int) and value}
    return Counts(
        by_status={Status(name.removeprefix(_STATUS)): n for name, n in numbers.items() if name.startswith(_STATUS)},
        by_reason={name.removeprefix(_REASON): n for name, n in numbers.items() if name.startswith(_REASON)},
    )
