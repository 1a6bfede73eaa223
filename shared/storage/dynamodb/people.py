"""The records of people on the state table, and how they are erased: small items, found by key only.

Consents, identity links (one item for each link, under the identity it starts from), sessions (one item for each person
and number, deleted by TTL after its end), receipt names and uploaded cards.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from shared.base.concurrency import BatchLoader
from shared.base.instants import Clock, from_microseconds, microseconds
from shared.messages.payload import Provider
from shared.policy.consent import Consent, ConsentRecord
from shared.recipients.number_key import IdentityLink
from shared.sending.channel import MEDIA_KEPT
from shared.storage.aws import Aws
from shared.storage.codec import decode, encode
from shared.storage.dynamodb.items import (
    Item,
    Plain,
    Update,
    attribute,
    attributes,
    changed,
    get_items,
    partition,
    plain,
    put_if_absent,
    put_items,
    whole,
)

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, UpdateItemInputTypeDef


_RECEIPTS_KEPT = timedelta(hours=48)
"""Orange reports within 24 h (reference/orange_sms.md §4)."""

_STATEMENTS = "statements"

type _Receipt = tuple[str, Provider, str]
"""Organisation, provider, and the provider's ID."""


class DynamoPeople:
    """`People`. Of a number, only its keyed hash is kept."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    async def consents(self, organisation: str, persons: Iterable[str]) -> Mapping[str, ConsentRecord]:
        keys = [_consent_key(organisation, person) for person in sorted(set(persons))]
        found = await get_items(self._aws, self._table, keys)
        return {str(item["person"]): _record(item) for item in found}

    async def record(self, organisation: str, person: str, statements: Iterable[Consent]) -> bool:
        """If another request wrote in between, its record is read again and joined."""
        key, reported = _consent_key(organisation, person), tuple(statements)
        new = _item(organisation, person, ConsentRecord().joined(reported))
        while True:
            if await self._aws.run(lambda: put_if_absent(self._aws, self._table, new)):
                return True
            found = await get_items(self._aws, self._table, [key])
            if not found:
                continue
            known = _record(found[0])
            joined = known.joined(reported)
            if joined == known:
                return False
            update = Update(
                sets={_STATEMENTS: _written(joined)},
                conditions=(f"{_STATEMENTS} = :seen",),
                values={":seen": found[0][_STATEMENTS]},
            )
            if (await self._aws.run(partial(changed, self._aws, self._table, key, update))).done:
                return True

    async def replace(self, organisation: str, person: str, statement: Consent) -> None:
        values = attributes(_item(organisation, person, ConsentRecord().joined([statement])))
        await self._aws.run(lambda: self._aws.dynamodb.put_item(TableName=self._table, Item=values))


class DynamoReceipts:
    """`Receipts`: one item for each receipt ID. Each side adds its half and reads the other half in the same write."""

    def __init__(self, aws: Aws, table: str, clock: Clock) -> None:
        self._aws = aws
        self._table = table
        self._clock = clock
        self._names = BatchLoader(self._read_names)

    async def name(self, organisation: str, provider: Provider, receipt_id: str, message_id: str) -> Sequence[str]:
        item = await self._added(
            (organisation, provider, receipt_id), "SET message_id = :half, expires_at = :expiry", attribute(message_id)
        )
        return sorted(item.get("delivery_statuses", {}).get("SS", ()))

    async def park(self, organisation: str, provider: Provider, receipt_id: str, delivery_status: str) -> str | None:
        """Reads the name first: it is nearly always there, because a receipt comes seconds after its message. One read
        for a whole batch costs a tenth of a write. Only if the name is missing does a write decide which side came
        first."""
        receipt = (organisation, provider, receipt_id)
        named = await self._names.get(receipt)
        if named is not None:
            return named
        half: AttributeValueTypeDef = {"SS": [delivery_status[:64]]}
        item = await self._added(receipt, "ADD delivery_statuses :half SET expires_at = :expiry", half)
        return item.get("message_id", {}).get("S")

    async def _added(
        self, receipt: _Receipt, change: str, half: "AttributeValueTypeDef"
    ) -> Mapping[str, "AttributeValueTypeDef"]:
        """The item with this half in it."""
        expires_at = int((self._clock.now() + _RECEIPTS_KEPT).timestamp())
        request: UpdateItemInputTypeDef = {
            "TableName": self._table,
            "Key": attributes(_receipt_key(*receipt)),
            "UpdateExpression": change,
            "ExpressionAttributeValues": {":half": half, ":expiry": attribute(expires_at)},
            "ReturnValues": "ALL_NEW",
        }
        answer = await self._aws.run(lambda: self._aws.dynamodb.update_item(**request))
        return answer.get("Attributes", {})

    async def _read_names(self, receipts: Collection[_Receipt]) -> Mapping[_Receipt, str]:
        by_key = {_receipt_key(*one)["pk"]: one for one in receipts}
        keys = [_receipt_key(*one) for one in receipts]
        found = await get_items(self._aws, self._table, keys, consistent=False)
        return {by_key[str(item["pk"])]: str(item["message_id"]) for item in found if "message_id" in item}


class DynamoMedia:
    """`MediaCache` on the state table."""

    def __init__(self, aws: Aws, table: str, clock: Clock) -> None:
        self._aws = aws
        self._table = table
        self._clock = clock
        self._known = BatchLoader(self._read)

    async def media_id(
        self, organisation: str, phone_number_id: str, content: str, *, after: datetime | None = None
    ) -> str | None:
        known = await self._known.get((organisation, phone_number_id, content))
        if known is None:
            return None
        media_id, uploaded_at = known
        return media_id if after is None or uploaded_at > after else None

    async def remember(
        self, organisation: str, phone_number_id: str, content: str, media_id: str, uploaded_at: datetime
    ) -> None:
        values = attributes(
            {
                **_media_key(organisation, phone_number_id, content),
                "media_id": media_id,
                "uploaded_at": microseconds(uploaded_at),
                "expires_at": int((uploaded_at + MEDIA_KEPT).timestamp()),
            }
        )
        await self._aws.run(lambda: self._aws.dynamodb.put_item(TableName=self._table, Item=values))

    async def forget(self, organisation: str, phone_number_id: str, content: str, media_id: str) -> None:
        """The item stays until it expires, without its ID."""
        key = _media_key(organisation, phone_number_id, content)
        update = Update(removes=("media_id",), conditions=("media_id = :refused",), values={":refused": media_id})
        await self._aws.run(lambda: changed(self._aws, self._table, key, update))

    async def _read(
        self, cards: Collection[tuple[str, str, str]]
    ) -> Mapping[tuple[str, str, str], tuple[str, datetime]]:
        """TTL deletes late, so the age is checked here too."""
        by_key = {_media_key(*one)["pk"]: one for one in cards}
        found = await get_items(self._aws, self._table, [_media_key(*one) for one in cards], consistent=False)
        now = self._clock.now().timestamp()
        return {
            by_key[str(item["pk"])]: (str(item["media_id"]), from_microseconds(int(item["uploaded_at"])))
            for item in found
            if int(item["expires_at"]) > now and "media_id" in item
        }


def _consent_key(organisation: str, person: str) -> dict[str, str]:
    return {"pk": f"{organisation}#person#{person}", "sk": "consent"}


def _item(organisation: str, person: str, record: ConsentRecord) -> dict[str, str]:
    return {**_consent_key(organisation, person), "person": person, _STATEMENTS: _written(record)}


def _written(record: ConsentRecord) -> str:
    """The record as one attribute, so that one condition covers all of it."""
    return encode(record).decode()


def _record(item: Item) -> ConsentRecord:
    return decode(str(item[_STATEMENTS]), ConsentRecord)


def _receipt_key(organisation: str, provider: Provider, receipt_id: str) -> dict[str, str]:
    return {"pk": f"{organisation}#receipt#{provider}#{receipt_id}", "sk": "receipt"}


def _media_key(organisation: str, phone_number_id: str, content: str) -> dict[str, str]:
    return {"pk": f"{organisation}#media#{phone_number_id}#{content}", "sk": "upload"}


_CONSENT = "consent"

_LINK = "identity_link#"


class DynamoTraces:
    """`Traces`. Sessions, unknown SMS and identity links are all in the person's own partition, beside the consent."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    async def forget(self, organisation: str, person: str, *, identity_links: bool) -> None:
        pk = f"{organisation}#person#{person}"
        places = [str(item["sk"]) for item in await partition(self._aws, self._table, pk)]

        def delete() -> None:
            for place in places:
                if place != _CONSENT and (identity_links or not place.startswith(_LINK)):
                    self._aws.dynamodb.delete_item(TableName=self._table, Key=attributes({"pk": pk, "sk": place}))

        await self._aws.run(delete)


_PREFIX = "identity_link#"


class DynamoContacts:
    """`Contacts`. Only keyed hashes are kept: neither side reveals a number or a user ID."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    async def add_identity_links(self, organisation: str, identity_links: Iterable[tuple[str, IdentityLink]]) -> None:
        await put_items(
            self._aws,
            self._table,
            [_identity_link_item(organisation, one, identity_link) for one, identity_link in identity_links],
        )

    async def identity_links(self, organisation: str, one: str) -> Sequence[IdentityLink]:
        """A person has only a few of them: one page."""
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
        places = {(_partition(organisation, one), other): (one, other) for one, other in pairs}
        keys = [_key(organisation, one, other) for one, other in places.values()]
        found = await get_items(self._aws, self._table, keys, consistent=False)
        return {places[str(item["pk"]), str(item["other"])] for item in found}


def _identity_link_item(organisation: str, one: str, identity_link: IdentityLink) -> dict[str, Plain | None]:
    until = microseconds(identity_link.until) if identity_link.until else None
    return {**_key(organisation, one, identity_link.other), "other": identity_link.other, "until": until}


def _partition(organisation: str, one: str) -> str:
    return f"{organisation}#person#{one}"


def _key(organisation: str, one: str, other: str) -> dict[str, str]:
    return {"pk": _partition(organisation, one), "sk": f"{_PREFIX}{other}"}


def _instant(value: int | None) -> datetime | None:
    return from_microseconds(value) if value is not None else None


class DynamoSessions:
    """`Sessions`. TTL deletes late, so the item holds its own end."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    async def open(self, organisation: str, phone_number_id: str, person: str, until: datetime) -> None:
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
        keys = [_session_key(organisation, phone_number_id, person) for person in sorted(set(persons))]
        found = await get_items(self._aws, self._table, keys)
        return {str(item["person"]): from_microseconds(int(item["open_until"])) for item in found}


def _session_key(organisation: str, phone_number_id: str, person: str) -> dict[str, str]:
    return {"pk": f"{organisation}#person#{person}", "sk": f"session#{phone_number_id}"}
