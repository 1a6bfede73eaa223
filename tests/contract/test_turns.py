"""The distributions of a campaign take turns. Each keeps its place for good and learns of all places before it."""

import asyncio

from tests.contract.making import ORGANISATION
from tests.contract.world import World

ASKS = (ORGANISATION, "c-1")


async def test_each_gets_the_places_before_it_with_every_call(world: World) -> None:
    for _ in range(2):
        found = [list(await world.turns.take(*ASKS, one)) for one in ("d-9", "d-1", "d-5")]
        assert found == [[], ["d-9"], ["d-9", "d-1"]]
    assert list(await world.another().turns.take(*ASKS, "d-1")) == ["d-9"]


async def test_campaigns_and_organisations_take_separate_turns(world: World) -> None:
    await world.turns.take(*ASKS, "d-1")
    assert list(await world.turns.take(ORGANISATION, "c-2", "d-2")) == []
    assert list(await world.turns.take("other", "c-1", "d-2")) == []


async def test_many_concurrent_distributions_each_get_their_own_place(world: World) -> None:
    names = [f"d-{number}" for number in range(12)]
    found = await asyncio.gather(*(world.another().turns.take(*ASKS, one) for one in names))
    assert sorted(map(len, found)) == list(range(12))
    order = [one for _, one in sorted(zip(map(len, found), names, strict=True))]
    assert [list(before) for before in sorted(found, key=len)] == [order[:place] for place in range(12)]
