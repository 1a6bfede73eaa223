"""Reading what providers say without trusting its shape: every function is total."""

import json

from shared.base.json import JsonObject, JsonValue

IDENTIFIER_LENGTH = 512

PIECE_BYTES = 50_000
"""Of a webhook, as a document on the status queue: with its quotes escaped it is one of SQS's billing units (64 KB). A
batch of ten holds a thousand statuses or so: a function with a third of a processor works them off well within its
time-out, or they would come again and never get further."""


def parse(body: bytes | str) -> JsonValue:
    """The document, or None where it is not JSON: empty, cut short, HTML, nested beyond reason."""
    try:
        document: JsonValue = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document


def obj(value: JsonValue) -> JsonObject:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: JsonValue) -> list[JsonObject]:
    """The objects of a list; a lone object counts as a list of one."""
    if isinstance(value, dict):
        return [value]
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: JsonValue) -> str:
    """The value if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def integer(value: JsonValue) -> int | None:
    """A whole number, also from a string or a float: providers quote them now and then."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return int(value)
    except (ValueError, OverflowError):
        return None


def identifier(value: JsonValue) -> str:
    """An opaque ID, fit to be stored: printable ASCII without spaces, at most 512 characters; else empty."""
    found = text(value)
    fits = found.isascii() and found.isprintable() and " " not in found and len(found) <= IDENTIFIER_LENGTH
    return found if fits else ""
