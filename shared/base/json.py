"""JSON as it comes in: a type that keeps `Any` out, and a reading stricter than the standard library's."""

import json
import math
import re

type JsonValue = str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None

type JsonObject = dict[str, JsonValue]

_EXACT = 2**53
"""Up to here each whole number is a float of its own."""

_MAY_BE_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

_HALF_A_PAIR = re.compile("[\ud800-\udfff]")

NO_CHARACTER = "\uffff"
"""Stands for half a surrogate pair, which no text can be encoded with. It is removed from a text like the other
characters that no message can carry (`shared.texts.characters`)."""


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
