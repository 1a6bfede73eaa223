"""Cursors: where the next page of a list starts. Opaque to clients; without personal data and without secrets.

The checksum recognises a cursor of another organisation, list or filter, and a damaged one. It is no signature: the
reader builds its keys with the request's own organisation, never from the cursor alone.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import NamedTuple

from shared.base.json import JsonObject, canonical, parse_bytes
from shared.base.refusal import FieldError, ProblemCode, Refusal

_CHECKSUM_BYTES = 9


def encode(position: JsonObject, *, organisation: str, operation: str, filters: Mapping[str, str]) -> str:
    """`position` is what the reader needs to continue. `filters` are the query without limit and cursor."""
    body = canonical(position)
    checksum = _checksum(body, organisation, operation, filters)
    return base64.urlsafe_b64encode(checksum + body).decode().rstrip("=")


def decode(cursor: str, *, organisation: str, operation: str, filters: Mapping[str, str]) -> JsonObject:
    """The position. Raises Refusal (bad_request) unless `encode` made the cursor with the same organisation, operation
    and filters."""
    try:
        raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        checksum, body = raw[:_CHECKSUM_BYTES], raw[_CHECKSUM_BYTES:]
        ours = hmac.compare_digest(checksum, _checksum(body, organisation, operation, filters))
        position = parse_bytes(body) if ours else None
    except (binascii.Error, ValueError) as error:
        raise _refusal() from error
    if not isinstance(position, dict):
        raise _refusal()
    return position


def _checksum(body: bytes, organisation: str, operation: str, filters: Mapping[str, str]) -> bytes:
    bound = canonical([organisation, operation, dict(filters)])
    return hashlib.sha256(bound + b"\n" + body).digest()[:_CHECKSUM_BYTES]


def _refusal() -> Refusal:
    field_error = FieldError(field="cursor", code="field_invalid", facts={"format": "cursor"})
    return Refusal(ProblemCode.BAD_REQUEST, (field_error,))


class Binding(NamedTuple):
    """The list that a cursor belongs to."""

    organisation: str
    operation: str
    filters: Mapping[str, str]


def position(cursor: str | None, binding: Binding) -> str | None:
    """Where a page starts; None at the beginning. Raises Refusal (bad_request) for a cursor of another list."""
    if cursor is None:
        return None
    found = decode(cursor, **binding._asdict())
    return str(found.get("at", ""))


def following(place: str | None, binding: Binding) -> str | None:
    """The cursor of the next page; None at the end."""
    return None if place is None else encode({"at": place}, **binding._asdict())


def place_of(cursor: str | None, binding: Binding) -> tuple[int, int]:
    """Two whole numbers as a position; (0, 0) at the beginning. Raises Refusal (bad_request) for anything else."""
    part, _, start = (position(cursor, binding) or "0.0").partition(".")
    if not (part.isascii() and part.isdigit() and start.isascii() and start.isdigit()):
        raise _refusal()
    return int(part), int(start)
