"""Sums on the state table, and the list of leaves that wait to be summed.

A sum is one item with a text for each channel and country, replaced as a whole on condition of its revision: only a
summing writes it. A leaf is an item of counts, or a distribution's `rest`. While it waits, it has the attribute
`unsummed`, and so an entry in the index of that name. `summed` is the share that the sums have of it, as a text.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import starmap
from typing import TYPE_CHECKING

from shared.base.instants import milliseconds
from shared.campaigns.counts import Tally
from shared.campaigns.distribution import Counts
from shared.messages.payload import Channel
from shared.statistics.shares import Cell, Cells, Leaf, Rest, Share
from shared.statistics.sums import Period, Refused, Sum, Target, place_of_campaign
from shared.storage.aws import Aws
from shared.storage.codec import decode, encode
from shared.storage.dynamodb.distributions import (
    REST,
    columns_of,
    counts_of,
    instant,
    item_key,
    place_key,
    place_of_key,
    tally_of,
)
from shared.storage.dynamodb.items import (
    CONDITION_FAILED,
    Item,
    Plain,
    attribute,
    attributes,
    get_items,
    plain,
    query_all,
    text,
    transacted,
    whole,
)

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import PutTypeDef, QueryInputTypeDef, TransactWriteItemTypeDef

_INDEX = "unsummed"

_CELL = "cell."

_NOTHING = ""


class DynamoSums:
    """`SumStore` on the state table."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    async def is_unsummed(self, shard: int) -> bool:
        items, _ = await self._aws.run(partial(self._waiting, shard, None, 1, None))
        return bool(items)

    async def unsummed(
        self, shard: int, position: str | None, limit: int, *, organisation: str | None = None
    ) -> tuple[Sequence[Leaf], str | None]:
        """The index may be a moment old, so the leaves themselves are read, consistently."""
        keys, following = await self._aws.run(partial(self._waiting, shard, position, limit, organisation))
        items = await get_items(self._aws, self._table, keys) if keys else []
        return [_leaf(item) for item in items if "unsummed" in item], following

    async def read(self, organisation: str, targets: Sequence[Target]) -> Mapping[Target, Sum]:
        keys = {(key["pk"], key["sk"]): target for target in targets for key in [_key(organisation, target)]}
        items = await get_items(self._aws, self._table, [{"pk": pk, "sk": sk} for pk, sk in keys])
        return {keys[str(item["pk"]), str(item["sk"])]: _sum(item) for item in items}

    async def between(
        self, organisation: str, campaign_id: str | None, period: Period, first: int, end: int
    ) -> Mapping[int, Cells]:
        if first >= end:
            return {}
        bounds = [
            _key(organisation, Target(campaign_id=campaign_id, period=period, number=number))
            for number in (first, end - 1)
        ]
        values = {":pk": bounds[0]["pk"], ":first": bounds[0]["sk"], ":last": bounds[1]["sk"]}
        items = await self._aws.run(
            lambda: query_all(
                self._aws,
                {
                    "TableName": self._table,
                    "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
                    "ExpressionAttributeValues": attributes(values),
                    "ConsistentRead": True,
                },
            )
        )
        return {int(str(item["sk"]).partition("#")[2]): _sum(item).cells for item in items}

    async def campaigns(
        self, organisation: str, position: str | None, limit: int
    ) -> tuple[Sequence[tuple[str, Sum]], str | None]:
        values = {":list": _campaigns(organisation), ":below": position or "~"}
        found = await self._aws.run(
            lambda: self._aws.dynamodb.query(
                TableName=self._table,
                IndexName="listing",
                KeyConditionExpression="list_key = :list AND listed_at < :below",
                ExpressionAttributeValues=attributes(values),
                ScanIndexForward=False,
                Limit=limit,
            )
        )
        items = [plain(item) for item in found["Items"]]
        following = str(items[-1]["listed_at"]) if items and "LastEvaluatedKey" in found else None
        return [(str(item["campaign_id"]), _sum(item)) for item in items], following

    async def write(
        self, organisation: str, leaves: Sequence[tuple[Leaf, Share]], sums: Mapping[Target, Sum]
    ) -> Refused | None:
        notes = list(starmap(self._note, leaves))
        puts = [self._put(organisation, target, one) for target, one in sums.items()]
        reasons = await self._aws.run(lambda: transacted(self._aws, [*notes, *puts]))
        if not reasons:
            return None
        failed = [number for number, reason in enumerate(reasons) if reason == CONDITION_FAILED]
        changed = frozenset(number for number in failed if number < len(notes))
        return Refused(leaves=changed, sums=len(failed) > len(changed))

    def _waiting(
        self, shard: int, position: str | None, limit: int, organisation: str | None
    ) -> tuple[list[dict[str, str]], str | None]:
        request: QueryInputTypeDef = {
            "TableName": self._table,
            "IndexName": _INDEX,
            "KeyConditionExpression": "unsummed = :shard",
            "ExpressionAttributeValues": {":shard": attribute(str(shard))},
            "Limit": limit,
        }
        if organisation is not None:
            request["KeyConditionExpression"] = "unsummed = :shard AND begins_with(pk, :organisation)"
            request["ExpressionAttributeValues"] = attributes(
                {":shard": str(shard), ":organisation": f"{organisation}#"}
            )
        if position is not None:
            request["ExclusiveStartKey"] = attributes(decode(position, dict[str, str]))
        found = self._aws.dynamodb.query(**request)
        keys = [{"pk": str(item["pk"]), "sk": str(item["sk"])} for item in map(plain, found["Items"])]
        last = found.get("LastEvaluatedKey")
        return keys, encode(plain(last)).decode() if last else None

    def _note(self, leaf: Leaf, share: Share) -> "TransactWriteItemTypeDef":
        seen = share_text(leaf.summed) if leaf.summed is not None else None
        values: dict[str, Plain] = {":new": share_text(share), ":changes": leaf.changes}
        return {
            "Update": {
                "TableName": self._table,
                "Key": attributes(_leaf_key(leaf)),
                "UpdateExpression": "SET summed = :new REMOVE unsummed",
                "ConditionExpression": "changes = :changes AND "
                + ("summed = :seen" if seen is not None else "attribute_not_exists(summed)"),
                "ExpressionAttributeValues": attributes(values | ({":seen": seen} if seen is not None else {})),
            }
        }

    def _put(self, organisation: str, target: Target, new: Sum) -> "TransactWriteItemTypeDef":
        put: PutTypeDef = {
            "TableName": self._table,
            "Item": attributes(_key(organisation, target) | _sum_values(organisation, target, new)),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        if new.revision:
            put["ConditionExpression"] = "revision = :seen"
            put["ExpressionAttributeValues"] = {":seen": attribute(new.revision)}
        return {"Put": put}


def _key(organisation: str, target: Target) -> dict[str, str]:
    """Numbers have six digits, so they sort as text until the year 2084."""
    return {"pk": f"{organisation}#sums#{target.campaign_id or ''}", "sk": f"{target.period}#{target.number:06d}"}


def _sum_values(organisation: str, target: Target, new: Sum) -> dict[str, Plain | None]:
    """A campaign's total is also listed, by its first message."""
    values: dict[str, Plain | None] = {_cell_name(cell): _columns_text(counts) for cell, counts in new.cells.items()}
    values |= {"revision": new.revision + 1, "distributions": new.distributions or None}
    if target.period is Period.TOTAL and new.first_at is not None and new.last_at is not None:
        values |= {"first_at": milliseconds(new.first_at), "last_at": milliseconds(new.last_at)}
        values |= {"name": new.name, "named_at": milliseconds(new.named_at) if new.named_at is not None else None}
        campaign = target.campaign_id or ""
        place = place_of_campaign(campaign, new.first_at)
        values |= {"campaign_id": campaign, "list_key": _campaigns(organisation), "listed_at": place}
    return values


def _campaigns(organisation: str) -> str:
    return f"{organisation}#campaigns"


def _sum(item: Item) -> Sum:
    return Sum(
        cells={_cell(name): _counts(str(value)) for name, value in item.items() if name.startswith(_CELL)},
        distributions=whole(item, "distributions") or 0,
        name=text(item, "name"),
        named_at=instant(item, "named_at"),
        first_at=instant(item, "first_at"),
        last_at=instant(item, "last_at"),
        revision=whole(item, "revision") or 0,
    )


def _leaf(item: Item) -> Leaf:
    summed = text(item, "summed")
    share = read_share(summed) if summed is not None else None
    changes = whole(item, "changes") or 0
    if item["sk"] == REST:
        organisation, _, distribution_id = str(item["pk"]).split("#")
        rest = Rest(distribution_id=distribution_id)
        return Leaf(organisation=organisation, place=rest, tally=Tally(), changes=changes, summed=share)
    organisation, place = place_of_key(item)
    return Leaf(organisation=organisation, place=place, tally=tally_of(item), changes=changes, summed=share)


def _leaf_key(leaf: Leaf) -> dict[str, str]:
    if isinstance(leaf.place, Rest):
        return {**item_key(leaf.organisation, leaf.place.distribution_id), "sk": REST}
    return place_key(leaf.organisation, leaf.place)


# Texts. Nothing in them holds one of the separators: codes, countries, currencies and numbers.


def share_text(share: Share) -> str:
    """ "1|498060>sms.SN:status.sent=3/:d.7=2|498059>…", always in the same order."""
    hours = [
        f"{hour}>" + "/".join(f"{_short(cell)}:{_columns_text(cells[cell])}" for cell in sorted(cells, key=_short))
        for hour, cells in sorted(share.hours.items())
    ]
    return "|".join([str(share.distributions), *hours])


def read_share(found: str) -> Share:
    """The share from the text that `share_text` made."""
    distributions, *hours = found.split("|")
    return Share(hours=dict(map(_hour, hours)), distributions=int(distributions))


def _hour(found: str) -> tuple[int, Cells]:
    hour, _, cells = found.partition(">")
    named = (one.partition(":") for one in cells.split("/") if one)
    return int(hour), {_cell(_CELL + name): _counts(columns) for name, _, columns in named}


def _columns_text(counts: Counts) -> str:
    return ";".join(f"{name}={value}" for name, value in sorted(columns_of(counts).items()))


def _counts(found: str) -> Counts:
    columns = (one.partition("=") for one in found.split(";") if one)
    return counts_of({name: int(value) for name, _, value in columns})


def _short(cell: Cell | None) -> str:
    return f"{cell.channel}.{cell.country}" if cell is not None else _NOTHING


def _cell_name(cell: Cell | None) -> str:
    return _CELL + _short(cell)


def _cell(name: str) -> Cell | None:
    channel, _, country = name.removeprefix(_CELL).partition(".")
    return Cell(channel=Channel(channel), country=country) if channel else None
