"""Rows with a next check come up when it is due."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.base.ids import shard_of
from shared.holds.hold import ACCOUNT, country_scope
from shared.messages.message import Status
from shared.messages.payload import Channel
from shared.messages.ports import AGENDA_SHARDS, Move
from tests.contract.making import NOON, ORGANISATION, SECOND, message, stored_row
from tests.contract.world import World

KEY = (ORGANISATION, "m-1")
SHARD = shard_of("m-1", AGENDA_SHARDS)
LATER = NOON + timedelta(hours=1)


async def due(world: World, now: datetime = NOON) -> list[str]:
    return [row.message_id for row in await world.log.due(SHARD, now, 100)]


async def test_each_shard_gives_its_own_earliest_first_up_to_the_limit(world: World) -> None:
    instants = {f"m-{number}": NOON + (number * 7 % 40) * SECOND for number in range(40)}
    await world.log.add_all([message(one, due_at=at) for one, at in instants.items()])
    await world.log.add(message("unwatched"))
    now = NOON + 30 * SECOND
    seen: set[str] = set()
    for shard in range(AGENDA_SHARDS):
        here = [one for one in instants if shard_of(one, AGENDA_SHARDS) == shard and instants[one] <= now]
        expected = sorted(here, key=lambda one: instants[one])
        found = await world.log.due(shard, now, 100)
        assert [row.message_id for row in found] == expected
        assert [row.message_id for row in await world.log.due(shard, now, 2)] == expected[:2]
        seen |= {row.message_id for row in found}
    assert seen == {one for one, at in instants.items() if at <= now}


async def test_organisations_share_the_agenda(world: World) -> None:
    await world.log.add(message(due_at=NOON))
    await world.log.add(message(organisation="other", due_at=NOON))
    assert {row.organisation for row in await world.log.due(SHARD, NOON, 10)} == {ORGANISATION, "other"}


async def test_a_row_is_due_from_its_instant_on(world: World) -> None:
    await world.log.add(message(due_at=NOON))
    assert await due(world, NOON - timedelta(milliseconds=1)) == []
    assert await due(world, NOON) == ["m-1"]


@pytest.mark.parametrize("with_next_check", [None, NOON], ids=["without_next_check", "with_next_check"])
async def test_postponing_sets_moves_and_removes_the_next_check(world: World, with_next_check: datetime | None) -> None:
    await world.log.add(message(due_at=with_next_check))
    assert await world.log.postpone(*KEY, due_at=LATER, scheduled_for=LATER + SECOND)
    assert await stored_row(world.log) == replace(message(), due_at=LATER, scheduled_for=LATER + SECOND)
    assert await due(world) == []
    assert await due(world, LATER) == ["m-1"]
    assert await world.log.postpone(*KEY, due_at=None)
    assert await stored_row(world.log) == replace(message(), scheduled_for=LATER + SECOND)
    assert await due(world, LATER) == []


async def test_a_claimed_message_is_not_postponed_and_comes_up_when_its_lease_has_ended(world: World) -> None:
    await world.log.add(message(due_at=NOON))
    await world.log.claim(*KEY, token="t", now=NOON, lease_until=LATER)
    assert not await world.log.postpone(*KEY, due_at=NOON)
    assert not await world.log.postpone(*KEY, due_at=None)
    assert await due(world, LATER - SECOND) == []
    assert await due(world, LATER) == ["m-1"]


async def test_only_a_reader_of_the_present_next_check_moves_it(world: World) -> None:
    await world.log.add(message(due_at=NOON))
    assert await world.log.move_next_check(*KEY, seen=NOON, due_at=LATER)
    assert not await world.log.move_next_check(*KEY, seen=NOON, due_at=LATER + SECOND)
    assert (await stored_row(world.log)).due_at == LATER
    assert await due(world) == []


async def test_a_removed_next_check_is_not_set_again(world: World) -> None:
    await world.log.add(message(due_at=NOON))
    await world.log.move(*KEY, Move(status=Status.SENT, at=NOON))
    assert not await world.log.move_next_check(*KEY, seen=NOON, due_at=LATER)
    assert (await stored_row(world.log)).due_at is None
    assert await due(world, LATER) == []


async def test_a_row_given_back_or_with_an_unknown_outcome_comes_up_at_its_next_check(world: World) -> None:
    await world.log.add(message())
    await world.log.claim(*KEY, token="t", now=NOON, lease_until=NOON + SECOND)
    await world.log.give_back(*KEY, token="t", due_at=NOON + SECOND, uses_attempt=True)
    assert await due(world, NOON + SECOND) == ["m-1"]
    await world.log.claim(*KEY, token="t", now=NOON, lease_until=NOON + SECOND)
    await world.log.mark_unknown(*KEY, token="t", now=NOON, due_at=LATER)
    assert await due(world, LATER - SECOND) == []
    assert await due(world, LATER) == ["m-1"]


MALI = country_scope("ML")


async def parked(world: World) -> list[str]:
    return [row.message_id for row in await world.log.parked(ORGANISATION, Channel.SMS, MALI, 100)]


async def test_a_parked_message_waits_only_for_the_end_of_its_hold(world: World) -> None:
    await world.log.add(message(due_at=NOON))
    assert await world.log.park(*KEY, channel=Channel.SMS, seen=NOON, scope=MALI)
    assert await due(world, LATER) == []
    assert await parked(world) == ["m-1"]
    assert (await stored_row(world.log)).held_by == str(MALI)
    for other in (
        await world.log.parked(ORGANISATION, Channel.WHATSAPP, MALI, 100),
        await world.log.parked(ORGANISATION, Channel.SMS, ACCOUNT, 100),
        await world.log.parked("other", Channel.SMS, MALI, 100),
    ):
        assert list(other) == []
    assert await world.log.move_next_check(*KEY, seen=NOON, due_at=LATER)
    assert await stored_row(world.log) == message(due_at=LATER)
    assert await due(world, LATER) == ["m-1"]
    assert await parked(world) == []


async def test_a_claimed_message_or_a_changed_next_check_is_not_parked(world: World) -> None:
    await world.log.add(message(due_at=NOON))
    assert not await world.log.park(*KEY, channel=Channel.SMS, seen=LATER, scope=MALI)
    await world.log.claim(*KEY, token="t", now=NOON, lease_until=LATER)
    assert not await world.log.park(*KEY, channel=Channel.SMS, seen=LATER, scope=MALI)


async def test_a_parked_message_that_is_claimed_or_ends_is_no_longer_parked(world: World) -> None:
    await world.log.add(message(due_at=NOON))
    await world.log.park(*KEY, channel=Channel.SMS, seen=NOON, scope=MALI)
    await world.log.claim(*KEY, token="t", now=NOON, lease_until=LATER, probe=True)
    row = await stored_row(world.log)
    assert (row.held_by, row.probe) == (None, True)
    assert await due(world, LATER) == ["m-1"]
    await world.log.give_back(*KEY, token="t", due_at=NOON, uses_attempt=False)
    await world.log.park(*KEY, channel=Channel.SMS, seen=NOON, scope=MALI)
    await world.log.claim(*KEY, token="t", now=NOON, lease_until=LATER)
    assert not (await stored_row(world.log)).probe
    await world.log.give_back(*KEY, token="t", due_at=NOON, uses_attempt=False)
    await world.log.park(*KEY, channel=Channel.SMS, seen=NOON, scope=MALI)
    await world.log.move(*KEY, Move(status=Status.FAILED, at=NOON, reason="cancelled", unclaimed=True))
    assert await parked(world) == []
