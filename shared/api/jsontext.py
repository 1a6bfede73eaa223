"""JSON text in and out, stricter than the standard library's: RFC 8259 and I-JSON's one value per name."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from shared.base.instants import rfc3339
from shared.base.json import JsonValue
from shared.base.json import parse as json_value

type Renderable = bool | int | float | str | datetime | Decimal | Sequence[Renderable] | Mapping[str, Renderable] | None
"""What can be written: instants become RFC 3339 in UTC, decimals strings ("12.50" keeps its noughts)."""


def parse(body: bytes) -> JsonValue:
    """ValueError for invalid UTF-8 and for what `shared.base.json.parse` refuses."""
    return json_value(body.decode("utf-8"))


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
