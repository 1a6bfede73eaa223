"""Consent and opt-out: who may be written to."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from shared.messages.payload import Channel, Payload

CLOCK_TOLERANCE = timedelta(minutes=5)
"""A date at most this far ahead comes from a clock that runs fast; one further ahead is a mistake (api.md, Fields of a
recipient)."""

_KEPT = 8
"""Statements of each kind that are kept of one person. More would only help to recognise very old repeats."""


class ConsentState(StrEnum):
    """What is recorded of a person."""

    GRANTED = "granted"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One statement about a person's consent.

    `recorded_at` is the date that it bears, `received_at` the time at which it reached us: a date can be wrong, our own
    clock is not. `source` says who told us ("register", "whatsapp_stop", …).
    """

    state: ConsentState
    recorded_at: datetime
    received_at: datetime
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the request itself says of the recipient's consent.

    `at`: the date of the grant, if the request says one. `received_at`: when the request came; it goes with `at`, and
    with the message wherever that is sent again.
    """

    granted: bool | None = None
    at: datetime | None = None
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRecord:
    """What is known of one person's consent: the newest statements of each kind.

    The latest statement alone would not do. A grant must be later than every revocation in both its date and its
    receipt, and a revocation that is told again must be recognised: it is not a new one.
    Joining records gives the same result in any order and however often it is done.
    """

    statements: tuple[Consent, ...] = ()

    def joined(self, statements: Iterable[Consent]) -> Self:
        """The record with these statements in it. One that is told again keeps the time of its first receipt."""
        first: dict[tuple[ConsentState, datetime, str], Consent] = {}
        for one in sorted((*self.statements, *statements), key=lambda one: one.received_at):
            first.setdefault((one.state, one.recorded_at, one.source), one)
        kept = {one for state in ConsentState for one in _newest([a for a in first.values() if a.state is state])}
        return replace(self, statements=tuple(sorted(kept, key=_order)))

    @property
    def latest(self) -> Consent | None:
        """The statement that counts; None where nothing is known."""
        revocations = self._of(ConsentState.REVOKED)
        grants = [one for one in self._of(ConsentState.GRANTED) if self.yields_to(one.recorded_at, one.received_at)]
        return max(grants or revocations, key=_order, default=None)

    def yields_to(self, granted_at: datetime, received_at: datetime) -> bool:
        """Whether a grant with this date, received at that time, ends every revocation in here.

        Both must be later: a grant that was received before a STOP does not outlive it, whatever date it bears. The
        statements of one request are received together; then their dates decide.
        """
        return all(
            granted_at > one.recorded_at and received_at >= one.received_at for one in self._of(ConsentState.REVOKED)
        )

    def _of(self, state: ConsentState) -> list[Consent]:
        return [one for one in self.statements if one.state is state]


def _newest(statements: list[Consent]) -> list[Consent]:
    """Those received last, and always the one with the latest date: no grant may pass because it was left out."""
    by_receipt = sorted(statements, key=lambda one: (one.received_at, *_order(one)))
    return [*by_receipt[-_KEPT:], *sorted(by_receipt, key=_order)[-1:]]


def _order(one: Consent) -> tuple[datetime, datetime, str, str]:
    return (one.recorded_at, one.received_at, one.state, one.source)


def given_in(payload: Payload) -> Given:
    """What a message's stored content says of the recipient's consent."""
    return Given(granted=payload.consented, at=payload.consented_at, received_at=payload.consent_received_at)


def is_too_far_ahead(stated_at: datetime, now: datetime) -> bool:
    """Whether a date of consent lies further ahead than a clock that runs fast explains."""
    return stated_at > now + CLOCK_TOLERANCE


def not_after(stated_at: datetime, now: datetime) -> datetime:
    """When a person's word counts from: as it was told, but never from a time to come."""
    return min(stated_at, now)


def objection(channel: Channel, recorded: ConsentRecord | None, given: Given) -> str | None:
    """Why this person may not be written to on this channel: `opted_out`, `consent_missing` or None.

    A revocation blocks both channels and yields only to a dated grant that is later and was received later. WhatsApp
    also needs a grant: recorded, or on the recipient (Meta's opt-in rule; product.md).
    """
    latest = recorded.latest if recorded is not None else None
    if recorded is not None and latest is not None and latest.state is ConsentState.REVOKED:
        return None if _is_later_grant(recorded, given) else "opted_out"
    if channel is Channel.SMS:
        return None
    if given.granted is None:
        return None if latest is not None else "consent_missing"
    return None if given.granted else "consent_missing"


def _is_later_grant(recorded: ConsentRecord, given: Given) -> bool:
    if not given.granted or given.at is None or given.received_at is None:
        return False
    return recorded.yields_to(given.at, given.received_at)
