"""Meta's daily limit: how many different people a business portfolio may write to outside sessions in a moving 24
hours (reference/whatsapp.md, section 3: 250, 2,000, 10,000, 100,000, unlimited).

People are counted in the clock hour of the latest message to them. An hour counts until 24 hours after its end, so
that the count is never below the true one, and at most an hour's people above it.

What Meta grants the organisation's number, kept fresh: read at most once an hour, and as webhooks tell.

What Meta grants a sender number: how many people in a day, how well it is thought of, under which name it shows.
"""

import itertools
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

from shared.base.caches import TtlCache
from shared.base.events import Telemetry
from shared.base.instants import Clock, hour_of
from shared.base.refusal import ApiWarning
from shared.integrations.integration import WhatsAppIntegration
from shared.messages.errors import SendError
from shared.pacing.quota import Cooldown
from shared.policy.ports import Sessions, sessions_of

WINDOW_HOURS = 24

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyLimit:
    """What Meta grants the whole portfolio. `people` None: unlimited."""

    people: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remaining:
    """What the limit leaves once the `used` people are taken off. `limit` None: it is unknown.

    `opens_at`: when to look again where nothing remains, as far as the caller asked for that.
    """

    limit: DailyLimit | None = None
    used: int = 0
    opens_at: datetime | None = None

    @property
    def people(self) -> int | None:
        """How many more people may be written to. None where there is no limit, or it is unknown."""
        return None if self.limit is None or self.limit.people is None else max(0, self.limit.people - self.used)

    def chunks(self, sizes: Sequence[int]) -> int:
        """How many of the next chunks may go, by their sizes: each that begins below the limit."""
        if self.people is None:
            return len(sizes)
        begins = itertools.accumulate(sizes, initial=0)
        return sum(begin < self.people for begin, _ in zip(begins, sizes, strict=False))

    def warnings(self, people: int) -> tuple[ApiWarning, ...]:
        """`daily_limit_exceeded` where so many people are more than remain; an unknown limit is
        `template_status_unknown` (api.md, Templates)."""
        if self.limit is None:
            return (ApiWarning(code="template_status_unknown"),)
        if self.people is None or people <= self.people:
            return ()
        facts = {"limit": str(self.limit.people)}
        return (ApiWarning(code="daily_limit_exceeded", count=people - self.people, facts=facts),)


def portfolio_of(integration: WhatsAppIntegration) -> str:
    """What the limit holds for: the business account where it is set, else the number alone."""
    return integration.business_account_id or integration.phone_number_id


def counts_from(now: datetime) -> int:
    """The oldest clock hour that still counts: it ended less than 24 hours ago."""
    return hour_of(now) - WINDOW_HOURS


def used(buckets: Mapping[int, int], now: datetime) -> int:
    """People reached in the hours that still count. `buckets`: clock hour → people."""
    return sum(people for hour, people in buckets.items() if hour >= counts_from(now) and people > 0)


def opens_at(buckets: Mapping[int, int], limit: int, now: datetime) -> datetime:
    """The first instant, `now` or later, at which fewer than `limit` are counted: the end of the last hour that must
    stop counting first. A limit of 0 has no such instant: the answer is when the last hour stops counting."""
    counted = used(buckets, now)
    if counted < limit:
        return now
    at = now
    for hour in sorted(hour for hour, people in buckets.items() if hour >= counts_from(now) and people > 0):
        counted -= buckets[hour]
        at = _leaves(hour)
        if counted < limit:
            return at
    return max(at, now + HOUR)


def _leaves(hour: int) -> datetime:
    """The instant from which an hour no longer counts."""
    return datetime.fromtimestamp((hour + 1 + WINDOW_HOURS) * 3600, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberStatus:
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
class NumberStatusUpdate:
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
    problems: tuple[str, ...] = ()

    def as_update(self, at: datetime) -> NumberStatusUpdate:
        """For the store. A number that may send lifts a restriction told earlier; one that may not sets none: the
        cause may be another one."""
        return NumberStatusUpdate(
            at=at,
            limit=self.limit,
            quality=self.quality,
            verified_name=self.verified_name,
            throughput=self.throughput,
            restricted=False if self.can_send in ("AVAILABLE", "LIMITED") else None,
            is_reading=True,
        )


LIMIT_KNOWN_FOR = timedelta(seconds=30)
"""How old the known limit may be: Meta raises it within six hours, and says so by webhook."""

SESSION_KNOWN_FOR = timedelta(seconds=1)
"""How old the knowledge of a session may be when the call is made."""

SOONEST_LOOK = timedelta(seconds=60)

LATEST_LOOK = timedelta(minutes=15)


class PeopleCount(Protocol):
    """Counts people per business portfolio. What dies half-way counts a person too many, never one too few."""

    async def take(
        self, organisation: str, portfolio: str, person: str, *, limit: int | None, now: datetime
    ) -> datetime | None:
        """Count a person who is about to be written to; one who was counted in the last 24 hours counts once.

        None: counted. An instant: the limit is used up, the person was not counted, and there may be room from then
        on. `limit` None: only count, because nobody could tell the limit.
        """
        ...

    async def used(self, organisation: str, portfolio: str, now: datetime) -> int:
        """How many different people the last 24 hours have seen."""
        ...

    async def opens_at(self, organisation: str, portfolio: str, limit: int, now: datetime) -> datetime:
        """The first instant, `now` or later, at which fewer than `limit` people are counted."""
        ...


class DailyLimits:
    """Sessions and Meta's daily limit. For one worker: what many senders ask at once is read once.

    `number_status` reads what is stored of a number, by organisation and phone number ID.
    """

    def __init__(
        self, number_status: Callable[[str, str], Awaitable[NumberStatus]], people: PeopleCount, sessions: Sessions
    ) -> None:
        self._number_status = number_status
        self._people = people
        self._open = TtlCache(partial(sessions_of, sessions), SESSION_KNOWN_FOR)
        self._limits = TtlCache(self._read_limits, LIMIT_KNOWN_FOR)

    async def session_until(self, integration: WhatsAppIntegration, person: str, now: datetime) -> datetime | None:
        """Until when the person's session with the number is open, that instant excluded."""
        return await self._open.get((integration.organisation, integration.phone_number_id, person), now)

    async def take(self, integration: WhatsAppIntegration, person: str, now: datetime) -> datetime | None:
        """Count the person against the limit. An instant: nothing remains, look again then.

        Whoever is in a session does not count, and where the limit is known to be none nobody is counted. An unknown
        limit stops nobody, but people are counted: it may become known an hour from now.
        """
        number_status = await self._limits.get((integration.organisation, integration.phone_number_id), now)
        limit = number_status.limit if number_status else None
        if limit is not None and limit.people is None:
            return None
        until = await self.session_until(integration, person, now)
        if until is not None and now < until:
            return None
        people = limit.people if limit else None
        portfolio = portfolio_of(integration)
        return await self._people.take(integration.organisation, portfolio, person, limit=people, now=now)

    async def remaining(self, integration: WhatsAppIntegration, now: datetime, *, booked: int = 0) -> Remaining:
        """What is left once those who have been counted and those who are `booked` are taken off: what is on its way
        has not been counted yet.

        Whole chunks are booked, so the limit is overbooked by less than one; those who are too many wait at the gate,
        one by one. A limit may be raised at any time, which is why `opens_at` is never far ahead.
        """
        limit = (await self._number_status(integration.organisation, integration.phone_number_id)).limit
        if limit is None or limit.people is None:
            return Remaining(limit=limit)
        owner = (integration.organisation, portfolio_of(integration))
        remaining = Remaining(limit=limit, used=await self._people.used(*owner, now) + booked)
        if remaining.people:
            return remaining
        opens_at = await self._people.opens_at(*owner, limit.people, now)
        return replace(remaining, opens_at=min(max(opens_at, now + SOONEST_LOOK), now + LATEST_LOOK))

    async def _read_limits(self, numbers: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], NumberStatus]:
        return {number: await self._number_status(*number) for number in numbers}


KEPT_FOR = timedelta(hours=1)


class NumberStatuses(Protocol):
    """The stored reputation of each organisation's number."""

    async def get(self, organisation: str, phone_number_id: str) -> NumberStatus:
        """As it surely stands; an empty one where nothing was told yet."""
        ...

    async def tell(self, organisation: str, phone_number_id: str, change: NumberStatusUpdate) -> None:
        """Take up what is told. Each fact has an instant of its own, in whole seconds: an older one never overwrites a
        newer, and a reading none of the same second."""
        ...


class AsksNumber(Protocol):
    """Meta, about a number."""

    async def number(self, integration: WhatsAppIntegration) -> NumberFacts:
        """What it says now. Raises SendError."""
        ...


class NumberReader:
    """Reads the reputation of a number, from the store while that is fresh, else from Meta."""

    def __init__(
        self, number_statuses: NumberStatuses, meta: AsksNumber, people: PeopleCount, telemetry: Telemetry, clock: Clock
    ) -> None:
        self._number_statuses = number_statuses
        self._meta = meta
        self._people = people
        self._telemetry = telemetry
        self._clock = clock
        self._cooldown = Cooldown(clock)

    async def remaining(self, integration: WhatsAppIntegration) -> Remaining:
        """What Meta's daily limit leaves, as far as it is known."""
        now = self._clock.now()
        number_status = await self.current(integration)
        used = await self._people.used(integration.organisation, portfolio_of(integration), now)
        return Remaining(limit=number_status.limit, used=used)

    async def limit_warnings(self, integration: WhatsAppIntegration, people: int) -> tuple[ApiWarning, ...]:
        """What `Remaining.warnings` says of so many people outside sessions."""
        return (await self.remaining(integration)).warnings(people) if people else ()

    async def current(self, integration: WhatsAppIntegration) -> NumberStatus:
        """What is known; Meta is asked where that is older than an hour. That it cannot be asked is no error."""
        owner = (integration.organisation, integration.phone_number_id)
        stored = await self._number_statuses.get(*owner)
        if _is_recent(stored.read_at, self._clock.now()) or self._cooldown.holds(integration):
            return stored
        try:
            await self.read(integration)
        except SendError as error:
            self._cooldown.begin(integration)
            self._telemetry.event("number_status_unread", organisation=integration.organisation, code=error.code)
            return stored
        return await self._number_statuses.get(*owner)

    async def read(self, integration: WhatsAppIntegration) -> NumberFacts:
        """Ask Meta now, and keep the answer. Raises SendError."""
        at = self._clock.now()
        facts = await self._meta.number(integration)
        await self._number_statuses.tell(integration.organisation, integration.phone_number_id, facts.as_update(at))
        return facts


def _is_recent(read_at: datetime | None, now: datetime) -> bool:
    return read_at is not None and now - read_at < KEPT_FOR
