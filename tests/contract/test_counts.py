"""Counts of chunks: added to by everybody at once, put right by one who has looked at the log."""

import dataclasses

import pytest

from shared.campaigns.counts import Due, Tally
from shared.campaigns.distribution import Counts
from shared.messages.message import Status
from tests.contract.making import CHUNK, NOON, ORGANISATION, SECOND
from tests.contract.world import World

BEFORE = NOON - SECOND
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
        await world.distributions.count(ORGANISATION, CHUNK, change, began=NOON)
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
        await world.distributions.count(ORGANISATION, chunk, Counts(by_status={Status.READ: weight}), began=NOON)
    await world.distributions.count("other", CHUNK, SENT, began=NOON)
    found = await world.distributions.counts(ORGANISATION, "d-1")
    assert {key: one.of(Status.READ) for key, one in found.items()} == {
        (0, 0): 1,
        (0, 10_000): 2,
        (11, 0): 3,
        (11, 10_000): 4,
    }
    assert await world.distributions.counts("other", "d-1") == {(0, 0): SENT}


async def test_what_falls_to_zero_is_nothing(world: World) -> None:
    await world.distributions.count(ORGANISATION, CHUNK, FAILED, began=NOON)
    undone = Counts(by_status={Status.FAILED: -2}, by_reason={"undeliverable": -1, "not.a-word": -1})
    await world.distributions.count(ORGANISATION, CHUNK, undone, began=NOON)
    assert await counted(world) in (None, Counts())


@pytest.mark.parametrize("seen", [Counts(), SENT, SENT.plus(FAILED)], ids=["nothing", "statuses", "reasons"])
async def test_counts_are_put_right(world: World, seen: Counts) -> None:
    right = Counts(by_status={Status.DELIVERED: 2, Status.FAILED: 1}, by_reason={"expired": 1})
    await world.distributions.count(ORGANISATION, CHUNK, seen, began=NOON)
    assert await world.distributions.set_counts(ORGANISATION, CHUNK, right, seen=seen, read_at=BEFORE)
    assert await counted(world) == right


async def test_a_count_that_came_between_is_neither_lost_nor_doubled(world: World) -> None:
    """The log already showed the move that a worker counts only now: what stands is right, and stays."""
    await world.distributions.count(ORGANISATION, CHUNK, SENT, began=NOON)
    await world.distributions.count(ORGANISATION, CHUNK, ARRIVED, began=NOON)
    right = SENT.plus(ARRIVED)
    assert not await world.distributions.set_counts(ORGANISATION, CHUNK, right, seen=SENT, read_at=BEFORE)
    assert await counted(world) == right


async def test_of_two_who_put_it_right_one_does(world: World) -> None:
    await world.distributions.count(ORGANISATION, CHUNK, SENT, began=NOON)
    right = SENT.plus(FAILED)
    answers = [
        await world.distributions.set_counts(ORGANISATION, CHUNK, right, seen=SENT, read_at=BEFORE) for _ in range(2)
    ]
    assert answers == [True, False]
    assert await counted(world) == right


async def test_a_chunk_that_is_new_may_be_counted_first(world: World) -> None:
    await world.distributions.count(ORGANISATION, CHUNK, FAILED, began=NOON)
    assert not await world.distributions.set_counts(ORGANISATION, CHUNK, SENT, seen=Counts(), read_at=BEFORE)
    assert await counted(world) == FAILED


async def test_a_count_after_zero_is_as_good_as_the_first(world: World) -> None:
    """A column that stands at zero says the same as one that is not there."""
    for change in (SENT, Counts(by_status={Status.SENT: -3})):
        await world.distributions.count(ORGANISATION, CHUNK, change, began=NOON)
    assert await world.distributions.set_counts(ORGANISATION, CHUNK, FAILED, seen=Counts(), read_at=BEFORE)
    assert await counted(world) == FAILED


async def test_a_count_that_began_before_the_recount_had_read_the_log_adds_nothing(world: World) -> None:
    """The recount may have seen its moves. Which of them it saw, nothing tells: so the chunk is recounted once more."""
    distributions = world.distributions
    assert await distributions.set_counts(ORGANISATION, CHUNK, SENT, seen=Counts(), read_at=NOON)
    for began in (NOON - SECOND, NOON):
        assert not await distributions.count(ORGANISATION, CHUNK, SENT, began=began, recount_at=NOON)
    assert await counted(world) == SENT
    assert await distributions.due(NOON, 10) == []
    assert await distributions.count(ORGANISATION, CHUNK, ARRIVED, began=NOON + SECOND)
    assert await counted(world) == SENT.plus(ARRIVED)


async def test_a_recount_is_wanted_until_it_is_done_and_a_later_wish_stays(world: World) -> None:
    distributions = world.distributions
    await distributions.want_recount(ORGANISATION, CHUNK, NOON)
    due = [Due(organisation=ORGANISATION, group=CHUNK.distribution_id, recount=True)]
    assert await distributions.due(NOON - SECOND, 10) == []
    assert await distributions.due(NOON, 10) == due
    seen = await distributions.tally(ORGANISATION, CHUNK)
    assert seen == Tally(recount_at=NOON, wishes=1)
    await distributions.want_recount(ORGANISATION, CHUNK, NOON)  # while the recount is reading, in the same instant
    await distributions.recounted(ORGANISATION, CHUNK, wishes=seen.wishes)
    assert await distributions.due(NOON, 10) == due
    await distributions.recounted(ORGANISATION, CHUNK, wishes=2)
    assert await distributions.due(NOON, 10) == []
    assert (await distributions.tally(ORGANISATION, CHUNK)).recount_at is None


async def test_the_tally_of_one_chunk_is_what_all_of_them_say(world: World) -> None:
    assert await world.distributions.tally(ORGANISATION, CHUNK) == Tally()
    await world.distributions.note_logged(ORGANISATION, CHUNK, NOON, {"SN": 3})
    await world.distributions.count(ORGANISATION, CHUNK, SENT, began=NOON)
    all_of_them = await world.distributions.tallies(ORGANISATION, CHUNK.distribution_id)
    assert all_of_them == {(0, 0): await world.distributions.tally(ORGANISATION, CHUNK)}
