"""The latest calls of each caller on the state table: one item a caller, which expires once none of them counts.

Failures of card hosts on the state table: a count for each distribution and host.

Which distribution of a campaign goes first, on the state table: one item a turn, numbered without a gap.
"""

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
    """`CallCounts`: a read, and a write on condition that no other call was counted since."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    async def take(self, organisation: str, caller: str, quota: Quota, now: datetime) -> timedelta | None:
        """See `CallCounts`."""
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
            # An item that another call has made meanwhile refuses this update, and comes with the refusal.
            update = Update(sets=values, conditions=("calls = :seen",), values={":seen": seen})
            change = changed(self._aws, self._table, key, update)
            if change.has_made(update):
                return None
            stored_item = change.item


_KEPT_FOR = timedelta(days=8)
"""After the last failure. Longer than a hold may wait for a person."""


class DynamoCardFailures:
    """`CardFailures` on the state table."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    async def failed(self, pair: CardPair, now: datetime) -> int:
        """See `CardFailures`."""
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
        """See `CardFailures`. Where there is no item, there is nothing to end."""
        update = Update(sets={"failed_in_a_row": 0})
        await self._aws.run(lambda: changed(self._aws, self._table, _key(pair), update))


def _key(pair: CardPair) -> dict[str, str]:
    return {"pk": f"{pair.organisation}#cards#{pair.distribution_id}", "sk": f"cards#{pair.host}"}


_TURN = "turn#"


class DynamoTurns:
    """`Turns`. They stay, as distributions do; they hold no personal data."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    async def take(self, organisation: str, campaign_id: str, distribution_id: str) -> Sequence[str]:
        """See `Turns`. An item is put only behind the last one that was read, so its writer has seen all before it.
        An own write whose answer was lost is found by the next read."""
        key = f"{organisation}#campaign#{campaign_id}"
        while True:
            taken = [str(item["distribution_id"]) for item in await partition(self._aws, self._table, key, _TURN)]
            if distribution_id in taken:
                return taken[: taken.index(distribution_id)]
            item = {"pk": key, "sk": f"{_TURN}{len(taken):06d}", "distribution_id": distribution_id}
            if await self._aws.run(partial(put_if_absent, self._aws, self._table, item)):
                return taken
