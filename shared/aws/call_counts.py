"""The latest calls of each caller on the state table: one item a caller, which expires once none of them counts."""

from datetime import datetime, timedelta
from functools import partial
from math import ceil

from shared.aws.attributes import Item, Plain, text
from shared.aws.conditional import Update, changed, put_if_absent
from shared.aws.reading import get_items
from shared.aws.session import Aws
from shared.domain.instants import microseconds
from shared.domain.quota import Quota


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

    def _take(self, key: dict[str, str], standing: Item | None, quota: Quota, now: datetime) -> timedelta | None:
        at, token = microseconds(now), self._aws.draw()
        while True:
            seen = (text(standing, "calls") or "") if standing else ""
            counted = [int(call) for call in seen.split(",") if call]
            if (wait := quota.wait(counted, at)) is not None:
                return wait
            calls = ",".join(str(call) for call in (*quota.recent(counted, at), at))
            values: dict[str, Plain] = {"calls": calls, "expires_at": ceil((now + 2 * quota.span).timestamp())}
            values["counted_by"] = token
            if standing is None and put_if_absent(self._aws, self._table, {**key, **values}):
                return None
            # An item that another call has made meanwhile refuses this update, and comes with the refusal.
            update = Update(sets=values, conditions=("calls = :seen",), values={":seen": seen})
            change = changed(self._aws, self._table, key, update)
            if change.has_made(update):
                return None
            standing = change.item
