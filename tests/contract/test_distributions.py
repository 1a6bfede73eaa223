"""Distributions: created once, changed only by a writer that has read the present revision, listed, and found when
due."""

import dataclasses
from datetime import timedelta

import pytest

from shared.campaigns.counts import Due
from shared.campaigns.distribution import PAUSED_BY_USER, Distribution, DistributionStatus
from tests.contract.making import FULL_DISTRIBUTION, NOON, ORGANISATION, SECOND, distribution
from tests.contract.world import World

KEY = (ORGANISATION, "d-1")


@pytest.mark.parametrize("made", [FULL_DISTRIBUTION, distribution()], ids=["full", "bare"])
async def test_every_field_comes_back(world: World, made: Distribution) -> None:
    assert await world.distributions.create(made) is None
    assert await world.distributions.get(ORGANISATION, made.distribution_id) == made


async def test_making_it_twice_answers_the_first(world: World) -> None:
    await world.distributions.create(distribution(campaign_id="first"))
    assert await world.distributions.create(distribution(campaign_id="second")) == distribution(campaign_id="first")


async def test_many_are_read_by_their_own_organisations_keys(world: World) -> None:
    await world.distributions.create(distribution())
    await world.distributions.create(distribution("d-2", organisation="other"))
    found = await world.distributions.get_many([KEY, ("other", "d-2"), ("other", "d-1"), ("other", "d-3")])
    assert found == {"d-1": distribution(), "d-2": distribution("d-2", organisation="other")}
    assert await world.distributions.get_many([]) == {}


async def test_two_writers_with_the_same_revision_do_not_overwrite_each_other(world: World) -> None:
    await world.distributions.create(distribution())
    other = world.another().distributions
    mine, theirs = await world.distributions.get(*KEY), await other.get(*KEY)
    assert mine is not None
    assert theirs is not None
    saved = await world.distributions.save(mine.paused(PAUSED_BY_USER))
    assert saved == dataclasses.replace(mine.paused(PAUSED_BY_USER), revision=mine.revision + 1)
    assert await other.save(theirs.cancelled(NOON)) is None
    assert await other.get(*KEY) == saved
    assert await other.save(saved.cancelled(NOON)) is not None


async def test_an_unknown_distribution_is_not_saved(world: World) -> None:
    assert await world.distributions.save(distribution()) is None
    assert await world.distributions.get(*KEY) is None


async def walked(world: World, campaign_id: str | None, status: DistributionStatus | None, limit: int) -> list[str]:
    found: list[str] = []
    position: str | None = None
    for _ in range(50):
        page = await world.distributions.page(
            ORGANISATION, campaign_id=campaign_id, status=status, position=position, limit=limit
        )
        assert len(page.items) <= limit
        found += [one.distribution_id for one in page.items]
        position = page.position
        if position is None:
            return found
    pytest.fail("the list has no end")


@pytest.mark.parametrize("limit", [1, 50])
@pytest.mark.parametrize("status", [None, DistributionStatus.SENDING])
@pytest.mark.parametrize("campaign_id", [None, "c-1", "c-9"])
async def test_the_list_is_newest_first_and_filtered(
    world: World, campaign_id: str | None, status: DistributionStatus | None, limit: int
) -> None:
    every = list(DistributionStatus)
    made = [
        distribution(
            f"d-{number:02}",
            campaign_id=f"c-{number % 2}",
            status=every[number // 2 % 4],
            created_at=NOON + number // 2 * SECOND,
        )
        for number in range(12)
    ]
    for one in made:
        await world.distributions.create(one)
    await world.distributions.create(dataclasses.replace(made[0], organisation="other"))
    wished = [one for one in made if campaign_id in (None, one.campaign_id) and status in (None, one.status)]
    newest = sorted(wished, key=lambda one: (one.created_at, one.distribution_id), reverse=True)
    assert await walked(world, campaign_id, status, limit) == [one.distribution_id for one in newest]


async def test_the_list_shows_what_was_saved(world: World) -> None:
    await world.distributions.create(distribution())
    await world.distributions.save(distribution().paused(PAUSED_BY_USER))
    assert await walked(world, None, DistributionStatus.PLANNED, 10) == []
    assert await walked(world, None, DistributionStatus.PAUSED, 10) == ["d-1"]


async def test_due_distributions_come_earliest_first_until_they_are_no_longer_due(world: World) -> None:
    for number, minutes in enumerate((3, 1, 2, 9)):
        due_at = NOON + timedelta(minutes=minutes)
        await world.distributions.create(distribution(f"d-{number}", due_at=due_at))
    await world.distributions.create(distribution("d-x", organisation="other", due_at=NOON))
    await world.distributions.create(distribution("never"))
    now = NOON + timedelta(minutes=3)
    keys = [("other", "d-x"), (ORGANISATION, "d-1"), (ORGANISATION, "d-2"), (ORGANISATION, "d-0")]
    expected = [Due(organisation=organisation, group=one) for organisation, one in keys]
    assert list(await world.distributions.due(now, 10)) == expected
    assert list(await world.distributions.due(now, 2)) == expected[:2]
    assert list(await world.distributions.due(NOON - SECOND, 10)) == []
    await world.distributions.save(distribution("d-2"))
    assert list(await world.distributions.due(now, 10)) == [one for one in expected if one.group != "d-2"]
