"""Reads JSON from outside into plain dictionaries, without `Any`."""

import json
from collections.abc import Mapping
from typing import cast


def parsed_object(raw: bytes | str) -> dict[str, object] | None:
    """Return the JSON object in `raw`, or None if it holds none."""
    try:
        value: object = json.loads(raw)
    except ValueError:
        return None
    return as_object(value)


def as_object(value: object) -> dict[str, object] | None:
    """Return `value` if it is an object, else None."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else None


def as_list(value: object) -> list[object] | None:
    """Return `value` if it is an array, else None."""
    return cast("list[object]", value) if isinstance(value, list) else None


def text_at(value: object, *path: str) -> str | None:
    """Return the string at `path` in nested objects, or None."""
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value if isinstance(value, str) else None
