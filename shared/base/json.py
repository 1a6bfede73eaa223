"""JSON in and out: a type that keeps `Any` out, and a reading stricter than the standard library's (RFC 8259, and
I-JSON's one value per name).
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
"""Up to here each whole number is a float of its own."""

_MAY_BE_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

_HALF_A_PAIR = re.compile("[\ud800-\udfff]")

NO_CHARACTER = "\uffff"
"""Stands for half a surrogate pair, which no text can be encoded with. It is removed from a text like the other
characters that no message can carry (`shared.texts.content`)."""


def parse(text: str) -> JsonValue:
    """RFC 8259, and I-JSON's one value per name. Half a surrogate pair becomes `NO_CHARACTER`.

    ValueError for repeated names, NaN and infinities, and bottomless nesting.
    """
    try:
        value = _read(text)
        if _MAY_BE_SURROGATE.search(text):
            # The first reading has joined the halves that make a pair: what is left is alone.
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
        raise ValueError("a name stands twice in one object")
    return document


def _refuse(constant: str) -> JsonValue:
    raise ValueError(f"{constant} is not JSON")


def _finite(digits: str) -> float | int:
    """JSON knows one kind of number: 1.0 is 1, and passes wherever a schema asks for an integer."""
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number beyond measure")
    return int(number) if number.is_integer() and abs(number) <= _EXACT else number


type Renderable = bool | int | float | str | datetime | Decimal | Sequence[Renderable] | Mapping[str, Renderable] | None
"""What can be written: instants become RFC 3339 in UTC, decimals strings ("12.50" keeps its noughts)."""


def parse_bytes(body: bytes) -> JsonValue:
    """ValueError for invalid UTF-8 and for what `shared.base.json.parse` refuses."""
    return parse(body.decode("utf-8"))


def render(value: Renderable) -> str:
    """UTF-8 as it is, not escaped. ValueError for NaN and infinities."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_rendered)


def canonical(value: JsonValue) -> bytes:
    """The same bytes for the same document, whatever the order of its names and its white space."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode()


def _rendered(value: object) -> Renderable:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
