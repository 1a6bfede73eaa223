"""Distributions: created once, changed only by a writer that has read the present revision, listed, and found when
due."""

import dataclasses
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from shared.campaigns.counts import Due
from shared.campaigns.distribution import PAUSED_BY_USER, Distribution, DistributionStatus
from shared.campaigns.ports import DistributionQuery
from shared.messages.payload import Channel
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


async def walked(world: World, limit: int, **filters: Any) -> list[str]:
    query = DistributionQuery(organisation=ORGANISATION, **filters)
    found: list[str] = []
    position: str | None = None
    for _ in range(50):
        page = await world.distributions.page(query, position, limit)
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
    found = await walked(world, limit, campaign_id=campaign_id, status=status)
    assert found == [one.distribution_id for one in newest]


async def test_the_list_shows_what_was_saved(world: World) -> None:
    await world.distributions.create(distribution())
    await world.distributions.save(distribution().paused(PAUSED_BY_USER))
    assert await walked(world, 10, status=DistributionStatus.PLANNED) == []
    assert await walked(world, 10, status=DistributionStatus.PAUSED) == ["d-1"]


@pytest.mark.parametrize("limit", [1, 3, 50])
@pytest.mark.parametrize("channel", [None, *Channel])
@pytest.mark.parametrize(
    ("since", "until", "numbers"),
    [
        (None, None, range(12)),
        (4, None, range(4, 12)),
        (None, 4, range(4)),
        (3, 9, range(3, 9)),
        (5, 5, ()),
        (9, 3, ()),
        (20, None, ()),
    ],
)
async def test_the_list_is_filtered_by_channel_and_time(
    world: World, since: int | None, until: int | None, numbers: Sequence[int], channel: Channel | None, limit: int
) -> None:
    """`since` is inclusive, `until` exclusive. Both are given in seconds after noon."""
    channels = list(Channel)
    for number in range(12):
        at = NOON + number * SECOND
        await world.distributions.create(distribution(f"d-{number:02}", created_at=at, channel=channels[number % 2]))
    bounds = {
        name: NOON + seconds * SECOND for name, seconds in (("since", since), ("until", until)) if seconds is not None
    }
    wished = [number for number in numbers if channel in (None, channels[number % 2])]
    assert await walked(world, limit, channel=channel, **bounds) == [f"d-{one:02}" for one in reversed(wished)]


async def test_a_page_with_rare_matches_ends_early_and_goes_on(world: World) -> None:
    """On DynamoDB a page of one looks at 40 distributions. Nothing is left out between two pages."""
    for number in range(90):
        campaign_id = "rare" if number % 45 == 0 else "c"
        await world.distributions.create(
            distribution(f"d-{number:02}", campaign_id=campaign_id, created_at=NOON + number * SECOND)
        )
    assert await walked(world, 1, campaign_id="rare") == ["d-45", "d-00"]


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
