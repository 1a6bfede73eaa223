"""Reads, writes and inserts many items at once, to the last one.

Puts those that are not there yet by PartiQL's INSERT, which leaves alone what is there.

BatchWriteItem knows no condition, and a transaction costs twice. Each statement of a batch succeeds or fails for
itself, and is billed as the conditional put that it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache, partial
from itertools import batched
from typing import TYPE_CHECKING

from shared.storage.aws import Aws, tries
from shared.storage.dynamodb.items import Item, Plain, attributes, plain

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import (
        BatchStatementRequestTypeDef,
        KeysAndAttributesTypeDef,
        QueryInputPaginateTypeDef,
        WriteRequestTypeDef,
    )


_INSERTED_AT_ONCE = 25
"""DynamoDB's limit for one BatchExecuteStatement."""

_TRIES = 7
"""Over three seconds: a table that was never busy refuses a part of what a quick lane has logged, while it grows."""

_THERE = "DuplicateItem"

_PASSING = {
    "InternalServerError",
    "ProvisionedThroughputExceeded",
    "RequestLimitExceeded",
    "ThrottlingError",
    "TransactionConflict",
}
"""What a later try may not meet any more."""


class UninsertedError(Exception):
    """DynamoDB refused some items of a batch, for good or to the end."""


async def insert_absent(aws: Aws, table: str, items: Sequence[Mapping[str, Plain | None]]) -> None:
    """Put those whose `pk` is not there; of two with the same, the first. Returns once all are there.

    Raises UninsertedError; some of the items may have been put by then.
    """
    once: dict[object, Mapping[str, Plain | None]] = {}
    for item in items:
        once.setdefault(item["pk"], item)  # what a batch does with a key given twice, nobody says
    await aws.run_all(
        [partial(_insert, aws, table, batch) for batch in batched(once.values(), _INSERTED_AT_ONCE, strict=False)]
    )


def _insert(aws: Aws, table: str, items: Sequence[Mapping[str, Plain | None]]) -> None:
    waiting = [_statement(table, item) for item in items]
    refused: set[str] = set()
    for _ in tries(aws, _TRIES):
        answers = aws.dynamodb.batch_execute_statement(Statements=waiting)["Responses"]
        codes = [str(answer["Error"]["Code"]) if "Error" in answer else _THERE for answer in answers]
        waiting = [statement for statement, code in zip(waiting, codes, strict=True) if code != _THERE]
        refused = {*codes} - {_THERE}
        if not waiting or not refused <= _PASSING:
            break
    if waiting:
        raise UninsertedError(f"{len(waiting)} of {len(items)} items not put: {', '.join(sorted(refused))}")


def _statement(table: str, item: Mapping[str, Plain | None]) -> "BatchStatementRequestTypeDef":
    values = attributes(item)
    return {"Statement": _text(table, tuple(values)), "Parameters": list(values.values())}


@lru_cache(maxsize=64)
def _text(table: str, names: tuple[str, ...]) -> str:
    """Far below DynamoDB's 8,192 characters: values are parameters."""
    return f'INSERT INTO "{table}" VALUE {{{", ".join(f"'{name}': ?" for name in names)}}}'


_WRITTEN_AT_ONCE = 25
"""DynamoDB's limit for one BatchWriteItem."""


class UnwrittenError(Exception):
    """AWS kept leaving something unwritten: some items of a batch, or an object."""


async def put_items(aws: Aws, table: str, items: Iterable[Mapping[str, Plain | None]]) -> None:
    """Put them whatever stood there; of two with the same `pk` and `sk` the last. Returns once all are there.

    It knows no condition, and so is nothing for the log. Raises UnwrittenError; some may have been put by then.
    """
    once = {(item["pk"], item["sk"]): item for item in items}
    await aws.run_all(
        [partial(_write_batch, aws, table, batch) for batch in batched(once.values(), _WRITTEN_AT_ONCE, strict=False)]
    )


def _write_batch(aws: Aws, table: str, items: Sequence[Mapping[str, Plain | None]]) -> None:
    request: dict[str, Sequence[WriteRequestTypeDef]]
    request = {table: [{"PutRequest": {"Item": attributes(item)}} for item in items]}
    for _ in tries(aws):
        answer = aws.dynamodb.batch_write_item(RequestItems=request)
        request = dict(answer.get("UnprocessedItems", {}))  # type: ignore[arg-type]  # the answer's type is the request's
        if not request:
            return
    raise UnwrittenError(f"{len(request[table])} of {len(items)} items unwritten")


_READ_AT_ONCE = 100
"""DynamoDB's limit for one BatchGetItem."""


class UnreadError(Exception):
    """DynamoDB kept leaving some keys of a batch unread."""


async def get_items(aws: Aws, table: str, keys: Sequence[Mapping[str, str]], *, consistent: bool = True) -> list[Item]:
    """The items that are there, in no order, each once (DynamoDB refuses a key given twice). Raises UnreadError."""
    once = list({tuple(sorted(key.items())): key for key in keys}.values())
    batches = [once[start : start + _READ_AT_ONCE] for start in range(0, len(once), _READ_AT_ONCE)]
    found = await aws.run_all([partial(_read_batch, aws, table, batch, consistent=consistent) for batch in batches])
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


def _read_batch(aws: Aws, table: str, keys: Sequence[Mapping[str, str]], consistent: bool) -> list[Item]:
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
