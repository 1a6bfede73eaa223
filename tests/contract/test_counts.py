"""Counts of chunks: many workers add to them, and a recount corrects them from the log."""

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
    """The stored counts of the one chunk, without zeroes."""
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


async def test_a_count_of_zero_equals_no_count(world: World) -> None:
    await world.distributions.count(ORGANISATION, CHUNK, FAILED, began=NOON)
    undone = Counts(by_status={Status.FAILED: -2}, by_reason={"undeliverable": -1, "not.a-word": -1})
    await world.distributions.count(ORGANISATION, CHUNK, undone, began=NOON)
    assert await counted(world) in (None, Counts())


@pytest.mark.parametrize("seen", [Counts(), SENT, SENT.plus(FAILED)], ids=["nothing", "statuses", "reasons"])
async def test_a_recount_replaces_the_counts(world: World, seen: Counts) -> None:
    right = Counts(by_status={Status.DELIVERED: 2, Status.FAILED: 1}, by_reason={"expired": 1})
    await world.distributions.count(ORGANISATION, CHUNK, seen, began=NOON)
    assert await world.distributions.set_counts(ORGANISATION, CHUNK, right, seen=seen, read_at=BEFORE)
    assert await counted(world) == right


async def test_a_count_that_came_between_is_neither_lost_nor_doubled(world: World) -> None:
    """The log already showed the move that a worker counts only now. The stored counts are right and stay."""
    await world.distributions.count(ORGANISATION, CHUNK, SENT, began=NOON)
    await world.distributions.count(ORGANISATION, CHUNK, ARRIVED, began=NOON)
    right = SENT.plus(ARRIVED)
    assert not await world.distributions.set_counts(ORGANISATION, CHUNK, right, seen=SENT, read_at=BEFORE)
    assert await counted(world) == right


async def test_only_one_of_two_recounts_is_stored(world: World) -> None:
    await world.distributions.count(ORGANISATION, CHUNK, SENT, began=NOON)
    right = SENT.plus(FAILED)
    answers = [
        await world.distributions.set_counts(ORGANISATION, CHUNK, right, seen=SENT, read_at=BEFORE) for _ in range(2)
    ]
    assert answers == [True, False]
    assert await counted(world) == right


async def test_a_recount_does_not_replace_a_first_count_that_it_has_not_seen(world: World) -> None:
    await world.distributions.count(ORGANISATION, CHUNK, FAILED, began=NOON)
    assert not await world.distributions.set_counts(ORGANISATION, CHUNK, SENT, seen=Counts(), read_at=BEFORE)
    assert await counted(world) == FAILED


async def test_a_count_after_zero_is_as_good_as_the_first(world: World) -> None:
    """A column at zero means the same as a missing column."""
    for change in (SENT, Counts(by_status={Status.SENT: -3})):
        await world.distributions.count(ORGANISATION, CHUNK, change, began=NOON)
    assert await world.distributions.set_counts(ORGANISATION, CHUNK, FAILED, seen=Counts(), read_at=BEFORE)
    assert await counted(world) == FAILED


async def test_a_count_that_began_before_the_recount_had_read_the_log_adds_nothing(world: World) -> None:
    """The recount may have seen some of these moves, and it cannot tell which. So the chunk is recounted once more."""
    distributions = world.distributions
    assert await distributions.set_counts(ORGANISATION, CHUNK, SENT, seen=Counts(), read_at=NOON)
    for began in (NOON - SECOND, NOON):
        assert not await distributions.count(ORGANISATION, CHUNK, SENT, began=began, recount_at=NOON)
    assert await counted(world) == SENT
    assert await distributions.due(NOON, 10) == []
    assert await distributions.count(ORGANISATION, CHUNK, ARRIVED, began=NOON + SECOND)
    assert await counted(world) == SENT.plus(ARRIVED)


async def test_a_requested_recount_stays_due_until_it_is_done_and_a_later_request_too(world: World) -> None:
    distributions = world.distributions
    await distributions.want_recount(ORGANISATION, CHUNK, NOON)
    due = [Due(organisation=ORGANISATION, group=CHUNK.distribution_id, recount=True)]
    assert await distributions.due(NOON - SECOND, 10) == []
    assert await distributions.due(NOON, 10) == due
    seen = await distributions.tally(ORGANISATION, CHUNK)
    assert seen == Tally(recount_at=NOON, wishes=1)
    await distributions.want_recount(ORGANISATION, CHUNK, NOON)  # while the recount is reading, at the same instant
    await distributions.recounted(ORGANISATION, CHUNK, wishes=seen.wishes)
    assert await distributions.due(NOON, 10) == due
    await distributions.recounted(ORGANISATION, CHUNK, wishes=2)
    assert await distributions.due(NOON, 10) == []
    assert (await distributions.tally(ORGANISATION, CHUNK)).recount_at is None


async def test_the_tally_of_one_chunk_agrees_with_the_list_of_all(world: World) -> None:
    assert await world.distributions.tally(ORGANISATION, CHUNK) == Tally()
    await world.distributions.note_logged(ORGANISATION, CHUNK, NOON, {"SN": 3})
    await world.distributions.count(ORGANISATION, CHUNK, SENT, began=NOON)
    all_of_them = await world.distributions.tallies(ORGANISATION, CHUNK.distribution_id)
    assert all_of_them == {(0, 0): await world.distributions.tally(ORGANISATION, CHUNK)}
