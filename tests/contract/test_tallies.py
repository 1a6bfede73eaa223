"""The data of statistics: figures beside the statuses, the time a chunk was logged, messages without a distribution."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.campaigns.counts import Due, Part, Singles, Tally
from shared.campaigns.distribution import Counts, together
from shared.campaigns.stored_content import PlannedRow
from shared.duplicates.dedupe_index import DedupeIndex, Mark, rows_of
from shared.messages.message import PayloadRef, Status
from shared.messages.payload import Channel
from shared.messages.ports import Move, Single
from tests.contract.making import BARE_PAYLOAD, CHUNK, NOON, ORGANISATION, SECOND, message
from tests.contract.world import World

BEFORE = NOON - SECOND
FIGURES = Counts(
    by_status={Status.DELIVERED: 2},
    segments={"SN": 4, "CI": 1},
    amounts={("SN", "XOF"): 48_000_000, ("CI", "XOF"): 12_345_000},
    delays={0: 1, 7: 1, 412: 3},
    awaiting={29_400_000: 2, 29_400_001: 1},
    cards=3,
    cards_within_24h=2,
    reached=1,
)


async def test_figures_add_up_beside_the_statuses(world: World) -> None:
    for _ in range(2):
        await world.distributions.count(ORGANISATION, CHUNK, FIGURES, began=NOON)
    found = await world.distributions.counts(ORGANISATION, CHUNK.distribution_id)
    assert found == {(0, 0): together((FIGURES, FIGURES))}
    back = Counts().minus(FIGURES)
    for _ in range(2):
        await world.distributions.count(ORGANISATION, CHUNK, back, began=NOON)
    assert (await world.distributions.counts(ORGANISATION, CHUNK.distribution_id))[0, 0].plus(Counts()) == Counts()


async def test_a_recount_replaces_the_figures_with_the_statuses(world: World) -> None:
    right = replace(FIGURES, by_status={Status.READ: 2}, delays={3: 2}, cards=2, cards_within_24h=1)
    await world.distributions.count(ORGANISATION, CHUNK, FIGURES, began=NOON)
    assert await world.distributions.set_counts(ORGANISATION, CHUNK, right, seen=FIGURES, read_at=BEFORE)
    assert (await world.distributions.counts(ORGANISATION, CHUNK.distribution_id))[0, 0].plus(Counts()) == right


async def test_a_recount_replaces_many_delivery_times_at_once(world: World) -> None:
    """They cannot each be a condition: DynamoDB takes expressions of 4 KB. Moto's parser fails at about 150
    conditions."""
    seen = Counts(by_status={Status.SENT: 100}, segments={"SN": 100}, delays=dict.fromkeys(range(50), 1))
    right = replace(seen, delays=dict.fromkeys(range(100, 150), 1))
    await world.distributions.count(ORGANISATION, CHUNK, seen, began=NOON)
    assert await world.distributions.set_counts(ORGANISATION, CHUNK, right, seen=seen, read_at=BEFORE)
    assert (await world.distributions.counts(ORGANISATION, CHUNK.distribution_id))[0, 0].plus(Counts()) == right


async def test_the_first_logging_of_a_chunk_counts(world: World) -> None:
    for minutes in (0, 5):
        at = NOON + timedelta(minutes=minutes)
        await world.distributions.note_logged(ORGANISATION, CHUNK, at, {"SN": 90, "CI": 10})
    expected = Tally(accepted_at=NOON, rows={"SN": 90, "CI": 10})
    assert await world.distributions.tallies(ORGANISATION, CHUNK.distribution_id) == {(0, 0): expected}
    await world.distributions.count(ORGANISATION, CHUNK, FIGURES, began=NOON)
    found = await world.distributions.tallies(ORGANISATION, CHUNK.distribution_id)
    assert found == {(0, 0): replace(expected, counts=FIGURES)}


async def test_counts_of_an_hour_are_separate_from_every_distribution(world: World) -> None:
    hour = Part(group=Singles(campaign_id="d-1", channel=Channel.SMS, country="SN"), number=498_060)
    await world.distributions.count(ORGANISATION, hour, FIGURES, began=NOON)
    assert await world.distributions.counts(ORGANISATION, "d-1") == {}
    assert await world.distributions.counts(ORGANISATION, hour.group) == {(0, 498_060): FIGURES}
    assert not await world.distributions.due(NOON + timedelta(days=900), 10)


async def test_a_recount_is_due_once_until_it_is_done(world: World) -> None:
    group = Singles(campaign_id="c-1", channel=Channel.SMS, country="SN")
    hours = [Part(group=group, number=number) for number in (1, 2)]
    for later, hour in enumerate([*hours, *hours]):
        at = NOON + later * SECOND
        await world.distributions.count(ORGANISATION, hour, FIGURES, recount_at=at, began=NOON)
    await world.distributions.count(ORGANISATION, CHUNK, FIGURES, began=NOON)
    assert not await world.distributions.due(NOON - SECOND, 10)
    assert await world.distributions.due(NOON + SECOND, 10) == [
        Due(organisation=ORGANISATION, group=group, recount=True)
    ]
    found = await world.distributions.tallies(ORGANISATION, group)
    assert {hour: tally.recount_at for (_, hour), tally in found.items()} == {1: NOON, 2: NOON + SECOND}
    for hour in hours:
        await world.distributions.recounted(ORGANISATION, hour, wishes=0)
    assert not await world.distributions.due(NOON + timedelta(days=1), 10)
    found = await world.distributions.tallies(ORGANISATION, group)
    assert {tally.recount_at for tally in found.values()} == {None}


async def test_messages_without_a_distribution_are_listed_separately(world: World) -> None:
    rows = [
        message("m-bulk", chunk=CHUNK),
        message("m-1"),
        message("m-2", accepted_at=NOON + SECOND, channel=Channel.WHATSAPP),
        message("m-3", accepted_at=NOON + 2 * SECOND, campaign_id="c-2"),
        message("m-4", accepted_at=NOON + 3 * SECOND, campaign_id=None),
        message("m-5", organisation="other"),
    ]
    await world.log.add_all(rows)

    async def found(campaign_id: str | None, since: int | None = None, until: int | None = None) -> set[str]:
        bounds = tuple(None if bound is None else NOON + bound * SECOND for bound in (since, until))
        return {one.message_id for one in await world.log.singles(ORGANISATION, campaign_id, (bounds[0], bounds[1]))}

    assert await found("c-1") == {"m-1", "m-2"}
    assert await found(None) == {"m-1", "m-2", "m-3", "m-4"}
    assert await found(None, 1, 3) == {"m-2", "m-3"}
    assert await found("c-1", 0, 0) == await found("c-1", 2, 1) == await found("none") == set()
    listed = await world.log.singles(ORGANISATION, "c-1", (NOON + SECOND, None))
    assert list(listed) == [
        Single(
            message_id="m-2",
            accepted_at=NOON + SECOND,
            channel=Channel.WHATSAPP,
            country="SN",
            campaign_id="c-1",
        )
    ]


@pytest.mark.parametrize(("late", "noted"), [(Status.DELIVERED, True), (Status.READ, True), (Status.FAILED, False)])
async def test_a_late_report_with_an_earlier_instant_is_recorded_once(world: World, late: Status, noted: bool) -> None:
    await world.log.add(message())
    await world.log.move(ORGANISATION, "m-1", Move(status=Status.READ, at=NOON))
    move = Move(status=late, at=NOON - 2 * SECOND, reason="undeliverable" if late is Status.FAILED else None)
    answers = [await world.log.move(ORGANISATION, "m-1", move) for _ in range(2)]
    assert [(one.won, one.noted) for one in answers] == [(False, noted), (False, False)]
    assert answers[0].before is not None
    assert answers[0].before.delivered_at is None


def mark(number: int) -> Mark:
    return Mark(digest=number.to_bytes(16, "little"), decides=True)


@pytest.mark.parametrize("way", ["payload", "person"])
async def test_an_erased_row_leaves_no_dedupe_entry_in_any_version(world: World, way: str) -> None:
    rows = [
        PlannedRow(
            row=number,
            message_id=f"m-{number}",
            person=f"{number:032x}",
            recipient="+22177***0001",
            country="SN",
            enrollment_id=None,
            segments=1,
            price=None,
            payload=BARE_PAYLOAD,
        )
        for number in (1, 2)
    ]
    dedupe_index = DedupeIndex()
    for row in rows:
        dedupe_index.add(mark(row.row), row.row)
    await world.plans.write_chunk(ORGANISATION, 1, CHUNK, rows)
    await world.plans.write_dedupe_index(ORGANISATION, CHUNK.distribution_id, 1, dedupe_index.book())
    for _ in range(2):
        if way == "payload":
            key = world.plans.chunk_key(ORGANISATION, 1, CHUNK)
            await world.plans.erase_payload(PayloadRef(object_key=key, row=1))
        else:
            await world.plans.erase_person(ORGANISATION, 1, CHUNK, rows[0].person)
    book = await world.plans.read_dedupe_index(ORGANISATION, CHUNK.distribution_id, 1)
    assert book is not None
    assert [list(rows_of(book, [mark(number)])) for number in (1, 2)] == [[], [2]]
    assert len(book) == 12


async def test_a_dedupe_entry_is_erased_although_its_chunk_has_expired(world: World) -> None:
    dedupe_index = DedupeIndex()
    dedupe_index.add(mark(1), 1)
    await world.plans.write_chunk(ORGANISATION, 1, CHUNK, [])
    await world.plans.write_dedupe_index(ORGANISATION, CHUNK.distribution_id, 1, dedupe_index.book())
    key = world.plans.chunk_key(ORGANISATION, 1, CHUNK)
    world.hands.erase(key)
    await world.plans.erase_payload(PayloadRef(object_key=key, row=1))
    assert await world.plans.read_dedupe_index(ORGANISATION, CHUNK.distribution_id, 1) == b""


async def test_a_dedupe_index_comes_back_whole(world: World) -> None:
    book = bytes(range(256)) * 3
    assert await world.plans.read_dedupe_index(ORGANISATION, "d-1", 1) is None
    for _ in range(2):
        await world.plans.write_dedupe_index(ORGANISATION, "d-1", 1, book)
    await world.plans.write_dedupe_index(ORGANISATION, "d-1", 2, b"")
    assert await world.plans.read_dedupe_index(ORGANISATION, "d-1", 1) == book
    assert await world.plans.read_dedupe_index(ORGANISATION, "d-1", 2) == b""
    assert await world.plans.read_dedupe_index("other", "d-1", 1) is None
