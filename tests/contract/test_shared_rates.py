"""Organisations on one provider account share its send slots at the lowest of their rates.

Only organisations that have proved the account take part. One that has only typed the account's name gets nothing of
it.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.base.instants import microseconds
from shared.messages.payload import META, ORANGE, Channel, Provider
from shared.pacing.rate_limit import PROOF_LASTS, RENEWED_AFTER, UNPROVEN_RATE, RateLimit, Share
from tests.contract.making import SECOND
from tests.contract.world import RateLimitsAndMembers, World

FIRST = RateLimit(
    organisation="pnv-sn", channel=Channel.SMS, provider=ORANGE, account_id="client", account="an-account"
)
SECOND_ONE = replace(FIRST, organisation="pnv-ci")
STRANGER = replace(FIRST, organisation="stranger")
RATE = 5


async def book(
    world: World, rate_limit: RateLimit, count: int, *, rate: int = RATE, share: Share = Share.BULK
) -> Sequence[int]:
    booking = await world.rate_limits.book(rate_limit, share, rate=rate, earliest=world.clock.now(), count=count)
    return booking.send_slots


def busiest_second(send_slots: Sequence[int]) -> int:
    ordered = sorted(send_slots)
    return max(bisect_left(ordered, one + 1_000_000) - place for place, one in enumerate(ordered))


async def rate_of(rate_limits: RateLimitsAndMembers, rate_limit: RateLimit) -> int | None:
    return (await rate_limits.state(rate_limit)).shared_rate


async def test_members_share_the_send_slots_at_the_lowest_rate(world: World) -> None:
    other = world.another()
    await world.rate_limits.join(FIRST, 8, version=1)
    await other.rate_limits.join(SECOND_ONE, RATE, version=1)
    given: list[int] = []
    for turn in range(30):
        environment, rate_limit = (world, FIRST) if turn % 2 else (other, SECOND_ONE)
        share = Share.EXPRESS if turn % 7 == 0 else Share.BULK
        given += await book(environment, rate_limit, turn % 3 + 1, rate=8, share=share)
    assert len(given) == len(set(given))
    assert busiest_second(given) <= RATE
    states = [await world.rate_limits.state(FIRST), await other.rate_limits.state(SECOND_ONE)]
    assert states[0] == states[1]
    assert states[0].rate(100) == RATE
    assert states[0].rate(2) == 2


async def test_an_organisation_without_proof_neither_slows_nor_holds_nor_sees_the_members(world: World) -> None:
    await world.rate_limits.join(FIRST, RATE, version=1)
    booked = await book(world, FIRST, 100)
    before = await world.rate_limits.state(FIRST)
    seen = await world.rate_limits.state(STRANGER)
    assert (seen.shared_rate, seen.next_bulk, seen.not_before) == (None, 0, 0)
    assert seen.rate_limit_id != before.rate_limit_id
    send_slots = await book(world, STRANGER, 5, rate=1000)
    assert send_slots[0] < booked[-1]
    assert busiest_second(send_slots) == UNPROVEN_RATE
    await world.rate_limits.set_rate(STRANGER, 1, version=2)
    await world.rate_limits.leave(STRANGER, version=3)
    await world.rate_limits.hold(STRANGER, world.clock.now() + timedelta(hours=1))
    assert await world.another().rate_limits.state(FIRST) == before
    assert (await book(world, FIRST, 1))[0] < booked[-1] + 1_000_000


async def test_a_cooldown_of_one_member_holds_all_members_only(world: World) -> None:
    for rate_limit in (FIRST, SECOND_ONE):
        await world.rate_limits.join(rate_limit, RATE, version=1)
    until = world.clock.now() + 30 * SECOND
    await world.another().rate_limits.hold(SECOND_ONE, until)
    assert (await world.rate_limits.state(FIRST)).not_before == microseconds(until)
    assert (await book(world, FIRST, 1))[0] >= microseconds(until)
    assert (await world.rate_limits.state(STRANGER)).not_before == 0


async def test_a_new_member_counts_for_environments_that_remember_an_older_state(world: World) -> None:
    """Another environment has joined since this one read the state, so no booking may use the old rate."""
    await world.rate_limits.join(FIRST, 50, version=1)
    assert busiest_second(await book(world, FIRST, 100, rate=50)) > 40
    await world.another().rate_limits.join(SECOND_ONE, RATE, version=1)
    assert busiest_second((await book(world, FIRST, 40, rate=50))[1:]) <= RATE


async def test_a_changed_rate_counts_for_every_members_next_booking(world: World) -> None:
    other = world.another()
    for rate_limit in (FIRST, SECOND_ONE):
        await world.rate_limits.join(rate_limit, 50, version=1)
    await book(other, SECOND_ONE, 10, rate=50)
    await world.rate_limits.set_rate(FIRST, 2, version=2)
    assert busiest_second((await book(other, SECOND_ONE, 20, rate=50))[1:]) <= 2
    await world.rate_limits.set_rate(FIRST, 50, version=3)
    assert await rate_of(other.rate_limits, SECOND_ONE) == 50


async def test_outdated_settings_change_nothing(world: World) -> None:
    """A worker with settings of five minutes ago makes a successful call after the rate was lowered."""
    await world.rate_limits.join(FIRST, 50, version=1)
    await world.rate_limits.set_rate(FIRST, 2, version=5)
    assert not await world.another().rate_limits.join(FIRST, 50, version=4)
    await world.another().rate_limits.set_rate(FIRST, 50, version=4)
    await world.another().rate_limits.leave(FIRST, version=4)
    assert await rate_of(world.rate_limits, FIRST) == 2


async def test_an_organisation_that_left_rejoins_only_with_newer_settings(world: World) -> None:
    for rate_limit, rate in ((FIRST, RATE), (SECOND_ONE, 1)):
        assert await world.rate_limits.join(rate_limit, rate, version=1)
    for _ in range(2):
        await world.another().rate_limits.leave(SECOND_ONE, version=7)
        assert await rate_of(world.rate_limits, FIRST) == RATE
        assert await rate_of(world.rate_limits, SECOND_ONE) is None
    assert not await world.another().rate_limits.join(SECOND_ONE, 1, version=6)
    assert await rate_of(world.rate_limits, FIRST) == RATE
    assert await world.another().rate_limits.join(SECOND_ONE, 3, version=8)
    assert await rate_of(world.rate_limits, FIRST) == 3


async def test_a_member_that_left_books_on_its_own_rate_limit(world: World) -> None:
    """The booking environment still remembers the organisation as a member."""
    await world.rate_limits.join(FIRST, 50, version=1)
    await book(world, FIRST, 10, rate=50)
    await world.another().rate_limits.leave(FIRST, version=2)
    assert busiest_second(await book(world, FIRST, 5, rate=50)) == UNPROVEN_RATE


async def test_joining_again_changes_nothing(world: World) -> None:
    assert await world.rate_limits.join(FIRST, RATE, version=1)
    assert not await world.rate_limits.join(FIRST, RATE, version=1)
    world.clock.instant += RENEWED_AFTER
    assert not await world.rate_limits.join(FIRST, RATE, version=1)


async def test_a_member_without_calls_for_a_week_is_no_longer_a_member(world: World) -> None:
    """It may have lost its access. Its rate must not slow the others down for ever."""
    await world.rate_limits.join(FIRST, RATE, version=1)
    await world.rate_limits.join(SECOND_ONE, 1, version=1)
    world.clock.instant += PROOF_LASTS - timedelta(days=1)
    await world.rate_limits.join(FIRST, RATE, version=1)
    assert await rate_of(world.rate_limits, FIRST) == 1
    world.clock.instant += timedelta(days=1)
    assert await rate_of(world.rate_limits, FIRST) == RATE
    assert await rate_of(world.rate_limits, SECOND_ONE) is None
    await world.rate_limits.join(SECOND_ONE, 1, version=1)
    assert await rate_of(world.rate_limits, FIRST) == 1


async def test_two_organisations_that_join_at_once_are_both_members(world: World) -> None:
    rate_limits = [replace(FIRST, organisation=f"o-{number}") for number in range(6)]
    other = world.another()
    joining = [
        (other if n % 2 else world).rate_limits.join(rate_limit, 10 + n, version=1)
        for n, rate_limit in enumerate(rate_limits)
    ]
    assert all(await asyncio.gather(*joining))
    assert {await rate_of(world.rate_limits, rate_limit) for rate_limit in rate_limits} == {10}


@pytest.mark.parametrize(("channel", "provider"), [(Channel.SMS, ORANGE), (Channel.WHATSAPP, META)])
async def test_settings_without_an_account_share_nothing(world: World, channel: Channel, provider: Provider) -> None:
    rate_limit = RateLimit(organisation="pnv-sn", channel=channel, provider=provider, account_id="client")
    assert not await world.rate_limits.join(rate_limit, RATE, version=1)
    await world.rate_limits.set_rate(rate_limit, RATE, version=1)
    await world.rate_limits.leave(rate_limit, version=1)
    assert await rate_of(world.rate_limits, rate_limit) is None
