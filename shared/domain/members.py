"""Who shares the rate limit of a provider's account: organisations whose own credentials the provider has accepted.

An account's name is no secret. So typing it is not enough: until a call with the organisation's own credentials has
succeeded, it books on a rate limit of its own, slow enough to harm nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

UNPROVEN_RATE = 1
"""Messages per second of an organisation that no account has accepted yet (api.md, Writing settings)."""
PROOF_LASTS = timedelta(days=7)
"""A member that makes no call for so long is none any more: it may have lost its access, or its end was not noted."""
RENEWED_AFTER = timedelta(days=1)
"""A proof that is older is renewed by the next call that succeeds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One organisation's part in a rate limit. `version` is that of the settings that it was last noted from."""

    rate: int
    proved_at: datetime
    version: int

    def counts(self, now: datetime) -> bool:
        """Whether its proof still holds."""
        return now - self.proved_at < PROOF_LASTS

    def covers(self, rate: int, version: int, now: datetime) -> bool:
        """Whether another success of these settings would be no news."""
        known = self.version > version or (self.version == version and self.rate == rate)
        return known and now - self.proved_at < RENEWED_AFTER


def shared_rate(members: Mapping[str, Member], organisation: str, now: datetime) -> int | None:
    """The lowest rate of all members, for one of them; None for an organisation that is none."""
    standing = {name: member.rate for name, member in members.items() if member.counts(now)}
    return min(standing.values()) if organisation in standing else None
