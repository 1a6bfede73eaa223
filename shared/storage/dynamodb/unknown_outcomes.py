"""The records that resolve unknown outcomes, on the state table: SMS with an unknown outcome and their unmatched
receipts, and when Meta last reported on a number.

For SMS: one item for each person and provider, with two sets that only grow and expire together. For WhatsApp: one
small item for each number, written once for a batch of statuses.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from functools import partial

from botocore.exceptions import ClientError

from shared.base.caches import LruCache
from shared.base.instants import from_microseconds, from_milliseconds, microseconds, milliseconds
from shared.messages.fallback import Silence
from shared.messages.payload import Provider
from shared.sending.last_heard import STEP
from shared.sending.unknown_outcome import LastHeard
from shared.storage.aws import Aws
from shared.storage.dynamodb.items import (
    Item,
    Plain,
    Update,
    attribute,
    attributes,
    changed,
    get_items,
    put_if_absent,
    stored_item,
    whole,
)
from shared.webhooks.unmatched_receipts import UnknownOutcomes

_KEPT = timedelta(hours=48)


class DynamoUnknownSms:
    """`UnknownSms`. In the person's partition, so that an erasure finds it."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    async def note(
        self, organisation: str, person: str, provider: Provider, message_id: str, called_at: datetime
    ) -> None:
        expiry = int((called_at + _KEPT).timestamp())

        def write() -> None:
            self._aws.dynamodb.update_item(
                TableName=self._table,
                Key=attributes(_unknown_key(organisation, person, provider)),
                UpdateExpression="ADD messages :message SET expires_at = :expiry",
                ExpressionAttributeValues={
                    ":message": {"SS": [_dated(message_id, called_at)]},
                    ":expiry": attribute(expiry),
                },
            )

        await self._aws.run(write)

    async def meet(
        self, organisation: str, person: str, provider: Provider, receipt_id: str, received_at: datetime
    ) -> UnknownOutcomes:
        """In one write: of two receipts at once, the later one sees both."""

        def write() -> UnknownOutcomes:
            try:
                item = self._aws.dynamodb.update_item(
                    TableName=self._table,
                    Key=attributes(_unknown_key(organisation, person, provider)),
                    UpdateExpression="ADD receipts :receipt",
                    ConditionExpression="attribute_exists(messages)",
                    ExpressionAttributeValues={":receipt": {"SS": [_dated(receipt_id, received_at)]}},
                    ReturnValues="ALL_NEW",
                )["Attributes"]
            except ClientError as error:
                stored_item(error)
                return UnknownOutcomes(messages={}, receipts={})
            return UnknownOutcomes(
                messages=_undated(item.get("messages", {}).get("SS", ())),
                receipts=_undated(item.get("receipts", {}).get("SS", ())),
            )

        return await self._aws.run(write)


def _unknown_key(organisation: str, person: str, provider: Provider) -> dict[str, str]:
    return {"pk": f"{organisation}#person#{person}", "sk": f"unknown_sms#{provider}"}


def _dated(identifier: str, at: datetime) -> str:
    return f"{microseconds(at)}#{identifier}"


def _undated(entries: Collection[str]) -> dict[str, datetime]:
    """If an ID is there twice, the earlier instant counts."""
    parts = [entry.partition("#") for entry in entries]
    pairs = sorted(((identifier, int(at)) for at, _, identifier in parts), reverse=True)
    return {identifier: from_microseconds(at) for identifier, at in pairs}


_KEPT_FOR = timedelta(days=30)
"""Counted from the reported instant, which may be a week old: Meta repeats its webhooks for seven days."""

_LAST_CLAIMED, _HELD, _LAST = "last_claimed_at", "held_at", "last_heard_at"


class DynamoLastHeard:
    """`LastHeardStore` on the state table."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table
        self._known: LruCache[tuple[str, str], LastHeard] = LruCache()

    async def note_reports(
        self, organisation: str, phone_number_id: str, *, claimed_at: datetime | None = None, at: datetime | None = None
    ) -> LastHeard:
        owner = (organisation, phone_number_id)
        known = self._known.get(owner, LastHeard())
        changes: dict[str, datetime] = {}
        if claimed_at is not None and (known.last_claimed_at is None or claimed_at > known.last_claimed_at):
            changes[_LAST_CLAIMED] = claimed_at
        if at is not None and (known.last_heard_at is None or at >= known.last_heard_at + STEP):
            changes[_LAST] = at
        if changes:
            known = await self._advance(owner, changes)
            self._known[owner] = known
        return known

    async def held(self, organisation: str, phone_number_id: str, at: datetime) -> None:
        await self._advance((organisation, phone_number_id), {_HELD: at})

    async def note_silence(self, organisation: str, distribution_id: str, silence: Silence) -> None:
        key = _silence_key(organisation, distribution_id)
        values: dict[str, Plain] = {
            "rate_limit": silence.phone_number_id,
            "noted_at": milliseconds(silence.noted_at),
            "silent_until": milliseconds(silence.until),
            "expires_at": int((silence.until + _KEPT_FOR).timestamp()),
        }
        longer = Update(sets=values, conditions=("silent_until < :until",), values={":until": values["silent_until"]})

        def write() -> None:
            is_absent = changed(self._aws, self._table, key, longer).item is None
            if is_absent and not put_if_absent(self._aws, self._table, {**key, **values}):
                changed(self._aws, self._table, key, longer)

        await self._aws.run(write)

    async def silence(self, organisation: str, distribution_id: str) -> Silence | None:
        found = await get_items(self._aws, self._table, [_silence_key(organisation, distribution_id)])
        noted_at, until = (_instant(found[0], name) for name in ("noted_at", "silent_until")) if found else (None, None)
        if noted_at is None or until is None:
            return None
        return Silence(phone_number_id=str(found[0]["rate_limit"]), noted_at=noted_at, until=until)

    async def read(self, organisation: str, phone_number_id: str) -> LastHeard:
        found = await get_items(self._aws, self._table, [_number_key((organisation, phone_number_id))])
        return _last_heard(found[0]) if found else LastHeard()

    async def _advance(self, owner: tuple[str, str], changes: Mapping[str, datetime]) -> LastHeard:
        """Move each instant forward, never back. Returns the record afterwards. The item nearly always exists."""

        def write() -> LastHeard:
            rest = {name: milliseconds(at) for name, at in changes.items()}
            expires_at = int((max(changes.values()) + _KEPT_FOR).timestamp())
            while True:
                values: dict[str, Plain] = {**rest, "expires_at": expires_at}
                found = changed(self._aws, self._table, _number_key(owner), _forward(rest, values))
                if found.done and found.item is not None:
                    return _last_heard(found.item)
                stored_item = found.item
                if stored_item is None:
                    if put_if_absent(self._aws, self._table, {**_number_key(owner), **values}):
                        return _last_heard(values)
                    continue
                rest = {name: at for name, at in rest.items() if at > (whole(stored_item, name) or 0)}
                if not rest:
                    return _last_heard(stored_item)

        return await self._aws.run(partial(write))


def _forward(instants: Mapping[str, int], values: Mapping[str, Plain]) -> Update:
    return Update(
        sets=values,
        conditions=tuple(f"(attribute_not_exists({name}) OR {name} < :{name})" for name in instants),
        values={f":{name}": at for name, at in instants.items()},
    )


def _number_key(owner: tuple[str, str]) -> dict[str, str]:
    organisation, phone_number_id = owner
    return {"pk": f"{organisation}#last_heard#{phone_number_id}", "sk": "last_heard"}


def _silence_key(organisation: str, distribution_id: str) -> dict[str, str]:
    return {"pk": f"{organisation}#silence#{distribution_id}", "sk": "silence"}


def _last_heard(item: Item) -> LastHeard:
    return LastHeard(
        last_claimed_at=_instant(item, _LAST_CLAIMED), held=_instant(item, _HELD), last_heard_at=_instant(item, _LAST)
    )


def _instant(item: Item, name: str) -> datetime | None:
    value = whole(item, name)
    return from_milliseconds(value) if value is not None else None
