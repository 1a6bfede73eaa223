"""What Meta grants a sender number: how many people in a day, how well it is thought of, under which name it shows."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.daily_limit import DailyLimit


@dataclass(frozen=True, slots=True, kw_only=True)
class Reputation:
    """What is stored of one number; None where nobody told. `read_at` is when all of it was last read from Meta.

    `quality` is GREEN, YELLOW, RED or UNKNOWN; `throughput` is Meta's level (STANDARD, HIGH). `restricted`: the account
    may not send, as a webhook told.
    """

    limit: DailyLimit | None = None
    quality: str | None = None
    verified_name: str | None = None
    throughput: str | None = None
    restricted: bool = False
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Something new of a number, true at `at`. What is None is left as it was. `is_reading`: all of it was read."""

    at: datetime
    limit: DailyLimit | None = None
    quality: str | None = None
    verified_name: str | None = None
    throughput: str | None = None
    restricted: bool | None = None
    is_reading: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberFacts:
    """What Meta answers about a number. `can_send` is AVAILABLE, LIMITED or BLOCKED; None where it does not say.

    `troubles` are Meta's own words for what is wrong and what to do, for the administrator.
    """

    display_phone_number: str | None = None
    verified_name: str | None = None
    name_status: str | None = None
    is_verified: bool | None = None
    quality: str | None = None
    throughput: str | None = None
    limit: DailyLimit | None = None
    can_send: str | None = None
    troubles: tuple[str, ...] = ()

    def told(self, at: datetime) -> Told:
        """For the store. A number that may send lifts a restriction told earlier; one that may not sets none: the
        cause may be another one."""
        return Told(
            at=at,
            limit=self.limit,
            quality=self.quality,
            verified_name=self.verified_name,
            throughput=self.throughput,
            restricted=False if self.can_send in ("AVAILABLE", "LIMITED") else None,
            is_reading=True,
        )
