"""Timetables: whoever books, in whatever order, no departure is given twice and the rate is never exceeded."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.base.instants import microseconds
from shared.messages.payload import META, ORANGE, Channel, Provider
from shared.pacing.rate_limit import Booking, Lane, Share
from tests.contract.making import NOON, ORGANISATION, SECOND
from tests.contract.world import RateLimits, World

LANE = Lane(organisation=ORGANISATION, channel=Channel.SMS, provider=ORANGE, account_id="client", account="an-account")
RATE = 50
START = microseconds(NOON)


async def book(lanes: RateLimits, share: Share | None, count: int, lane: Lane = LANE) -> Booking:
    await lanes.join(lane, RATE, version=1)
    return await lanes.book(lane, share, rate=RATE, earliest=NOON, count=count)


def busiest_second(departures: Sequence[int]) -> int:
    ordered = sorted(departures)
    return max(bisect_left(ordered, one + 1_000_000) - place for place, one in enumerate(ordered))


async def test_a_lane_that_nobody_has_booked_is_empty(world: World) -> None:
    state = await world.lanes.state(LANE)
    assert (state.next_bulk, state.next_express, state.not_before, state.shared_rate) == (0, 0, 0, None)
    booking = await book(world.lanes, Share.BULK, 1)
    assert START <= booking.departures[0] < START + 1_000_000 // RATE * 2


async def test_environments_that_remember_different_things_never_collide(world: World) -> None:
    shares = (Share.BULK, Share.EXPRESS, None, Share.BULK, None)
    environments = [world.lanes, world.another().lanes, world.another().lanes]
    given: list[int] = []
    for turn in range(45):
        booking = await book(environments[turn % 3], shares[turn % 5], turn % 4 + 1)
        assert list(booking.departures) == sorted(booking.departures)
        given += booking.departures
    assert len(given) == len(set(given))
    assert min(given) >= START
    assert busiest_second(given) <= RATE
    state = await world.another().lanes.state(LANE)
    assert max(given) < max(state.next_bulk, state.next_express)


async def test_a_booking_goes_on_where_the_last_one_of_its_share_ended(world: World) -> None:
    first = await book(world.lanes, Share.BULK, 9)
    second = await book(world.another().lanes, Share.BULK, 1)
    assert second.departures[0] > first.departures[-1]
    state = await world.lanes.state(LANE)
    assert (state.next_bulk, state.next_express) == (second.next_free, 0)


async def test_a_single_send_takes_whichever_share_leaves_first(world: World) -> None:
    assert (await book(world.lanes, None, 1)).share is Share.BULK
    await book(world.another().lanes, Share.BULK, 500)
    await world.lanes.state(LANE)
    assert (await book(world.lanes, None, 1)).share is Share.EXPRESS


@pytest.mark.parametrize("is_booked", [False, True])
async def test_nothing_leaves_while_the_provider_wants_quiet(world: World, is_booked: bool) -> None:
    other = world.another().lanes
    await world.lanes.join(LANE, RATE, version=1)
    if is_booked:
        await book(world.lanes, Share.BULK, 3)
        await book(other, Share.EXPRESS, 1)
    until = NOON + 30 * SECOND
    await world.lanes.hold(LANE, until)
    assert (await world.lanes.state(LANE)).not_before == microseconds(until)
    for lanes in (other, world.lanes):
        for share in (Share.BULK, Share.EXPRESS, None):
            assert (await book(lanes, share, 1)).departures[0] >= microseconds(until)


async def test_an_earlier_wish_for_quiet_never_shortens_a_longer_one(world: World) -> None:
    longest = NOON + timedelta(minutes=5)
    for until in (NOON + SECOND, longest, NOON + 2 * SECOND, longest):
        await world.another().lanes.hold(LANE, until)
    assert (await world.lanes.state(LANE)).not_before == microseconds(longest)


async def test_quiet_leaves_bookings_where_they_are(world: World) -> None:
    booking = await book(world.lanes, Share.BULK, 3)
    await world.lanes.hold(LANE, NOON + SECOND)
    assert (await world.lanes.state(LANE)).next_bulk == booking.next_free


@pytest.mark.parametrize(
    "other",
    [
        replace(LANE, organisation="other", account="another"),
        replace(LANE, channel=Channel.WHATSAPP, provider=META, account="another"),
        replace(LANE, account_id="another", account="another"),
        replace(LANE, provider=Provider("another"), account="another"),
    ],
)
async def test_lanes_are_booked_apart(world: World, other: Lane) -> None:
    first = await book(world.lanes, Share.BULK, 5)
    await world.lanes.hold(LANE, NOON + timedelta(hours=1))
    assert (await book(world.lanes, Share.BULK, 5, other)).departures == first.departures
