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
from shared.aws.tally_item import DELAY, ROWS, columns_of, status_column, tally_of
from shared.domain.distribution import Counts, Distribution, DistributionStatus
from shared.domain.instants import milliseconds
from shared.domain.message import Chunk
from shared.domain.status import Status
from shared.domain.tally import Tally
from shared.usecases.ports import Page

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import QueryInputTypeDef, UpdateItemInputTypeDef

_META = "meta"
_AGENDA = "distributions"


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
        wanted = [item_key(*key) for key in keys]
        found = map(from_item, await get_items(self._aws, self._table, wanted))
        return {distribution.distribution_id: distribution for distribution in found}

    async def save(self, distribution: Distribution) -> Distribution | None:
        """See `Distributions`."""
        saved = dataclasses.replace(distribution, revision=distribution.revision + 1)
        item = attributes(_to_item(saved))

        def put() -> bool:
            try:
                self._aws.dynamodb.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression="revision = :seen",
                    ExpressionAttributeValues={":seen": attribute(distribution.revision)},
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                return standing(error) == plain(item)  # then an earlier attempt of this write has put it
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
        keys = [str(plain(item)["pk"]).partition("#distribution#") for item in found["Items"]]
        return list(dict.fromkeys((organisation, distribution_id) for organisation, _, distribution_id in keys))

    async def count(
        self, organisation: str, chunk: Chunk, change: Counts, *, recount_at: datetime | None = None
    ) -> None:
        """See `Distributions`."""
        watch: dict[str, Plain] = (
            {"due_at": milliseconds(recount_at), "agenda_shard": _AGENDA} if recount_at is not None else {}
        )
        key = _chunk_key(organisation, chunk)
        await self._aws.run(partial(self._add, key, columns_of(change), once=watch))

    async def recounted(self, organisation: str, chunk: Chunk) -> None:
        """See `Distributions`."""
        await self._aws.run(
            lambda: self._aws.dynamodb.update_item(
                TableName=self._table,
                Key=attributes(_chunk_key(organisation, chunk)),
                UpdateExpression="REMOVE due_at, agenda_shard",
            )
        )

    async def set_counts(self, organisation: str, chunk: Chunk, counts: Counts, *, seen: Counts) -> bool:
        """See `Distributions`. Every status is held against `seen`: no move leaves all of them as they were.

        Times to delivery are not: they move with a status, and so many conditions would pass DynamoDB's 4 KB.
        """
        new, old = columns_of(counts), dict.fromkeys(map(status_column, Status), 0) | columns_of(seen)
        change = {name: new.get(name, 0) - old.get(name, 0) for name in new | old}
        held = {name: count for name, count in old.items() if not name.startswith(DELAY)}
        return await self._aws.run(partial(self._add, _chunk_key(organisation, chunk), change, held))

    async def counts(self, organisation: str, distribution_id: str) -> Mapping[tuple[int, int], Counts]:
        """See `Distributions`."""
        found = await self.tallies(organisation, distribution_id)
        return {place: tally.counts for place, tally in found.items()}

    async def note_logged(self, organisation: str, chunk: Chunk, at: datetime, rows: Mapping[str, int]) -> None:
        """See `Distributions`. Set, not added: a chunk that is logged twice has its rows once."""
        names = {f"#n{number}": f"{ROWS}{country}" for number, country in enumerate(rows)}
        values: dict[str, Plain] = {f":n{number}": count for number, count in enumerate(rows.values())}
        sets = ["accepted_at = if_not_exists(accepted_at, :at)", *(f"{alias} = :{alias[1:]}" for alias in names)]
        await self._aws.run(
            lambda: self._aws.dynamodb.update_item(
                TableName=self._table,
                Key=attributes(_chunk_key(organisation, chunk)),
                UpdateExpression="SET " + ", ".join(sets),
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=attributes(values | {":at": milliseconds(at)}),
            )
        )

    async def tallies(self, organisation: str, distribution_id: str) -> Mapping[tuple[int, int], Tally]:
        """See `Distributions`."""

        def query() -> dict[tuple[int, int], Tally]:
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
            return {_chunk_of(item): tally_of(item) for item in items}

        return await self._aws.run(query)

    def _add(
        self,
        key: Mapping[str, str],
        change: Mapping[str, int],
        seen: Mapping[str, int] | None = None,
        once: Mapping[str, Plain] | None = None,
    ) -> bool:
        """Add to columns, all at once; if `seen` is given, only while each of its columns stands at that.

        `once` is set where it is not there yet.
        """
        added = {name: count for name, count in change.items() if count}
        if not added:
            return True
        names = {name: f"#n{number}" for number, name in enumerate({**added, **(seen or {})})}
        values: dict[str, Plain] = {f":add{names[name][1:]}": count for name, count in added.items()}
        sets = [f"{name} = if_not_exists({name}, :{name})" for name in once or {}]
        values |= {f":{name}": value for name, value in (once or {}).items()}
        request: UpdateItemInputTypeDef = {
            "TableName": self._table,
            "Key": attributes(key),
            "UpdateExpression": ("SET " + ", ".join(sets) + " " if sets else "")
            + "ADD "
            + ", ".join(f"{names[name]} :add{names[name][1:]}" for name in added),
            "ExpressionAttributeNames": {alias: name for name, alias in names.items()},
        }
        if seen is not None:
            request["ConditionExpression"] = " AND ".join(_stands(names[name], seen[name]) for name in seen)
            values |= {f":seen{names[name][1:]}": count for name, count in seen.items()}
        request["ExpressionAttributeValues"] = attributes(values)
        try:
            self._aws.dynamodb.update_item(**request)
        except ClientError as error:
            standing(error)
            return False
        return True

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
            request["FilterExpression"] = " AND ".join(f"#{name} = :{name}" for name in wished)
            request["ExpressionAttributeNames"] = {f"#{name}": name for name in wished}
        found = self._aws.dynamodb.query(**request)
        last = found.get("LastEvaluatedKey")
        return [from_item(plain(item)) for item in found["Items"]], str(plain(last)["listed_at"]) if last else None


def _key(organisation: str, distribution_id: str) -> str:
    return f"{organisation}#distribution#{distribution_id}"


def item_key(organisation: str, distribution_id: str) -> dict[str, str]:
    """The key of a distribution's item."""
    return {"pk": _key(organisation, distribution_id), "sk": _META}


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


def from_item(item: Item) -> Distribution:
    """The distribution in an item."""
    return decode(str(item["document"]), Distribution)


def _stands(alias: str, count: int) -> str:
    """A column that was never added to is absent: that is zero as well."""
    same = f"{alias} = :seen{alias[1:]}"
    return same if count else f"(attribute_not_exists({alias}) OR {same})"
