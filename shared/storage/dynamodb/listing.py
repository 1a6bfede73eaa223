"""Lists of messages, newest first, over the shards of one index. The index has no mutable key, so the status is checked
in the rows themselves."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from math import ceil
from typing import TYPE_CHECKING

from shared.base.instants import from_milliseconds, milliseconds
from shared.campaigns.counts import RECEIPT_MISSING, shown_reason
from shared.messages.message import Message, Status
from shared.messages.payload import Channel
from shared.messages.ports import LogQuery, Page, Single
from shared.storage.aws import Aws
from shared.storage.dynamodb.items import Item, attributes, get_items, plain, query_all, text
from shared.storage.dynamodb.message_item import (
    FAILURE,
    LIST_SHARDS,
    campaign_key,
    from_item,
    key,
    person_key,
    shard_keys,
)
from shared.storage.dynamodb.message_item import position as place_of

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import QueryInputPaginateTypeDef, QueryInputTypeDef


_PAGES = 20
"""The most index pages that are read for one page of a list. With rare matches the page ends early, with a cursor."""

_KEYS_ONLY = ("by_person", "dead_letters")

_NEWEST = "~"
"""Sorts after every position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Partition:
    index: str
    name: str
    value: str
    sort: str = "listed_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Positions found in a partition, newest first. `seen_to` is the last one read; None: the end was reached."""

    positions: list[str]
    seen_to: str | None


async def page_of(aws: Aws, table: str, query: LogQuery, position: str | None, limit: int) -> Page[Message]:
    """One page: at most `limit` messages below `position`."""
    if query.provider_message_id is not None:
        return await _named(aws, table, query, query.provider_message_id, position, limit)
    messages: list[Message] = []
    below = position or _NEWEST
    for _ in range(_PAGES):
        candidates, below_next = await _candidates(aws, table, query, below, limit + 1)
        rows = await _rows(aws, table, query, candidates)
        for candidate in candidates:
            if len(messages) == limit:
                return Page(items=messages, position=below)
            below = candidate
            if candidate in rows:
                messages.append(rows[candidate])
        if below_next is None:
            return Page(items=messages, position=None)
        below = below_next
    return Page(items=messages, position=below)


async def stretch_of(aws: Aws, table: str, query: LogQuery, position: str | None, about: int) -> Page[Message]:
    """The next messages of a list, all that one round of queries finds."""
    a_shard = ceil(about / LIST_SHARDS)
    candidates, below = await _candidates(aws, table, query, position or _NEWEST, a_shard)
    rows = await _rows(aws, table, query, candidates)
    return Page(items=[rows[candidate] for candidate in candidates if candidate in rows], position=below)


async def singles_of(
    aws: Aws, table: str, organisation: str, campaign_id: str | None, between: tuple[datetime | None, datetime | None]
) -> list[Single]:
    """Messages without a distribution, as the index has them. `between`: from inclusive, to exclusive, by
    acceptance."""
    if campaign_id is not None:
        index, name, owner = "by_campaign", "campaign_shard", campaign_key(organisation, campaign_id)
    else:
        index, name, owner = "by_organisation", "organisation_shard", organisation
    since, until = between
    first = f"{milliseconds(since):013d}" if since else "0"
    end = f"{milliseconds(until):013d}" if until else _NEWEST
    if first > end:
        return []

    def read(partition: str) -> list[Single]:
        request: QueryInputPaginateTypeDef = {
            "TableName": table,
            "IndexName": index,
            "KeyConditionExpression": f"{name} = :partition AND listed_at BETWEEN :first AND :end",
            "ExpressionAttributeValues": attributes({":partition": partition, ":first": first, ":end": end}),
        }
        return [_single(item) for item in query_all(aws, request)]

    found = await aws.run_all([partial(read, partition) for partition in shard_keys(owner, single=True)])
    return [one for ones in found for one in ones]


def dead_letters_in(aws: Aws, table: str, most: int) -> Counter[tuple[str, Channel]]:
    """Counts by organisation and channel. It scans the index, which holds only dead rows, of every organisation."""
    found = aws.dynamodb.scan(TableName=table, IndexName="dead_letters", Limit=most)
    items = [plain(item) for item in found["Items"]]
    return Counter((str(item["dead_key"]), Channel(str(item["channel"]))) for item in items)


def _single(item: Item) -> Single:
    accepted, _, message_id = str(item["listed_at"]).partition("#")
    return Single(
        message_id=message_id,
        accepted_at=from_milliseconds(int(accepted)),
        channel=Channel(str(item["channel"])),
        country=str(item["country"]),
        campaign_id=text(item, "campaign_id"),
    )


async def _named(
    aws: Aws, table: str, query: LogQuery, provider_message_id: str, position: str | None, limit: int
) -> Page[Message]:
    """The messages with a provider's ID, nearly always one. The index is read completely, because its order is not that
    of a list: its sort key is the table's key, which begins with the organisation."""
    keys = await aws.run(lambda: _keys_named(aws, table, query.organisation, provider_message_id))
    rows = [from_item(item) for item in await get_items(aws, table, keys, consistent=False)]
    places = {place_of(row.accepted_at, row.message_id): row for row in rows if _matches(row, query)}
    below = sorted((place for place in places if position is None or place < position), reverse=True)
    items = [places[place] for place in below[:limit]]
    return Page(items=items, position=below[limit - 1] if len(below) > limit else None)


def _keys_named(aws: Aws, table: str, organisation: str, provider_message_id: str) -> list[dict[str, str]]:
    request: QueryInputPaginateTypeDef = {
        "TableName": table,
        "IndexName": "by_provider_id",
        "KeyConditionExpression": "provider_message_id = :named AND begins_with(pk, :organisation)",
        "ExpressionAttributeValues": attributes(
            {":named": provider_message_id, ":organisation": key(organisation, "")}
        ),
    }
    return [{"pk": str(item["pk"])} for item in query_all(aws, request)]


async def _candidates(aws: Aws, table: str, query: LogQuery, below: str, want: int) -> tuple[list[str], str | None]:
    """The next positions over all partitions, and where to continue; None at the end of all of them.

    If a partition was not read to its end, positions below the last one read in it may still be missing, so they are
    left for the next call.
    """
    found = await aws.run_all(
        [partial(_query, aws, table, query, partition, below, want) for partition in _partitions(query)]
    )
    floor = max((one.seen_to for one in found if one.seen_to is not None), default=None)
    positions = sorted((position for one in found for position in one.positions), reverse=True)
    if floor is None:
        return positions, None
    return [position for position in positions if position >= floor], floor


def _partitions(query: LogQuery) -> list[_Partition]:
    organisation = query.organisation
    if query.person is not None:
        return [_Partition(index="by_person", name="person_key", value=person_key(organisation, query.person))]
    if query.dead:
        return [_Partition(index="dead_letters", name="dead_key", value=organisation)]
    if query.enrollment_id is not None:
        value = f"{organisation}#{query.enrollment_id}"
        return [_Partition(index="by_enrollment", name="enrollment_key", value=value)]
    if query.campaign_id is not None:
        index, name, owner = "by_campaign", "campaign_shard", campaign_key(organisation, query.campaign_id)
    else:
        index, name, owner = "by_organisation", "organisation_shard", organisation
    index, sort = (f"failures_{index}", FAILURE) if _only_failures(query) else (index, "listed_at")
    return [
        _Partition(index=index, name=name, value=value, sort=sort)
        for single in _groups(query)
        for value in shard_keys(owner, single=single)
    ]


def _only_failures(query: LogQuery) -> bool:
    """Whether only failed messages are wanted, which have indexes of their own. A missing receipt is the one reason
    that a failed message does not have."""
    return query.status is Status.FAILED or query.reason not in (None, RECEIPT_MISSING)


def _groups(query: LogQuery) -> Sequence[bool]:
    """Which partitions hold the messages: those of rows (False), and those of all others, a distribution's fallbacks
    among them (True)."""
    return (False, True) if query.via is None else (query.via != "distribution",)


def _query(aws: Aws, table: str, query: LogQuery, partition: _Partition, below: str, want: int) -> _Found:
    filters = _filters(query, partition)
    since = f"{milliseconds(query.since):013d}" if query.since else "0"
    until = f"{milliseconds(query.until):013d}" if query.until else _NEWEST
    if since > min(below, until):
        # DynamoDB refuses bounds in the wrong order.
        return _Found(positions=[], seen_to=None)
    request: QueryInputTypeDef = {
        "TableName": table,
        "IndexName": partition.index,
        "KeyConditionExpression": f"{partition.name} = :partition AND {partition.sort} BETWEEN :since AND :below",
        "ExpressionAttributeValues": attributes(
            {":partition": partition.value, ":since": since, ":below": min(below, until)}
            | {f":{name}": value for name, value in filters.items()}
        ),
        "ScanIndexForward": False,
        "Limit": want + 1,
    }
    if filters:
        request["FilterExpression"] = " AND ".join(f"{name} = :{name}" for name in filters)
    answer = aws.dynamodb.query(**request)
    positions = [str(plain(item)[partition.sort]) for item in answer["Items"]]
    last = answer.get("LastEvaluatedKey")
    return _Found(
        positions=[position for position in positions if position < below],
        seen_to=text(plain(last), partition.sort) if last else None,
    )


def _filters(query: LogQuery, partition: _Partition) -> dict[str, str]:
    if partition.index in _KEYS_ONLY:
        return {}
    wished: Mapping[str, str | None] = {
        "distribution_id": query.distribution_id,
        "channel": query.channel,
        "campaign_id": None if partition.name == "campaign_shard" else query.campaign_id,
    }
    return {name: str(value) for name, value in wished.items() if value is not None}


async def _rows(aws: Aws, table: str, query: LogQuery, positions: Sequence[str]) -> dict[str, Message]:
    """The rows that still match, by position."""
    keys = [{"pk": key(query.organisation, position.partition("#")[2])} for position in positions]
    messages = [from_item(item) for item in await get_items(aws, table, keys, consistent=False)]
    by_id = {message.message_id: message for message in messages}
    rows = {position: by_id.get(position.partition("#")[2]) for position in positions}
    return {position: message for position, message in rows.items() if message is not None and _matches(message, query)}


def _matches(message: Message, query: LogQuery) -> bool:
    """Checks in the row what the index does not hold: always the status, and everything if the index holds only
    keys."""
    if query.dead and message.dead is None:
        return False
    if query.since and message.accepted_at < query.since:
        return False
    if query.until and message.accepted_at >= query.until:
        return False
    if query.reason is not None and query.reason != (shown_reason(message, query.now) if query.now else message.reason):
        return False
    wished = {
        "status": query.status,
        "channel": query.channel,
        "campaign_id": query.campaign_id,
        "enrollment_id": query.enrollment_id,
        "listed_in": query.distribution_id,
        "via": query.via,
        "person": query.person,
        "provider_message_id": query.provider_message_id,
    }
    return all(value is None or getattr(message, name) == value for name, value in wished.items())
