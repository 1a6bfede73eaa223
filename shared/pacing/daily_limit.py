"""Meta's daily limit: how many different persons a business portfolio may write to outside sessions in 24 hours, and
what else Meta reports about a sender number.

Meta's levels are 250, 2,000, 10,000, 100,000 and unlimited persons in a sliding window (reference/whatsapp.md, section
3). A person is counted in the clock hour of the latest message to them. An hour counts until 24 hours after its end, so
the count is never too low, and too high by at most the persons of one hour.

The number status (limit, quality, name) is read from Meta at most once an hour, and updated by webhooks.
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
    """The limit of the whole portfolio. `people` None: unlimited."""

    people: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remaining:
    """What remains of the limit after the `used` persons. `limit` None: it is unknown.

    `opens_at`: when to check again if nothing remains; set only if the caller asked for it.
    """

    limit: DailyLimit | None = None
    used: int = 0
    opens_at: datetime | None = None

    @property
    def people(self) -> int | None:
        """How many more persons may get a message; None if the limit is unlimited or unknown."""
        return None if self.limit is None or self.limit.people is None else max(0, self.limit.people - self.used)

    def chunks(self, sizes: Sequence[int]) -> int:
        """How many of the next chunks may be released, by their sizes. A chunk may be released if it begins below the
        limit.
        """
        if self.people is None:
            return len(sizes)
        begins = itertools.accumulate(sizes, initial=0)
        return sum(begin < self.people for begin, _ in zip(begins, sizes, strict=False))

    def warnings(self, people: int) -> tuple[ApiWarning, ...]:
        """`daily_limit_exceeded` if `people` is more than what remains. `template_status_unknown` if the limit is
        unknown (api.md, Templates).
        """
        if self.limit is None:
            return (ApiWarning(code="template_status_unknown"),)
        if self.people is None or people <= self.people:
            return ()
        facts = {"limit": str(self.limit.people)}
        return (ApiWarning(code="daily_limit_exceeded", count=people - self.people, facts=facts),)


def portfolio_of(integration: WhatsAppIntegration) -> str:
    """The owner of the limit: the business account if it is set, else the number alone."""
    return integration.business_account_id or integration.phone_number_id


def counts_from(now: datetime) -> int:
    """The oldest clock hour that counts: it ended less than 24 hours ago."""
    return hour_of(now) - WINDOW_HOURS


def used(buckets: Mapping[int, int], now: datetime) -> int:
    """The persons of the hours that count. `buckets`: clock hour → persons."""
    return sum(people for hour, people in buckets.items() if hour >= counts_from(now) and people > 0)


def opens_at(buckets: Mapping[int, int], limit: int, now: datetime) -> datetime:
    """The first instant, not before `now`, at which fewer than `limit` persons are counted.

    It is the instant at which enough hours have stopped counting. A limit of 0 has no such instant: the result is when
    the last hour stops counting.
    """
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
    """The stored status of a number. A fact is None until Meta has reported it. `read_at`: when all of it was last read
    from Meta.

    `quality` is GREEN, YELLOW, RED or UNKNOWN; `throughput` is Meta's level (STANDARD, HIGH). `restricted`: a webhook
    said that the account may not send.
    """

    limit: DailyLimit | None = None
    quality: str | None = None
    verified_name: str | None = None
    throughput: str | None = None
    restricted: bool = False
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberStatusUpdate:
    """A change of a number's status, true at `at`. None leaves the stored fact as it is. `is_reading`: all facts were
    read.
    """

    at: datetime
    limit: DailyLimit | None = None
    quality: str | None = None
    verified_name: str | None = None
    throughput: str | None = None
    restricted: bool | None = None
    is_reading: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberFacts:
    """Meta's answer about a number. `can_send` is AVAILABLE, LIMITED or BLOCKED; None if the answer does not say.

    `problems` are Meta's own texts about errors and their solution, for the administrator.
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
        """The update for the store. A number that may send removes a restriction; one that may not adds none, because
        the reason may be a different one.
        """
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
"""How old the known limit may be: Meta raises it within six hours, and reports that by webhook."""

SESSION_KNOWN_FOR = timedelta(seconds=1)
"""How old the knowledge of a session may be at the call."""

SOONEST_LOOK = timedelta(seconds=60)

LATEST_LOOK = timedelta(minutes=15)


class PeopleCount(Protocol):
    """Counts persons per business portfolio. If a write is interrupted, the count is one too high, never too low."""

    async def take(
        self, organisation: str, portfolio: str, person: str, *, limit: int | None, now: datetime
    ) -> datetime | None:
        """Count a person who is about to get a message. A person counted in the last 24 hours is not counted again.

        None: the person is counted. An instant: the limit is used up, the person is not counted, and the caller may try
        again then. `limit` None: the limit is unknown, so count without a limit.
        """
        ...

    async def used(self, organisation: str, portfolio: str, now: datetime) -> int:
        """How many different persons got a message in the last 24 hours."""
        ...

    async def opens_at(self, organisation: str, portfolio: str, limit: int, now: datetime) -> datetime:
        """The first instant, not before `now`, at which fewer than `limit` persons are counted."""
        ...


class DailyLimits:
    """Sessions and Meta's daily limit, for one worker. Many senders that ask at once share one read.

    `number_status` reads the stored status of a number, by organisation and phone number ID.
    """

    def __init__(
        self, number_status: Callable[[str, str], Awaitable[NumberStatus]], people: PeopleCount, sessions: Sessions
    ) -> None:
        self._number_status = number_status
        self._people = people
        self._open = TtlCache(partial(sessions_of, sessions), SESSION_KNOWN_FOR)
        self._limits = TtlCache(self._read_limits, LIMIT_KNOWN_FOR)

    async def session_until(self, integration: WhatsAppIntegration, person: str, now: datetime) -> datetime | None:
        """The end (excluded) of the person's session with the number; None if there is none."""
        return await self._open.get((integration.organisation, integration.phone_number_id, person), now)

    async def take(self, integration: WhatsAppIntegration, person: str, now: datetime) -> datetime | None:
        """Count the person against the limit. An instant means that nothing remains, and when to check again.

        A person in a session is not counted, and without a limit no person is counted. If the limit is unknown, the
        message may leave and the person is counted, because the limit may become known an hour later.
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
        """What remains of the limit after the counted persons and the `booked` ones, whose messages are released and
        not yet counted.

        Whole chunks are released, so the limit may be exceeded by less than one chunk; these messages wait at the gate.
        Meta may raise a limit at any time, so `opens_at` is at most 15 minutes ahead.
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
    """The stored status of each organisation's number."""

    async def get(self, organisation: str, phone_number_id: str) -> NumberStatus:
        """The stored status, read consistently; an empty one if nothing is stored."""
        ...

    async def tell(self, organisation: str, phone_number_id: str, change: NumberStatusUpdate) -> None:
        """Store an update. Each fact has its own instant, in whole seconds. An older fact never replaces a newer one,
        and a reading never replaces a fact of the same second.
        """
        ...


class AsksNumber(Protocol):
    """Asks Meta about a number."""

    async def number(self, integration: WhatsAppIntegration) -> NumberFacts:
        """Meta's current answer. Raises SendError."""
        ...


class NumberReader:
    """Reads a number's status: from the store if it is fresh, else from Meta."""

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
        """What remains of Meta's daily limit, as far as it is known."""
        now = self._clock.now()
        number_status = await self.current(integration)
        used = await self._people.used(integration.organisation, portfolio_of(integration), now)
        return Remaining(limit=number_status.limit, used=used)

    async def limit_warnings(self, integration: WhatsAppIntegration, people: int) -> tuple[ApiWarning, ...]:
        """The warnings for a list with this many persons outside sessions (`Remaining.warnings`)."""
        return (await self.remaining(integration)).warnings(people) if people else ()

    async def current(self, integration: WhatsAppIntegration) -> NumberStatus:
        """The stored status, read again from Meta if it is older than an hour. If Meta does not answer, the stored
        one.
        """
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
        """Ask Meta now and store the answer. Raises SendError."""
        at = self._clock.now()
        facts = await self._meta.number(integration)
        await self._number_statuses.tell(integration.organisation, integration.phone_number_id, facts.as_update(at))
        return facts


def _is_recent(read_at: datetime | None, now: datetime) -> bool:
    return read_at is not None and now - read_at < KEPT_FOR
