"""A rate limit: parallel workers share one provider's rate, with one write per booking.

Time is divided into slots, counted from 1970, each a little longer than 1/rate seconds (`SPAN`). Every tenth slot
belongs to the express share (single sends, test sends, resends), the other nine to the bulk share. So both together
never exceed the rate in any second. A rate limit stores, per share, the first instant that is not booked. All instants
are whole microseconds since 1970.

Organisations share the rate limit of a provider account after the provider has accepted their own credentials. An
account's ID is no secret, so knowing it is not enough. Until then, an organisation has a slow rate limit of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from shared.messages.payload import Channel, Provider

UNPROVEN_RATE = 1
"""Messages per second of an organisation that is not yet a member of its account (api.md, Writing settings)."""

PROOF_LASTS = timedelta(days=7)
"""A membership ends after this time without a call: the organisation may have lost its access to the account."""

RENEWED_AFTER = timedelta(days=1)
"""If the proof is older than this, the next successful call renews it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An organisation's membership in a rate limit. `version`: that of the settings from which it was last written."""

    rate: int
    proved_at: datetime
    version: int

    def counts(self, now: datetime) -> bool:
        """Whether the membership is still valid."""
        return now - self.proved_at < PROOF_LASTS

    def covers(self, rate: int, version: int, now: datetime) -> bool:
        """Whether another success with these settings would change nothing."""
        known = self.version > version or (self.version == version and self.rate == rate)
        return known and now - self.proved_at < RENEWED_AFTER


def shared_rate(members: Mapping[str, Member], organisation: str, now: datetime) -> int | None:
    """The lowest rate of all valid members; None if `organisation` is not one of them."""
    valid_rates = {name: member.rate for name, member in members.items() if member.counts(now)}
    return min(valid_rates.values()) if organisation in valid_rates else None


TICK_EVERY = timedelta(minutes=1)
"""The tick's schedule in template.yaml."""

HORIZON = timedelta(seconds=300)
"""How far ahead messages are put on the queue: they leave even if no tick comes. The alarm TickMissing goes off when
this time is over (tests/template/test_tick.py).

It must be at most 900 s, which is SQS's longest delay. After a pause, at most this much stays on the queue.
"""

CYCLE = 10
"""Slots in a cycle. The last one is express: 90 % bulk, 10 % express."""

SLOTS, SPAN = 59, 60_000_000
"""In 60 s (`SPAN`, in microseconds) there are as many slots as the rate allows in 59 s.

Calls arrive a little after their slots, by different amounts. With exactly five slots a second, a difference of 5 ms
would make every tenth call the sixth in one second; the provider would throttle it, and the rate limit would pause.
This way, the difference may be 17 ms. For the usual rates, an hour begins with a slot.
"""

STALE_AFTER = 5_000_000
"""Microseconds after which a missed slot is void, so that late messages do not all leave at once after a stall."""


class Share(StrEnum):
    """A part of a rate limit."""

    BULK = "bulk"
    EXPRESS = "express"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """One provider's budget, as an organisation sees it: WhatsApp's phone number ID, or Orange's client ID (all
    countries together).

    Organisations with the same `account` share it after the provider has accepted their own credentials.
    """

    organisation: str
    channel: Channel
    provider: Provider
    account_id: str
    """The account's ID at the provider."""
    account: str = ""
    """A keyed hash of provider and account ID. If empty, the rate limit is not shared."""

    @property
    def own_id(self) -> str:
        """The ID of the organisation's own rate limit, which it uses until it is a member of the account."""
        return f"{self.organisation}#rate_limit#{self.provider}#{self.account_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimitState:
    """The stored state of a rate limit. `next_bulk`, `next_express`: the first instant not booked. `not_before`: no
    message leaves before it, because the provider has throttled.

    - `rate_limit_id`: the same for all organisations that share the rate limit.
    - `shared_rate`: the lowest rate of the members; None if the organisation is no member and has its own rate limit.
    - `generation`: counts the changes of the members.
    """

    next_bulk: int = 0
    next_express: int = 0
    not_before: int = 0
    rate_limit_id: str = ""
    shared_rate: int | None = None
    generation: int = 0

    def rate(self, own: int) -> int:
        """Messages per second for both shares together. `own`: the rate in the organisation's settings."""
        return min(own, UNPROVEN_RATE if self.shared_rate is None else self.shared_rate)

    def next_of(self, share: Share) -> int:
        """The first instant of the share that is not booked."""
        return self.next_bulk if share is Share.BULK else self.next_express


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """Booked slots in order (instants), and the share's next free instant after them."""

    share: Share
    send_slots: tuple[int, ...]
    next_free: int


def _slot_at(ordinal: int, share: Share) -> int:
    if share is Share.EXPRESS:
        return ordinal * CYCLE + CYCLE - 1
    return ordinal // (CYCLE - 1) * CYCLE + ordinal % (CYCLE - 1)


def _slot_instant(slot: int, rate: int) -> int:
    """The instant of a slot, rounded up so that the slot is never early."""
    return -(-slot * SPAN // (SLOTS * rate))


def _first_ordinal(instant: int, rate: int, share: Share) -> int:
    """The first slot of the share at or after `instant`."""
    slot = instant * rate * SLOTS // SPAN
    cycle, place = divmod(slot, CYCLE)
    ordinal = cycle if share is Share.EXPRESS else cycle * (CYCLE - 1) + min(place, CYCLE - 2)
    while _slot_instant(_slot_at(ordinal, share), rate) < instant:
        ordinal += 1
    return ordinal


def book(state: RateLimitState, share: Share, *, rate: int, earliest: int, count: int) -> Booking:
    """The next `count` free slots of a share, not before `earliest` and not before the rate limit's `not_before`.

    `rate`: messages per second for both shares together, 1 to 1000.
    """
    start = max(state.next_of(share), state.not_before, earliest)
    first = _first_ordinal(start, rate, share)
    send_slots = tuple(_slot_instant(_slot_at(first + k, share), rate) for k in range(count))
    return Booking(share=share, send_slots=send_slots, next_free=send_slots[-1] + 1 if send_slots else start)


def quickest_share(state: RateLimitState, *, rate: int, earliest: int) -> Share:
    """The share with the earlier free slot for a single send: express, unless bulk is idle and has an earlier one."""
    first: Callable[[Share], int] = lambda share: book(  # noqa: E731 - one expression, used twice below
        state, share, rate=rate, earliest=earliest, count=1
    ).send_slots[0]
    return Share.BULK if first(Share.BULK) < first(Share.EXPRESS) else Share.EXPRESS


def is_void(send_slot: int, *, now: int, not_before: int) -> bool:
    """Whether a booked slot is void: missed by more than 5 s, or withdrawn by a throttle."""
    return now - send_slot > STALE_AFTER or send_slot < not_before


class RateLimits(Protocol):
    """Stores the rate limits."""

    async def state(self, rate_limit: RateLimit) -> RateLimitState:
        """What is booked, and until when the provider's throttle applies."""
        ...

    async def book(
        self, rate_limit: RateLimit, share: Share | None, *, rate: int, earliest: datetime, count: int
    ) -> Booking:
        """Book the next `count` slots. `share` None takes the share with the earlier slot.

        `rate`: the rate in the organisation's settings. The account's rate applies if it is lower
        (`RateLimitState.rate`).
        """
        ...

    async def hold(self, rate_limit: RateLimit, not_before: datetime) -> None:
        """No message leaves before `not_before`. An earlier instant than the stored one changes nothing."""
        ...
