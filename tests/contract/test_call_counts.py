"""The count of a person's or program's calls is shared by all environments."""

import asyncio
from datetime import timedelta

import pytest

from shared.pacing.quota import Quota
from tests.contract.making import NOON, ORGANISATION, SECOND
from tests.contract.world import World

QUOTA = Quota(calls=5, span=timedelta(minutes=1))
CALLER = "0123456789abcdef0123456789abcdef"


async def take(world: World, seconds: float, caller: str = CALLER, organisation: str = ORGANISATION) -> object:
    return await world.call_counts.take(organisation, caller, QUOTA, NOON + seconds * SECOND)


async def test_the_quota_holds_in_every_minute(world: World) -> None:
    for second in (0, 10, 20, 30, 40):
        assert await take(world, second) is None
    assert await take(world, 59.999) == timedelta(milliseconds=1)
    assert await take(world, 60) is None
    assert await take(world, 60) == timedelta(seconds=10)
    assert await take(world, 70) is None


async def test_environments_count_together(world: World) -> None:
    other = world.another()
    for second in range(5):
        assert await take(other if second % 2 else world, second) is None
    assert await take(world, 5) == await take(other, 5) == timedelta(seconds=55)


async def test_a_refused_call_does_not_count(world: World) -> None:
    for _ in range(5):
        await take(world, 0)
    for second in range(50):
        assert await take(world, second) == timedelta(seconds=60 - second)
    assert await take(world, 60) is None


@pytest.mark.parametrize("other", [{"caller": "f" * 32}, {"organisation": "other"}])
async def test_callers_are_counted_apart(world: World, other: dict[str, str]) -> None:
    for _ in range(5):
        await take(world, 0)
    assert await take(world, 1) is not None
    assert await take(world, 1, **other) is None


async def test_many_concurrent_calls_do_not_exceed_the_quota(world: World) -> None:
    environments = [world, world.another(), world.another()]
    answers = await asyncio.gather(*(take(environments[number % 3], 0) for number in range(20)))
    assert answers.count(None) == QUOTA.calls


async def test_a_caller_is_forgotten_after_a_while(world: World) -> None:
    for _ in range(5):
        await take(world, 0)
    assert [await take(world, 3600) for _ in range(5)] == [None] * 5
