"""Conditional writes: done, or what stood in the way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import ClientError

from shared.aws.attributes import Item, Plain, attribute, attributes, plain
from shared.aws.session import Aws

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, UpdateItemInputTypeDef

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Whether the update was done; the item as asked for, or as it stood in the way (None: there is none)."""

    done: bool
    item: Item | None


def changed(aws: Aws, table: str, key: Mapping[str, str], update: Update, answer: Answer = "ALL_NEW") -> Change:
    """Update an item that is there, on the update's conditions."""
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
        return Change(done=True, item=plain(aws.dynamodb.update_item(**request)["Attributes"]))
    except ClientError as error:
        return Change(done=False, item=standing(error))


def put_if_absent(aws: Aws, table: str, values: Mapping[str, Plain | None]) -> bool:
    """Put an item unless its key is there; says whether it was put."""
    try:
        aws.dynamodb.put_item(TableName=table, Item=attributes(values), ConditionExpression="attribute_not_exists(pk)")
    except ClientError as error:
        standing(error)
        return False
    return True


def standing(error: ClientError) -> Item | None:
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
