"""The day itself: a discrete-event simulation of fan-out workers and senders over all lanes.

A loop of our own, not simpy: ten million messages are a million batches, each two pushes to a heap of numbers; a
generator and an event object for each would take minutes, and there is nothing here that needs a process.

What is simplified: copies of one lane's second travel together; SQS hands out what is visible, oldest first, ten at a
time, at once; a call always succeeds and always takes as long; express traffic, retries and fallbacks do not occur.
"""

import math
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from bench.scale.figures import EventSource, Measured
from bench.scale.lane import Lane, Parcel
from bench.scale.world import Campaign
from shared.campaigns.distribution import CHUNK_ROWS
from shared.campaigns.release import HEAD_START, NEXT_LOOK
from shared.pacing.rate_limit import HORIZON, STALE_AFTER
from shared.pacing.waiting import QUEUED
from shared.storage.dynamodb.message_item import LIST_SHARDS

STALE = STALE_AFTER / 1_000_000
EARLY = 1
"""Whole seconds between a copy's delivery and the second of its departure (shared/storage/queues.py)."""
WHATSAPP, SMS = "whatsapp", "sms"
UNBOUND = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much may run at once."""

    senders: dict[str, EventSource]
    fanout: int

    def unbound(self) -> "Limits":
        """The same batches, and as many environments as are asked for."""
        senders = {name: EventSource(concurrency=UNBOUND, batch=its.batch) for name, its in self.senders.items()}
        return Limits(senders=senders, fanout=UNBOUND)


@dataclass(slots=True)
class Second:
    """What happened in one second of the day."""

    sent: Counter[str] = field(default_factory=Counter)
    invocations: int = 0
    busy: dict[str, int] = field(default_factory=dict)
    """Environments at its end, by channel, and of the fan-out."""
    logged: int = 0
    rebooked: int = 0
    hottest_lane: int = 0
    """Writes of the lane item that was written most."""
    hottest_shard: float = 0.0


class _Pool:
    """Environments of one sender and the queue before them."""

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
        """When in this second an environment can take a batch; None: not in this one."""
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
    """Runs until all is sent, or for `longest` seconds."""

    def __init__(self, campaigns: Sequence[Campaign], figures: Measured, limits: Limits) -> None:
        self.lanes = [Lane(campaign) for campaign in campaigns]
        self.seconds: list[Second] = []
        self._figures = figures
        self._pools = {
            WHATSAPP: _Pool(limits.senders[WHATSAPP], figures.whatsapp_call),
            SMS: _Pool(limits.senders[SMS], figures.sms_call),
        }
        self._fanout_free = limits.fanout
        self._fanout_busy = 0
        self._waiting: deque[Lane] = deque()
        self._events: list[tuple[float, int, Lane, bool]] = []
        self._order = 0
        for lane in self.lanes:
            self._at(lane.campaign.starts, lane, holds_worker=False)

    def run(self, longest: int = 7 * 86_400) -> None:
        """Second by second: first the fan-out's events, then what the senders can take."""
        unsent = sum(lane.campaign.rows for lane in self.lanes)
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
            now.hottest_lane = max(writes.values(), default=0)
            unsent -= now.sent.total()
            self.seconds.append(now)

    def _at(self, time: float, lane: Lane, *, holds_worker: bool) -> None:
        self._order += 1
        heappush(self._events, (time, self._order, lane, holds_worker))

    def _release(self, second: int, now: Second, writes: Counter[int]) -> None:
        rows: Counter[int] = Counter()
        while self._events and self._events[0][0] < second + 1:
            time, _, lane, holds_worker = heappop(self._events)
            if not holds_worker:
                self._waiting.append(lane)
            else:
                count = self._chunk(lane, time)
                now.logged += count
                rows[lane.campaign.organisation] += count
                writes[id(lane)] += 1
            self._hire(time, now)
        now.hottest_shard = max(rows.values(), default=0) / LIST_SHARDS

    def _hire(self, time: float, now: Second) -> None:
        while self._waiting and self._fanout_busy < self._fanout_free:
            self._fanout_busy += 1
            now.invocations += 1
            self._at(time + self._figures.chunk, self._waiting.popleft(), holds_worker=True)

    def _chunk(self, lane: Lane, time: float) -> int:
        """A chunk is out; the worker goes on with the next one, or leaves the lane for a minute or for the night."""
        count = min(CHUNK_ROWS, lane.unreleased)
        lane.unreleased -= count
        self._pools[lane.campaign.channel].put(lane.book(count, time + HEAD_START.total_seconds()), time)
        full = lane.next_free > time + HORIZON.total_seconds()
        if lane.unreleased and not full and lane.opens(time) == time:
            self._at(time + self._figures.chunk, lane, holds_worker=True)
            return count
        self._fanout_busy -= 1
        if lane.unreleased:
            self._at(lane.opens(time + NEXT_LOOK.total_seconds()), lane, holds_worker=False)
        return count

    def _send(self, channel: str, pool: _Pool, second: int, now: Second, writes: Counter[int]) -> None:
        while pool.visible:
            start = pool.free_at(second)
            if start is None:
                return
            end = start
            room = pool.its.batch
            while room and pool.visible:
                parcel = pool.visible.popleft()
                taken = min(room, parcel.count)
                room -= taken
                if taken < parcel.count:
                    pool.visible.appendleft(parcel.after(taken))
                end = max(end, self._handle(pool, parcel, taken, start, now, writes))
            now.invocations += 1
            pool.busy_until(end)

    def _handle(
        self, pool: _Pool, parcel: Parcel, taken: int, start: float, now: Second, writes: Counter[int]
    ) -> float:
        """Send the first `taken` of a parcel, or book them anew where they came too late; says when that is done."""
        if start - parcel.at <= STALE:
            self.depart(parcel, taken, now)
            return max(start, parcel.last_of(taken)) + pool.call
        lane = parcel.lane
        lane.queued -= taken
        now.rebooked += taken
        writes[id(lane)] += taken
        end = start + self._figures.void_copy
        for again in lane.book(taken, start):
            if again.at > start + QUEUED.longest:
                pool.put([again], start + 1)
            else:
                self.depart(again, again.count, now)
                end = max(end, again.last_of(again.count) + pool.call)
        return end

    def depart(self, parcel: Parcel, taken: int, now: Second) -> None:
        """The provider gets the first `taken` of a parcel."""
        parcel.lane.queued -= taken
        parcel.lane.sent += taken
        now.sent[parcel.lane.campaign.channel] += taken
