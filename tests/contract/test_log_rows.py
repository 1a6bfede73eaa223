"""Rows are kept whole, once, and apart from other organisations' ones."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.message import Message
from tests.contract.making import FULL_MESSAGE, NOON, ORGANISATION, message, standing
from tests.contract.world import World


@pytest.mark.parametrize("kept", [FULL_MESSAGE, message()], ids=["full", "bare"])
async def test_every_field_comes_back(world: World, kept: Message) -> None:
    assert await world.log.add(kept)
    assert await world.log.get(ORGANISATION, kept.message_id) == kept


async def test_instants_are_kept_to_the_millisecond(world: World) -> None:
    late = timedelta(microseconds=1999)
    await world.log.add(message(accepted_at=NOON + late, due_at=NOON + late))
    row = await standing(world.log)
    assert row.accepted_at == row.due_at == NOON + timedelta(milliseconds=1)


async def test_adding_twice_keeps_the_first(world: World) -> None:
    assert await world.log.add(message(campaign_id="first"))
    assert not await world.log.add(message(campaign_id="second"))
    assert (await standing(world.log)).campaign_id == "first"


async def test_adding_many_leaves_what_is_there(world: World) -> None:
    await world.log.add(message("m-7", campaign_id="first"))
    many = [message(f"m-{number}") for number in range(130)]
    for _ in range(2):
        await world.log.add_all(many)
    rows = await world.log.get_many(ORGANISATION, [*(one.message_id for one in many), "unknown"])
    assert rows == {one.message_id: one for one in many} | {"m-7": message("m-7", campaign_id="first")}


async def test_organisations_do_not_share_an_id(world: World) -> None:
    assert await world.log.add(message())
    assert await world.log.add(message(organisation="other"))
    assert await world.log.get("stranger", "m-1") is None
    assert await world.log.get_many("stranger", ["m-1"]) == {}
    await world.log.postpone("other", "m-1", due_at=NOON)
    assert await standing(world.log) == message()
    assert await world.log.get("other", "m-1") == replace(message(organisation="other"), due_at=NOON)


async def test_nothing_is_made_by_changing_what_is_not_there(world: World) -> None:
    log, key = world.log, (ORGANISATION, "m-1")
    assert not await log.give_back(*key, attempt=0, due_at=NOON, uses_attempt=False)
    assert not await log.doubt(*key, attempt=0, now=NOON, due_at=NOON)
    assert not await log.postpone(*key, due_at=NOON)
    assert not await log.rewatch(*key, seen=NOON, due_at=NOON)
    assert await log.get(*key) is None
