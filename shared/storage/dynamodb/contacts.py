"""Who is the same person, on the state table: an item a link, under the identity that it leads away from.

Sessions on the state table: an item a person and number, deleted by TTL after its end.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from shared.base.instants import from_microseconds, microseconds
from shared.recipients.number_key import IdentityLink
from shared.storage.aws import Aws
from shared.storage.dynamodb.batches import get_items, put_items
from shared.storage.dynamodb.items import Plain, Update, attributes, changed, plain, put_if_absent, whole

_PREFIX = "identity_link#"


class DynamoContacts:
    """`Contacts`. Only keyed hashes are kept: neither side tells a number or a user ID."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    async def add_identity_links(self, organisation: str, identity_links: Iterable[tuple[str, IdentityLink]]) -> None:
        """See `Contacts`."""
        await put_items(
            self._aws, self._table, [_item(organisation, one, identity_link) for one, identity_link in identity_links]
        )

    async def identity_links(self, organisation: str, one: str) -> Sequence[IdentityLink]:
        """See `Contacts`. A person has a handful of them: one page."""
        found = await self._aws.run(
            lambda: self._aws.dynamodb.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
                ExpressionAttributeValues=attributes({":pk": _partition(organisation, one), ":prefix": _PREFIX}),
                ConsistentRead=True,
            )
        )
        return [
            IdentityLink(other=str(item["other"]), until=_instant(whole(item, "until")))
            for item in map(plain, found["Items"])
        ]

    async def joined_identities(self, organisation: str, pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """See `Contacts`."""
        places = {(_partition(organisation, one), other): (one, other) for one, other in pairs}
        keys = [_key(organisation, one, other) for one, other in places.values()]
        found = await get_items(self._aws, self._table, keys, consistent=False)
        return {places[str(item["pk"]), str(item["other"])] for item in found}


def _item(organisation: str, one: str, identity_link: IdentityLink) -> dict[str, Plain | None]:
    until = microseconds(identity_link.until) if identity_link.until else None
    return {**_key(organisation, one, identity_link.other), "other": identity_link.other, "until": until}


def _partition(organisation: str, one: str) -> str:
    return f"{organisation}#person#{one}"


def _key(organisation: str, one: str, other: str) -> dict[str, str]:
    return {"pk": _partition(organisation, one), "sk": f"{_PREFIX}{other}"}


def _instant(value: int | None) -> datetime | None:
    return from_microseconds(value) if value is not None else None


class DynamoSessions:
    """`Sessions`. TTL deletes late, which is why the end itself is kept and told."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    async def open(self, organisation: str, phone_number_id: str, person: str, until: datetime) -> None:
        """See `Sessions`."""
        key = _session_key(organisation, phone_number_id, person)
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
        keys = [_session_key(organisation, phone_number_id, person) for person in sorted(set(persons))]
        found = await get_items(self._aws, self._table, keys)
        return {str(item["person"]): from_microseconds(int(item["open_until"])) for item in found}


def _session_key(organisation: str, phone_number_id: str, person: str) -> dict[str, str]:
    return {"pk": f"{organisation}#person#{person}", "sk": f"session#{phone_number_id}"}
