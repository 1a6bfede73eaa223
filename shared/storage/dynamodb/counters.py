"""Three kinds of counters on the state table: the latest calls of each caller (one item for each caller, expiring once
no call counts), failures of card hosts (a count for each distribution and host), and the order of a campaign's
distributions (one item for each turn, numbered without gaps)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from math import ceil
from typing import TYPE_CHECKING

from shared.base.instants import microseconds
from shared.cards.failures import CardPair
from shared.pacing.quota import Quota
from shared.storage.aws import Aws
from shared.storage.dynamodb.items import (
    Item,
    Plain,
    Update,
    attribute,
    attributes,
    changed,
    get_items,
    partition,
    put_if_absent,
    text,
)

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import UpdateItemInputTypeDef


class DynamoCallCounts:
    """`CallCounts`: a read, then a write on condition that no other call was counted since."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    async def take(self, organisation: str, caller: str, quota: Quota, now: datetime) -> timedelta | None:
        key = {"pk": f"{organisation}#calls#{caller}", "sk": "calls"}
        found = await get_items(self._aws, self._table, [key])
        return await self._aws.run(partial(self._take, key, found[0] if found else None, quota, now))

    def _take(self, key: dict[str, str], stored_item: Item | None, quota: Quota, now: datetime) -> timedelta | None:
        at, token = microseconds(now), self._aws.draw()
        while True:
            seen = (text(stored_item, "calls") or "") if stored_item else ""
            counted = [int(call) for call in seen.split(",") if call]
            if (wait := quota.wait(counted, at)) is not None:
                return wait
            calls = ",".join(str(call) for call in (*quota.recent(counted, at), at))
            values: dict[str, Plain] = {"calls": calls, "expires_at": ceil((now + 2 * quota.span).timestamp())}
            values["counted_by"] = token
            if stored_item is None and put_if_absent(self._aws, self._table, {**key, **values}):
                return None
            # If another call has made the item meanwhile, this update is refused and returns that item.
            update = Update(sets=values, conditions=("calls = :seen",), values={":seen": seen})
            change = changed(self._aws, self._table, key, update)
            if change.has_made(update):
                return None
            stored_item = change.item


_KEPT_FOR = timedelta(days=8)
"""Counted from the last failure. Longer than a hold may wait for a person."""


class DynamoCardFailures:
    """`CardFailures` on the state table."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    async def failed(self, pair: CardPair, now: datetime) -> int:
        request: UpdateItemInputTypeDef = {
            "TableName": self._table,
            "Key": attributes(_key(pair)),
            "UpdateExpression": "ADD failed_in_a_row :one SET expires_at = :expiry",
            "ExpressionAttributeValues": {
                ":one": attribute(1),
                ":expiry": attribute(int((now + _KEPT_FOR).timestamp())),
            },
            "ReturnValues": "UPDATED_NEW",
        }
        answer = await self._aws.run(lambda: self._aws.dynamodb.update_item(**request))
        return int(answer["Attributes"]["failed_in_a_row"]["N"])

    async def served(self, pair: CardPair) -> None:
        """Without an item there is nothing to reset."""
        update = Update(sets={"failed_in_a_row": 0})
        await self._aws.run(lambda: changed(self._aws, self._table, _key(pair), update))


def _key(pair: CardPair) -> dict[str, str]:
    return {"pk": f"{pair.organisation}#cards#{pair.distribution_id}", "sk": f"cards#{pair.host}"}


_TURN = "turn#"


class DynamoTurns:
    """`Turns`. The items are never deleted, like distributions; they hold no personal data."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    async def take(self, organisation: str, campaign_id: str, distribution_id: str) -> Sequence[str]:
        """An item is put only behind the last one that was read, so its writer has seen all before it. If the answer to
        a write is lost, the next read finds the item."""
        key = f"{organisation}#campaign#{campaign_id}"
        while True:
            taken = [str(item["distribution_id"]) for item in await partition(self._aws, self._table, key, _TURN)]
            if distribution_id in taken:
                return taken[: taken.index(distribution_id)]
            item = {"pk": key, "sk": f"{_TURN}{len(taken):06d}", "distribution_id": distribution_id}
            if await self._aws.run(partial(put_if_absent, self._aws, self._table, item)):
                return taken
