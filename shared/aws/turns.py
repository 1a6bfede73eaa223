"""Which distribution of a campaign goes first, on the state table: one item a turn, numbered without a gap."""

from collections.abc import Sequence
from functools import partial

from shared.aws.conditional import put_if_absent
from shared.aws.reading import partition
from shared.aws.session import Aws

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
