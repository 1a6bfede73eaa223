"""Consent and opt-out: who may be written to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.payload import Channel


class ConsentState(StrEnum):
    """What is recorded of a person."""

    GRANTED = "granted"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """The latest word of one person, as somebody recorded it. `source` says who ("register", "STOP", …)."""

    state: ConsentState
    recorded_at: datetime
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the request itself says of the recipient's consent; `at` where it says when."""

    granted: bool | None = None
    at: datetime | None = None


def not_after(told: datetime, now: datetime) -> datetime:
    """When a person's word counts from: as it was told, but never from a time to come. A grant that lies ahead would
    win over every STOP until then."""
    return min(told, now)


def objection(channel: Channel, recorded: Consent | None, given: Given) -> str | None:
    """Why this person may not be written to on this channel: `opted_out`, `consent_missing` or None.

    A revocation blocks both channels and yields only to a later, dated grant. WhatsApp also needs a grant: recorded, or
    on the recipient (Meta's opt-in rule; product.md).
    """
    if recorded is not None and recorded.state is ConsentState.REVOKED:
        later_grant = given.granted and given.at is not None and given.at > recorded.recorded_at
        return None if later_grant else "opted_out"
    if channel is Channel.SMS:
        return None
    if given.granted is None:
        return None if recorded is not None else "consent_missing"
    return None if given.granted else "consent_missing"
