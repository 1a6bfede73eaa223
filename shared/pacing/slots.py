"""A sender's send slots: checking a slot, booking another one, and waiting for it.

`Backoff` says how long a rate limit pauses after a throttle: longer each time that no message was accepted in between.
It needs no random part, because the waiting messages keep their order of slots and do not leave all at once.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.base.caches import LruCache, TtlCache
from shared.base.events import Telemetry
from shared.base.instants import Clock, from_microseconds, microseconds
from shared.messages.ports import ChannelQueue
from shared.messages.queue_message import QueueMessage
from shared.pacing.rate_limit import SLOTS, SPAN, Booking, RateLimit, RateLimits, RateLimitState, Share, is_void
from shared.sending.channel import Integrated

KNOWN_FOR = timedelta(milliseconds=200)
"""How old the rate limit's state may be at the call. A throttle that this worker receives applies at once."""


A_SECOND = timedelta(microseconds=SPAN / SLOTS)
"""In this time, a worker makes no more calls than the rate allows in a second."""


_NEVER = datetime.min.replace(tzinfo=UTC)


class SendSlots:
    """The slots of one worker's messages. Messages that check or book at the same time share one read or one write."""

    def __init__(self, rate_limits: RateLimits) -> None:
        self._rate_limits = rate_limits
        self._states = TtlCache(self._read, KNOWN_FOR)
        self._wishes: dict[tuple[RateLimit, Share | None], list[asyncio.Future[int]]] = {}
        self._booking = asyncio.Lock()
        self._backoff = Backoff()
        self._known: LruCache[RateLimit, RateLimitState] = LruCache()
        self._cooldown: LruCache[str, datetime] = LruCache()
        self._turns: LruCache[tuple[str, int], deque[datetime]] = LruCache()

    async def is_void(self, slot_at: int, rate_limit: RateLimit, now: datetime) -> bool:
        """Whether the slot was missed, or withdrawn by a throttle."""
        state = await self._states.get(rate_limit, now)
        return is_void(slot_at, now=microseconds(now), not_before=state.not_before if state else 0)

    async def another(self, rate_limit: RateLimit, share: Share | None, *, rate: int, earliest: datetime) -> int:
        """Book the next free slot. Returns its instant in microseconds since 1970."""
        wish: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._wishes.setdefault((rate_limit, share), []).append(wish)
        async with self._booking:
            if not wish.done():
                await asyncio.sleep(0)  # lets other messages add their requests
                wishes = self._wishes.pop((rate_limit, share))
                await self._book_all(
                    wishes,
                    lambda count: self._rate_limits.book(rate_limit, share, rate=rate, earliest=earliest, count=count),
                )
        return await wish

    def turn(self, rate_limit: RateLimit, own_rate: int, now: datetime) -> datetime:
        """When this worker may make its next call: `now`, or later if several messages are late together.

        A slot that was missed by less than 5 s still counts, but ten such calls at once would be twice Orange's rate.
        Organisations on one account take turns.
        """
        rate = self._known[rate_limit].rate(own_rate) if rate_limit in self._known else own_rate
        turns = self._turns.setdefault((self._rate_limit_id(rate_limit), rate), deque(maxlen=rate))
        own = max(now, turns[0] + A_SECOND) if len(turns) == rate else now
        turns.append(own)
        return own

    async def throttled(self, rate_limit: RateLimit, now: datetime, wait: timedelta) -> None:
        """The provider has throttled: no message leaves for `wait`, or longer if an earlier throttle asked for more."""
        rate_limit_id = self._rate_limit_id(rate_limit)
        until = self._backoff.throttled(rate_limit_id, now, wait)
        self._cooldown[rate_limit_id] = max(until, self.cooldown_until(rate_limit))
        await self._rate_limits.hold(rate_limit, until)
        self._states.forget(rate_limit)

    def cooldown_until(self, rate_limit: RateLimit) -> datetime:
        """The end of the last pause that `throttled` set in this worker. It is known here before it is read from the
        store.
        """
        return self._cooldown.get(self._rate_limit_id(rate_limit), _NEVER)

    def passed(self, rate_limit: RateLimit, now: datetime) -> None:
        """The provider accepted a message, so the rate is right."""
        self._backoff.passed(self._rate_limit_id(rate_limit), now)

    def _rate_limit_id(self, rate_limit: RateLimit) -> str:
        """The ID of the rate limit as last read. Organisations on one account have the same."""
        known = self._known.get(rate_limit)
        return known.rate_limit_id if known is not None else rate_limit.own_id

    @staticmethod
    async def _book_all(wishes: Sequence[asyncio.Future[int]], book: Callable[[int], Awaitable[Booking]]) -> None:
        """Make one booking for all. If it fails, all get its error."""
        try:
            send_slots = (await book(len(wishes))).send_slots
        except Exception as error:  # noqa: BLE001,RUF100 - every waiting message gets the error
            for wish in wishes:
                wish.set_exception(error)
            return
        for wish, slot_at in zip(wishes, send_slots, strict=True):
            wish.set_result(slot_at)

    async def _read(self, rate_limits: Collection[RateLimit]) -> Mapping[RateLimit, RateLimitState]:
        read = {rate_limit: await self._rate_limits.state(rate_limit) for rate_limit in rate_limits}
        self._known.update(read)
        return read


LONGEST = timedelta(seconds=60)
"""The longest pause that doubling can reach. A provider's own request may be longer."""


@dataclass(frozen=True, slots=True)
class _Hold:
    until: datetime
    lasts: timedelta


class Backoff:
    """One worker's memory of its throttles, by rate limit (`RateLimitState.rate_limit_id`)."""

    def __init__(self) -> None:
        self._holds: LruCache[str, _Hold] = LruCache()

    def throttled(self, rate_limit_id: str, now: datetime, asked: timedelta) -> datetime:
        """Note a throttle and return the end of the pause. The pause lasts at least `asked`.

        A refusal during the pause does not lengthen it: that message had left before the pause was known.
        """
        last = self._holds.get(rate_limit_id)
        if last is None:
            lasts = asked
        elif now < last.until:
            return self._hold(rate_limit_id, max(last.until, now + asked), max(last.lasts, asked))
        else:
            lasts = max(asked, min(2 * last.lasts, LONGEST))
        return self._hold(rate_limit_id, now + lasts, lasts)

    def passed(self, rate_limit_id: str, now: datetime) -> None:
        """The provider accepted a message. If it had left before the pause ended, this changes nothing."""
        last = self._holds.get(rate_limit_id)
        if last is not None and now >= last.until:
            del self._holds[rate_limit_id]

    def _hold(self, rate_limit_id: str, until: datetime, lasts: timedelta) -> datetime:
        self._holds[rate_limit_id] = _Hold(until, lasts)
        return until


AHEAD = timedelta(milliseconds=50)
"""A message is claimed this long before its slot, so that the claim's duration does not shift the call.

Calls that shift by 20 ms would exceed the rate in one second (`shared.pacing.rate_limit`). A longer time would be
riskier: if a worker dies after a claim, the SMS ends as an unknown outcome.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Seconds. `longest`: how long a worker waits for a slot; an earlier queue message goes back to the queue.

    `call_within`: the latest start of a call, counted from when the worker took the queue message. A later call is not
    made, because its answer might come after the function's time-out (`tests/template/test_times.py`).
    """

    longest: float
    call_within: float


QUEUED = Waits(longest=15.0, call_within=25.0)

TEST_SEND = Waits(longest=5.0, call_within=6.0)
"""The API's caller waits: API Gateway allows 30 s at most."""


class SlotWait:
    """Makes the messages of one worker wait for their slots."""

    def __init__(
        self, send_slots: SendSlots, queue: ChannelQueue, telemetry: Telemetry, clock: Clock, waits: Waits = QUEUED
    ) -> None:
        self._waits = waits
        self._send_slots = send_slots
        self._queue = queue
        self._telemetry = telemetry
        self._clock = clock

    async def is_early(self, queue_message: QueueMessage) -> bool:
        """Whether the queue message came too early. If so, it was put back on the queue."""
        if (from_microseconds(queue_message.slot_at) - self._clock.now()).total_seconds() <= self._waits.longest:
            return False
        await self._queue.put([queue_message], self._clock.now())
        return True

    async def wait_for_slot(
        self, queue_message: QueueMessage, integration: Integrated | None, latest: datetime
    ) -> datetime | None:
        """Wait until `AHEAD` before the call, and return the instant of the call.

        If the slot is void, another one is booked. If that one is after `latest`, a new queue message waits for it, and
        the result is None. If it is before, the worker waits here: a new queue message would wait behind all others on
        the queue and be late again, for ever if messages become due faster than the workers send them.
        """
        slot_at = queue_message.slot_at
        await self.wait_until(from_microseconds(slot_at) - AHEAD)
        if integration is None:
            return from_microseconds(slot_at)
        while await self._send_slots.is_void(slot_at, integration.rate_limit, now := self._clock.now()):
            slot_at = await self._another(queue_message, integration, earliest=now)
            if from_microseconds(slot_at) > latest:
                await self._put(queue_message.with_slot(slot_at))
                return None
            await self.wait_until(from_microseconds(slot_at) - AHEAD)
        at = max(from_microseconds(slot_at), self._clock.now())
        turn = self._send_slots.turn(integration.rate_limit, integration.rate_per_second, at)
        await self.wait_until(turn - AHEAD)
        return turn

    def is_withdrawn(self, leaves_at: datetime, integration: Integrated | None) -> bool:
        """Whether this worker has received a throttle that forbids a call at `leaves_at`. It reads nothing."""
        return integration is not None and leaves_at < self._send_slots.cooldown_until(integration.rate_limit)

    async def rebook(self, queue_message: QueueMessage, integration: Integrated) -> None:
        """Book another slot for a withdrawn one, and put a new queue message for it on the queue. The caller drops the
        old one.
        """
        earliest = self._clock.now() + timedelta(seconds=1)
        await self._put(queue_message.with_slot(await self._another(queue_message, integration, earliest=earliest)))

    async def wait_until(self, instant: datetime) -> None:
        """Returns at once if `instant` has passed."""
        await self._clock.sleep((instant - self._clock.now()).total_seconds())

    async def _another(self, queue_message: QueueMessage, integration: Integrated, *, earliest: datetime) -> int:
        """Book another slot. A single send may still overtake: it takes the share with the earlier slot."""
        share = None if queue_message.chunk is None else Share.BULK
        rate = integration.rate_per_second
        return await self._send_slots.another(integration.rate_limit, share, rate=rate, earliest=earliest)

    async def _put(self, queue_message: QueueMessage) -> None:
        await self._queue.put([queue_message], self._clock.now())
        self._telemetry.event("send_slot_rebooked", channel=queue_message.channel)
