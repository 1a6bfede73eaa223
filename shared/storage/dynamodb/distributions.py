"""Distributions on the state table: one item each, with its plan as one JSON attribute, and one item of counts for each
chunk.

A distribution is written whole, on condition of the revision that was read, so that pause, release and planning never
overwrite each other.

The item of counts has one attribute for each number, so that many workers can add at once. It stays near 1 KB, so an
ADD costs one write unit or two: a hundred messages have at most a hundred delivery times, and a chunk is sent within a
few minutes, except for retries.

Each change of counts also marks the item for the sums (`shared.storage.dynamodb.sums`). A summing is a transaction on
these items, so a write that meets one is refused, and is repeated here.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shared.base.ids import shard_of
from shared.base.instants import from_milliseconds, milliseconds
from shared.campaigns.counts import Due, Fallbacks, Group, Place, Tally, group_of, parse_group, place_in
from shared.campaigns.distribution import Counts, Distribution
from shared.campaigns.ports import DistributionQuery
from shared.messages.message import Chunk, Status
from shared.messages.ports import Page
from shared.statistics.sums import SUM_SHARDS
from shared.storage.aws import Aws
from shared.storage.codec import decode, encode
from shared.storage.dynamodb.items import (
    CONDITION_FAILED,
    Item,
    Plain,
    attribute,
    attributes,
    due_items,
    get_items,
    partition,
    plain,
    put_if_absent,
    stored_item,
    transacted,
    when_free,
    whole,
)

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import QueryInputTypeDef, TransactWriteItemTypeDef, UpdateItemInputTypeDef


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

REST = "rest"
"""The sort key of the item that notes what the sums have of a distribution's rows outside the log."""


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
        saved = dataclasses.replace(distribution, revision=distribution.revision + 1, rest=distribution.rest_now)
        if saved.rest != distribution.rest:
            return saved if await self._put_marked(saved, distribution.revision) else None
        put = partial(self._put, _to_item(saved), distribution.revision)
        return saved if await self._aws.run(put) else None

    def _put(self, values: Mapping[str, Plain | None], seen: int) -> bool:
        item = attributes(values)
        try:
            self._aws.dynamodb.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="revision = :seen",
                ExpressionAttributeValues={":seen": attribute(seen)},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            return stored_item(error) == plain(item)  # then an earlier attempt of this write has put it
        return True

    async def _put_marked(self, saved: Distribution, seen: int) -> bool:
        """Store it and mark its rest for the sums, both or none."""
        values = _to_item(saved)
        rest = {"pk": str(values["pk"]), "sk": REST}
        put: TransactWriteItemTypeDef = {
            "Put": {
                "TableName": self._table,
                "Item": attributes(values),
                "ConditionExpression": "revision = :seen",
                "ExpressionAttributeValues": {":seen": attribute(seen)},
            }
        }
        mark: TransactWriteItemTypeDef = {
            "Update": {
                "TableName": self._table,
                "Key": attributes(rest),
                "UpdateExpression": "SET unsummed = :shard ADD changes :one",
                "ExpressionAttributeValues": attributes({":shard": unsummed_in(saved.organisation), ":one": 1}),
            }
        }
        reasons = await self._aws.run(lambda: transacted(self._aws, [put, mark]))
        if not reasons or reasons[0] != CONDITION_FAILED:
            return not reasons
        stored = await get_items(self._aws, self._table, [item_key(saved.organisation, saved.distribution_id)])
        return [plain(attributes(values))] == stored  # then an earlier attempt of this write has put it

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
        found = await due_items(self._aws, self._table, _AGENDA, now, limit)
        return list(dict.fromkeys(map(_due, found)))

    async def count(
        self,
        organisation: str,
        place: Place,
        change: Counts,
        *,
        began: datetime,
        recount_at: datetime | None = None,
        accepted_at: datetime | None = None,
    ) -> bool:
        """AWS's client repeats an ADD whose answer was lost, and reports the repeats in its answer; then a recount
        follows."""
        once: dict[str, Plain] = {}
        sets: dict[str, Plain] = {}
        if recount_at is not None:
            once |= {"due_at": milliseconds(recount_at), "agenda_shard": _AGENDA}
        if accepted_at is not None:
            once["accepted_at"] = sets["last_at"] = milliseconds(accepted_at)
        late = _Condition(
            text="attribute_not_exists(counted_at) OR counted_at < :began", values={":began": milliseconds(began)}
        )
        added = await self._aws.run(partial(self._add, organisation, place, change, late, once=once, sets=sets))
        if added.tries > 1:
            await self.want_recount(organisation, place, began)
        return added.done

    async def want_recount(self, organisation: str, place: Place, at: datetime) -> None:
        values: dict[str, Plain] = {":at": milliseconds(at), ":shard": _AGENDA, ":one": 1}
        await self._aws.run(
            lambda: when_free(
                self._aws,
                lambda: self._aws.dynamodb.update_item(
                    TableName=self._table,
                    Key=attributes(place_key(organisation, place)),
                    UpdateExpression="SET due_at = :at, agenda_shard = :shard ADD wishes :one",
                    ExpressionAttributeValues=attributes(values),
                ),
            )
        )

    async def recounted(self, organisation: str, place: Place, *, wishes: int) -> None:
        request: UpdateItemInputTypeDef = {
            "TableName": self._table,
            "Key": attributes(place_key(organisation, place)),
            "UpdateExpression": "REMOVE due_at, agenda_shard",
            "ConditionExpression": "wishes = :seen" if wishes else "attribute_not_exists(wishes)",
        }
        if wishes:
            request["ExpressionAttributeValues"] = {":seen": attribute(wishes)}

        def remove() -> None:
            try:
                when_free(self._aws, lambda: self._aws.dynamodb.update_item(**request))
            except ClientError as error:
                stored_item(error)  # a later request for a recount stays

        await self._aws.run(remove)

    async def set_counts(
        self, organisation: str, place: Place, counts: Counts, *, seen: Counts, read_at: datetime
    ) -> bool:
        """The condition compares every status count with `seen`: each move changes at least one of them.

        Times are not compared: they change together with a status, and so many conditions would exceed DynamoDB's 4 KB.
        """
        old = dict.fromkeys(map(status_column, Status), 0) | columns_of(seen)
        held = {name: count for name, count in old.items() if not name.startswith((DELAY, AWAITING))}
        sets: dict[str, Plain] = {"counted_at": milliseconds(read_at)}
        add = partial(self._add, organisation, place, counts.minus(seen), _as_seen(held), sets=sets)
        return (await self._aws.run(add)).done

    async def tally(self, organisation: str, place: Place) -> Tally:
        found = await get_items(self._aws, self._table, [place_key(organisation, place)])
        return tally_of(found[0]) if found else Tally()

    async def counts(self, organisation: str, group: Group) -> Mapping[tuple[int, int], Counts]:
        found = await self.tallies(organisation, group)
        return {place: tally.counts for place, tally in found.items()}

    async def note_logged(self, organisation: str, chunk: Chunk, at: datetime, rows: Mapping[str, int]) -> None:
        """Set, not added: a chunk that is logged twice counts its rows once."""
        names = {f"#n{number}": f"{ROWS}{country}" for number, country in enumerate(rows)}
        values: dict[str, Plain] = {f":n{number}": count for number, count in enumerate(rows.values())}
        values |= {":at": milliseconds(at), ":shard": unsummed_in(organisation), ":one": 1}
        sets = ["accepted_at = if_not_exists(accepted_at, :at)", "unsummed = :shard"]
        sets += [f"{alias} = :{alias[1:]}" for alias in names]
        await self._aws.run(
            lambda: when_free(
                self._aws,
                lambda: self._aws.dynamodb.update_item(
                    TableName=self._table,
                    Key=attributes(place_key(organisation, chunk)),
                    UpdateExpression=f"SET {', '.join(sets)} ADD changes :one",
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues=attributes(values),
                ),
            )
        )

    async def tallies(self, organisation: str, group: Group) -> Mapping[tuple[int, int], Tally]:
        items = await partition(self._aws, self._table, _key(organisation, group), _COUNTS)
        return {_run_and_number(item): tally_of(item) for item in items}

    def _add(
        self,
        organisation: str,
        place: Place,
        change: Counts,
        condition: _Condition,
        *,
        once: Mapping[str, Plain] | None = None,
        sets: Mapping[str, Plain],
    ) -> _Added:
        """Add to attributes, all at once, if the condition holds. `once` is set only where it is absent."""
        added = {name: count for name, count in columns_of(change).items() if count}
        if not added:
            return _Added(done=True)
        if is_summed(place):
            added["changes"] = 1
            sets = {**sets, "unsummed": unsummed_in(organisation)}
        names = {name: f"#a{number}" for number, name in enumerate(added)}
        adds = ", ".join(f"{alias} :{alias[1:]}" for alias in names.values())
        writes = [f"{name} = if_not_exists({name}, :{name})" for name in once or {}]
        writes += [f"{name} = :{name}" for name in sets]
        values: dict[str, Plain] = {f":{alias[1:]}": added[name] for name, alias in names.items()}
        values |= {f":{name}": value for name, value in {**(once or {}), **sets}.items()} | {**condition.values}
        request: UpdateItemInputTypeDef = {
            "TableName": self._table,
            "Key": attributes(place_key(organisation, place)),
            "UpdateExpression": (f"SET {', '.join(writes)} " if writes else "") + f"ADD {adds}",
            "ConditionExpression": condition.text,
            "ExpressionAttributeNames": {alias: name for name, alias in names.items()} | {**condition.names},
            "ExpressionAttributeValues": attributes(values),
        }
        try:
            answer = when_free(self._aws, lambda: self._aws.dynamodb.update_item(**request))
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


def place_key(organisation: str, place: Place) -> dict[str, str]:
    """The key of the item of a place's counts."""
    return {"pk": _key(organisation, group_of(place)), "sk": f"{_COUNTS}{place.run:02d}#{place.number:06d}"}


def unsummed_in(organisation: str) -> str:
    """What marks an item for the sums: the organisation's part of the list."""
    return str(shard_of(organisation, SUM_SHARDS))


def is_summed(place: Place) -> bool:
    """Whether the sums have the place. A fallback is counted for its distribution, and is in the sums as the message
    without a distribution that it also is."""
    return not isinstance(group_of(place), Fallbacks)


def place_of_key(item: Item) -> tuple[str, Place]:
    """The organisation and the place of an item of counts."""
    organisation, _, group = str(item["pk"]).partition("#")
    return organisation, place_in(parse_group(group.removeprefix(_DISTRIBUTION)), *_run_and_number(item))


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

_REACHED = "reached"


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
    columns |= {_CARDS: counts.cards, _CARDS_WITHIN: counts.cards_within_24h, _REACHED: counts.reached}
    return {name: count for name, count in columns.items() if count}


def tally_of(item: Item) -> Tally:
    """The tally in an item."""
    numbers = {name: value for name, value in item.items() if isinstance(value, int) and value}
    return Tally(
        counts=counts_of(numbers),
        accepted_at=instant(item, "accepted_at"),
        rows=_under(ROWS, numbers),
        recount_at=instant(item, "due_at"),
        last_at=instant(item, "last_at"),
        wishes=numbers.get(WISHES, 0),
    )


def counts_of(columns: Mapping[str, int]) -> Counts:
    """The counts from which `columns_of` made these columns. Other names are ignored."""
    return Counts(
        by_status={Status(name): count for name, count in _under(_STATUS, columns).items()},
        by_reason=_under(_REASON, columns),
        segments=_under(_SEGMENTS, columns),
        amounts={_country_and_currency(name): sum_ for name, sum_ in _under(_AMOUNT, columns).items()},
        delays={int(name): count for name, count in _under(DELAY, columns).items()},
        awaiting={int(name): count for name, count in _under(AWAITING, columns).items()},
        cards=columns.get(_CARDS, 0),
        cards_within_24h=columns.get(_CARDS_WITHIN, 0),
        reached=columns.get(_REACHED, 0),
    )


def instant(item: Item, name: str) -> datetime | None:
    """An instant that is stored in milliseconds; None: absent."""
    value = whole(item, name)
    return from_milliseconds(value) if value is not None else None


def _under(prefix: str, numbers: Mapping[str, int]) -> dict[str, int]:
    return {name.removeprefix(prefix): count for name, count in numbers.items() if name.startswith(prefix)}


def _country_and_currency(name: str) -> tuple[str, str]:
    country, _, currency = name.partition(".")
    return country, currency
