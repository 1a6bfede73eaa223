"""Rate limits: in any order of bookings, no send slot is given twice and the rate is never exceeded."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.base.instants import microseconds
from shared.messages.payload import META, ORANGE, Channel, Provider
from shared.pacing.rate_limit import Booking, RateLimit, Share
from tests.contract.making import NOON, ORGANISATION, SECOND
from tests.contract.world import RateLimitsAndMembers, World

RATE_LIMIT = RateLimit(
    organisation=ORGANISATION, channel=Channel.SMS, provider=ORANGE, account_id="client", account="an-account"
)
RATE = 50
START = microseconds(NOON)


async def book(
    rate_limits: RateLimitsAndMembers, share: Share | None, count: int, rate_limit: RateLimit = RATE_LIMIT
) -> Booking:
    await rate_limits.join(rate_limit, RATE, version=1)
    return await rate_limits.book(rate_limit, share, rate=RATE, earliest=NOON, count=count)


def busiest_second(send_slots: Sequence[int]) -> int:
    ordered = sorted(send_slots)
    return max(bisect_left(ordered, one + 1_000_000) - place for place, one in enumerate(ordered))


async def test_a_rate_limit_without_bookings_is_empty(world: World) -> None:
    state = await world.rate_limits.state(RATE_LIMIT)
    assert (state.next_bulk, state.next_express, state.not_before, state.shared_rate) == (0, 0, 0, None)
    booking = await book(world.rate_limits, Share.BULK, 1)
    assert START <= booking.send_slots[0] < START + 1_000_000 // RATE * 2


async def test_environments_with_different_memories_never_book_the_same_slot(world: World) -> None:
    shares = (Share.BULK, Share.EXPRESS, None, Share.BULK, None)
    environments = [world.rate_limits, world.another().rate_limits, world.another().rate_limits]
    given: list[int] = []
    for turn in range(45):
        booking = await book(environments[turn % 3], shares[turn % 5], turn % 4 + 1)
        assert list(booking.send_slots) == sorted(booking.send_slots)
        given += booking.send_slots
    assert len(given) == len(set(given))
    assert min(given) >= START
    assert busiest_second(given) <= RATE
    state = await world.another().rate_limits.state(RATE_LIMIT)
    assert max(given) < max(state.next_bulk, state.next_express)


async def test_a_booking_continues_after_the_last_one_of_its_share(world: World) -> None:
    first = await book(world.rate_limits, Share.BULK, 9)
    second = await book(world.another().rate_limits, Share.BULK, 1)
    assert second.send_slots[0] > first.send_slots[-1]
    state = await world.rate_limits.state(RATE_LIMIT)
    assert (state.next_bulk, state.next_express) == (second.next_free, 0)


async def test_a_single_send_takes_the_share_with_the_earlier_slot(world: World) -> None:
    assert (await book(world.rate_limits, None, 1)).share is Share.BULK
    await book(world.another().rate_limits, Share.BULK, 500)
    await world.rate_limits.state(RATE_LIMIT)
    assert (await book(world.rate_limits, None, 1)).share is Share.EXPRESS


@pytest.mark.parametrize("is_booked", [False, True])
async def test_no_slot_is_booked_during_a_cooldown(world: World, is_booked: bool) -> None:
    other = world.another().rate_limits
    await world.rate_limits.join(RATE_LIMIT, RATE, version=1)
    if is_booked:
        await book(world.rate_limits, Share.BULK, 3)
        await book(other, Share.EXPRESS, 1)
    until = NOON + 30 * SECOND
    await world.rate_limits.hold(RATE_LIMIT, until)
    assert (await world.rate_limits.state(RATE_LIMIT)).not_before == microseconds(until)
    for rate_limits in (other, world.rate_limits):
        for share in (Share.BULK, Share.EXPRESS, None):
            assert (await book(rate_limits, share, 1)).send_slots[0] >= microseconds(until)


async def test_a_shorter_cooldown_never_shortens_a_longer_one(world: World) -> None:
    longest = NOON + timedelta(minutes=5)
    for until in (NOON + SECOND, longest, NOON + 2 * SECOND, longest):
        await world.another().rate_limits.hold(RATE_LIMIT, until)
    assert (await world.rate_limits.state(RATE_LIMIT)).not_before == microseconds(longest)


async def test_a_cooldown_does_not_move_the_bookings(world: World) -> None:
    booking = await book(world.rate_limits, Share.BULK, 3)
    await world.rate_limits.hold(RATE_LIMIT, NOON + SECOND)
    assert (await world.rate_limits.state(RATE_LIMIT)).next_bulk == booking.next_free


@pytest.mark.parametrize(
    "other",
    [
        replace(RATE_LIMIT, organisation="other", account="another"),
        replace(RATE_LIMIT, channel=Channel.WHATSAPP, provider=META, account="another"),
        replace(RATE_LIMIT, account_id="another", account="another"),
        replace(RATE_LIMIT, provider=Provider("another"), account="another"),
    ],
)
async def test_rate_limits_are_booked_apart(world: World, other: RateLimit) -> None:
    first = await book(world.rate_limits, Share.BULK, 5)
    await world.rate_limits.hold(RATE_LIMIT, NOON + timedelta(hours=1))
    assert (await book(world.rate_limits, Share.BULK, 5, other)).send_slots == first.send_slots
