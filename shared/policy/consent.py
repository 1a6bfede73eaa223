"""Consent and opt-out: which persons may get messages."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from shared.messages.payload import Channel, Payload

CLOCK_TOLERANCE = timedelta(minutes=5)
"""A date at most this far ahead comes from a clock that is fast; a later date is an error (api.md, Fields of a
recipient).
"""

_KEPT = 8
"""Statements of each kind that are kept per person. More would only help to recognise very old repeats."""


class ConsentState(StrEnum):
    """The two kinds of statement."""

    GRANTED = "granted"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One statement about a person's consent.

    `recorded_at` is the date in the statement. `received_at` is when we received it: unlike the date, it is always
    right. `source` is the origin ("register", "whatsapp_stop", …).
    """

    state: ConsentState
    recorded_at: datetime
    received_at: datetime
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The consent that a request contains for its recipient.

    `at`: the date of the consent, if the request has one. `received_at`: when the request came. It stays with the
    message when that is resent.
    """

    granted: bool | None = None
    at: datetime | None = None
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRecord:
    """The consent statements of one person: the newest of each kind.

    Keeping only the latest statement would be wrong: a grant must be later than every revocation by both its date and
    its receipt, and a repeated revocation must be recognised as old. Records can be joined in any order and repeatedly,
    with the same result.
    """

    statements: tuple[Consent, ...] = ()

    def joined(self, statements: Iterable[Consent]) -> Self:
        """The record with these statements added. A repeated statement keeps the time of its first receipt."""
        first: dict[tuple[ConsentState, datetime, str], Consent] = {}
        for one in sorted((*self.statements, *statements), key=lambda one: one.received_at):
            first.setdefault((one.state, one.recorded_at, one.source), one)
        kept = {one for state in ConsentState for one in _newest([a for a in first.values() if a.state is state])}
        return replace(self, statements=tuple(sorted(kept, key=_order)))

    @property
    def latest(self) -> Consent | None:
        """The statement that counts; None if there is none."""
        revocations = self._of(ConsentState.REVOKED)
        grants = [one for one in self._of(ConsentState.GRANTED) if self.yields_to(one.recorded_at, one.received_at)]
        return max(grants or revocations, key=_order, default=None)

    def yields_to(self, granted_at: datetime, received_at: datetime) -> bool:
        """Whether a grant with this date and time of receipt ends every revocation in the record.

        Both must be later. So a grant that was received before a STOP does not end it, even if its date is later.
        Statements of one request have the same time of receipt; then their dates decide.
        """
        return all(
            granted_at > one.recorded_at and received_at >= one.received_at for one in self._of(ConsentState.REVOKED)
        )

    def _of(self, state: ConsentState) -> list[Consent]:
        return [one for one in self.statements if one.state is state]


def _newest(statements: list[Consent]) -> list[Consent]:
    """The statements received last, and the one with the latest date. Without that one, a grant could wrongly count."""
    by_receipt = sorted(statements, key=lambda one: (one.received_at, *_order(one)))
    return [*by_receipt[-_KEPT:], *sorted(by_receipt, key=_order)[-1:]]


def _order(one: Consent) -> tuple[datetime, datetime, str, str]:
    return (one.recorded_at, one.received_at, one.state, one.source)


def given_in(payload: Payload) -> Given:
    """The recipient's consent in a message's stored content."""
    return Given(granted=payload.consented, at=payload.consented_at, received_at=payload.consent_received_at)


def is_too_far_ahead(stated_at: datetime, now: datetime) -> bool:
    """Whether a date of consent is further in the future than a fast clock explains."""
    return stated_at > now + CLOCK_TOLERANCE


def not_after(stated_at: datetime, now: datetime) -> datetime:
    """The date from which a statement counts: its own date, but never a future one."""
    return min(stated_at, now)


def objection(channel: Channel, recorded: ConsentRecord | None, given: Given) -> str | None:
    """Why this person may not get a message on this channel: `opted_out`, `consent_missing`, or None if they may.

    A revocation blocks both channels. Only a dated grant that is later and was received later ends it. WhatsApp also
    needs a grant, in the record or in the request (Meta's opt-in rule; product.md).
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
