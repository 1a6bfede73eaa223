"""A sender's view of the timetables: whether a departure still counts, and another one where it does not."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from shared.domain.instants import microseconds
from shared.domain.lru import LruCache
from shared.domain.timetable import SLOTS, SPAN, Booking, Lane, LaneState, Share, is_void
from shared.usecases.backoff import Backoff
from shared.usecases.fresh import Fresh
from shared.usecases.ports import Lanes

FRESH = timedelta(milliseconds=200)
"""How old the lane's state may be when a call is made. A throttle heard by this worker counts at once."""


A_SECOND = timedelta(microseconds=SPAN / SLOTS)
"""In which a worker makes no more calls than the rate allows in one."""


_NEVER = datetime.min.replace(tzinfo=UTC)


class Departures:
    """Shared by the messages of one worker: ten that look or book at once cost one read or one write."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._states = Fresh(self._read, FRESH)
        self._wishes: dict[tuple[Lane, Share | None], list[asyncio.Future[int]]] = {}
        self._booking = asyncio.Lock()
        self._backoff = Backoff()
        self._known: LruCache[Lane, LaneState] = LruCache()
        self._quiet: LruCache[str, datetime] = LruCache()
        self._turns: LruCache[tuple[str, int], deque[datetime]] = LruCache()

    async def is_void(self, departs_at: int, lane: Lane, now: datetime) -> bool:
        """Whether it was missed, or withdrawn by a throttle."""
        state = await self._states.get(lane, now)
        return is_void(departs_at, now=microseconds(now), not_before=state.not_before if state else 0)

    async def another(self, lane: Lane, share: Share | None, *, rate: int, earliest: datetime) -> int:
        """The next free departure, in microseconds since 1970."""
        wish: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._wishes.setdefault((lane, share), []).append(wish)
        async with self._booking:
            if not wish.done():
                await asyncio.sleep(0)  # whoever was about to wish has wished then
                wishes = self._wishes.pop((lane, share))
                await self._book_all(
                    wishes, lambda count: self._lanes.book(lane, share, rate=rate, earliest=earliest, count=count)
                )
        return await wish

    def turn(self, lane: Lane, own_rate: int, now: datetime) -> datetime:
        """When this worker may make its next call: `now`, but for copies that are late together. Organisations on one
        account take turns.

        A departure that was missed by less than 5 s counts; ten of them at once would be twice Orange's rate.
        """
        rate = self._known[lane].rate(own_rate) if lane in self._known else own_rate
        turns = self._turns.setdefault((self._rate_limit(lane), rate), deque(maxlen=rate))
        own = max(now, turns[0] + A_SECOND) if len(turns) == rate else now
        turns.append(own)
        return own

    async def throttled(self, lane: Lane, now: datetime, wait: timedelta) -> None:
        """The provider asks for a slower pace: nothing departs for `wait`, or longer where that was asked before."""
        rate_limit = self._rate_limit(lane)
        until = self._backoff.throttled(rate_limit, now, wait)
        self._quiet[rate_limit] = max(until, self.quiet_until(lane))
        await self._lanes.hold(lane, until)
        self._states.forget(lane)

    def quiet_until(self, lane: Lane) -> datetime:
        """What this worker was last told by `throttled`: known before the lane is."""
        return self._quiet.get(self._rate_limit(lane), _NEVER)

    def passed(self, lane: Lane, now: datetime) -> None:
        """The provider took a message: the pace is right."""
        self._backoff.passed(self._rate_limit(lane), now)

    def _rate_limit(self, lane: Lane) -> str:
        """What organisations on one account have in common, as last seen."""
        known = self._known.get(lane)
        return known.rate_limit_id if known is not None else lane.own_id

    @staticmethod
    async def _book_all(wishes: Sequence[asyncio.Future[int]], book: Callable[[int], Awaitable[Booking]]) -> None:
        """One booking for all; what it raises is raised to each."""
        try:
            departures = (await book(len(wishes))).departures
        except Exception as error:  # noqa: BLE001,RUF100 - whatever it is, it is handed on
            for wish in wishes:
                wish.set_exception(error)
            return
        for wish, departs_at in zip(wishes, departures, strict=True):
            wish.set_result(departs_at)

    async def _read(self, lanes: Collection[Lane]) -> Mapping[Lane, LaneState]:
        read = {lane: await self._lanes.state(lane) for lane in lanes}
        self._known.update(read)
        return read
