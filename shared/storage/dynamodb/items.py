"""Conditional writes: done, or what stood in the way.

botocore repeats a write whose answer was lost. The repeat then fails on the condition that the first attempt has made
false. So each write here knows its own first attempt by what stands there, or changes nothing that counts.

Plain values ↔ DynamoDB attributes. None is an absent attribute.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from shared.storage.aws import Aws

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, UpdateItemInputTypeDef


type Plain = str | int

type Item = dict[str, Plain]


def attributes(values: Mapping[str, Plain | None]) -> dict[str, "AttributeValueTypeDef"]:
    """As a put or an expression wants them."""
    return {name: attribute(value) for name, value in values.items() if value is not None}


def attribute(value: Plain) -> "AttributeValueTypeDef":
    """One value."""
    return {"N": str(value)} if isinstance(value, int) else {"S": value}


def plain(item: Mapping[str, Mapping[str, Any]]) -> Item:
    """An item's strings and whole numbers; other kinds (sets) are read by whoever writes them."""
    values: Item = {}
    for name, value in item.items():
        if "S" in value:
            values[name] = str(value["S"])
        elif "N" in value:
            values[name] = int(value["N"])
    return values


def text(item: Item, name: str) -> str | None:
    """A string attribute, if there."""
    value = item.get(name)
    return str(value) if value is not None else None


def whole(item: Item, name: str) -> int | None:
    """A whole number attribute, if there."""
    value = item.get(name)
    return int(value) if value is not None else None


type Answer = Literal["ALL_NEW", "ALL_OLD"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """An update expression in parts. `#status` may stand for the reserved word in conditions."""

    sets: Mapping[str, Plain] = field(default_factory=dict)
    sets_once: Mapping[str, Plain] = field(default_factory=dict)
    """Set unless there already."""
    adds: Mapping[str, int] = field(default_factory=dict)
    removes: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    values: Mapping[str, Plain] = field(default_factory=dict)
    """What the conditions name, by ":name"."""

    def stands_in(self, item: Item) -> bool:
        """Whether an item shows all that the update sets and nothing that it removes: it would change nothing more.

        Sums are not looked at. An update whose values another writer could set too needs a value of its own (a token).
        """
        return all(item.get(name) == value for name, value in self.sets.items()) and item.keys().isdisjoint(
            self.removes
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Whether the update was done; the item as asked for, or as it stood in the way (None: there is none)."""

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
    """Update an item that is there, on the update's conditions. `client`: another one than the usual."""
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
    """Put an item unless its key is there; says whether it was put, now or by an earlier attempt of the same write.

    The same item put by another writer counts too. Where that matters, the item holds a token of its own.
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


def stored_item(error: ClientError) -> Item | None:
    """The item that made a condition fail, if the call asked for it; any other error goes on its way."""
    if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
        raise error
    found: Mapping[str, Mapping[str, object]] | None = error.response.get("Item")  # type: ignore[assignment]  # boto3 types know no Item here
    return plain(found) if found else None


def _expression(update: Update) -> str:
    sets = [f"#{name} = :set_{name}" for name in update.sets]
    sets += [f"#{name} = if_not_exists(#{name}, :once_{name})" for name in update.sets_once]
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
    if any("#status" in condition for condition in update.conditions):
        used.add("status")
    return {f"#{name}": name for name in used}
