"""Reads many items at once, to the last one."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from shared.aws.attributes import Item, attributes, plain
from shared.aws.session import Aws
from shared.aws.tries import tries

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import KeysAndAttributesTypeDef, QueryInputPaginateTypeDef

_AT_ONCE = 100
"""DynamoDB's limit for one BatchGetItem."""


class UnreadError(Exception):
    """DynamoDB kept leaving some keys of a batch unread."""


async def get_items(aws: Aws, table: str, keys: Sequence[Mapping[str, str]], *, consistent: bool = True) -> list[Item]:
    """The items that are there, in no order, each once (DynamoDB refuses a key given twice). Raises UnreadError."""
    once = list({tuple(sorted(key.items())): key for key in keys}.values())
    batches = [once[start : start + _AT_ONCE] for start in range(0, len(once), _AT_ONCE)]
    found = await aws.run_all([partial(_batch, aws, table, batch, consistent=consistent) for batch in batches])
    return [item for items in found for item in items]


def query_all(aws: Aws, request: "QueryInputPaginateTypeDef") -> list[Item]:
    """What a query finds, over all its pages. Blocks."""
    pages = aws.dynamodb.get_paginator("query").paginate(**request)
    return [plain(item) for page in pages for item in page["Items"]]


async def partition(aws: Aws, table: str, pk: str, beginning: str = "") -> list[Item]:
    """The items of a partition whose sort key begins so, as they surely stand."""
    values = {":pk": pk} | ({":beginning": beginning} if beginning else {})
    request: QueryInputPaginateTypeDef = {
        "TableName": table,
        "KeyConditionExpression": "pk = :pk AND begins_with(sk, :beginning)" if beginning else "pk = :pk",
        "ExpressionAttributeValues": attributes(values),
        "ConsistentRead": True,
    }
    return await aws.run(partial(query_all, aws, request))


def _batch(aws: Aws, table: str, keys: Sequence[Mapping[str, str]], consistent: bool) -> list[Item]:
    request: dict[str, KeysAndAttributesTypeDef] = {
        table: {"Keys": [attributes(key) for key in keys], "ConsistentRead": consistent}
    }
    items: list[Item] = []
    for _ in tries(aws):
        answer = aws.dynamodb.batch_get_item(RequestItems=request)
        items += [plain(item) for item in answer["Responses"].get(table, ())]
        request = dict(answer.get("UnprocessedKeys", {}))  # type: ignore[arg-type]  # the answer's type is the request's
        if not request:
            return items
    raise UnreadError(f"{len(request[table]['Keys'])} of {len(keys)} keys unread")
