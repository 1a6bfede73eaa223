"""The sums of campaigns and organisations, and the list of what waits to be summed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.base.ids import shard_of
from shared.base.instants import hour_of
from shared.campaigns.counts import Fallbacks, Part, Singles
from shared.campaigns.distribution import Counts, Distribution, DistributionStatus, Run
from shared.messages.message import Chunk, Status
from shared.messages.payload import Channel
from shared.statistics.shares import Cell, Cells, Leaf, Rest, Share, difference, share_of
from shared.statistics.sums import SUM_SHARDS, Period, Refused, Sum, Summing, Target
from shared.storage.aws import Aws
from shared.storage.dynamodb.sums import read_share, share_text
from tests.contract.making import CHUNK, FULL_DISTRIBUTION, NOON, ORGANISATION, SECOND
from tests.contract.test_own_writes import answers_lost, own
from tests.contract.test_tallies import FIGURES
from tests.contract.world import World

__all__ = ["own"]

SHARD = shard_of(ORGANISATION, SUM_SHARDS)
HOUR = Part(group=Singles(campaign_id="c-1", channel=Channel.SMS, country="SN"), number=498_060)
OTHER = Part(group=Singles(campaign_id=None, channel=Channel.WHATSAPP, country="CI"), number=498_061)
SENT, DELIVERED = (Counts(by_status={status: 1}) for status in (Status.SENT, Status.DELIVERED))
SENEGAL = Cell(channel=Channel.SMS, country="SN")
TOTAL = Target(campaign_id="c-1", period=Period.TOTAL, number=0)
HOUR_SUM = Target(campaign_id="c-1", period=Period.HOUR, number=498_060)


async def waiting(world: World, organisation: str | None = ORGANISATION) -> Sequence[Leaf]:
    leaves, following = await world.sums.unsummed(SHARD, None, 100, organisation=organisation)
    assert following is None
    return leaves


async def summed(world: World) -> None:
    """What the tick's task does."""
    summing = Summing(world.sums, world.distributions, world.clock)
    assert not await summing.work(SHARD, world.clock.now() + timedelta(minutes=1))


async def stored(world: World, target: Target = HOUR_SUM) -> Cells:
    return (await world.sums.read(ORGANISATION, [target])).get(target, Sum()).cells


async def test_a_count_waits_until_it_is_summed(world: World) -> None:
    assert not await world.sums.is_unsummed(SHARD)
    await world.distributions.count(ORGANISATION, HOUR, FIGURES, began=NOON)
    assert await world.sums.is_unsummed(SHARD)
    [leaf] = await waiting(world)
    assert (leaf.organisation, leaf.place, leaf.tally.counts, leaf.summed) == (ORGANISATION, HOUR, FIGURES, None)
    await summed(world)
    assert not await world.sums.is_unsummed(SHARD)
    times = replace(FIGURES, by_status={}, by_reason={}, segments={}, amounts={}, reached=0)
    split = replace(FIGURES, delays={}, awaiting={}, cards=0, cards_within_24h=0, reached=0)
    assert await stored(world) == {SENEGAL: split, None: times}
    day = Target(campaign_id="c-1", period=Period.DAY, number=498_060 // 24)
    of_all = Target(campaign_id=None, period=Period.HOUR, number=498_060)
    assert await stored(world, day) == await stored(world, of_all) == await stored(world)
    assert await stored(world, TOTAL) == {SENEGAL: split}


async def test_the_difference_corrects_the_sums(world: World) -> None:
    """After more counts, a recount, and counts back to nothing."""
    await world.distributions.count(ORGANISATION, HOUR, SENT, began=NOON)
    await world.distributions.count(ORGANISATION, HOUR, SENT, began=NOON)
    await summed(world)
    assert await stored(world) == {SENEGAL: SENT.plus(SENT)}
    assert await world.distributions.set_counts(
        ORGANISATION, HOUR, DELIVERED, seen=SENT.plus(SENT), read_at=NOON - SECOND
    )
    await summed(world)
    assert await stored(world) == {SENEGAL: DELIVERED}
    await world.distributions.count(ORGANISATION, HOUR, Counts().minus(DELIVERED), began=NOON)
    await summed(world)
    assert await stored(world) == {}


async def test_a_leaf_that_changed_meanwhile_is_refused_and_nothing_is_written(world: World) -> None:
    for place in (HOUR, OTHER):
        await world.distributions.count(ORGANISATION, place, SENT, began=NOON)
    leaves = await waiting(world)
    await world.distributions.count(ORGANISATION, HOUR, DELIVERED, began=NOON)
    notes = [(leaf, share_of(leaf, None)) for leaf in leaves]
    changed = [leaf.place for leaf in leaves].index(HOUR)
    refused = await world.sums.write(ORGANISATION, notes, {HOUR_SUM: Sum(cells={SENEGAL: SENT})})
    assert refused == Refused(leaves=frozenset({changed}), sums=False)
    assert (len(await waiting(world)), await stored(world)) == (2, {})
    await summed(world)
    assert await stored(world) == {SENEGAL: SENT.plus(DELIVERED)}


async def test_the_second_of_two_summings_writes_nothing(world: World) -> None:
    await world.distributions.count(ORGANISATION, HOUR, SENT, began=NOON)
    [leaf] = await waiting(world)
    sums = {HOUR_SUM: Sum(cells={SENEGAL: SENT})}
    answers = [await world.sums.write(ORGANISATION, [(leaf, share_of(leaf, None))], sums) for _ in range(2)]
    assert answers == [None, Refused(leaves=frozenset({0}), sums=True)]
    assert await stored(world) == {SENEGAL: SENT}


@pytest.mark.parametrize("revision", [0, 1], ids=["new", "stored"])
async def test_a_sum_that_changed_meanwhile_is_refused(world: World, revision: int) -> None:
    if revision:
        await world.distributions.count(ORGANISATION, HOUR, SENT, began=NOON)
        await summed(world)
    seen = Sum(cells={SENEGAL: SENT}, revision=revision)
    for number, place in enumerate((HOUR, OTHER)):
        await world.distributions.count(ORGANISATION, place, SENT, began=NOON)
        [leaf] = [one for one in await waiting(world) if one.place == place]
        refused = await world.sums.write(ORGANISATION, [(leaf, Share())], {HOUR_SUM: seen})
        assert refused == (Refused(leaves=frozenset(), sums=True) if number else None)
    assert [leaf.place for leaf in await waiting(world)] == [OTHER]


PLANNED = replace(
    FULL_DISTRIBUTION,
    distribution_id="d-1",
    channel=Channel.SMS,
    status=DistributionStatus.PLANNED,
    epoch=0,
    swept=False,
    created_at=NOON,
    plan=replace(FULL_DISTRIBUTION.planned, runs=(Run(country="SN", rows=150, chunks=2),)),
    revision=0,
)


async def planned(world: World) -> Distribution:
    assert await world.distributions.create(PLANNED) is None
    saved = await world.distributions.save(PLANNED)
    assert saved is not None
    return saved


async def test_a_distribution_s_rest_is_summed_with_its_plan_its_confirmation_and_its_end(world: World) -> None:
    made = await planned(world)
    rest = Rest(distribution_id="d-1")
    assert [leaf.place for leaf in await waiting(world)] == [rest]
    await summed(world)
    changes = [
        (replace(made, last_send_slot=NOON), None),
        (replace(made, epoch=1, status=DistributionStatus.SENDING), {Status.PENDING: 150}),
        (replace(made, epoch=2, status=DistributionStatus.CANCELLED), None),
        (replace(made, epoch=2, status=DistributionStatus.CANCELLED, swept=True), {Status.FAILED: 150}),
    ]
    target = Target(campaign_id="c-1", period=Period.HOUR, number=hour_of(made.created_at))
    for changed, counted in changes:
        saved = await world.distributions.save(replace(changed, revision=made.revision, rest=made.rest))
        assert saved is not None
        made = saved
        assert [leaf.place for leaf in await waiting(world)] == ([rest] if counted else [])
        await summed(world)
        assert counted is None or (await stored(world, target))[SENEGAL].by_status == counted
    total = (await world.sums.read(ORGANISATION, [TOTAL]))[TOTAL]
    assert (total.distributions, total.first_at, total.last_at) == (1, NOON, NOON)


async def test_a_logged_chunk_takes_its_rows_from_the_rest(world: World) -> None:
    made = await planned(world)
    assert await world.distributions.save(replace(made, epoch=1, status=DistributionStatus.SENDING)) is not None
    later = NOON + timedelta(hours=3)
    await world.distributions.note_logged(ORGANISATION, CHUNK, later, {"SN": 100})
    await world.distributions.count(ORGANISATION, CHUNK, SENT, began=later)
    await summed(world)
    targets = [Target(campaign_id="c-1", period=Period.HOUR, number=hour_of(at)) for at in (NOON, later)]
    here, there = [(await stored(world, target))[SENEGAL].by_status for target in targets]
    assert (here, there) == ({Status.PENDING: 50}, {Status.PENDING: 99, Status.SENT: 1})
    total = (await world.sums.read(ORGANISATION, [TOTAL]))[TOTAL]
    assert (total.distributions, total.first_at, total.last_at) == (1, NOON, later)


async def test_a_lost_race_marks_nothing(world: World) -> None:
    made = await planned(world)
    await summed(world)
    confirmed = replace(made, epoch=1, status=DistributionStatus.SENDING)
    assert await world.distributions.save(replace(confirmed, revision=made.revision - 1)) is None
    assert not await waiting(world)


async def test_only_the_own_leaves_page_by_page(world: World) -> None:
    places = [replace(HOUR, number=number) for number in range(5)]
    for place in places:
        await world.distributions.count(ORGANISATION, place, SENT, began=NOON)
    await world.distributions.count(f"{ORGANISATION}-2", HOUR, SENT, began=NOON)
    fallback = Part(group=Fallbacks(distribution_id="d-1"), number=0)
    await world.distributions.count(ORGANISATION, fallback, SENT, began=NOON)
    found: list[object] = []
    position: str | None = None
    while True:
        leaves, position = await world.sums.unsummed(SHARD, position, 2, organisation=ORGANISATION)
        found += [leaf.place for leaf in leaves]
        if position is None:
            break
    assert sorted(map(str, found)) == sorted(map(str, places))


async def test_sums_between_two_hours(world: World) -> None:
    for number in (9, 10, 12):
        await world.distributions.count(ORGANISATION, replace(HOUR, number=number), SENT, began=NOON)
    await summed(world)

    async def between(first: int, end: int, period: Period = Period.HOUR, campaign: str | None = "c-1") -> list[int]:
        found: Mapping[int, Cells] = await world.sums.between(ORGANISATION, campaign, period, first, end)
        return sorted(found)

    assert await between(0, 999) == [9, 10, 12]
    assert (await between(9, 12), await between(10, 10), await between(12, 9)) == ([9, 10], [], [])
    assert await between(0, 999, campaign=None) == [9, 10, 12]
    assert await between(0, 999, Period.DAY) == [0]
    assert await between(0, 999, campaign="c-2") == await between(0, 999, Period.TOTAL, "c-2") == []


async def test_campaigns_newest_first_page_by_page(world: World) -> None:
    for number in range(5):
        group = Singles(campaign_id=f"c-{number}", channel=Channel.SMS, country="SN")
        at = NOON + timedelta(hours=number)
        place = Part(group=group, number=hour_of(at))
        await world.distributions.count(ORGANISATION, place, SENT, began=at, accepted_at=at)
    await world.distributions.count(ORGANISATION, OTHER, SENT, began=NOON)
    await world.distributions.count("other", HOUR, SENT, began=NOON)
    await summed(world)
    found: list[str] = []
    position: str | None = None
    while True:
        page, position = await world.sums.campaigns(ORGANISATION, position, 2)
        found += [campaign_id for campaign_id, _ in page]
        if position is None:
            break
    assert found == [f"c-{number}" for number in reversed(range(5))]
    [(_, total)], _ = await world.sums.campaigns(ORGANISATION, None, 1)
    latest = NOON + timedelta(hours=4)
    assert (total.first_at, total.last_at, total.cells) == (latest, latest, {SENEGAL: SENT})


async def test_a_campaign_has_the_name_of_its_newest_distribution_with_one(world: World) -> None:
    for number, name in enumerate(["first", "second", None]):
        made = replace(PLANNED, distribution_id=f"d-{number}", name=name, created_at=NOON + number * SECOND)
        assert await world.distributions.create(made) is None
        assert await world.distributions.save(made) is not None
        await summed(world)
    total = (await world.sums.read(ORGANISATION, [TOTAL]))[TOTAL]
    assert (total.name, total.named_at, total.distributions) == ("second", NOON + SECOND, 3)
    assert (total.first_at, total.last_at) == (NOON, NOON + 2 * SECOND)


async def test_a_summing_whose_answer_was_lost_is_not_made_twice(aws: Aws, own: World) -> None:
    await own.distributions.count(ORGANISATION, HOUR, SENT, began=NOON)
    with answers_lost(aws, "TransactWriteItems") as requests:
        await summed(own)
    assert requests() == 2
    await summed(own)
    assert (await stored(own), await waiting(own)) == ({SENEGAL: SENT}, [])


async def test_a_marked_distribution_whose_answer_was_lost_is_saved_once(aws: Aws, own: World) -> None:
    with answers_lost(aws, "TransactWriteItems"):
        made = await planned(own)
    assert await own.distributions.get(ORGANISATION, "d-1") == made


COUNTS = st.builds(
    Counts,
    by_status=st.dictionaries(st.sampled_from(Status), st.integers(-3, 100).filter(bool), max_size=3),
    by_reason=st.dictionaries(st.sampled_from(["undeliverable", "cancelled"]), st.integers(1, 9), max_size=2),
    amounts=st.dictionaries(st.just(("SN", "XOF")), st.integers(1, 10**9), max_size=1),
    delays=st.dictionaries(st.integers(0, 300), st.integers(1, 9), max_size=3),
    awaiting=st.dictionaries(st.integers(29_400_000, 29_400_900), st.integers(-1, 9).filter(bool), max_size=3),
    cards=st.integers(0, 3),
)
CELLS = st.dictionaries(
    st.none() | st.builds(Cell, channel=st.sampled_from(Channel), country=st.sampled_from(["SN", "CI", ""])), COUNTS
)


@given(
    st.builds(Share, hours=st.dictionaries(st.integers(0, 500_000), CELLS, max_size=3), distributions=st.integers(0, 1))
)
def test_a_share_comes_back_from_its_text(share: Share) -> None:
    assert read_share(share_text(share)) == share
    assert difference(share, share) == Share()


def test_a_chunk_s_share_is_small() -> None:
    """Its item should stay near 1 KB, which is what a write unit pays for."""
    counts = Counts(
        by_status={Status.DELIVERED: 97, Status.FAILED: 3},
        by_reason={"undeliverable": 3},
        segments={"SN": 100},
        amounts={("SN", "XOF"): 1_200_000_000},
        delays=dict.fromkeys(range(39), 2),
        cards=100,
    )
    cells: Cells = {SENEGAL: counts, None: Counts(delays=counts.delays, cards=100)}
    hour = hour_of(NOON)
    pending: Cells = {SENEGAL: Counts(by_status={Status.PENDING: -100})}
    share = Share(hours={hour: {**cells, SENEGAL: replace(counts, delays={}, cards=0)}, hour - 1: pending})
    assert len(share_text(share)) < 450


@pytest.mark.parametrize("place", [HOUR, CHUNK, Chunk(distribution_id="d", run=63, number=9_999)])
async def test_requests_for_a_recount_are_no_change(world: World, place: Chunk | Part) -> None:
    await world.distributions.want_recount(ORGANISATION, place, NOON)
    await world.distributions.recounted(ORGANISATION, place, wishes=1)
    assert not await waiting(world)
