from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.pacing.rate_limit import (
    CYCLE,
    SLOTS,
    SPAN,
    STALE_AFTER,
    Booking,
    RateLimitState,
    Share,
    book,
    is_void,
    quickest_share,
)

SECOND = 1_000_000
MORNING = 1_795_510_800 // 600 * 600 * SECOND
"""2026-11-24, about 09:00 UTC. The cycle of each of these rates starts there."""


def after(slots: int, rate: int) -> int:
    """Microseconds, rounded up so that no slot is early."""
    return -(-slots * SPAN // (SLOTS * rate))


def booked(state: RateLimitState, booking: Booking) -> RateLimitState:
    """The rate limit's item after the write."""
    if booking.share is Share.BULK:
        return replace(state, next_bulk=booking.next_free)
    return replace(state, next_express=booking.next_free)


def crowd(send_slots: Iterable[int]) -> int:
    """The most send slots in any half-open second."""
    ordered = sorted(send_slots)
    most = first = 0
    for last, send_slot in enumerate(ordered):
        while send_slot - ordered[first] >= SECOND:
            first += 1
        most = max(most, last - first + 1)
    return most


@pytest.mark.parametrize(
    ("share", "rate", "expected"),
    [
        (Share.BULK, 10, [after(k, 10) for k in (*range(9), 10, 11)]),
        (Share.EXPRESS, 10, [after(9 + 10 * k, 10) for k in range(11)]),
        (Share.BULK, 5, [after(k, 5) for k in (*range(9), 10, 11)]),
        (Share.EXPRESS, 5, [after(9 + 10 * k, 5) for k in range(11)]),
        (Share.BULK, 80, [after(k, 80) for k in (*range(9), 10, 11)]),
        (Share.BULK, 1000, [after(k, 1000) for k in (*range(9), 10, 11)]),
        (Share.BULK, 1, [after(k, 1) for k in (*range(9), 10, 11)]),
        (Share.EXPRESS, 1, [after(9 + 10 * k, 1) for k in range(11)]),
    ],
)
def test_send_slots_of_an_empty_rate_limit(share: Share, rate: int, expected: list[int]) -> None:
    booking = book(RateLimitState(), share, rate=rate, earliest=MORNING, count=11)
    assert [send_slot - MORNING for send_slot in booking.send_slots] == expected
    assert booking.next_free == booking.send_slots[-1] + 1


def test_a_slot_between_microseconds_is_rounded_up() -> None:
    booking = book(RateLimitState(), Share.BULK, rate=10, earliest=MORNING, count=4)
    assert [send_slot - MORNING for send_slot in booking.send_slots] == [0, 101_695, 203_390, 305_085]


@pytest.mark.parametrize(
    ("late", "waits"), [(0, 0), (1, 101_694), (101_695, 0), (915_254, 101_696), (915_255, 101_695)]
)
def test_the_first_send_slot_is_the_next_slot(late: int, waits: int) -> None:
    earliest = MORNING + late
    assert book(RateLimitState(), Share.BULK, rate=10, earliest=earliest, count=1).send_slots == (earliest + waits,)


def test_a_throttle_holds_both_shares_back() -> None:
    cooldown = RateLimitState(next_bulk=MORNING, next_express=MORNING, not_before=MORNING + 7 * SECOND)
    for share in Share:
        booking = book(cooldown, share, rate=5, earliest=MORNING, count=3)
        assert booking.send_slots[0] >= MORNING + 7 * SECOND


def test_an_empty_booking_does_not_move_the_next_slot_back() -> None:
    state = RateLimitState(next_bulk=MORNING + SECOND)
    assert book(state, Share.BULK, rate=5, earliest=MORNING, count=0).next_free >= state.next_bulk
    assert book(state, Share.BULK, rate=5, earliest=MORNING, count=0).send_slots == ()


@given(
    rate=st.integers(1, 1000),
    start=st.integers(0, 2 * MORNING),
    bookings=st.lists(
        st.tuples(
            st.sampled_from(Share),
            st.integers(1, 60),
            st.integers(0, 3 * SECOND),  # time since the last booking
            st.integers(0, 20 * SECOND) | st.just(0),  # how far ahead the booking starts
            st.none() | st.integers(0, 5 * SECOND),  # a throttle just before
        ),
        max_size=12,
    ),
)
def test_no_window_holds_more_than_the_rate(
    rate: int, start: int, bookings: list[tuple[Share, int, int, int, int | None]]
) -> None:
    state, now = RateLimitState(), start
    send_slots: list[int] = []
    for share, count, passed, ahead, throttle in bookings:
        now += passed
        if throttle is not None:
            state = replace(state, not_before=max(state.not_before, now + throttle))
        booking = book(state, share, rate=rate, earliest=now + ahead, count=count)
        assert len(booking.send_slots) == count
        assert list(booking.send_slots) == sorted(booking.send_slots)
        assert booking.send_slots[0] >= max(now + ahead, state.not_before, state.next_of(share))
        state = booked(state, booking)
        send_slots += booking.send_slots
    assert max(Counter(send_slots).values(), default=1) == 1
    assert crowd(send_slots) <= rate
    late = [send_slot + 16_900 * (index % 2) for index, send_slot in enumerate(sorted(send_slots))]
    assert crowd(late) <= rate


@given(
    start=st.integers(0, 2 * MORNING),
    eras=st.lists(
        st.tuples(
            st.integers(1, 1000),  # the rate from this throttle on
            st.integers(0, 10 * SECOND),  # how long the era lasts
            st.lists(st.tuples(st.sampled_from(Share), st.integers(1, 60)), max_size=6),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_a_rate_that_changes_with_a_throttle(start: int, eras: list[tuple[int, int, list[tuple[Share, int]]]]) -> None:
    """A throttle voids what an old rate booked behind it, so each era has slots of its own. In the second where two
    eras meet there may be one slot more than the faster rate."""
    state, send_slots, begin = RateLimitState(), list[int](), start
    for rate, lasts, bookings in eras:
        state = replace(state, not_before=begin)
        booked_now: list[int] = []
        for share, count in bookings:
            booking = book(state, share, rate=rate, earliest=start, count=count)
            state = booked(state, booking)
            booked_now += booking.send_slots
        assert all(send_slot >= begin for send_slot in booked_now)
        begin += lasts
        # The next throttle withdraws the slots that are not used by then.
        send_slots += [send_slot for send_slot in booked_now if send_slot < begin]
    seams = len(eras) - 1
    assert crowd(send_slots) <= max(rate for rate, _, _ in eras) + seams


@given(rate=st.integers(1, 1000), start=st.integers(0, 2 * MORNING))
def test_the_shares_split_the_rate_nine_to_one(rate: int, start: int) -> None:
    bulk = book(RateLimitState(), Share.BULK, rate=rate, earliest=start, count=18 * 5).send_slots
    express = book(RateLimitState(), Share.EXPRESS, rate=rate, earliest=start, count=10).send_slots
    cycle = CYCLE * SPAN / (SLOTS * rate)
    assert bulk[-1] - bulk[0] == pytest.approx(10 * cycle, abs=2 * SPAN / (SLOTS * rate) + 2)
    assert express[-1] - express[0] == pytest.approx(9 * cycle, abs=2)
    assert set(bulk).isdisjoint(express)


@given(rate=st.integers(1, 1000), start=st.integers(0, 2 * MORNING), sizes=st.lists(st.integers(1, 30), max_size=6))
def test_bookings_in_parts_give_the_same_slots(rate: int, start: int, sizes: list[int]) -> None:
    state = RateLimitState()
    pieces: list[int] = []
    for size in sizes:
        booking = book(state, Share.BULK, rate=rate, earliest=start, count=size)
        state = booked(state, booking)
        pieces += booking.send_slots
    assert tuple(pieces) == book(RateLimitState(), Share.BULK, rate=rate, earliest=start, count=sum(sizes)).send_slots


@pytest.mark.parametrize(
    ("state", "share"),
    [
        (RateLimitState(), Share.BULK),  # idle: the bulk share's slot 0 comes before the express share's slot 9
        (RateLimitState(next_bulk=MORNING + 300 * SECOND), Share.EXPRESS),
        (RateLimitState(next_bulk=MORNING + 300 * SECOND, next_express=MORNING + 400 * SECOND), Share.BULK),
        (RateLimitState(next_bulk=MORNING + 890_000), Share.EXPRESS),  # slot 9 comes before slot 10
        (RateLimitState(not_before=MORNING + 915_255), Share.EXPRESS),
    ],
)
def test_a_single_send_takes_the_share_with_the_earlier_slot(state: RateLimitState, share: Share) -> None:
    assert quickest_share(state, rate=10, earliest=MORNING) is share


@pytest.mark.parametrize(
    ("send_slot", "not_before", "void"),
    [
        (MORNING, 0, False),
        (MORNING - STALE_AFTER, 0, False),
        (MORNING - STALE_AFTER - 1, 0, True),
        (MORNING + SECOND, 0, False),
        (MORNING, MORNING, False),
        (MORNING, MORNING + 1, True),
        (MORNING + SECOND, MORNING + 2 * SECOND, True),
    ],
)
def test_a_send_slot_that_was_missed_or_withdrawn_is_void(send_slot: int, not_before: int, void: bool) -> None:
    assert is_void(send_slot, now=MORNING, not_before=not_before) is void
