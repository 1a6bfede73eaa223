"""A rate limit's timetable: how parallel workers share one provider's rate with one write per booking.

Time is cut into slots, a little longer than 1/rate seconds (`SPAN`), counted from 1970. Every tenth slot belongs to the
express share (single sends, tests, resends), the other nine to the bulk share, so that both together never exceed the
rate in any second, whoever books. A lane remembers, per share, the first instant not yet booked. All instants are whole
microseconds since 1970.

Who shares the rate limit of a provider's account: organisations whose own credentials the provider has accepted.

An account's name is no secret. So typing it is not enough: until a call with the organisation's own credentials has
succeeded, it books on a rate limit of its own, slow enough to harm nobody.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from shared.messages.payload import Channel, Provider

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
    valid_rates = {name: member.rate for name, member in members.items() if member.counts(now)}
    return min(valid_rates.values()) if organisation in valid_rates else None


TICK_EVERY = timedelta(minutes=1)
"""The template's schedule: so often the tick looks for what is due."""

HORIZON = timedelta(seconds=300)
"""How far ahead a lane is filled: what leaves although no tick comes. The alarm TickMissing rings when it has run out
(tests/template/test_tick.py). SQS can delay 900 s; a pause leaves no more than this on the queue."""

CYCLE = 10
"""Slots in a cycle, of which the last is express: 90 % bulk, 10 % express."""

SLOTS, SPAN = 59, 60_000_000
"""In 60 s (`SPAN`, microseconds) depart as many as the rate allows in 59. Calls arrive a little after their departures,
one later than the other: at exactly five slots a second a difference of 5 ms makes every tenth call the sixth in one
second, which is throttled and holds the lane. So they may differ by 17 ms. Hours begin with a slot of the usual rates.
"""

STALE_AFTER = 5_000_000
"""Microseconds after which a departure that was missed is void: late ones must not bunch up after a stall."""


class Share(StrEnum):
    """A part of a lane's rate."""

    BULK = "bulk"
    EXPRESS = "express"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """One provider budget as an organisation sees it: WhatsApp's phone number ID, or Orange's client ID (all countries
    together). Organisations with the same `account` share it once the provider has accepted their own credentials.
    """

    organisation: str
    channel: Channel
    provider: Provider
    account_id: str
    """The account's name at the provider."""
    account: str = ""
    """A keyed hash of provider and account. Empty where it was never made: then nothing is shared."""

    @property
    def own_id(self) -> str:
        """Names the rate limit that an organisation has for itself, as long as it is no member of the account."""
        return f"{self.organisation}#rate_limit#{self.provider}#{self.account_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimitState:
    """What the lane's item holds. `not_before`: the provider asked for quiet until then.

    `rate_limit_id` is the same for all organisations that share it. `shared_rate` is the lowest of the members' rates;
    None: the organisation is no member of its account, and this is a rate limit of its own. `generation` counts the
    changes of the members.
    """

    next_bulk: int = 0
    next_express: int = 0
    not_before: int = 0
    rate_limit_id: str = ""
    shared_rate: int | None = None
    generation: int = 0

    def rate(self, own: int) -> int:
        """Messages per second over both shares, where the organisation's own settings say `own`."""
        return min(own, UNPROVEN_RATE if self.shared_rate is None else self.shared_rate)

    def next_of(self, share: Share) -> int:
        """The first instant of that share not yet booked."""
        return self.next_bulk if share is Share.BULK else self.next_express


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """Departures in order, and the share's next free instant once they are booked."""

    share: Share
    send_slots: tuple[int, ...]
    next_free: int


def _slot_at(ordinal: int, share: Share) -> int:
    if share is Share.EXPRESS:
        return ordinal * CYCLE + CYCLE - 1
    return ordinal // (CYCLE - 1) * CYCLE + ordinal % (CYCLE - 1)


def _slot_instant(slot: int, rate: int) -> int:
    """The slot's instant, rounded up so that a slot never departs before its time."""
    return -(-slot * SPAN // (SLOTS * rate))


def _first_ordinal(instant: int, rate: int, share: Share) -> int:
    """The share's first slot that departs at or after `instant`."""
    slot = instant * rate * SLOTS // SPAN
    cycle, place = divmod(slot, CYCLE)
    ordinal = cycle if share is Share.EXPRESS else cycle * (CYCLE - 1) + min(place, CYCLE - 2)
    while _slot_instant(_slot_at(ordinal, share), rate) < instant:
        ordinal += 1
    return ordinal


def book(state: RateLimitState, share: Share, *, rate: int, earliest: int, count: int) -> Booking:
    """The next `count` free departures of a share, none before `earliest` nor the lane's `not_before`.

    `rate` is messages per second over both shares, 1 to 1000.
    """
    start = max(state.next_of(share), state.not_before, earliest)
    first = _first_ordinal(start, rate, share)
    send_slots = tuple(_slot_instant(_slot_at(first + k, share), rate) for k in range(count))
    return Booking(share=share, send_slots=send_slots, next_free=send_slots[-1] + 1 if send_slots else start)


def quickest_share(state: RateLimitState, *, rate: int, earliest: int) -> Share:
    """Where a single send leaves first: the express share, unless the bulk share stands idle and leaves sooner."""
    first: Callable[[Share], int] = lambda share: book(  # noqa: E731 - one expression, used twice below
        state, share, rate=rate, earliest=earliest, count=1
    ).send_slots[0]
    return Share.BULK if first(Share.BULK) < first(Share.EXPRESS) else Share.EXPRESS


def is_void(send_slot: int, *, now: int, not_before: int) -> bool:
    """Whether a booked departure no longer counts: missed by more than 5 s, or withdrawn by a throttle."""
    return now - send_slot > STALE_AFTER or send_slot < not_before


class RateLimits(Protocol):
    """The timetables."""

    async def state(self, rate_limit: RateLimit) -> RateLimitState:
        """What is booked, and whether the provider asked for quiet."""
        ...

    async def book(
        self, rate_limit: RateLimit, share: Share | None, *, rate: int, earliest: datetime, count: int
    ) -> Booking:
        """Book the next `count` departures; `share` None takes whichever leaves first.

        `rate` is what the organisation's settings say; it is lowered to that of the account (`RateLimitState.rate`).
        """
        ...

    async def hold(self, rate_limit: RateLimit, not_before: datetime) -> None:
        """Nothing departs before that instant; an earlier wish never shortens a longer one."""
        ...
