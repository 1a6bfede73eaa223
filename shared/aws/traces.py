"""What is kept under a person's keyed hash on the state table, and how it is forgotten."""

from shared.aws.attributes import attributes
from shared.aws.reading import partition
from shared.aws.session import Aws

_CONSENT = "consent"
_LINK = "link#"


class DynamoTraces:
    """`Traces`. Sessions, doubts and links all lie in the person's own partition, beside the recorded word."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table

    async def forget(self, organisation: str, person: str, *, links: bool) -> None:
        """See `Traces`."""
        pk = f"{organisation}#person#{person}"
        places = [str(item["sk"]) for item in await partition(self._aws, self._table, pk)]

        def delete() -> None:
            for place in places:
                if place != _CONSENT and (links or not place.startswith(_LINK)):
                    self._aws.dynamodb.delete_item(TableName=self._table, Key=attributes({"pk": pk, "sk": place}))

        await self._aws.run(delete)
