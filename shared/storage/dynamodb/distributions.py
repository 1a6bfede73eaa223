"""Distributions on the state table: one item each, with its plan as one JSON attribute, and one item of counts for each
chunk.

A distribution is written whole, on condition of the revision that was read, so that pause, release and planning never
overwrite each other.

The item of counts has one attribute for each number, so that many workers can add at once. It stays below 1 KB, so an
ADD costs one write unit: a hundred messages have at most a hundred delivery times, and a chunk is sent within a few
minutes, except for retries.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shared.base.instants import from_milliseconds, milliseconds
from shared.campaigns.counts import Due, Group, Place, Tally, group_of, parse_group
from shared.campaigns.distribution import Counts, Distribution
from shared.campaigns.ports import DistributionQuery
from shared.messages.message import Chunk, Status
from shared.messages.ports import Page
from shared.storage.aws import Aws
from shared.storage.codec import decode, encode
from shared.storage.dynamodb.items import (
    Item,
    Plain,
    attribute,
    attributes,
    get_items,
    partition,
    plain,
    put_if_absent,
    stored_item,
    whole,
)

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import QueryInputTypeDef, UpdateItemInputTypeDef


_META = "meta"

_DISTRIBUTION = "distribution#"

_COUNTS = "counts#"

_AGENDA = "distributions"

_NEWEST = "~"
"""Sorts after every position."""

_QUERIES = 5
"""The most queries for one page of the list. With rare matches the page ends early, with a position."""

_READ_FOR_ONE = 4
"""With a filter, a query looks at this many distributions for each one that is wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Condition:
    """A condition expression with its values and names."""

    text: str
    values: Mapping[str, Plain]
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Added:
    """Whether an ADD was done, and how often AWS's client sent it. More than once: it may have been done twice."""

    done: bool
    tries: int = 1


class DynamoDistributions:
    """`Distributions` on the state table."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    async def create(self, distribution: Distribution) -> Distribution | None:
        if await self._aws.run(lambda: put_if_absent(self._aws, self._table, _to_item(distribution))):
            return None
        return await self.get(distribution.organisation, distribution.distribution_id)

    async def get(self, organisation: str, distribution_id: str) -> Distribution | None:
        return (await self.get_many([(organisation, distribution_id)])).get(distribution_id)

    async def get_many(self, keys: Iterable[tuple[str, str]]) -> Mapping[str, Distribution]:
        wanted = [item_key(*key) for key in keys]
        found = map(from_item, await get_items(self._aws, self._table, wanted))
        return {distribution.distribution_id: distribution for distribution in found}

    async def save(self, distribution: Distribution) -> Distribution | None:
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
                return stored_item(error) == plain(item)  # then an earlier attempt of this write has put it
            return True

        return saved if await self._aws.run(put) else None

    async def page(self, query: DistributionQuery, position: str | None, limit: int) -> Page[Distribution]:
        first = f"{milliseconds(query.since):013d}" if query.since else ""
        end = f"{milliseconds(query.until):013d}" if query.until else _NEWEST
        below = min(position or _NEWEST, end)
        items: list[Distribution] = []
        for _ in range(_QUERIES):
            batch, last = await self._aws.run(partial(self._query_page, query, below, limit))
            for distribution in batch:
                if _position(distribution) < first:
                    return Page(items=items, position=None)
                if len(items) == limit:
                    return Page(items=items, position=_position(items[-1]))
                items.append(distribution)
            if last is None or last < first:
                return Page(items=items, position=None)
            below = last
        return Page(items=items, position=below)

    async def due(self, now: datetime, limit: int) -> Sequence[Due]:
        found = await self._aws.run(
            lambda: self._aws.dynamodb.query(
                TableName=self._table,
                IndexName="agenda",
                KeyConditionExpression="agenda_shard = :shard AND due_at <= :now",
                ExpressionAttributeValues={":shard": attribute(_AGENDA), ":now": attribute(milliseconds(now))},
                Limit=limit,
            )
        )
        return list(dict.fromkeys(_due(plain(item)) for item in found["Items"]))

    async def count(
        self, organisation: str, place: Place, change: Counts, *, began: datetime, recount_at: datetime | None = None
    ) -> bool:
        """AWS's client repeats an ADD whose answer was lost, and reports the repeats in its answer; then a recount
        follows."""
        next_check: dict[str, Plain] = (
            {"due_at": milliseconds(recount_at), "agenda_shard": _AGENDA} if recount_at is not None else {}
        )
        late = _Condition(
            text="attribute_not_exists(counted_at) OR counted_at < :began", values={":began": milliseconds(began)}
        )
        key = _place_key(organisation, place)
        added = await self._aws.run(partial(self._add, key, columns_of(change), late, once=next_check))
        if added.tries > 1:
            await self.want_recount(organisation, place, began)
        return added.done

    async def want_recount(self, organisation: str, place: Place, at: datetime) -> None:
        values: dict[str, Plain] = {":at": milliseconds(at), ":shard": _AGENDA, ":one": 1}
        await self._aws.run(
            lambda: self._aws.dynamodb.update_item(
                TableName=self._table,
                Key=attributes(_place_key(organisation, place)),
                UpdateExpression="SET due_at = :at, agenda_shard = :shard ADD wishes :one",
                ExpressionAttributeValues=attributes(values),
            )
        )

    async def recounted(self, organisation: str, place: Place, *, wishes: int) -> None:
        request: UpdateItemInputTypeDef = {
            "TableName": self._table,
            "Key": attributes(_place_key(organisation, place)),
            "UpdateExpression": "REMOVE due_at, agenda_shard",
            "ConditionExpression": "wishes = :seen" if wishes else "attribute_not_exists(wishes)",
        }
        if wishes:
            request["ExpressionAttributeValues"] = {":seen": attribute(wishes)}

        def remove() -> None:
            try:
                self._aws.dynamodb.update_item(**request)
            except ClientError as error:
                stored_item(error)  # a later request for a recount stays

        await self._aws.run(remove)

    async def set_counts(
        self, organisation: str, place: Place, counts: Counts, *, seen: Counts, read_at: datetime
    ) -> bool:
        """The condition compares every status count with `seen`: each move changes at least one of them.

        Times are not compared: they change together with a status, and so many conditions would exceed DynamoDB's 4 KB.
        """
        new, old = columns_of(counts), dict.fromkeys(map(status_column, Status), 0) | columns_of(seen)
        change = {name: new.get(name, 0) - old.get(name, 0) for name in new | old}
        held = {name: count for name, count in old.items() if not name.startswith((DELAY, AWAITING))}
        key, sets = _place_key(organisation, place), {"counted_at": milliseconds(read_at)}
        return (await self._aws.run(partial(self._add, key, change, _as_seen(held), sets=sets))).done

    async def tally(self, organisation: str, place: Place) -> Tally:
        found = await get_items(self._aws, self._table, [_place_key(organisation, place)])
        return tally_of(found[0]) if found else Tally()

    async def counts(self, organisation: str, group: Group) -> Mapping[tuple[int, int], Counts]:
        found = await self.tallies(organisation, group)
        return {place: tally.counts for place, tally in found.items()}

    async def note_logged(self, organisation: str, chunk: Chunk, at: datetime, rows: Mapping[str, int]) -> None:
        """Set, not added: a chunk that is logged twice counts its rows once."""
        names = {f"#n{number}": f"{ROWS}{country}" for number, country in enumerate(rows)}
        values: dict[str, Plain] = {f":n{number}": count for number, count in enumerate(rows.values())}
        sets = ["accepted_at = if_not_exists(accepted_at, :at)", *(f"{alias} = :{alias[1:]}" for alias in names)]
        await self._aws.run(
            lambda: self._aws.dynamodb.update_item(
                TableName=self._table,
                Key=attributes(_place_key(organisation, chunk)),
                UpdateExpression="SET " + ", ".join(sets),
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=attributes(values | {":at": milliseconds(at)}),
            )
        )

    async def tallies(self, organisation: str, group: Group) -> Mapping[tuple[int, int], Tally]:
        items = await partition(self._aws, self._table, _key(organisation, group), _COUNTS)
        return {_run_and_number(item): tally_of(item) for item in items}

    def _add(
        self,
        key: Mapping[str, str],
        change: Mapping[str, int],
        condition: _Condition,
        *,
        once: Mapping[str, Plain] | None = None,
        sets: Mapping[str, Plain] | None = None,
    ) -> _Added:
        """Add to attributes, all at once, if the condition holds. `once` is set only where it is absent."""
        added = {name: count for name, count in change.items() if count}
        if not added:
            return _Added(done=True)
        names = {name: f"#a{number}" for number, name in enumerate(added)}
        adds = ", ".join(f"{alias} :{alias[1:]}" for alias in names.values())
        writes = [f"{name} = if_not_exists({name}, :{name})" for name in once or {}]
        writes += [f"{name} = :{name}" for name in sets or {}]
        values: dict[str, Plain] = {f":{alias[1:]}": added[name] for name, alias in names.items()}
        values |= {f":{name}": value for name, value in {**(once or {}), **(sets or {})}.items()} | {**condition.values}
        try:
            answer = self._aws.dynamodb.update_item(
                TableName=self._table,
                Key=attributes(key),
                UpdateExpression=(f"SET {', '.join(writes)} " if writes else "") + f"ADD {adds}",
                ConditionExpression=condition.text,
                ExpressionAttributeNames={alias: name for name, alias in names.items()} | {**condition.names},
                ExpressionAttributeValues=attributes(values),
            )
        except ClientError as error:
            stored_item(error)
            return _Added(done=False, tries=1 + error.response["ResponseMetadata"]["RetryAttempts"])
        return _Added(done=True, tries=1 + answer["ResponseMetadata"]["RetryAttempts"])

    def _query_page(self, query: DistributionQuery, below: str, limit: int) -> tuple[list[Distribution], str | None]:
        wished = _filters(query)
        values = {":list": f"{query.organisation}#distributions", ":below": below}
        request: QueryInputTypeDef = {
            "TableName": self._table,
            "IndexName": "listing",
            "KeyConditionExpression": "list_key = :list AND listed_at < :below",
            "ExpressionAttributeValues": attributes(values | {f":{name}": value for name, value in wished.items()}),
            "ScanIndexForward": False,
            "Limit": (limit + 1) * (_READ_FOR_ONE if wished else 1),
        }
        if wished:
            request["FilterExpression"] = " AND ".join(f"#{name} = :{name}" for name in wished)
            request["ExpressionAttributeNames"] = {f"#{name}": name for name in wished}
        found = self._aws.dynamodb.query(**request)
        last = found.get("LastEvaluatedKey")
        return [from_item(plain(item)) for item in found["Items"]], str(plain(last)["listed_at"]) if last else None


def _key(organisation: str, group: Group) -> str:
    return f"{organisation}#{_DISTRIBUTION}{group}" if isinstance(group, str) else f"{organisation}#{group}"


def item_key(organisation: str, distribution_id: str) -> dict[str, str]:
    """The key of a distribution's item."""
    return {"pk": _key(organisation, distribution_id), "sk": _META}


def _place_key(organisation: str, place: Place) -> dict[str, str]:
    return {"pk": _key(organisation, group_of(place)), "sk": f"{_COUNTS}{place.run:02d}#{place.number:06d}"}


def _run_and_number(item: Item) -> tuple[int, int]:
    _, run, number = str(item["sk"]).split("#")
    return int(run), int(number)


def _filters(query: DistributionQuery) -> dict[str, str]:
    """The attributes that are compared, with their values."""
    wished = {"campaign_id": query.campaign_id, "state": query.status, "channel": query.channel}
    return {name: str(value) for name, value in wished.items() if value is not None}


def _position(distribution: Distribution) -> str:
    return f"{milliseconds(distribution.created_at):013d}#{distribution.distribution_id}"


def _to_item(distribution: Distribution) -> dict[str, Plain | None]:
    return {
        "pk": _key(distribution.organisation, distribution.distribution_id),
        "sk": _META,
        "list_key": f"{distribution.organisation}#distributions",
        "listed_at": _position(distribution),
        "campaign_id": distribution.campaign_id,
        "channel": str(distribution.channel),
        "state": str(distribution.status),
        "revision": distribution.revision,
        "due_at": milliseconds(distribution.due_at) if distribution.due_at else None,
        "agenda_shard": _AGENDA if distribution.due_at else None,
        "document": encode(distribution).decode(),
    }


def from_item(item: Item) -> Distribution:
    """The distribution in an item."""
    return decode(str(item["document"]), Distribution)


def _due(item: Item) -> Due:
    """The index holds distributions, and chunks that need a recount."""
    organisation, _, group = str(item["pk"]).partition("#")
    return Due(
        organisation=organisation, group=parse_group(group.removeprefix(_DISTRIBUTION)), recount=item["sk"] != _META
    )


def _as_seen(columns: Mapping[str, int]) -> _Condition:
    """Each attribute has this value. An absent attribute counts as zero."""
    parts: list[str] = []
    for number, count in enumerate(columns.values()):
        same = f"#c{number} = :c{number}"
        parts.append(same if count else f"(attribute_not_exists(#c{number}) OR {same})")
    return _Condition(
        text=" AND ".join(parts),
        names={f"#c{number}": name for number, name in enumerate(columns)},
        values={f":c{number}": count for number, count in enumerate(columns.values())},
    )


DELAY = "d."

AWAITING = "s."

ROWS = "rows."

WISHES = "wishes"

_STATUS = "status."

_REASON = "reason."

_SEGMENTS = "segments."

_AMOUNT = "amount."

_CARDS = "cards"

_CARDS_WITHIN = "cards_24h"


def status_column(status: Status) -> str:
    """The attribute of a status."""
    return f"{_STATUS}{status}"


def columns_of(counts: Counts) -> dict[str, int]:
    """The value to add to each attribute; zeroes are left out."""
    columns = {status_column(status): count for status, count in counts.by_status.items()}
    columns |= {f"{_REASON}{reason}": count for reason, count in counts.by_reason.items()}
    columns |= {f"{_SEGMENTS}{country}": count for country, count in counts.segments.items()}
    columns |= {f"{_AMOUNT}{country}.{currency}": sum_ for (country, currency), sum_ in counts.amounts.items()}
    columns |= {f"{DELAY}{bucket}": count for bucket, count in counts.delays.items()}
    columns |= {f"{AWAITING}{minute}": count for minute, count in counts.awaiting.items()}
    columns |= {_CARDS: counts.cards, _CARDS_WITHIN: counts.cards_within_24h}
    return {name: count for name, count in columns.items() if count}


def tally_of(item: Item) -> Tally:
    """The tally in an item."""
    numbers = {name: value for name, value in item.items() if isinstance(value, int) and value}
    accepted_at, recount_at = whole(item, "accepted_at"), whole(item, "due_at")
    return Tally(
        counts=Counts(
            by_status={Status(name): count for name, count in _under(_STATUS, numbers).items()},
            by_reason=_under(_REASON, numbers),
            segments=_under(_SEGMENTS, numbers),
            amounts={_country_and_currency(name): sum_ for name, sum_ in _under(_AMOUNT, numbers).items()},
            delays={int(name): count for name, count in _under(DELAY, numbers).items()},
            awaiting={int(name): count for name, count in _under(AWAITING, numbers).items()},
            cards=numbers.get(_CARDS, 0),
            cards_within_24h=numbers.get(_CARDS_WITHIN, 0),
        ),
        accepted_at=from_milliseconds(accepted_at) if accepted_at is not None else None,
        rows=_under(ROWS, numbers),
        recount_at=from_milliseconds(recount_at) if recount_at is not None else None,
        wishes=numbers.get(WISHES, 0),
    )


def _under(prefix: str, numbers: Mapping[str, int]) -> dict[str, int]:
    return {name.removeprefix(prefix): count for name, count in numbers.items() if name.startswith(prefix)}


def _country_and_currency(name: str) -> tuple[str, str]:
    country, _, currency = name.partition(".")
    return country, currency
