"""Sessions on the state table: an item a person and number, deleted by TTL after its end."""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime

from shared.aws.attributes import Plain
from shared.aws.conditional import Update, changed, put_if_absent
from shared.aws.reading import get_items
from shared.aws.session import Aws
from shared.domain.instants import from_microseconds, microseconds


class DynamoSessions:
    """`Sessions`. TTL deletes late, which is why the end itself is kept and told."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    async def open(self, organisation: str, phone_number_id: str, person: str, until: datetime) -> None:
        """See `Sessions`."""
        key = _key(organisation, phone_number_id, person)
        ends = microseconds(until)
        values: dict[str, Plain] = {"open_until": ends, "expires_at": math.ceil(until.timestamp())}

        def write() -> None:
            if put_if_absent(self._aws, self._table, {**key, "person": person, **values}):
                return
            update = Update(sets=values, conditions=("open_until < :ends",), values={":ends": ends})
            changed(self._aws, self._table, key, update)

        await self._aws.run(write)

    async def open_until(
        self, organisation: str, phone_number_id: str, persons: Iterable[str]
    ) -> Mapping[str, datetime]:
        """See `Sessions`."""
        keys = [_key(organisation, phone_number_id, person) for person in sorted(set(persons))]
        found = await get_items(self._aws, self._table, keys)
        return {str(item["person"]): from_microseconds(int(item["open_until"])) for item in found}


def _key(organisation: str, phone_number_id: str, person: str) -> dict[str, str]:
    return {"pk": f"{organisation}#person#{person}", "sk": f"session#{phone_number_id}"}
