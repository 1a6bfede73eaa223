"""The differences between two recordings."""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MOST_LINES = 60
"""Lines shown of one exchange's difference."""


def differences(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A readable text for each exchange that differs, is gone or is new."""
    old, new = ({one["name"]: one for one in side} for side in (before, after))
    for name in old.keys() - new.keys():
        yield f"only before: {_title(old[name])}"
    for name in new.keys() - old.keys():
        yield f"only after: {_title(new[name])}"
    for name in old:
        if name in new and old[name] != new[name]:
            yield _difference(old[name], new[name])
    if list(old) != list(new) and old.keys() == new.keys():
        yield "the exchanges are the same, in another order"


def _title(exchange: Mapping[str, Any]) -> str:
    request = exchange["request"]
    return f"{exchange['name']}: {request['method']} {request['path']} ({exchange['language']}) → {exchange['status']}"


def _difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    old, new = (json.dumps(one, indent=1, ensure_ascii=False).splitlines() for one in (before, after))
    lines = list(difflib.unified_diff(old, new, "before", "after", lineterm="", n=2))
    more = [f"… {len(lines) - MOST_LINES} lines more"] if len(lines) > MOST_LINES else []
    return "\n".join([_title(before), *lines[:MOST_LINES], *more])
