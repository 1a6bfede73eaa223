"""IDs are derived and never drawn at random: a step that runs twice makes the same IDs."""

import hashlib
import re
from datetime import datetime
from uuid import UUID, uuid5

from shared.base.instants import microseconds

REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""The form of names that other systems give us: organisations, campaigns, enrolments."""

SYSTEM = "system"
"""Stands for the caller's name where the product does something by itself (api.md, Authentication)."""

_NAMESPACE = UUID("6f1d3f0e-2b7a-5c49-9d0a-0b5c1f5e7a11")


def is_organisation(value: str) -> bool:
    """Whether `value` may begin a key of a table, an object's key and a secret's name."""
    return REFERENCE.fullmatch(value) is not None


def distribution_id(organisation: str, key: str) -> str:
    """The ID of the distribution that belongs to this organisation and Idempotency-Key."""
    return str(uuid5(_NAMESPACE, f"{organisation}\nPOST /v1/distributions\n{key}"))


def retry_id(organisation: str, key: str) -> str:
    """The ID of the distribution that a retry with this Idempotency-Key makes. The key counts for the route, whichever
    distribution the path names."""
    return str(uuid5(_NAMESPACE, f"{organisation}\nPOST /v1/distributions/{{distribution_id}}/retry\n{key}"))


def row_message_id(distribution: str, row: int) -> str:
    """The ID of the message of one row of a distribution. Rows count from 1."""
    return str(uuid5(UUID(distribution), str(row)))


def single_message_id(organisation: str, key: str) -> str:
    """The ID of the message of POST /v1/messages that belongs to this organisation and Idempotency-Key."""
    return str(uuid5(_NAMESPACE, f"{organisation}\nPOST /v1/messages\n{key}"))


def export_id(organisation: str, number: int, order: str) -> str:
    """The ID of an organisation's export. Exports count from 1; `order` is what was asked for, as text."""
    return str(uuid5(_NAMESPACE, f"{organisation}\nPOST /v1/exports\n{number}\n{order}"))


def resend_id(parent: str) -> str:
    """The ID of the resend of the message `parent`: one, even if it is asked for several times."""
    return str(uuid5(UUID(parent), "resend"))


def fallback_id(parent: str) -> str:
    """The ID of the fallback SMS of the WhatsApp message `parent`."""
    return str(uuid5(UUID(parent), "fallback"))


def stop_reply_id(organisation: str, person: str, granted_at: datetime | None) -> str:
    """The ID of the answer to a person's STOP. It changes only when the person agrees again.

    So a person who says STOP several times, in any message, gets one answer. `granted_at`: their last consent before
    the STOP; None if there is none.
    """
    since = microseconds(granted_at) if granted_at else ""
    return str(uuid5(_NAMESPACE, f"{organisation}\nstop\n{person}\n{since}"))


def stop_question_id(organisation: str, person: str, day: int) -> str:
    """The ID of the question whether a person means STOP: one a day. `day`: days since 1970."""
    return str(uuid5(_NAMESPACE, f"{organisation}\nstop?\n{person}\n{day}"))


def shard_of(identifier: str, shards: int) -> int:
    """The shard of an identifier, from 0 to `shards` - 1. It is always the same, and identifiers spread evenly."""
    return hashlib.sha256(identifier.encode()).digest()[0] % shards
