"""Plain values ↔ DynamoDB attributes. None is an absent attribute."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

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
