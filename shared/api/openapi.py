"""The OpenAPI document beside this module. It is served, and requests are checked against it."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from shared.base.json import JsonObject, JsonValue, parse_bytes

_METHODS = frozenset({"get", "put", "patch", "post", "delete"})


@cache
def document() -> JsonObject:
    """Read at first use and kept. Never change the returned value."""
    return as_object(parse_bytes(Path(__file__).with_name("openapi.json").read_bytes()))


@cache
def operations() -> Mapping[str, JsonObject]:
    """operationId → operation."""
    return {str(operation["operationId"]): operation for operation in routes().values()}


@cache
def routes() -> Mapping[str, JsonObject]:
    """Route key ("POST /v1/messages") → operation."""
    return {
        f"{method.upper()} {path}": as_object(operation)
        for path, item in as_object(document()["paths"]).items()
        for method, operation in as_object(item).items()
        if method in _METHODS
    }


def body_schema(operation: str) -> JsonObject:
    """The schema of an operation's JSON body. Raises KeyError for an operation without one."""
    content = as_object(as_object(operations()[operation]["requestBody"])["content"])
    return as_object(as_object(content["application/json"])["schema"])


def body_media(operation: str) -> frozenset[str]:
    """The content types that an operation's body may have. Empty for an operation without a body."""
    declared = as_object(operations()[operation].get("requestBody", {}))
    return frozenset(as_object(declared.get("content", {})))


def parameters(operation: str) -> list[JsonObject]:
    """An operation's parameters; references are followed."""
    listed = operations()[operation].get("parameters", [])
    return [followed(as_object(entry)) for entry in listed] if isinstance(listed, list) else []


def as_object(value: JsonValue) -> JsonObject:
    """`value` as an object. Raises TypeError otherwise; since the document is ours, that is an error of ours."""
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


def followed(entry: JsonObject) -> JsonObject:
    """The component that `entry` refers to, or `entry` itself."""
    if "$ref" not in entry:
        return entry
    target: JsonValue = document()
    for name in str(entry["$ref"]).removeprefix("#/").split("/"):
        target = as_object(target)[name]
    return as_object(target)
