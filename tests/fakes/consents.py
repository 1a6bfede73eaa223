"""Statements about consent. By default the time of receipt is the statement's own date."""

from datetime import datetime

from shared.policy.consent import Consent, ConsentRecord, ConsentState


def granted(at: datetime, source: str = "register", *, received: datetime | None = None) -> Consent:
    return Consent(state=ConsentState.GRANTED, recorded_at=at, received_at=received or at, source=source)


def revoked(at: datetime, source: str = "STOP", *, received: datetime | None = None) -> Consent:
    return Consent(state=ConsentState.REVOKED, recorded_at=at, received_at=received or at, source=source)


def record(*statements: Consent) -> ConsentRecord:
    return ConsentRecord().joined(statements)
