"""The count of people in the last day, on the state table: one item for each portfolio, with a number for each clock
hour, and one for each person. Also what Meta grants a number: one item, in which each fact has its own instant.

The portfolio's item is written before the person's. If a worker dies between the two, the count is one too high until
the hour leaves the window; it is never too low.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from shared.base.instants import from_microseconds, hour_of, microseconds
from shared.pacing.daily_limit import (
    WINDOW_HOURS,
    DailyLimit,
    NumberStatus,
    NumberStatusUpdate,
    counts_from,
    opens_at,
    used,
)
from shared.storage.aws import Aws
from shared.storage.dynamodb.items import (
    Item,
    Plain,
    Update,
    attribute,
    attributes,
    changed,
    get_items,
    plain,
    put_if_absent,
    text,
    whole,
)

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
        """One read; two more requests if the person is new, three if an earlier hour counts the person."""
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
        return used(await self._buckets(organisation, portfolio), now)

    async def opens_at(self, organisation: str, portfolio: str, limit: int, now: datetime) -> datetime:
        return opens_at(await self._buckets(organisation, portfolio), limit, now)

    async def _buckets(self, organisation: str, portfolio: str) -> Mapping[int, int]:
        return _read(await get_items(self._aws, self._table, [_portfolio(organisation, portfolio)]))[0]

    async def _add(self, key: Mapping[str, str], people: Mapping[int, int], now: datetime) -> Mapping[int, int]:
        """Returns the hours after the ADD, so that each of several workers at once sees its own place in the count."""
        buckets = _hours(await self._aws.run(partial(self._write, key, people, ())))
        old = tuple(f"{_PREFIX}{hour}" for hour in buckets if hour < counts_from(now) - 1)
        if old:
            await self._aws.run(partial(self._write, key, {}, old))
        return buckets

    def _write(self, key: Mapping[str, str], people: Mapping[int, int], old: tuple[str, ...]) -> Item:
        """The first count creates the item."""
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
        """Note the person's hour, if it is still `seen`: of two workers at once, one has counted the person. A repeated
        write recognises its first attempt by a token; otherwise it would look like another worker's."""
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


_UNLIMITED = -1

_SECOND = 1_000_000


class DynamoNumberStatuses:
    """`NumberStatuses` on the state table."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    async def get(self, organisation: str, phone_number_id: str) -> NumberStatus:
        found = await get_items(self._aws, self._table, [_key(organisation, phone_number_id)])
        return _number_status(found[0]) if found else NumberStatus()

    async def tell(self, organisation: str, phone_number_id: str, change: NumberStatusUpdate) -> None:
        await self._aws.run(partial(self._tell, _key(organisation, phone_number_id), change))

    def _tell(self, key: Mapping[str, str], change: NumberStatusUpdate) -> None:
        """Each fact has its own condition, so that an old fact does not block the others.

        Webhooks count whole seconds: a webhook event of the same second wins over a reading.
        """
        put_if_absent(self._aws, self._table, key)
        at = microseconds(change.at) // _SECOND * _SECOND
        later = "<" if change.is_reading else "<="
        for name, value in _facts(change).items():
            update = Update(
                sets={name: value, f"{name}_at": at},
                conditions=(f"(attribute_not_exists({name}_at) OR {name}_at {later} :at)",),
                values={":at": at},
            )
            changed(self._aws, self._table, key, update)
        if change.is_reading:
            exact = microseconds(change.at)
            known = "(attribute_not_exists(read_at) OR read_at < :at)"
            read = Update(sets={"read_at": exact}, conditions=(known,), values={":at": exact})
            changed(self._aws, self._table, key, read)


def _facts(change: NumberStatusUpdate) -> dict[str, Plain]:
    facts: dict[str, Plain | None] = {
        "people_limit": _number(change.limit) if change.limit else None,
        "quality": change.quality,
        "verified_name": change.verified_name,
        "throughput_level": change.throughput,
        "restricted": int(change.restricted) if change.restricted is not None else None,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _number(limit: DailyLimit) -> int:
    return _UNLIMITED if limit.people is None else limit.people


def _key(organisation: str, phone_number_id: str) -> dict[str, str]:
    return {"pk": f"{organisation}#number#{phone_number_id}", "sk": "number_status"}


def _number_status(item: Item) -> NumberStatus:
    limit, read_at = whole(item, "people_limit"), whole(item, "read_at")
    return NumberStatus(
        limit=DailyLimit(people=None if limit == _UNLIMITED else limit) if limit is not None else None,
        quality=text(item, "quality"),
        verified_name=text(item, "verified_name"),
        throughput=text(item, "throughput_level"),
        restricted=bool(whole(item, "restricted")),
        read_at=from_microseconds(read_at) if read_at is not None else None,
    )
