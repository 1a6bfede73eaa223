"""Simulates the day: fan-out workers and senders over all rate limits, event by event.

It is a loop of our own instead of simpy. Ten million messages are a million batches, and each is two pushes to a heap
of numbers. A generator and an event object for each would take minutes.

The model simplifies: queue messages of one rate limit and one second travel together. SQS delivers visible messages at
once, oldest first, ten at a time. A call always succeeds and always takes the same time. There is no express traffic,
no retry and no fallback.
"""

import math
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from bench.scale.figures import EventSource, Measured
from bench.scale.rate_limit import Parcel, RateLimit
from bench.scale.world import Campaign
from shared.campaigns.distribution import CHUNK_ROWS
from shared.campaigns.release import HEAD_START, NEXT_LOOK
from shared.pacing.rate_limit import HORIZON, STALE_AFTER
from shared.pacing.slots import QUEUED
from shared.storage.dynamodb.message_item import LIST_SHARDS

STALE = STALE_AFTER / 1_000_000
EARLY = 1
"""Whole seconds between the delivery of a queue message and the second of its send slot (shared/storage/queues.py)."""
WHATSAPP, SMS = "whatsapp", "sms"
UNBOUND = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many environments may run at once."""

    senders: dict[str, EventSource]
    fanout: int

    def unbound(self) -> "Limits":
        """Return the same batches without a limit on environments."""
        senders = {name: EventSource(concurrency=UNBOUND, batch=its.batch) for name, its in self.senders.items()}
        return Limits(senders=senders, fanout=UNBOUND)


@dataclass(slots=True)
class Second:
    """What happened in one second of the day."""

    sent: Counter[str] = field(default_factory=Counter)
    invocations: int = 0
    busy: dict[str, int] = field(default_factory=dict)
    """Environments at the end of the second, by channel and for the fan-out."""
    logged: int = 0
    rebooked: int = 0
    hottest_rate_limit: int = 0
    """Writes of the rate limit item that was written most."""
    hottest_shard: float = 0.0


class _Pool:
    """The environments of one sender, and the queue before them."""

    def __init__(self, its: EventSource, call: float) -> None:
        self.its = its
        self.call = call
        self.visible: deque[Parcel] = deque()
        self.due: dict[int, list[Parcel]] = {}
        self._ends: list[float] = []

    def put(self, parcels: Iterable[Parcel], now: float) -> None:
        for parcel in parcels:
            self.due.setdefault(max(math.floor(parcel.at) - EARLY, math.ceil(now)), []).append(parcel)

    def free_at(self, second: int) -> float | None:
        """Return when in this second an environment can take a batch; None if none can."""
        while self._ends and self._ends[0] <= second:
            heappop(self._ends)
        if len(self._ends) < self.its.concurrency:
            return second
        return heappop(self._ends) if self._ends[0] < second + 1 else None

    def busy_until(self, end: float) -> None:
        heappush(self._ends, end)

    def busy(self) -> int:
        return len(self._ends)


class Day:
    """Runs until everything is sent, or for `longest` seconds."""

    def __init__(self, campaigns: Sequence[Campaign], figures: Measured, limits: Limits) -> None:
        self.rate_limits = [RateLimit(campaign) for campaign in campaigns]
        self.seconds: list[Second] = []
        self._figures = figures
        self._pools = {
            WHATSAPP: _Pool(limits.senders[WHATSAPP], figures.whatsapp_call),
            SMS: _Pool(limits.senders[SMS], figures.sms_call),
        }
        self._fanout_free = limits.fanout
        self._fanout_busy = 0
        self._waiting: deque[RateLimit] = deque()
        self._events: list[tuple[float, int, RateLimit, bool]] = []
        self._order = 0
        for rate_limit in self.rate_limits:
            self._at(rate_limit.campaign.starts, rate_limit, holds_worker=False)

    def run(self, longest: int = 7 * 86_400) -> None:
        """Run second by second: first the fan-out's events, then what the senders can take."""
        unsent = sum(rate_limit.campaign.rows for rate_limit in self.rate_limits)
        while unsent and len(self.seconds) < longest:
            now = Second()
            second = len(self.seconds)
            writes: Counter[int] = Counter()
            self._release(second, now, writes)
            for channel, pool in self._pools.items():
                pool.visible.extend(pool.due.pop(second, ()))
                self._send(channel, pool, second, now, writes)
                now.busy[channel] = pool.busy()
            now.busy["fanout"] = self._fanout_busy
            now.hottest_rate_limit = max(writes.values(), default=0)
            unsent -= now.sent.total()
            self.seconds.append(now)

    def _at(self, time: float, rate_limit: RateLimit, *, holds_worker: bool) -> None:
        self._order += 1
        heappush(self._events, (time, self._order, rate_limit, holds_worker))

    def _release(self, second: int, now: Second, writes: Counter[int]) -> None:
        rows: Counter[int] = Counter()
        while self._events and self._events[0][0] < second + 1:
            time, _, rate_limit, holds_worker = heappop(self._events)
            if not holds_worker:
                self._waiting.append(rate_limit)
            else:
                count = self._chunk(rate_limit, time)
                now.logged += count
                rows[rate_limit.campaign.organisation] += count
                writes[id(rate_limit)] += 1
            self._hire(time, now)
        now.hottest_shard = max(rows.values(), default=0) / LIST_SHARDS

    def _hire(self, time: float, now: Second) -> None:
        while self._waiting and self._fanout_busy < self._fanout_free:
            self._fanout_busy += 1
            now.invocations += 1
            self._at(time + self._figures.chunk, self._waiting.popleft(), holds_worker=True)

    def _chunk(self, rate_limit: RateLimit, time: float) -> int:
        """Release one chunk. The worker goes on with the next, or leaves the rate limit for a minute or a night."""
        count = min(CHUNK_ROWS, rate_limit.unreleased)
        rate_limit.unreleased -= count
        self._pools[rate_limit.campaign.channel].put(rate_limit.book(count, time + HEAD_START.total_seconds()), time)
        full = rate_limit.next_free > time + HORIZON.total_seconds()
        if rate_limit.unreleased and not full and rate_limit.opens(time) == time:
            self._at(time + self._figures.chunk, rate_limit, holds_worker=True)
            return count
        self._fanout_busy -= 1
        if rate_limit.unreleased:
            self._at(rate_limit.opens(time + NEXT_LOOK.total_seconds()), rate_limit, holds_worker=False)
        return count

    def _send(self, channel: str, pool: _Pool, second: int, now: Second, writes: Counter[int]) -> None:
        while pool.visible:
            start = pool.free_at(second)
            if start is None:
                return
            end = start
            capacity = pool.its.batch
            while capacity and pool.visible:
                parcel = pool.visible.popleft()
                taken = min(capacity, parcel.count)
                capacity -= taken
                if taken < parcel.count:
                    pool.visible.appendleft(parcel.after(taken))
                end = max(end, self._handle(pool, parcel, taken, start, now, writes))
            now.invocations += 1
            pool.busy_until(end)

    def _handle(
        self, pool: _Pool, parcel: Parcel, taken: int, start: float, now: Second, writes: Counter[int]
    ) -> float:
        """Send the first `taken` of a parcel, or book them again if they came too late. Returns when that is done."""
        if start - parcel.at <= STALE:
            self.leave_in_slot(parcel, taken, now)
            return max(start, parcel.last_of(taken)) + pool.call
        rate_limit = parcel.rate_limit
        rate_limit.queued -= taken
        now.rebooked += taken
        writes[id(rate_limit)] += taken
        end = start + self._figures.void_queue_message
        for again in rate_limit.book(taken, start):
            if again.at > start + QUEUED.longest:
                pool.put([again], start + 1)
            else:
                self.leave_in_slot(again, again.count, now)
                end = max(end, again.last_of(again.count) + pool.call)
        return end

    def leave_in_slot(self, parcel: Parcel, taken: int, now: Second) -> None:
        """Give the first `taken` of a parcel to the provider."""
        parcel.rate_limit.queued -= taken
        parcel.rate_limit.sent += taken
        now.sent[parcel.rate_limit.campaign.channel] += taken
