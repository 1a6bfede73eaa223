"""IDs are derived, not drawn: whatever runs twice makes the same things."""

import hashlib
import hmac
from uuid import UUID, uuid5

_NAMESPACE = UUID("6f1d3f0e-2b7a-5c49-9d0a-0b5c1f5e7a11")


def distribution_id(organisation: str, key: str) -> str:
    """The distribution that an organisation's Idempotency-Key names."""
    return str(uuid5(_NAMESPACE, f"{organisation}\nPOST /v1/distributions\n{key}"))


def row_message_id(distribution: str, row: int) -> str:
    """The message of a distribution's row; rows count from 1."""
    return str(uuid5(UUID(distribution), str(row)))


def single_message_id(organisation: str, key: str) -> str:
    """The message that an organisation's Idempotency-Key names on POST /v1/messages."""
    return str(uuid5(_NAMESPACE, f"{organisation}\nPOST /v1/messages\n{key}"))


def shard_of(identifier: str, shards: int) -> int:
    """A steady, even choice among `shards` for an identifier."""
    return hashlib.sha256(identifier.encode()).digest()[0] % shards


class NumberKey:
    """Turns a number into the keyed hash that joins consents, opt-outs and messages without holding the number."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def person(self, organisation: str, e164: str) -> str:
        """32 hex digits; the same number gives another hash in another organisation."""
        return hmac.digest(self._key, f"{organisation}\n{e164}".encode(), "sha256").hex()[:32]
