"""Refuses requests that DynamoDB refuses and moto 5.2.5 accepts: reserved words, unused names and values, reversed
bounds, empty members of sets. It also reverses answers whose order DynamoDB does not promise."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from local.moto_mends import INSERTS_AT_ONCE
from local.partiql import inserted

TRANSACTED_AT_ONCE = 100
"""DynamoDB's limit for one TransactWriteItems."""

_EXPRESSIONS = (
    "ConditionExpression",
    "FilterExpression",
    "KeyConditionExpression",
    "ProjectionExpression",
    "UpdateExpression",
)
_SYNTAX = {"SET", "ADD", "REMOVE", "DELETE", "AND", "OR", "NOT", "BETWEEN", "IN"}
_FUNCTIONS = {
    "attribute_exists",
    "attribute_not_exists",
    "attribute_type",
    "begins_with",
    "contains",
    "if_not_exists",
    "list_append",
    "size",
}
_BETWEEN = re.compile(r"BETWEEN\s+(:\w+)\s+AND\s+(:\w+)")
_WORD = re.compile(r"[:#]?[A-Za-z_][\w.]*")


class RefusedError(AssertionError):
    """AWS would answer ValidationException."""


def check(params: Mapping[str, Any], **_: object) -> None:
    """A botocore handler for `provide-client-params.dynamodb`. Raises RefusedError."""
    values: Mapping[str, Mapping[str, Any]] = params.get("ExpressionAttributeValues", {})
    texts = [str(params[name]) for name in _EXPRESSIONS if name in params]
    words = {word for text in texts for word in _WORD.findall(text)}
    reserved = set(ReservedKeywords.get_reserved_keywords())
    bare = {word for word in words if word[0] not in ":#"} - _SYNTAX - _FUNCTIONS
    given = {*params.get("ExpressionAttributeNames", {}), *values}
    for fault, found in (
        ("reserved words", {word for word in bare if word.upper() in reserved}),
        ("used but not given, or given but not used", given ^ {word for word in words if word[0] in ":#"}),
        ("empty members of a set", {name for name, value in values.items() if "" in value.get("SS", ("x",))}),
        ("bounds the wrong way round", _inverted(texts, values)),
    ):
        if found:
            raise RefusedError(f"{fault}: {sorted(found)} in {texts}")


def check_statements(params: Mapping[str, Any], **_: object) -> None:
    """The same for `provide-client-params.dynamodb.BatchExecuteStatement`. It checks the limits, and that no item is in
    a batch twice, because AWS does not document what happens then. Raises RefusedError."""
    statements = params["Statements"]
    keys = Counter(inserted(statement)[1]["pk"]["S"] for statement in statements)
    for fault, found in (
        ("too many statements", {len(statements)} - set(range(1, INSERTS_AT_ONCE + 1))),
        ("statements too long", {len(one["Statement"]) for one in statements} - set(range(1, 8193))),
        ("an item twice", {key for key, times in keys.items() if times > 1}),
    ):
        if found:
            raise RefusedError(f"{fault}: {sorted(found)}")


def check_transaction(params: Mapping[str, Any], **_: object) -> None:
    """The same for `provide-client-params.dynamodb.TransactWriteItems`: each write, the limit, and that no item is
    written twice. Raises RefusedError."""
    writes = [write for item in params["TransactItems"] for write in item.values()]
    for write in writes:
        check(write)
    keys = Counter(
        str([(name, (write.get("Key") or write["Item"])[name]) for name in ("pk", "sk")]) for write in writes
    )
    for fault, found in (
        ("too many writes", {len(writes)} - set(range(1, TRANSACTED_AT_ONCE + 1))),
        ("an item twice", {key for key, times in keys.items() if times > 1}),
    ):
        if found:
            raise RefusedError(f"{fault}: {sorted(found)}")


def shuffle(parsed: dict[str, dict[str, list[object]]], **_: object) -> None:
    """A botocore handler of `after-call.dynamodb.BatchGetItem`: moto keeps the order of the keys, DynamoDB does not."""
    for items in parsed.get("Responses", {}).values():
        items.reverse()


def _inverted(texts: list[str], values: Mapping[str, Mapping[str, Any]]) -> set[str]:
    pairs = [pair for text in texts for pair in _BETWEEN.findall(text)]
    return {f"{low} > {high}" for low, high in pairs if _plain(values[low]) > _plain(values[high])}


def _plain(value: Mapping[str, Any]) -> tuple[int, str]:
    return (int(value["N"]), "") if "N" in value else (0, str(value["S"]))
