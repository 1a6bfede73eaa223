"""Removes from an answer what differs from run to run: times, random IDs, ports, lengths.

Within one scene the same random value gets the same placeholder, numbered by first appearance.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

type Value = bool | int | float | str | list[Value] | dict[str, Value] | None

DRAWN_KEYS: Mapping[str, str] = {
    "message_id": "message",
    "parent_message_id": "message",
    "successor_message_id": "message",
    "distribution_id": "distribution",
    "upload_id": "upload",
    "export_id": "export",
    "dead_letter_id": "dead-letter",
    "provider_message_id": "provider-id",
    "next_cursor": "cursor",
}
"""Fields with a random value, and the word of its placeholder."""
MEASURED_KEYS: Mapping[str, str] = {
    "median_delivery_seconds": "seconds",
    "timestamp": "time",
    "time": "time",
    "media_id": "media",
}
"""Fields whose digits differ from run to run: durations, Meta's times in seconds since 1970, and which of several
uploads came first."""
DROPPED_HEADERS = frozenset({"date"})
FIXED = "fixed"
"""One placeholder for all values, to sort items whose order depends on random values."""

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_WAMID = re.compile(r"wamid\.[A-Za-z0-9+/*=_-]{20,}")
_RECEIPT_PATH = re.compile(r"(?<=/webhooks/orange/)([A-Za-z0-9_-]+)/([A-Za-z0-9_-]{16,})")
_CURSOR = re.compile(r"(?<=cursor=)[A-Za-z0-9_-]{24,}")
_SIGNED = re.compile(r"\b(X-Amz-[A-Za-z-]+|AWSAccessKeyId|Signature|Expires|x-amz-security-token)=[^&\"\s]+")
_FILE_TIME = re.compile(r"-\d{8}-\d{4}(?=\.csv)")
_PORT = re.compile(r"(?<=127\.0\.0\.1:)\d+|(?<=127\.1:)\d+")
_WAIT = re.compile(r"\b(Wait|Attendez|Patientez) \d+(?=\D{0,2}s\b)")


class Normaliser:
    """One for each scene: an additional ID in one scene then changes no placeholder of another."""

    def __init__(self, *, fixed: bool = False, known: Mapping[str, str] | None = None) -> None:
        self._keep_hours = True
        self._fixed = fixed
        self._known: dict[str, str] = dict(known or {})
        self._counts: Counter[str] = Counter()

    def value(self, found: Value, key: str = "") -> Value:
        """A JSON value without its random parts."""
        if isinstance(found, dict):
            return {self.text(name): self.value(inner, name) for name, inner in found.items()}
        if isinstance(found, list):
            return [self.value(inner, key) for inner in found]
        if isinstance(found, str):
            return self._string(found, key)
        is_number = isinstance(found, int | float) and not isinstance(found, bool)
        return f"<{MEASURED_KEYS[key]}>" if is_number and key in MEASURED_KEYS else found

    def _string(self, found: str, key: str) -> str:
        if key in DRAWN_KEYS and found:
            return self._placeholder(found, DRAWN_KEYS[key])
        return f"<{MEASURED_KEYS[key]}>" if key in MEASURED_KEYS and found.isdigit() else self.text(found)

    def text(self, found: str) -> str:
        """A text without its random parts. Times at a whole hour stay: the script or the product has chosen them."""
        for raw in sorted(self._known, key=len, reverse=True):
            if raw in found:
                found = found.replace(raw, self._known[raw])
        found = _TIME.sub(self._time, found)
        found = _RECEIPT_PATH.sub(lambda path: f"{path[1]}/{self._placeholder(path[2], 'receipt-token')}", found)
        found = _WAMID.sub(lambda drawn: self._placeholder(drawn[0], "provider-id"), found)
        found = _UUID.sub(lambda drawn: self._placeholder(drawn[0], "id"), found)
        found = _CURSOR.sub(lambda drawn: self._placeholder(drawn[0], "cursor"), found)
        found = _SIGNED.sub(lambda drawn: f"{drawn[1]}=<signed>", found)
        found = _FILE_TIME.sub("-<time>", found)
        found = _WAIT.sub(r"\1 <seconds>", found)
        return _PORT.sub("<port>", found)

    def headers(self, found: Mapping[str, str], body: bytes) -> dict[str, str]:
        """By name. The length shows whether it is right; `retry-after` depends on the second of the call."""
        shown: dict[str, str] = {}
        for name, value in sorted((name.lower(), value) for name, value in found.items()):
            if name == "content-length":
                shown[name] = "<length>" if int(value) == len(body) else f"{value} instead of {len(body)}"
            elif name == "retry-after" and value.isdigit():
                shown[name] = "<seconds>"
            elif name not in DROPPED_HEADERS:
                shown[name] = self.text(value)
        return shown

    def body(self, content: bytes, *, unordered: bool = False, keep_hours: bool = True) -> Value:
        """JSON as a value, another body as lines of text.

        `unordered`: its `items` come in an unknown order and are sorted. `keep_hours` False: its whole hours depend on
        the hour of the call.
        """
        self._keep_hours = keep_hours
        try:
            return self._body(content, unordered)
        finally:
            self._keep_hours = True

    def _body(self, content: bytes, unordered: bool) -> Value:
        text = content.decode("utf-8", "replace")
        try:
            found: Value = json.loads(text)
        except ValueError:
            return [self.text(line) for line in text.splitlines()]
        if unordered and isinstance(found, dict):
            found = {
                name: self.in_any_order(inner) if isinstance(inner, list) else inner for name, inner in found.items()
            }
        return self.value(found)

    def _time(self, found: re.Match[str]) -> str:
        instant = datetime.fromisoformat(found[0])
        whole = (instant.minute, instant.second, instant.microsecond) == (0, 0, 0)
        return found[0] if whole and self._keep_hours else "<time>"

    def in_any_order(self, items: list[Value]) -> list[Value]:
        """Sorted by what is not random, then by the random values that this scene knows already."""
        blind, knowing = Normaliser(fixed=True), Normaliser(fixed=True, known=self._known)

        def rank(item: Value) -> tuple[str, ...]:
            return tuple(json.dumps(one.value(item), sort_keys=True) for one in (blind, knowing))

        return sorted(items, key=rank)

    def _placeholder(self, raw: str, word: str) -> str:
        if raw not in self._known and self._fixed:
            return f"<{FIXED}>"
        if raw not in self._known:
            self._counts[word] += 1
            self._known[raw] = f"<{word}-{self._counts[word]}>"
        return self._known[raw]
