"""JSON text in and out, stricter than the standard library's: RFC 8259 and I-JSON's one value per name."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from shared.domain.json import JsonObject, JsonValue
from shared.http.times import rfc3339

type Renderable = bool | int | float | str | datetime | Decimal | Sequence[Renderable] | Mapping[str, Renderable] | None
"""What can be written: instants become RFC 3339 in UTC, decimals strings ("12.50" keeps its noughts)."""

_MAY_BE_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def parse(body: bytes) -> JsonValue:
    """ValueError for invalid UTF-8, repeated names, NaN and infinities, lone surrogates and bottomless nesting."""
    try:
        value: JsonValue = json.loads(
            body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse, parse_float=_finite
        )
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if _MAY_BE_SURROGATE.search(body):
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # UnicodeEncodeError is a ValueError
    return value


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


def _object(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return document


def _refuse(constant: str) -> JsonValue:
    raise ValueError(f"{constant} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number beyond measure")
    return number
