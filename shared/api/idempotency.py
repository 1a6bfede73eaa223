"""The client's key, and what tells a repeat from another order under the same key."""

import hashlib
import hmac
import re

from shared.api.jsontext import canonical
from shared.api.request import Request
from shared.base.json import JsonValue
from shared.base.refusal import FieldError, ProblemCode, Refusal

_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]{1,255}")


def key(request: Request) -> str:
    """The Idempotency-Key header. Refusal: idempotency_key_missing; bad_request where it is not 1–255 visible ASCII."""
    value = request.headers.get("idempotency-key", "").strip()
    if not value:
        raise Refusal(ProblemCode.IDEMPOTENCY_KEY_MISSING)
    if not _VISIBLE_ASCII.fullmatch(value):
        field_error = FieldError(field="Idempotency-Key", code="field_invalid", facts={"format": "idempotency-key"})
        raise Refusal(ProblemCode.BAD_REQUEST, (field_error,))
    return value


def body_hash(document: JsonValue, *, secret: bytes = b"") -> str:
    """HMAC-SHA-256 of the canonical JSON, in hex: the order of names and white space do not count.

    Give the number key as `secret` where the hash is stored: a single message's body has little in it that cannot be
    guessed but the phone number.
    """
    return hmac.new(secret, canonical(document), hashlib.sha256).hexdigest()
