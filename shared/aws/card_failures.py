"""Failures of card hosts on the state table: a count for each distribution and host."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.aws.attributes import attribute, attributes
from shared.aws.conditional import Update, changed
from shared.aws.session import Aws
from shared.domain.failed_card import CardPair

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import UpdateItemInputTypeDef

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
