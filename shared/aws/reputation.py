"""What Meta grants a number, on the state table: one item, in which each fact has an instant of its own."""

from collections.abc import Mapping
from functools import partial

from shared.aws.attributes import Item, Plain, text, whole
from shared.aws.conditional import Update, changed, put_if_absent
from shared.aws.reading import get_items
from shared.aws.session import Aws
from shared.domain.daily_limit import DailyLimit
from shared.domain.instants import from_microseconds, microseconds
from shared.domain.reputation import Reputation, Told

_UNLIMITED = -1
_SECOND = 1_000_000


class DynamoReputations:
    """`Reputations` on the state table."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    async def get(self, organisation: str, phone_number_id: str) -> Reputation:
        """See `Reputations`."""
        found = await get_items(self._aws, self._table, [_key(organisation, phone_number_id)])
        return _reputation(found[0]) if found else Reputation()

    async def tell(self, organisation: str, phone_number_id: str, told: Told) -> None:
        """See `Reputations`."""
        await self._aws.run(partial(self._tell, _key(organisation, phone_number_id), told))

    def _tell(self, key: Mapping[str, str], told: Told) -> None:
        """Each fact on its own condition: one that is older than what is there leaves the others to be written.

        Webhooks count whole seconds: news of the same second wins over a reading.
        """
        put_if_absent(self._aws, self._table, key)
        at = microseconds(told.at) // _SECOND * _SECOND
        later = "<" if told.is_reading else "<="
        for name, value in _facts(told).items():
            update = Update(
                sets={name: value, f"{name}_at": at},
                conditions=(f"(attribute_not_exists({name}_at) OR {name}_at {later} :at)",),
                values={":at": at},
            )
            changed(self._aws, self._table, key, update)
        if told.is_reading:
            exact = microseconds(told.at)
            known = "(attribute_not_exists(read_at) OR read_at < :at)"
            read = Update(sets={"read_at": exact}, conditions=(known,), values={":at": exact})
            changed(self._aws, self._table, key, read)


def _facts(told: Told) -> dict[str, Plain]:
    facts: dict[str, Plain | None] = {
        "people_limit": _number(told.limit) if told.limit else None,
        "quality": told.quality,
        "verified_name": told.verified_name,
        "throughput_level": told.throughput,
        "restricted": int(told.restricted) if told.restricted is not None else None,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _number(limit: DailyLimit) -> int:
    return _UNLIMITED if limit.people is None else limit.people


def _key(organisation: str, phone_number_id: str) -> dict[str, str]:
    return {"pk": f"{organisation}#number#{phone_number_id}", "sk": "reputation"}


def _reputation(item: Item) -> Reputation:
    limit, read_at = whole(item, "people_limit"), whole(item, "read_at")
    return Reputation(
        limit=DailyLimit(people=None if limit == _UNLIMITED else limit) if limit is not None else None,
        quality=text(item, "quality"),
        verified_name=text(item, "verified_name"),
        throughput=text(item, "throughput_level"),
        restricted=bool(whole(item, "restricted")),
        read_at=from_microseconds(read_at) if read_at is not None else None,
    )
