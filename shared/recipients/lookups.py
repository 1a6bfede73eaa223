"""Limits look-ups by number. A look-up confirms a guess, because a masked number leaves only a thousand candidates. So
the look-ups of a caller are counted, limited, and logged with the caller's name.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Final, Protocol

from shared.base.events import Telemetry
from shared.base.instants import Clock
from shared.base.refusal import ProblemCode, Refusal
from shared.pacing.quota import Quota
from shared.recipients.number_key import NumberKey

LOOKUPS: Final = Quota(calls=60, span=timedelta(minutes=1))
"""api.md, A message: per `sub`, both routes together."""


class Lookup(StrEnum):
    """What was looked up by number. The values are names of events."""

    PHONE = "phone_looked_up"
    CONSENT = "consent_looked_up"


class CallCounts(Protocol):
    """Counts calls, for all workers together."""

    async def take(self, organisation: str, caller: str, quota: Quota, now: datetime) -> timedelta | None:
        """Count one call of `caller` (a keyed hash). None: it was counted. Otherwise it is one too many and was not
        counted; the result is how long to wait.
        """
        ...


class Lookups:
    """Allows look-ups or refuses them."""

    def __init__(self, counts: CallCounts, number_key: NumberKey, telemetry: Telemetry, clock: Clock) -> None:
        self._counts = counts
        self._number_key = number_key
        self._telemetry = telemetry
        self._clock = clock

    async def allow(self, organisation: str, subject: str, lookup: Lookup) -> None:
        """Count and log one look-up before it is made. Raises Refusal `rate_limited`.

        `subject` names the caller. Callers of an organisation whose token has no subject share one count, so that a
        token without a name does not avoid the limit.
        """
        caller = self._number_key.caller(organisation, subject)
        wait = await self._counts.take(organisation, caller, LOOKUPS, self._clock.now())
        if wait is None:
            self._log(lookup, organisation, subject)
            return
        self._telemetry.warning_event("lookup_refused", organisation=organisation, sub=subject or None, lookup=lookup)
        raise Refusal(ProblemCode.RATE_LIMITED, retry_after=str(max(1, ceil(wait.total_seconds()))))

    def _log(self, lookup: Lookup, organisation: str, subject: str) -> None:
        match lookup:
            case Lookup.PHONE:
                self._telemetry.event("phone_looked_up", organisation=organisation, sub=subject or None)
            case Lookup.CONSENT:
                self._telemetry.event("consent_looked_up", organisation=organisation, sub=subject or None)
