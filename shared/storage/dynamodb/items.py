"""Items: conditional writes, and reading, writing and inserting many items completely.

botocore repeats a write whose answer was lost. The repeat then fails, because the first attempt made its condition
false. So each write here recognises its own first attempt in the stored item, or a second attempt changes nothing that
matters.

New items are put with PartiQL's INSERT, which leaves existing items alone. BatchWriteItem has no conditions, and a
transaction costs twice as much. Each statement of a batch succeeds or fails alone, and is billed as a conditional put.

Plain values ↔ DynamoDB attributes. None is an absent attribute.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial
from itertools import batched
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from shared.base.instants import milliseconds
from shared.storage.aws import Aws, tries

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        BatchStatementRequestTypeDef,
        KeysAndAttributesTypeDef,
        QueryInputPaginateTypeDef,
        TransactWriteItemTypeDef,
        UpdateItemInputTypeDef,
        WriteRequestTypeDef,
    )


type Plain = str | int

type Item = dict[str, Plain]


def attributes(values: Mapping[str, Plain | None]) -> dict[str, "AttributeValueTypeDef"]:
    """The attributes for a put or an expression."""
    return {name: attribute(value) for name, value in values.items() if value is not None}


def attribute(value: Plain) -> "AttributeValueTypeDef":
    """One value."""
    return {"N": str(value)} if isinstance(value, int) else {"S": value}


def plain(item: Mapping[str, Mapping[str, Any]]) -> Item:
    """An item's strings and whole numbers. Other kinds (sets) are read by the code that writes them."""
    values: Item = {}
    for name, value in item.items():
        if "S" in value:
            values[name] = str(value["S"])
        elif "N" in value:
            values[name] = int(value["N"])
    return values


def text(item: Item, name: str) -> str | None:
    """A string attribute; None: absent."""
    value = item.get(name)
    return str(value) if value is not None else None


def whole(item: Item, name: str) -> int | None:
    """A whole number attribute; None: absent."""
    value = item.get(name)
    return int(value) if value is not None else None


type Answer = Literal["ALL_NEW", "ALL_OLD"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """An update expression in parts. Conditions may use `#status` for the reserved word."""

    sets: Mapping[str, Plain] = field(default_factory=dict)
    sets_once: Mapping[str, Plain] = field(default_factory=dict)
    """Set only if absent."""
    same_as: Mapping[str, str] = field(default_factory=dict)
    """Attributes that take the value of another attribute of the item, which must be there."""
    adds: Mapping[str, int] = field(default_factory=dict)
    removes: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    values: Mapping[str, Plain] = field(default_factory=dict)
    """The values that the conditions use, by ":name"."""

    def stands_in(self, item: Item) -> bool:
        """Whether an item has all that the update sets and nothing that it removes, so that the update would change
        nothing.

        `adds` is not compared. If another writer could set the same values, the update needs a value of its own (a
        token).
        """
        return all(item.get(name) == value for name, value in self.sets.items()) and item.keys().isdisjoint(
            self.removes
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Whether the update was done, and the item: after the update, or the one that failed the condition (None: no
    item)."""

    done: bool
    item: Item | None

    def has_made(self, update: Update) -> bool:
        """Whether the update was done, now or by an earlier attempt of the same write."""
        return self.done or (self.item is not None and update.stands_in(self.item))


def changed(
    aws: Aws,
    table: str,
    key: Mapping[str, str],
    update: Update,
    answer: Answer = "ALL_NEW",
    *,
    client: "DynamoDBClient | None" = None,
) -> Change:
    """Update an existing item, on the update's conditions. `client`: used instead of the usual one."""
    request: UpdateItemInputTypeDef = {
        "TableName": table,
        "Key": attributes(key),
        "UpdateExpression": _expression(update),
        "ConditionExpression": " AND ".join(("attribute_exists(pk)", *update.conditions)),
        "ExpressionAttributeValues": _values(update),
        "ReturnValues": answer,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    names = _names(update)
    if names:
        request["ExpressionAttributeNames"] = names
    if not request["ExpressionAttributeValues"]:
        del request["ExpressionAttributeValues"]
    try:
        answered = (client or aws.dynamodb).update_item(**request)
        return Change(done=True, item=plain(answered["Attributes"]))
    except ClientError as error:
        return Change(done=False, item=stored_item(error))


def put_if_absent(aws: Aws, table: str, values: Mapping[str, Plain | None]) -> bool:
    """Put an item unless its key exists. Returns whether it was put, now or by an earlier attempt of the same write.

    The same item put by another writer counts too. If that matters, the item holds a token of its own.
    """
    item = attributes(values)
    try:
        aws.dynamodb.put_item(
            TableName=table,
            Item=item,
            ConditionExpression="attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        return stored_item(error) == plain(item)
    return True


async def put_document(aws: Aws, table: str, values: Mapping[str, Plain | None], seen: int) -> bool:
    """Replace an item that is read and written whole (`revision`, `document`), on the revision that was read. 0 may
    also be that of an item that does not exist.

    If the stored document is already this one, an earlier attempt of this write was done and its answer was lost.
    """

    def put() -> bool:
        try:
            aws.dynamodb.put_item(
                TableName=table,
                Item=attributes(values),
                ConditionExpression="revision = :seen" if seen else "attribute_not_exists(pk) OR revision = :seen",
                ExpressionAttributeValues={":seen": attribute(seen)},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            found = stored_item(error)
            return found is not None and found["document"] == values["document"]
        return True

    return await aws.run(put)


def stored_item(error: ClientError) -> Item | None:
    """The item that failed a condition, if the call asked for it. Any other error is raised again."""
    if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
        raise error
    found: Mapping[str, Mapping[str, object]] | None = error.response.get("Item")  # type: ignore[assignment]  # boto3 types know no Item here
    return plain(found) if found else None


CONDITION_FAILED = "ConditionalCheckFailed"

IN_CONFLICT = "TransactionConflict"


def when_free[T](aws: Aws, write: Callable[[], T]) -> T:
    """Write an item that transactions write too. While one is under way, DynamoDB refuses other writes of the item, so
    nothing was written and the write is repeated. Blocks."""
    error: ClientError | None = None
    for _ in tries(aws, _TRIES):
        try:
            return write()
        except ClientError as failure:
            if failure.response["Error"]["Code"] != f"{IN_CONFLICT}Exception":
                raise
            error = failure
    raise error or UnwrittenError("not tried")


def transacted(aws: Aws, writes: Sequence["TransactWriteItemTypeDef"]) -> list[str]:
    """Make all writes or none. Returns nothing once they are made; else, for each write, why it could not be made
    ("None": it could have been). While others write an item, it is repeated.

    AWS's client repeats a call whose answer was lost with the same token, so it is made once. Blocks.
    """
    token, reasons = aws.draw(), list[str]()
    for _ in tries(aws, _TRIES):
        try:
            aws.dynamodb.transact_write_items(TransactItems=writes, ClientRequestToken=token)
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            found = error.response.get("CancellationReasons", [])
            reasons, token = [str(reason["Code"]) for reason in found], aws.draw()
            if IN_CONFLICT not in reasons:
                return reasons
        else:
            return []
    return reasons


def _expression(update: Update) -> str:
    sets = [f"#{name} = :set_{name}" for name in update.sets]
    sets += [f"#{name} = if_not_exists(#{name}, :once_{name})" for name in update.sets_once]
    sets += [f"#{name} = #{source}" for name, source in update.same_as.items()]
    parts = [f"SET {', '.join(sets)}"] if sets else []
    if update.adds:
        parts.append("ADD " + ", ".join(f"#{name} :add_{name}" for name in update.adds))
    if update.removes:
        parts.append("REMOVE " + ", ".join(f"#{name}" for name in update.removes))
    return " ".join(parts)


def _values(update: Update) -> dict[str, "AttributeValueTypeDef"]:
    values: dict[str, Plain] = {f":set_{name}": value for name, value in update.sets.items()}
    values |= {f":once_{name}": value for name, value in update.sets_once.items()}
    values |= {f":add_{name}": value for name, value in update.adds.items()}
    values |= update.values
    return {name: attribute(value) for name, value in values.items()}


def _names(update: Update) -> dict[str, str]:
    used = {*update.sets, *update.sets_once, *update.adds, *update.removes}
    used |= {*update.same_as.keys(), *update.same_as.values()}
    if any("#status" in condition for condition in update.conditions):
        used.add("status")
    return {f"#{name}": name for name in used}


_INSERTED_AT_ONCE = 25
"""DynamoDB's limit for one BatchExecuteStatement."""

_TRIES = 7
"""More than three seconds: a table that was idle refuses part of what a fast rate limit logs, until it has grown."""

_THERE = "DuplicateItem"

_PASSING = {
    "InternalServerError",
    "ProvisionedThroughputExceeded",
    "RequestLimitExceeded",
    "ThrottlingError",
    "TransactionConflict",
}
"""Errors that a later attempt may no longer get."""


class UninsertedError(Exception):
    """DynamoDB refused some items of a batch, permanently or at every attempt."""


async def insert_absent(aws: Aws, table: str, items: Sequence[Mapping[str, Plain | None]]) -> None:
    """Put the items whose `pk` does not exist; of two with the same `pk`, the first. Returns once all exist.

    Raises UninsertedError; some of the items may have been put by then.
    """
    once: dict[object, Mapping[str, Plain | None]] = {}
    for item in items:
        once.setdefault(item["pk"], item)  # AWS does not document what a batch does with a key given twice
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
    """Far below DynamoDB's 8,192 characters, because values are parameters."""
    return f'INSERT INTO "{table}" VALUE {{{", ".join(f"'{name}': ?" for name in names)}}}'


_WRITTEN_AT_ONCE = 25
"""DynamoDB's limit for one BatchWriteItem."""


class UnwrittenError(Exception):
    """AWS kept leaving a write undone: some items of a batch, or an object."""


async def put_items(aws: Aws, table: str, items: Iterable[Mapping[str, Plain | None]]) -> None:
    """Put the items, replacing existing ones; of two with the same `pk` and `sk`, the last. Returns once all are there.

    It has no condition, so never use it for the log. Raises UnwrittenError; some items may have been put by then.
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
    """The items that exist, in no order, each once (DynamoDB refuses a key given twice). Raises UnreadError."""
    once = list({tuple(sorted(key.items())): key for key in keys}.values())
    batches = [once[start : start + _READ_AT_ONCE] for start in range(0, len(once), _READ_AT_ONCE)]
    found = await aws.run_all([partial(_read_batch, aws, table, batch, consistent=consistent) for batch in batches])
    return [item for items in found for item in items]


def query_all(aws: Aws, request: "QueryInputPaginateTypeDef") -> list[Item]:
    """All items that a query finds, over all its pages. Blocks."""
    pages = aws.dynamodb.get_paginator("query").paginate(**request)
    return [plain(item) for page in pages for item in page["Items"]]


async def due_items(aws: Aws, table: str, shard: str, now: datetime, limit: int) -> list[Item]:
    """Entries of a part of the agenda whose time has come, earliest first. The index may be a moment old."""
    found = await aws.run(
        lambda: aws.dynamodb.query(
            TableName=table,
            IndexName="agenda",
            KeyConditionExpression="agenda_shard = :shard AND due_at <= :now",
            ExpressionAttributeValues={":shard": attribute(shard), ":now": attribute(milliseconds(now))},
            Limit=limit,
        )
    )
    return [plain(item) for item in found["Items"]]


async def partition(aws: Aws, table: str, pk: str, beginning: str = "") -> list[Item]:
    """The items of a partition whose sort key has this beginning, read consistently."""
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
