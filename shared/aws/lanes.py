"""Timetables on the state table: one item a lane, one conditional write a booking, no lock and no cache server."""

from datetime import datetime
from functools import partial

from shared.aws.attributes import Item, Plain, whole
from shared.aws.conditional import Update, changed, put_if_absent
from shared.aws.reading import get_items
from shared.aws.session import Aws
from shared.domain.instants import microseconds
from shared.domain.timetable import Booking, Lane, LaneState, Share, book, quickest_share

_ITEM = "timetable"


class DynamoLanes:
    """`Lanes` on the state table. Remembers what it saw last, so that a quiet lane costs no read to book."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._aws = aws
        self._table = table
        self._seen: dict[Lane, LaneState] = {}

    async def state(self, lane: Lane) -> LaneState:
        """See `Lanes`."""
        found = await get_items(self._aws, self._table, [_key(lane)])
        state = _state(found[0]) if found else LaneState()
        self._seen[lane] = state
        return state

    async def book(self, lane: Lane, share: Share | None, *, rate: int, earliest: datetime, count: int) -> Booking:
        """See `Lanes`. Whoever books at the same time makes the write fail, and is seen then. A repeated write knows
        its first attempt by a token: two bookings may look alike, and only one has the departures."""
        state = self._seen.get(lane) or await self.state(lane)
        start = microseconds(earliest)
        while True:
            wanted = share or quickest_share(state, rate=rate, earliest=start)
            booking = book(state, wanted, rate=rate, earliest=start, count=count)
            standing = await self._aws.run(partial(self._write, lane, state, booking))
            if standing is None:
                return booking
            state = standing

    async def hold(self, lane: Lane, not_before: datetime) -> None:
        """See `Lanes`."""
        until = microseconds(not_before)

        def write() -> None:
            values: dict[str, Plain | None] = {**_key(lane), "not_before": until}
            if put_if_absent(self._aws, self._table, values):
                return
            later = "(attribute_not_exists(not_before) OR not_before < :until)"
            update = Update(sets={"not_before": until}, conditions=(later,), values={":until": until})
            changed(self._aws, self._table, _key(lane), update)

        await self._aws.run(write)
        self._seen.pop(lane, None)

    def _write(self, lane: Lane, state: LaneState, booking: Booking) -> LaneState | None:
        """None when booked, else the lane as it stood in the way."""
        name, token = f"next_{booking.share}", self._aws.draw()
        seen = state.next_of(booking.share)
        free: dict[str, Plain | None] = {**_key(lane), name: booking.next_free, "booked_by": token}
        if state == LaneState() and put_if_absent(self._aws, self._table, free):
            self._seen[lane] = _state({name: booking.next_free})
            return None
        same = f"{name} = :seen" if seen else f"(attribute_not_exists({name}) OR {name} = :seen)"
        quiet = "(attribute_not_exists(not_before) OR not_before <= :quiet)"
        update = Update(
            sets={name: booking.next_free, "booked_by": token},
            conditions=(same, quiet),
            values={":seen": seen, ":quiet": state.not_before},
        )
        change = changed(self._aws, self._table, _key(lane), update)
        now_seen = _state(change.item or {})
        self._seen[lane] = now_seen
        return None if change.has_made(update) else now_seen


def _key(lane: Lane) -> dict[str, str]:
    return {"pk": f"{lane.organisation}#lane#{lane.channel}#{lane.provider}", "sk": _ITEM}


def _state(item: Item) -> LaneState:
    return LaneState(
        next_bulk=whole(item, "next_bulk") or 0,
        next_express=whole(item, "next_express") or 0,
        not_before=whole(item, "not_before") or 0,
    )
