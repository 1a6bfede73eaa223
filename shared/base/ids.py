"""IDs are derived, not drawn: whatever runs twice makes the same things."""

import hashlib
import re
from datetime import datetime
from uuid import UUID, uuid5

from shared.base.instants import microseconds

REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""The form of names that other systems give: organisations, campaigns, enrolments."""

_NAMESPACE = UUID("6f1d3f0e-2b7a-5c49-9d0a-0b5c1f5e7a11")


def is_organisation(value: str) -> bool:
    """Whether it may stand at the front of every key, object and secret."""
    return REFERENCE.fullmatch(value) is not None


def distribution_id(organisation: str, key: str) -> str:
    """The distribution that an organisation's Idempotency-Key names."""
    return str(uuid5(_NAMESPACE, f"{organisation}\nPOST /v1/distributions\n{key}"))


def row_message_id(distribution: str, row: int) -> str:
    """The message of a distribution's row; rows count from 1."""
    return str(uuid5(UUID(distribution), str(row)))


def single_message_id(organisation: str, key: str) -> str:
    """The message that an organisation's Idempotency-Key names on POST /v1/messages."""
    return str(uuid5(_NAMESPACE, f"{organisation}\nPOST /v1/messages\n{key}"))


def resend_id(parent: str) -> str:
    """The one message that a failed one is sent again as, however often that is asked for."""
    return str(uuid5(UUID(parent), "resend"))


def fallback_id(parent: str) -> str:
    """The one SMS that stands in for a WhatsApp message that did not arrive."""
    return str(uuid5(UUID(parent), "fallback"))


def stop_reply_id(organisation: str, person: str, granted_at: datetime | None) -> str:
    """The one answer to a person's STOP, however often and by whichever message they say it, until they agree anew.

    `granted_at`: when they last agreed before it; None if they never did.
    """
    since = microseconds(granted_at) if granted_at else ""
    return str(uuid5(_NAMESPACE, f"{organisation}\nstop\n{person}\n{since}"))


def stop_question_id(organisation: str, person: str, day: int) -> str:
    """The one question in a day whether a person means a stop. `day`: days since 1970."""
    return str(uuid5(_NAMESPACE, f"{organisation}\nstop?\n{person}\n{day}"))


def shard_of(identifier: str, shards: int) -> int:
    """A steady, even choice among `shards` for an identifier."""
    return hashlib.sha256(identifier.encode()).digest()[0] % shards
