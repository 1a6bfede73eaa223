"""Holds are written whole, on the revision that was read: two writers never overwrite each other."""

import dataclasses
from datetime import timedelta

from shared.holds.hold import ACCOUNT, Holds, country_scope
from shared.messages.payload import Channel
from tests.contract.making import NOON, ORGANISATION, distribution
from tests.contract.world import World

NONE = Holds(organisation=ORGANISATION, channel=Channel.SMS)
MINUTE = timedelta(minutes=1)


async def test_nothing_is_held_at_first(world: World) -> None:
    assert await world.holds.get(ORGANISATION, Channel.SMS) == NONE
    assert await world.holds.due(NOON, 10) == []


async def test_a_saved_hold_is_read_in_another_environment(world: World) -> None:
    held = NONE.set(country_scope("ML"), "balance_empty", NOON)
    assert await world.holds.save(held)
    found = await world.another().holds.get(ORGANISATION, Channel.SMS)
    assert found == dataclasses.replace(held, revision=1)
    assert await world.holds.get(ORGANISATION, Channel.WHATSAPP) == Holds(
        organisation=ORGANISATION, channel=Channel.WHATSAPP
    )


async def test_the_second_of_two_writers_must_read_again(world: World) -> None:
    assert await world.holds.save(NONE.set(country_scope("ML"), "balance_empty", NOON))
    assert not await world.another().holds.save(NONE.set(country_scope("CM"), "country_not_subscribed", NOON))
    seen = await world.another().holds.get(ORGANISATION, Channel.SMS)
    assert await world.holds.save(seen.set(country_scope("CM"), "country_not_subscribed", NOON))
    assert not await world.another().holds.save(seen.ended(country_scope("ML"), NOON))
    stored = await world.holds.get(ORGANISATION, Channel.SMS)
    assert stored.held_scopes() == [country_scope("CM"), country_scope("ML")]


async def test_the_tick_finds_due_holds(world: World) -> None:
    await world.holds.save(NONE.set(ACCOUNT, "token_invalid", NOON))
    assert await world.holds.due(NOON - MINUTE, 10) == []
    assert await world.holds.due(NOON, 10) == [(ORGANISATION, Channel.SMS)]
    stored = await world.holds.get(ORGANISATION, Channel.SMS)
    await world.holds.save(stored.checked(NOON, MINUTE))
    assert await world.holds.due(NOON, 10) == []
    assert await world.holds.due(NOON + MINUTE, 10) == [(ORGANISATION, Channel.SMS)]


async def test_senders_read_them_together_with_their_distributions(world: World) -> None:
    made = distribution()
    await world.distributions.create(made)
    await world.holds.save(NONE.set(ACCOUNT, "token_invalid", NOON))
    key = (ORGANISATION, made.distribution_id)
    found, held = await world.holds.read(
        [key, (ORGANISATION, "unknown")], [(ORGANISATION, Channel.SMS), ("another", Channel.SMS)]
    )
    assert set(found) == {key}
    assert found[key].distribution_id == made.distribution_id
    assert set(held) == {(ORGANISATION, Channel.SMS)}
    assert held[ORGANISATION, Channel.SMS].holding([ACCOUNT]) is not None
