"""A sender's send slots: whether one still counts, another one where it does not, and the wait for it.

How long a rate limit is held after a throttle: longer each time that nothing got through in between. No jitter: what
was held leaves by the timetable, one after the other, and never all at once.
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
"""How old the lane's state may be when a call is made. A throttle heard by this worker counts at once."""


A_SECOND = timedelta(microseconds=SPAN / SLOTS)
"""In which a worker makes no more calls than the rate allows in one."""


_NEVER = datetime.min.replace(tzinfo=UTC)


class SendSlots:
    """Shared by the messages of one worker: ten that look or book at once cost one read or one write."""

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
        """Whether it was missed, or withdrawn by a throttle."""
        state = await self._states.get(rate_limit, now)
        return is_void(slot_at, now=microseconds(now), not_before=state.not_before if state else 0)

    async def another(self, rate_limit: RateLimit, share: Share | None, *, rate: int, earliest: datetime) -> int:
        """The next free departure, in microseconds since 1970."""
        wish: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._wishes.setdefault((rate_limit, share), []).append(wish)
        async with self._booking:
            if not wish.done():
                await asyncio.sleep(0)  # whoever was about to wish has wished then
                wishes = self._wishes.pop((rate_limit, share))
                await self._book_all(
                    wishes,
                    lambda count: self._rate_limits.book(rate_limit, share, rate=rate, earliest=earliest, count=count),
                )
        return await wish

    def turn(self, rate_limit: RateLimit, own_rate: int, now: datetime) -> datetime:
        """When this worker may make its next call: `now`, but for copies that are late together. Organisations on one
        account take turns.

        A departure that was missed by less than 5 s counts; ten of them at once would be twice Orange's rate.
        """
        rate = self._known[rate_limit].rate(own_rate) if rate_limit in self._known else own_rate
        turns = self._turns.setdefault((self._rate_limit_id(rate_limit), rate), deque(maxlen=rate))
        own = max(now, turns[0] + A_SECOND) if len(turns) == rate else now
        turns.append(own)
        return own

    async def throttled(self, rate_limit: RateLimit, now: datetime, wait: timedelta) -> None:
        """The provider asks for a slower pace: nothing departs for `wait`, or longer where that was asked before."""
        rate_limit_id = self._rate_limit_id(rate_limit)
        until = self._backoff.throttled(rate_limit_id, now, wait)
        self._cooldown[rate_limit_id] = max(until, self.cooldown_until(rate_limit))
        await self._rate_limits.hold(rate_limit, until)
        self._states.forget(rate_limit)

    def cooldown_until(self, rate_limit: RateLimit) -> datetime:
        """What this worker was last told by `throttled`: known before the lane is."""
        return self._cooldown.get(self._rate_limit_id(rate_limit), _NEVER)

    def passed(self, rate_limit: RateLimit, now: datetime) -> None:
        """The provider took a message: the pace is right."""
        self._backoff.passed(self._rate_limit_id(rate_limit), now)

    def _rate_limit_id(self, rate_limit: RateLimit) -> str:
        """What organisations on one account have in common, as last seen."""
        known = self._known.get(rate_limit)
        return known.rate_limit_id if known is not None else rate_limit.own_id

    @staticmethod
    async def _book_all(wishes: Sequence[asyncio.Future[int]], book: Callable[[int], Awaitable[Booking]]) -> None:
        """One booking for all; what it raises is raised to each."""
        try:
            send_slots = (await book(len(wishes))).send_slots
        except Exception as error:  # noqa: BLE001,RUF100 - whatever it is, it is handed on
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
"""To which doubling leads. What the provider itself asks for may be longer."""


@dataclass(frozen=True, slots=True)
class _Hold:
    until: datetime
    lasts: timedelta


class Backoff:
    """One worker's memory of the throttles that it heard, by rate limit (`RateLimitState.rate_limit_id`)."""

    def __init__(self) -> None:
        self._holds: LruCache[str, _Hold] = LruCache()

    def throttled(self, rate_limit_id: str, now: datetime, asked: timedelta) -> datetime:
        """Until when nothing may depart. `asked` is the least.

        Messages that had left before the last hold was known are refused for the same reason: they do not lengthen it.
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
        """The provider took a message. One that had left before the hold proves nothing."""
        last = self._holds.get(rate_limit_id)
        if last is not None and now >= last.until:
            del self._holds[rate_limit_id]

    def _hold(self, rate_limit_id: str, until: datetime, lasts: timedelta) -> datetime:
        self._holds[rate_limit_id] = _Hold(until, lasts)
        return until


AHEAD = timedelta(milliseconds=50)
"""So long before its departure a message is claimed: however long the claim takes, the call is made at its time. Calls
that shift by 20 ms would crowd a second (`shared.pacing.rate_limit`). Not longer, because a worker that dies with a
claim leaves an SMS of which nobody knows whether it was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """In seconds. `longest`: how long a worker waits for departures; a copy that came earlier goes back to the queue.
    `call_within`: a call that begins later, counted from when the worker took the copy, is not made, because its answer
    might come when the function's time is up (`tests/template/test_times.py`)."""

    longest: float
    call_within: float


QUEUED = Waits(longest=15.0, call_within=25.0)

TEST_SEND = Waits(longest=5.0, call_within=6.0)
"""Its caller waits: API Gateway answers after 30 s at most."""


class SlotWait:
    """For all messages of one worker."""

    def __init__(
        self, send_slots: SendSlots, queue: ChannelQueue, telemetry: Telemetry, clock: Clock, waits: Waits = QUEUED
    ) -> None:
        self._waits = waits
        self._send_slots = send_slots
        self._queue = queue
        self._telemetry = telemetry
        self._clock = clock

    async def is_early(self, queue_message: QueueMessage) -> bool:
        """Whether it came so long before its departure that it went back to the queue."""
        if (from_microseconds(queue_message.slot_at) - self._clock.now()).total_seconds() <= self._waits.longest:
            return False
        await self._queue.put([queue_message], self._clock.now())
        return True

    async def wait_for_slot(
        self, queue_message: QueueMessage, integration: Integrated | None, latest: datetime
    ) -> datetime | None:
        """When the call is to be made; waits until `AHEAD` before. None: after `latest`, a new copy waits for it.

        One that is soon is waited for here: a copy for it would come behind all that waits on the queue, be late again
        and so on for ever, wherever messages fall due faster than the workers send them.
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
        """Whether this worker has been told since that nothing may leave then. Asks nobody."""
        return integration is not None and leaves_at < self._send_slots.cooldown_until(integration.rate_limit)

    async def rebook(self, queue_message: QueueMessage, integration: Integrated) -> None:
        """A withdrawn departure: another one, in a new copy. The old one is dropped."""
        earliest = self._clock.now() + timedelta(seconds=1)
        await self._put(queue_message.with_slot(await self._another(queue_message, integration, earliest=earliest)))

    async def wait_until(self, instant: datetime) -> None:
        """Not at all where it has passed."""
        await self._clock.sleep((instant - self._clock.now()).total_seconds())

    async def _another(self, queue_message: QueueMessage, integration: Integrated, *, earliest: datetime) -> int:
        """A single send keeps its right to overtake: it takes whichever share leaves first."""
        share = None if queue_message.chunk is None else Share.BULK
        rate = integration.rate_per_second
        return await self._send_slots.another(integration.rate_limit, share, rate=rate, earliest=earliest)

    async def _put(self, queue_message: QueueMessage) -> None:
        await self._queue.put([queue_message], self._clock.now())
        self._telemetry.event("send_slot_rebooked", channel=queue_message.channel)
