"""What is known of templates and numbers, from three sources in any order; the latest fact counts."""

import itertools
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from shared.pacing.daily_limit import DailyLimit, NumberStatus, NumberStatusUpdate
from shared.texts.templates import KnownTemplate, Shape, UrlButton
from shared.webhooks.updates import TemplateStatus, TemplateUpdate
from tests.contract.making import NOON, ORGANISATION, SECOND
from tests.contract.world import World

ACCOUNT, NUMBER = "900", "1060001"
APPROVED, PAUSED, PENDING = TemplateStatus.APPROVED, TemplateStatus.PAUSED, TemplateStatus.PENDING
SHAPE = Shape(body="Carte {card_code}.", parameters=("card_code",), button=UrlButton(index=0, prefix="https://é/"))


def reported(
    name: str = "own_card",
    status: TemplateStatus | None = PENDING,
    at: datetime = NOON,
    category: str = "UTILITY",
    shape: Shape | None = SHAPE,
) -> KnownTemplate:
    return KnownTemplate(
        name=name,
        language="fr",
        status=status,
        reported_at=at,
        category=category,
        shape=shape,
        template_id=f"id-{name}",
    )


def template_update(
    status: TemplateStatus | None = None, at: datetime = NOON, category: str | None = None
) -> TemplateUpdate:
    return TemplateUpdate(name="own_card", language="fr", status=status, category=category, at=at)


async def only(world: World) -> KnownTemplate:
    (one,) = (await world.another().templates.listing(ORGANISATION, ACCOUNT)).templates
    assert await world.templates.named(ORGANISATION, ACCOUNT, one.name) == [one]
    return one


async def test_nothing_is_known_at_first(world: World) -> None:
    listing = await world.templates.listing(ORGANISATION, ACCOUNT)
    assert (listing.templates, listing.read_at) == ((), None)
    assert await world.templates.named(ORGANISATION, ACCOUNT, "own_card") == []


async def test_a_list_is_stored_whole_with_the_time_of_its_read(world: World) -> None:
    at = NOON + timedelta(microseconds=123456)
    plain = replace(reported("vaccination_card", APPROVED, at), shape=None)
    await world.templates.read(ORGANISATION, ACCOUNT, [reported(at=at), plain], at)
    listing = await world.another().templates.listing(ORGANISATION, ACCOUNT)
    assert listing.read_at == at
    assert listing.templates == (reported(at=NOON), replace(plain, reported_at=NOON))
    for other in ((ORGANISATION, "another"), ("another", ACCOUNT)):
        assert (await world.templates.listing(*other)).templates == ()


async def test_the_same_list_again_changes_nothing(world: World) -> None:
    for at in (NOON, NOON + SECOND, NOON + SECOND):
        await world.templates.read(ORGANISATION, ACCOUNT, [reported(status=APPROVED, at=at)], at)
    assert (await only(world)).status is APPROVED
    assert (await world.templates.listing(ORGANISATION, ACCOUNT)).read_at == NOON + SECOND


async def test_a_template_missing_from_the_list_is_removed_unless_an_update_came_meanwhile(world: World) -> None:
    await world.templates.read(ORGANISATION, ACCOUNT, [reported("gone"), reported()], NOON)
    later = NOON + 5 * SECOND
    await world.templates.receive(ORGANISATION, ACCOUNT, template_update(APPROVED, later))
    await world.templates.read(ORGANISATION, ACCOUNT, [], later)
    assert (await only(world)).name == "own_card"
    await world.templates.read(ORGANISATION, ACCOUNT, [], later + SECOND)
    assert (await world.templates.listing(ORGANISATION, ACCOUNT)).templates == ()


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_the_latest_update_counts_in_any_order(world: World, order: tuple[int, ...]) -> None:
    every = [
        template_update(PENDING, NOON),
        template_update(PAUSED, NOON + SECOND),
        template_update(APPROVED, NOON + 2 * SECOND),
    ]
    received = [
        (await world.another().templates.receive(ORGANISATION, ACCOUNT, every[number])).is_new for number in order
    ]
    assert (await only(world)).status is APPROVED
    assert received == [all(order[before] <= number for before in range(place)) for place, number in enumerate(order)]


async def test_a_repeated_update_counts_as_new_again(world: World) -> None:
    for _ in range(3):
        assert (await world.templates.receive(ORGANISATION, ACCOUNT, template_update(PAUSED))).is_new


async def test_an_update_of_the_same_second_wins_over_a_list_and_a_submission(world: World) -> None:
    half = NOON + timedelta(milliseconds=700)
    await world.templates.submitted(ORGANISATION, ACCOUNT, reported(status=PENDING, at=half))
    await world.templates.receive(ORGANISATION, ACCOUNT, template_update(APPROVED, NOON))
    await world.templates.submitted(ORGANISATION, ACCOUNT, reported(status=PENDING, at=half))
    await world.templates.read(ORGANISATION, ACCOUNT, [reported(status=PENDING, at=half)], half)
    assert (await only(world)).status is APPROVED
    await world.templates.read(ORGANISATION, ACCOUNT, [reported(status=PAUSED, at=NOON + SECOND)], NOON + SECOND)
    assert (await only(world)).status is PAUSED


async def test_an_update_keeps_the_shape_and_a_list_sets_it(world: World) -> None:
    await world.templates.receive(ORGANISATION, ACCOUNT, template_update(APPROVED, NOON + SECOND))
    assert (await only(world)).shape is None
    await world.templates.read(ORGANISATION, ACCOUNT, [reported(status=PENDING)], NOON)
    found = await only(world)
    assert (found.shape, found.status, found.template_id) == (SHAPE, APPROVED, "id-own_card")
    await world.templates.receive(ORGANISATION, ACCOUNT, template_update(PAUSED, NOON + 2 * SECOND))
    assert (await only(world)).shape == SHAPE


async def test_a_list_without_a_status_clears_an_older_status(world: World) -> None:
    await world.templates.read(ORGANISATION, ACCOUNT, [reported(status=PAUSED)], NOON)
    await world.templates.read(ORGANISATION, ACCOUNT, [reported(status=None, at=NOON + SECOND)], NOON + SECOND)
    assert (await only(world)).status is None


async def test_leaving_utility_is_reported_with_each_update_that_says_so(world: World) -> None:
    await world.templates.read(ORGANISATION, ACCOUNT, [reported(status=APPROVED)], NOON)
    later, latest = NOON + SECOND, NOON + 3 * SECOND
    for _ in range(2):
        received = await world.templates.receive(ORGANISATION, ACCOUNT, template_update(category="MARKETING", at=later))
        assert (received.is_new, received.is_recategorised) == (True, True)
    assert (await only(world)).recategorised_at == later
    again = await world.templates.receive(
        ORGANISATION, ACCOUNT, template_update(APPROVED, NOON + 2 * SECOND, "MARKETING")
    )
    assert (again.is_new, again.is_recategorised) == (True, False)
    back = await world.templates.receive(ORGANISATION, ACCOUNT, template_update(category="UTILITY", at=latest))
    assert back.is_recategorised is False
    stale = await world.templates.receive(ORGANISATION, ACCOUNT, template_update(category="MARKETING", at=later))
    assert (stale.is_new, stale.is_recategorised) == (False, False)
    found = await only(world)
    assert (found.category, found.recategorised_at) == ("UTILITY", None)


async def test_a_template_that_was_always_marketing_has_not_left_utility(world: World) -> None:
    await world.templates.read(ORGANISATION, ACCOUNT, [reported(category="MARKETING")], NOON)
    received = await world.templates.receive(
        ORGANISATION, ACCOUNT, template_update(APPROVED, NOON + SECOND, "MARKETING")
    )
    assert received.is_recategorised is False


async def test_a_list_may_show_that_a_template_left_utility(world: World) -> None:
    await world.templates.read(ORGANISATION, ACCOUNT, [reported()], NOON)
    later = NOON + SECOND
    await world.templates.read(ORGANISATION, ACCOUNT, [reported(category="MARKETING", at=later)], later)
    assert (await only(world)).recategorised_at == later


# ------------------------------------------------------------------------------------------------------------- numbers

ALL = NumberStatusUpdate(
    at=NOON,
    limit=DailyLimit(people=250),
    quality="GREEN",
    verified_name="Programme é",
    throughput="HIGH",
    restricted=False,
    is_reading=True,
)


async def test_an_unknown_number_has_an_empty_status(world: World) -> None:
    assert await world.number_statuses.get(ORGANISATION, NUMBER) == NumberStatus()


async def test_every_reported_fact_is_kept(world: World) -> None:
    await world.number_statuses.tell(ORGANISATION, NUMBER, ALL)
    assert await world.another().number_statuses.get(ORGANISATION, NUMBER) == NumberStatus(
        limit=DailyLimit(people=250),
        quality="GREEN",
        verified_name="Programme é",
        throughput="HIGH",
        restricted=False,
        read_at=NOON,
    )
    for other in ((ORGANISATION, "2"), ("another", NUMBER)):
        assert await world.number_statuses.get(*other) == NumberStatus()


async def test_each_fact_has_an_instant_of_its_own(world: World) -> None:
    later = NOON + SECOND
    await world.number_statuses.tell(
        ORGANISATION, NUMBER, NumberStatusUpdate(at=later, limit=DailyLimit(people=None), restricted=True)
    )
    await world.number_statuses.tell(ORGANISATION, NUMBER, ALL)
    await world.number_statuses.tell(ORGANISATION, NUMBER, NumberStatusUpdate(at=NOON - SECOND, quality="RED"))
    found = await world.number_statuses.get(ORGANISATION, NUMBER)
    assert (found.limit, found.restricted, found.quality, found.read_at) == (
        DailyLimit(people=None),
        True,
        "GREEN",
        NOON,
    )
    await world.number_statuses.tell(
        ORGANISATION, NUMBER, NumberStatusUpdate(at=later, limit=DailyLimit(people=2000), restricted=False)
    )
    found = await world.number_statuses.get(ORGANISATION, NUMBER)
    assert (found.limit, found.restricted) == (DailyLimit(people=2000), False)


async def test_an_update_of_the_same_second_wins_over_a_read(world: World) -> None:
    half = NOON + timedelta(milliseconds=700)
    await world.number_statuses.tell(ORGANISATION, NUMBER, replace(ALL, at=half))
    await world.number_statuses.tell(ORGANISATION, NUMBER, NumberStatusUpdate(at=NOON, restricted=True))
    await world.number_statuses.tell(ORGANISATION, NUMBER, replace(ALL, at=half))
    found = await world.number_statuses.get(ORGANISATION, NUMBER)
    assert (found.restricted, found.read_at) == (True, half)
    await world.number_statuses.tell(ORGANISATION, NUMBER, replace(ALL, at=half + SECOND))
    found = await world.number_statuses.get(ORGANISATION, NUMBER)
    assert (found.restricted, found.read_at) == (False, half + SECOND)
