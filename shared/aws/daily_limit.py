"""The moving count of people on the state table: one item a portfolio with a number per clock hour, one a person.

The portfolio's item is written before the person's: who dies between the two has counted somebody too many until the
hour leaves, and nobody too few.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from shared.aws.attributes import Item, Plain, attribute, attributes, plain, whole
from shared.aws.conditional import Update, changed, put_if_absent
from shared.aws.reading import get_items
from shared.aws.session import Aws
from shared.domain.daily_limit import WINDOW_HOURS, counts_from, opens_at, used
from shared.domain.instants import hour_of

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import UpdateItemInputTypeDef

_PREFIX = "hour_"
_KEPT_FOR = timedelta(hours=WINDOW_HOURS + 2)


class DynamoPeopleCount:
    """`PeopleCount` on the state table."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    async def take(
        self, organisation: str, portfolio: str, person: str, *, limit: int | None, now: datetime
    ) -> datetime | None:
        """See `PeopleCount`. Two requests more where the person is new, three where an earlier hour counts them."""
        hour = hour_of(now)
        keys = [_portfolio(organisation, portfolio), _person(organisation, portfolio, person)]
        buckets, counted_in = _read(await get_items(self._aws, self._table, keys))
        is_counted = counted_in is not None and counted_in >= counts_from(now)
        if counted_in == hour:
            return None
        if limit is not None and not is_counted and used(buckets, now) >= limit:
            return opens_at(buckets, limit, now)
        after = await self._add(keys[0], {hour: 1}, now)
        if limit is not None and not is_counted and used(after, now) > limit:
            await self._add(keys[0], {hour: -1}, now)
            return max(opens_at(after, limit, now), now + timedelta(seconds=1))
        marked = await self._aws.run(partial(self._mark, keys[1], hour, counted_in, now))
        if not marked and (is_counted or counted_in is None):
            await self._add(keys[0], {hour: -1}, now)  # another worker has counted the person meanwhile
        elif marked and is_counted and counted_in is not None:
            await self._add(keys[0], {counted_in: -1}, now)
        return None

    async def used(self, organisation: str, portfolio: str, now: datetime) -> int:
        """See `PeopleCount`."""
        return used(await self._buckets(organisation, portfolio), now)

    async def opens_at(self, organisation: str, portfolio: str, limit: int, now: datetime) -> datetime:
        """See `PeopleCount`."""
        return opens_at(await self._buckets(organisation, portfolio), limit, now)

    async def _buckets(self, organisation: str, portfolio: str) -> Mapping[int, int]:
        return _read(await get_items(self._aws, self._table, [_portfolio(organisation, portfolio)]))[0]

    async def _add(self, key: Mapping[str, str], people: Mapping[int, int], now: datetime) -> Mapping[int, int]:
        """The buckets as they stand after it: each of several workers at once sees its own place in the count."""
        buckets = _hours(await self._aws.run(partial(self._write, key, people, ())))
        old = tuple(f"{_PREFIX}{hour}" for hour in buckets if hour < counts_from(now) - 1)
        if old:
            await self._aws.run(partial(self._write, key, {}, old))
        return buckets

    def _write(self, key: Mapping[str, str], people: Mapping[int, int], old: tuple[str, ...]) -> Item:
        """The item is made by its first count."""
        adds = ", ".join(f"{_PREFIX}{hour} :of_{hour}" for hour in people)
        parts = [f"ADD {adds}"] if adds else []
        parts += [f"REMOVE {', '.join(old)}"] if old else []
        request: UpdateItemInputTypeDef = {
            "TableName": self._table,
            "Key": attributes(key),
            "UpdateExpression": " ".join(parts),
            "ReturnValues": "ALL_NEW",
        }
        if people:
            values = {f":of_{hour}": attribute(count) for hour, count in people.items()}
            request["ExpressionAttributeValues"] = values
        return plain(self._aws.dynamodb.update_item(**request)["Attributes"])

    def _mark(self, key: Mapping[str, str], hour: int, seen: int | None, now: datetime) -> bool:
        """Note the person's hour if it still is as it was seen: of two workers at once, one has counted the person. A
        repeated write knows its first attempt by a token, or the person would be taken for counted by another."""
        expiry = int((now + _KEPT_FOR).timestamp())
        values: dict[str, Plain] = {"hour": hour, "expires_at": expiry, "marked_by": self._aws.draw()}
        if seen is not None:
            update = Update(sets=values, conditions=("#hour = :seen",), values={":seen": seen})
            return changed(self._aws, self._table, key, update).has_made(update)
        return put_if_absent(self._aws, self._table, {**key, **values})


def _portfolio(organisation: str, portfolio: str) -> dict[str, str]:
    return {"pk": f"{organisation}#daily_limit#{portfolio}", "sk": "hours"}


def _person(organisation: str, portfolio: str, person: str) -> dict[str, str]:
    return {"pk": f"{organisation}#daily_limit#{portfolio}#{person}", "sk": "person"}


def _read(items: list[Item]) -> tuple[Mapping[int, int], int | None]:
    """The portfolio's hours, and the hour in which the person was counted."""
    by_sort = {item["sk"]: item for item in items}
    person = by_sort.get("person")
    return _hours(by_sort.get("hours", {})), whole(person, "hour") if person else None


def _hours(item: Item) -> Mapping[int, int]:
    return {int(name.removeprefix(_PREFIX)): int(count) for name, count in item.items() if name.startswith(_PREFIX)}
