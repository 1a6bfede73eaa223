"""Messages in doubt on the state table: one item a person and provider, of two sets that only grow and that expire
together."""

from collections.abc import Collection
from datetime import datetime, timedelta

from botocore.exceptions import ClientError

from shared.base.instants import from_microseconds, microseconds
from shared.messages.payload import Provider
from shared.storage.aws import Aws
from shared.storage.dynamodb.items import attribute, attributes, stored_item
from shared.webhooks.unmatched_receipts import UnknownOutcomes

_KEPT = timedelta(hours=48)


class DynamoUnknownSms:
    """`UnknownSms`. Beside the person's consent, so that an erasure finds it."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    async def note(
        self, organisation: str, person: str, provider: Provider, message_id: str, called_at: datetime
    ) -> None:
        """See `UnknownSms`."""
        expiry = int((called_at + _KEPT).timestamp())

        def write() -> None:
            self._aws.dynamodb.update_item(
                TableName=self._table,
                Key=attributes(_key(organisation, person, provider)),
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
        """See `UnknownSms`. In one write: of two receipts that come at once the later one sees both."""

        def write() -> UnknownOutcomes:
            try:
                item = self._aws.dynamodb.update_item(
                    TableName=self._table,
                    Key=attributes(_key(organisation, person, provider)),
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


def _key(organisation: str, person: str, provider: Provider) -> dict[str, str]:
    return {"pk": f"{organisation}#person#{person}", "sk": f"unknown_sms#{provider}"}


def _dated(identifier: str, at: datetime) -> str:
    return f"{microseconds(at)}#{identifier}"


def _undated(entries: Collection[str]) -> dict[str, datetime]:
    """Of an ID that is there twice the earlier instant counts."""
    parts = [entry.partition("#") for entry in entries]
    pairs = sorted(((identifier, int(at)) for at, _, identifier in parts), reverse=True)
    return {identifier: from_microseconds(at) for identifier, at in pairs}
