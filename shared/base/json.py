"""Reading and writing JSON: a type without `Any`, and a parser that is stricter than the standard library's (RFC 8259,
and I-JSON's rule of one value per name).
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from shared.base.instants import rfc3339

type JsonValue = str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None

type JsonObject = dict[str, JsonValue]

_EXACT = 2**53
"""Up to this number, every whole number has its own float."""

_MAY_BE_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

_HALF_A_PAIR = re.compile("[\ud800-\udfff]")

NO_CHARACTER = "\uffff"
"""Replaces half a surrogate pair, which no encoding can carry. `shared.texts.content` later removes it from texts, like
the other characters that no message can carry.
"""


def parse(text: str) -> JsonValue:
    """A JSON value (RFC 8259, with one value per name as in I-JSON). Half a surrogate pair becomes `NO_CHARACTER`.

    ValueError for repeated names, NaN, infinities and nesting that is too deep.
    """
    try:
        value = _read(text)
        if _MAY_BE_SURROGATE.search(text):
            # The first reading joined the halves that make a pair, so each half that is left is alone.
            value = _read(_HALF_A_PAIR.sub(NO_CHARACTER, json.dumps(value, ensure_ascii=False)))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return value


def _read(text: str) -> JsonValue:
    value: JsonValue = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse, parse_float=_finite)
    return value


def _object(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("one object has the same name twice")
    return document


def _refuse(constant: str) -> JsonValue:
    raise ValueError(f"{constant} is not JSON")


def _finite(digits: str) -> float | int:
    """JSON has one kind of number: 1.0 becomes 1, so that it passes where a schema asks for an integer."""
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("the number is too large")
    return int(number) if number.is_integer() and abs(number) <= _EXACT else number


type Renderable = bool | int | float | str | datetime | Decimal | Sequence[Renderable] | Mapping[str, Renderable] | None
"""What can be written. Instants become RFC 3339 in UTC; decimals become strings, so "12.50" keeps its zero."""


def parse_bytes(body: bytes) -> JsonValue:
    """As `parse`, from bytes. ValueError also for invalid UTF-8."""
    return parse(body.decode("utf-8"))


def render(value: Renderable) -> str:
    """JSON text without spaces. Characters outside ASCII are not escaped. ValueError for NaN and infinities."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_rendered)


def canonical(value: JsonValue) -> bytes:
    """JSON bytes that are equal for equal documents: the order of names and the white space do not matter."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode()


def merge_patch(target: JsonValue, patch: JsonValue) -> JsonValue:
    """`target` changed as RFC 7396 (JSON Merge Patch) says: a null removes a member, an object is merged, and every
    other value replaces what stands there."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def _rendered(value: object) -> Renderable:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
