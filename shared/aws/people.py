"""Consents, receipt names and uploaded cards on the state table: small items, found by key alone."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from shared.aws.attributes import Item, Plain, attribute, attributes, plain, text
from shared.aws.conditional import Update, changed, put_if_absent
from shared.aws.reading import get_items
from shared.aws.session import Aws
from shared.domain.clock import Clock
from shared.domain.consent import Consent, ConsentState
from shared.domain.instants import from_microseconds, microseconds

_RECEIPTS_KEPT = timedelta(hours=48)
"""Orange reports within 24 h (reference/orange_sms.md §4)."""
_MEDIA_KEPT = timedelta(days=29)
"""Meta keeps uploads 30 days (reference/whatsapp.md §2); the day less is for messages held back on their way."""


class DynamoPeople:
    """`People`: the keyed hash of a number is all that is kept of it."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    async def consents(self, organisation: str, persons: Iterable[str]) -> Mapping[str, Consent]:
        """See `People`."""
        keys = [_consent_key(organisation, person) for person in sorted(set(persons))]
        found = await get_items(self._aws, self._table, keys)
        return {str(item["person"]): _consent(item) for item in found}

    async def record(self, organisation: str, person: str, consent: Consent) -> bool:
        """See `People`."""
        key = _consent_key(organisation, person)
        values: dict[str, Plain] = {
            "state": str(consent.state),
            "recorded_at": microseconds(consent.recorded_at),
            "source": consent.source,
        }

        def write() -> bool:
            if put_if_absent(self._aws, self._table, {**key, "person": person, **values}):
                return True
            update = Update(
                sets=values, conditions=("recorded_at <= :at",), values={":at": microseconds(consent.recorded_at)}
            )
            return changed(self._aws, self._table, key, update).done

        return await self._aws.run(write)


class DynamoReceipts:
    """`Receipts`: the name and the parked statuses of a receipt ID are two items, each written before the other is
    read."""

    def __init__(self, aws: Aws, table: str, clock: Clock) -> None:
        self._aws = aws
        self._table = table
        self._clock = clock

    async def name(self, organisation: str, receipt_id: str, message_id: str) -> Sequence[str]:
        """See `Receipts`."""
        pk = _receipt(organisation, receipt_id)

        def write_then_read() -> Sequence[str]:
            self._aws.dynamodb.put_item(
                TableName=self._table,
                Item=attributes({"pk": pk, "sk": "name", "message_id": message_id, "expires_at": self._expiry()}),
            )
            found = self._aws.dynamodb.get_item(
                TableName=self._table, Key=attributes({"pk": pk, "sk": "parked"}), ConsistentRead=True
            )
            return sorted(found.get("Item", {}).get("delivery_statuses", {}).get("SS", ()))

        return await self._aws.run(write_then_read)

    async def park(self, organisation: str, receipt_id: str, delivery_status: str) -> str | None:
        """See `Receipts`."""
        pk = _receipt(organisation, receipt_id)

        def write_then_read() -> str | None:
            self._aws.dynamodb.update_item(
                TableName=self._table,
                Key=attributes({"pk": pk, "sk": "parked"}),
                UpdateExpression="ADD delivery_statuses :status SET expires_at = :expiry",
                ExpressionAttributeValues={
                    ":status": {"SS": [delivery_status[:64]]},
                    ":expiry": attribute(self._expiry()),
                },
            )
            found = self._aws.dynamodb.get_item(
                TableName=self._table, Key=attributes({"pk": pk, "sk": "name"}), ConsistentRead=True
            )
            return text(plain(found.get("Item", {})), "message_id")

        return await self._aws.run(write_then_read)

    def _expiry(self) -> int:
        return int((self._clock.now() + _RECEIPTS_KEPT).timestamp())


class DynamoMedia:
    """`MediaCache`: which card was uploaded to which number."""

    def __init__(self, aws: Aws, table: str, clock: Clock) -> None:
        self._aws = aws
        self._table = table
        self._clock = clock

    async def media_id(self, organisation: str, phone_number_id: str, content: str) -> str | None:
        """See `MediaCache`. TTL deletes late: the age is looked at here as well."""
        found = await get_items(
            self._aws, self._table, [_media_key(organisation, phone_number_id, content)], consistent=False
        )
        fresh = [item for item in found if int(item["expires_at"]) > self._clock.now().timestamp()]
        return text(fresh[0], "media_id") if fresh else None

    async def remember(self, organisation: str, phone_number_id: str, content: str, media_id: str) -> None:
        """See `MediaCache`."""
        expires_at = int((self._clock.now() + _MEDIA_KEPT).timestamp())
        key = _media_key(organisation, phone_number_id, content)
        values = attributes({**key, "media_id": media_id, "expires_at": expires_at})
        await self._aws.run(lambda: self._aws.dynamodb.put_item(TableName=self._table, Item=values))


def _consent_key(organisation: str, person: str) -> dict[str, str]:
    return {"pk": f"{organisation}#person#{person}", "sk": "consent"}


def _consent(item: Item) -> Consent:
    return Consent(
        state=ConsentState(str(item["state"])),
        recorded_at=from_microseconds(int(item["recorded_at"])),
        source=str(item["source"]),
    )


def _receipt(organisation: str, receipt_id: str) -> str:
    return f"{organisation}#receipt#{receipt_id}"


def _media_key(organisation: str, phone_number_id: str, content: str) -> dict[str, str]:
    return {"pk": f"{organisation}#media#{phone_number_id}#{content}", "sk": "upload"}
