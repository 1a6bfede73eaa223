"""A look-up by number confirms a guess: a masked number leaves a thousand candidates. So the look-ups of one person or
program are counted together, limited, and logged by name."""

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
"""api.md, A message: for each `sub`, both routes together."""


class Lookup(StrEnum):
    """What was looked up by a number. The values are names of events."""

    PHONE = "phone_looked_up"
    CONSENT = "consent_looked_up"


class CallCounts(Protocol):
    """Counts calls for all environments together."""

    async def take(self, organisation: str, caller: str, quota: Quota, now: datetime) -> timedelta | None:
        """Count one call of `caller` (a keyed hash). None: counted. Else it is one too many and was not counted: how
        long to wait."""
        ...


class Lookups:
    """Lets look-ups through, or refuses them."""

    def __init__(self, counts: CallCounts, number_key: NumberKey, telemetry: Telemetry, clock: Clock) -> None:
        self._counts = counts
        self._number_key = number_key
        self._telemetry = telemetry
        self._clock = clock

    async def allow(self, organisation: str, subject: str, lookup: Lookup) -> None:
        """Count and log one look-up, before anything is looked up. Raises Refusal `rate_limited`.

        `subject` names the caller. All callers of an organisation whose token names none share one count: a token
        without a name is no way around the limit.
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
