"""Writes many items at once that nobody else changes, to the last one."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import batched
from typing import TYPE_CHECKING

from shared.aws.attributes import Plain, attributes
from shared.aws.session import Aws
from shared.aws.tries import tries

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import WriteRequestTypeDef

_AT_ONCE = 25
"""DynamoDB's limit for one BatchWriteItem."""


class UnwrittenError(Exception):
    """AWS kept leaving something unwritten: some items of a batch, or an object."""


async def put_items(aws: Aws, table: str, items: Iterable[Mapping[str, Plain | None]]) -> None:
    """Put them whatever stood there; of two with the same `pk` and `sk` the last. Returns once all are there.

    It knows no condition, and so is nothing for the log. Raises UnwrittenError; some may have been put by then.
    """
    once = {(item["pk"], item["sk"]): item for item in items}
    await aws.run_all([partial(_batch, aws, table, batch) for batch in batched(once.values(), _AT_ONCE, strict=False)])


def _batch(aws: Aws, table: str, items: Sequence[Mapping[str, Plain | None]]) -> None:
    request: dict[str, Sequence[WriteRequestTypeDef]]
    request = {table: [{"PutRequest": {"Item": attributes(item)}} for item in items]}
    for _ in tries(aws):
        answer = aws.dynamodb.batch_write_item(RequestItems=request)
        request = dict(answer.get("UnprocessedItems", {}))  # type: ignore[arg-type]  # the answer's type is the request's
        if not request:
            return
    raise UnwrittenError(f"{len(request[table])} of {len(items)} items unwritten")
