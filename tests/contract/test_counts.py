"""Counts of chunks: added to by everybody at once, put right by one who has looked at the log."""

import dataclasses

import pytest

from shared.domain.distribution import Counts
from shared.domain.status import Status
from tests.contract.making import CHUNK, ORGANISATION
from tests.contract.world import World

SENT = Counts(by_status={Status.SENT: 3})
ARRIVED = Counts(by_status={Status.SENT: -1, Status.DELIVERED: 1})
FAILED = Counts(by_status={Status.FAILED: 2}, by_reason={"undeliverable": 1, "not.a-word": 1})


async def counted(world: World) -> Counts | None:
    """What stands for the one chunk; zeroes are nothing."""
    found = (await world.distributions.counts(ORGANISATION, CHUNK.distribution_id)).get((CHUNK.run, CHUNK.number))
    return found.plus(Counts()) if found else None


async def test_changes_add_up_in_any_order(world: World) -> None:
    assert await world.distributions.counts(ORGANISATION, CHUNK.distribution_id) == {}
    for change in (ARRIVED, SENT, FAILED, Counts()):
        await world.distributions.count(ORGANISATION, CHUNK, change)
    expected = Counts(
        by_status={Status.SENT: 2, Status.DELIVERED: 1, Status.FAILED: 2},
        by_reason={"undeliverable": 1, "not.a-word": 1},
    )
    assert await counted(world) == expected


async def test_chunks_runs_distributions_and_organisations_count_apart(world: World) -> None:
    chunks = [
        dataclasses.replace(CHUNK, distribution_id=distribution, run=run, number=number)
        for distribution in ("d-1", "d-12")
        for run in (0, 11)
        for number in (0, 10_000)
    ]
    for weight, chunk in enumerate(chunks, start=1):
        await world.distributions.count(ORGANISATION, chunk, Counts(by_status={Status.READ: weight}))
    await world.distributions.count("other", CHUNK, SENT)
    found = await world.distributions.counts(ORGANISATION, "d-1")
    assert {key: one.of(Status.READ) for key, one in found.items()} == {
        (0, 0): 1,
        (0, 10_000): 2,
        (11, 0): 3,
        (11, 10_000): 4,
    }
    assert await world.distributions.counts("other", "d-1") == {(0, 0): SENT}


async def test_what_falls_to_zero_is_nothing(world: World) -> None:
    await world.distributions.count(ORGANISATION, CHUNK, FAILED)
    undone = Counts(by_status={Status.FAILED: -2}, by_reason={"undeliverable": -1, "not.a-word": -1})
    await world.distributions.count(ORGANISATION, CHUNK, undone)
    assert await counted(world) in (None, Counts())


@pytest.mark.parametrize("seen", [Counts(), SENT, SENT.plus(FAILED)], ids=["nothing", "statuses", "reasons"])
async def test_counts_are_put_right(world: World, seen: Counts) -> None:
    right = Counts(by_status={Status.DELIVERED: 2, Status.FAILED: 1}, by_reason={"expired": 1})
    await world.distributions.count(ORGANISATION, CHUNK, seen)
    assert await world.distributions.set_counts(ORGANISATION, CHUNK, right, seen=seen)
    assert await counted(world) == right


async def test_a_count_that_came_between_is_neither_lost_nor_doubled(world: World) -> None:
    """The log already showed the move that a worker counts only now: what stands is right, and stays."""
    await world.distributions.count(ORGANISATION, CHUNK, SENT)
    await world.distributions.count(ORGANISATION, CHUNK, ARRIVED)
    right = SENT.plus(ARRIVED)
    assert not await world.distributions.set_counts(ORGANISATION, CHUNK, right, seen=SENT)
    assert await counted(world) == right


async def test_of_two_who_put_it_right_one_does(world: World) -> None:
    await world.distributions.count(ORGANISATION, CHUNK, SENT)
    right = SENT.plus(FAILED)
    answers = [await world.distributions.set_counts(ORGANISATION, CHUNK, right, seen=SENT) for _ in range(2)]
    assert answers == [True, False]
    assert await counted(world) == right


async def test_a_chunk_that_is_new_may_be_counted_first(world: World) -> None:
    await world.distributions.count(ORGANISATION, CHUNK, FAILED)
    assert not await world.distributions.set_counts(ORGANISATION, CHUNK, SENT, seen=Counts())
    assert await counted(world) == FAILED


async def test_a_count_after_zero_is_as_good_as_the_first(world: World) -> None:
    """A column that stands at zero says the same as one that is not there."""
    for change in (SENT, Counts(by_status={Status.SENT: -3})):
        await world.distributions.count(ORGANISATION, CHUNK, change)
    assert await world.distributions.set_counts(ORGANISATION, CHUNK, FAILED, seen=Counts())
    assert await counted(world) == FAILED
