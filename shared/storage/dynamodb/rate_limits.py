"""Rate limits on the state table: one item each, one conditional write for a booking, no lock and no cache server.

The item of a provider's account also holds its members: for each organisation a rate, when it last proved its
credentials, and the version of its settings. `members` counts the changes of these, so that no booking uses an old
rate.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from functools import partial

from shared.base.caches import LruCache
from shared.base.instants import Clock, from_milliseconds, microseconds, milliseconds
from shared.pacing.rate_limit import (
    Booking,
    Member,
    RateLimit,
    RateLimitState,
    Share,
    book,
    quickest_share,
    shared_rate,
)
from shared.storage.aws import Aws
from shared.storage.dynamodb.items import Change, Item, Plain, Update, changed, get_items, put_if_absent, whole

_ITEM = "timetable"

_RATE, _PROVED, _VERSION = "rate_", "proved_", "version_"


class DynamoRateLimits:
    """`RateLimits` and `MemberStore` on the state table. Remembers what it last read, so that a booking costs no
    read."""

    def __init__(self, aws: Aws, table: str, clock: Clock) -> None:
        self._aws = aws
        self._table = table
        self._clock = clock
        self._accounts: LruCache[str, Item] = LruCache()
        """The items of accounts, as last read. An organisation's private rate limit is read each time: it is slow, and
        another environment may have joined the account meanwhile."""

    async def state(self, rate_limit: RateLimit) -> RateLimitState:
        if self._shared(rate_limit) is not None:
            await self._read([_account_key(rate_limit)])
            if (shared := self._shared(rate_limit)) is not None:
                return shared
        own = _own_key(rate_limit)
        found = await self._read([own, _account_key(rate_limit)] if rate_limit.account else [own])
        return self._shared(rate_limit) or _state(found.get(own["pk"], {}), own["pk"])

    async def book(
        self, rate_limit: RateLimit, share: Share | None, *, rate: int, earliest: datetime, count: int
    ) -> Booking:
        """A booking by another worker makes the write fail and returns the new item. A repeated write recognises its
        first attempt by a token: two bookings may look the same, and only one owns the slots."""
        start = microseconds(earliest)
        while True:
            state = self._shared(rate_limit) or await self.state(rate_limit)
            paced = state.rate(rate)
            wanted = share or quickest_share(state, rate=paced, earliest=start)
            booking = book(state, wanted, rate=paced, earliest=start, count=count)
            if await self._aws.run(partial(self._write, state, booking)):
                return booking

    async def hold(self, rate_limit: RateLimit, not_before: datetime) -> None:
        until = microseconds(not_before)
        state = await self.state(rate_limit)

        def write() -> bool:
            key = _key(state.rate_limit_id)
            if put_if_absent(self._aws, self._table, {**key, "not_before": until}):
                return True
            later = "(attribute_not_exists(not_before) OR not_before < :until)"
            conditions, values = _as_seen(state, (later,), {":until": until})
            update = Update(sets={"not_before": until}, conditions=conditions, values=values)
            change = self._changed(key, update)
            return change.done or (whole(change.item or {}, "not_before") or 0) >= until

        if not await self._aws.run(write):
            await self.hold(rate_limit, not_before)

    async def join(self, rate_limit: RateLimit, rate: int, *, version: int) -> bool:
        if not rate_limit.account:
            return False
        now, name = self._clock.now(), _member(rate_limit.organisation)
        known = _members(self._accounts.get(_account_key(rate_limit)["pk"], {})).get(name)
        if known is not None and known.covers(rate, version, now):
            return False
        sets: dict[str, Plain] = {f"{_RATE}{name}": rate, f"{_VERSION}{name}": version}
        sets[f"{_PROVED}{name}"] = milliseconds(now)
        older = f"(attribute_not_exists({_VERSION}{name}) OR {_VERSION}{name} <= :version)"
        update = Update(sets=sets, adds={"members": 1}, conditions=(older,), values={":version": version})

        def write() -> bool:
            put_if_absent(self._aws, self._table, _account_key(rate_limit))
            return self._changed(_account_key(rate_limit), update).done

        return await self._aws.run(write) and known is None

    async def set_rate(self, rate_limit: RateLimit, rate: int, *, version: int) -> None:
        await self._change_member(rate_limit, version, {f"{_RATE}{_member(rate_limit.organisation)}": rate}, ())

    async def leave(self, rate_limit: RateLimit, *, version: int) -> None:
        """The version stays, so that a worker with older settings cannot join with them again."""
        name = _member(rate_limit.organisation)
        await self._change_member(rate_limit, version, {}, (f"{_RATE}{name}", f"{_PROVED}{name}"))

    async def _change_member(
        self, rate_limit: RateLimit, version: int, sets: Mapping[str, Plain], removes: tuple[str, ...]
    ) -> None:
        """Changes only a member: settings that an organisation merely enters do not change the account."""
        name = _member(rate_limit.organisation)
        update = Update(
            sets={**sets, f"{_VERSION}{name}": version},
            removes=removes,
            adds={"members": 1},
            conditions=(f"attribute_exists({_RATE}{name})", f"{_VERSION}{name} <= :version"),
            values={":version": version},
        )
        if rate_limit.account:
            await self._aws.run(lambda: self._changed(_account_key(rate_limit), update))

    def _write(self, state: RateLimitState, booking: Booking) -> bool:
        """Whether the slots were booked. If not, the rate limit has changed since it was read."""
        key, name, token = _key(state.rate_limit_id), f"next_{booking.share}", self._aws.draw()
        seen = state.next_of(booking.share)
        is_new = not (state.next_bulk or state.next_express or state.not_before or state.shared_rate)
        if is_new and put_if_absent(self._aws, self._table, {**key, name: booking.next_free, "booked_by": token}):
            return True
        same = f"{name} = :seen" if seen else f"(attribute_not_exists({name}) OR {name} = :seen)"
        cooldown = "(attribute_not_exists(not_before) OR not_before <= :cooldown)"
        conditions, values = _as_seen(state, (same, cooldown), {":seen": seen, ":cooldown": state.not_before})
        sets: dict[str, Plain] = {name: booking.next_free, "booked_by": token}
        update = Update(sets=sets, conditions=conditions, values=values)
        return self._changed(key, update).has_made(update)

    def _changed(self, key: Mapping[str, str], update: Update) -> Change:
        """Remembers the account's item after the update, or the one that failed its condition."""
        change = changed(self._aws, self._table, key, update)
        if _is_account(key["pk"]):
            self._accounts[key["pk"]] = change.item or {}
        return change

    async def _read(self, keys: list[dict[str, str]]) -> Mapping[str, Item]:
        found = {str(item["pk"]): item for item in await get_items(self._aws, self._table, keys)}
        self._accounts.update({key["pk"]: found.get(key["pk"], {}) for key in keys if _is_account(key["pk"])})
        return found

    def _shared(self, rate_limit: RateLimit) -> RateLimitState | None:
        """The account's rate limit as last read, if the organisation is a member of it."""
        key = _account_key(rate_limit)["pk"]
        item = self._accounts.get(key, {})
        rate = shared_rate(_members(item), _member(rate_limit.organisation), self._clock.now())
        return _state(item, key, rate) if rate is not None else None


def _as_seen(
    state: RateLimitState, conditions: tuple[str, ...], values: dict[str, Plain]
) -> tuple[tuple[str, ...], dict[str, Plain]]:
    """Adds the condition that no member has joined, left or changed its rate since the state was read."""
    if state.shared_rate is None:
        return conditions, values
    return (*conditions, "members = :members"), {**values, ":members": state.generation}


def _own_key(rate_limit: RateLimit) -> dict[str, str]:
    return _key(rate_limit.own_id)


def _account_key(rate_limit: RateLimit) -> dict[str, str]:
    return _key(f"{_ACCOUNT}{rate_limit.account}")


_ACCOUNT = "#account#"
"""No organisation's ID is empty or holds this sign, so no organisation's key begins with it."""


def _is_account(pk: str) -> bool:
    return pk.startswith(_ACCOUNT)


def _key(pk: str) -> dict[str, str]:
    return {"pk": pk, "sk": _ITEM}


def _member(organisation: str) -> str:
    """Safe in an attribute's name."""
    return hashlib.sha256(organisation.encode()).hexdigest()[:16]


def _members(item: Item) -> Mapping[str, Member]:
    names = [name.removeprefix(_RATE) for name in item if name.startswith(_RATE)]
    return {
        name: Member(
            rate=whole(item, f"{_RATE}{name}") or 1,
            proved_at=from_milliseconds(whole(item, f"{_PROVED}{name}") or 0),
            version=whole(item, f"{_VERSION}{name}") or 0,
        )
        for name in names
    }


def _state(item: Item, rate_limit_id: str, rate: int | None = None) -> RateLimitState:
    return RateLimitState(
        next_bulk=whole(item, "next_bulk") or 0,
        next_express=whole(item, "next_express") or 0,
        not_before=whole(item, "not_before") or 0,
        rate_limit_id=rate_limit_id,
        shared_rate=rate,
        generation=whole(item, "members") or 0,
    )
