"""Consents, provider IDs of receipts, and uploaded cards."""

import asyncio
from datetime import timedelta
from itertools import permutations

import pytest

from shared.messages.payload import ORANGE, Provider
from shared.policy.consent import Consent
from tests.contract.making import NOON, ORGANISATION
from tests.contract.world import World
from tests.fakes.consents import granted, record, revoked

GRANTED = granted(NOON, "registre à la main")
MICROSECOND = timedelta(microseconds=1)
STOP = revoked(NOON + MICROSECOND)
AGAIN = granted(NOON + 2 * MICROSECOND)


@pytest.mark.parametrize("order", list(permutations((GRANTED, STOP, AGAIN))))
async def test_statements_are_joined_in_any_order(world: World, order: tuple[Consent, ...]) -> None:
    for one in order:
        assert await world.people.record(ORGANISATION, "p-1", [one])
    assert await world.people.consents(ORGANISATION, ["p-1"]) == {"p-1": record(GRANTED, STOP, AGAIN)}


async def test_the_same_statement_may_be_recorded_twice(world: World) -> None:
    assert await world.people.record(ORGANISATION, "p-1", [GRANTED])
    await world.people.record(ORGANISATION, "p-1", [GRANTED])
    assert await world.people.record(ORGANISATION, "p-1", [GRANTED, STOP])
    assert not await world.people.record(ORGANISATION, "p-1", [STOP])
    assert await world.people.consents(ORGANISATION, ["p-1"]) == {"p-1": record(GRANTED, STOP)}


async def test_concurrent_statements_are_all_kept(world: World) -> None:
    reported = [revoked(NOON + number * MICROSECOND) for number in range(6)]
    await asyncio.gather(*(world.another().people.record(ORGANISATION, "p-1", [one]) for one in reported))
    assert await world.people.consents(ORGANISATION, ["p-1"]) == {"p-1": record(*reported)}


async def test_a_replaced_record_is_gone(world: World) -> None:
    await world.people.record(ORGANISATION, "p-1", [GRANTED])
    for _ in range(2):
        await world.people.replace(ORGANISATION, "p-1", STOP)
    await world.people.replace(ORGANISATION, "p-2", STOP)
    assert await world.people.consents(ORGANISATION, ["p-1", "p-2"]) == dict.fromkeys(("p-1", "p-2"), record(STOP))


async def test_people_without_a_consent_record_are_left_out(world: World) -> None:
    known = [f"p-{number}" for number in range(120)]
    for person in known:
        await world.people.record(ORGANISATION, person, [GRANTED])
    asked = (person for person in [*known, "unknown", "p-1"])
    assert await world.people.consents(ORGANISATION, asked) == dict.fromkeys(known, record(GRANTED))
    assert await world.people.consents(ORGANISATION, []) == {}


async def test_a_consent_counts_for_one_organisation_only(world: World) -> None:
    await world.people.record("other", "p-1", [GRANTED])
    assert await world.people.consents(ORGANISATION, ["p-1"]) == {}


RECEIPT = (ORGANISATION, ORANGE, "r-1")


async def test_a_receipt_that_comes_after_its_provider_id(world: World) -> None:
    assert list(await world.receipts.name(*RECEIPT, "m-1")) == []
    for _ in range(2):
        assert await world.another().receipts.park(*RECEIPT, "DeliveredToTerminal") == "m-1"


async def test_many_concurrent_receipts_each_find_their_own_message(world: World) -> None:
    for number in range(0, 120, 2):
        await world.receipts.name(ORGANISATION, ORANGE, f"r-{number}", f"m-{number}")
    parked = (world.receipts.park(ORGANISATION, ORANGE, f"r-{number}", "DeliveredToTerminal") for number in range(120))
    found = await asyncio.gather(*parked)
    assert found == [None if number % 2 else f"m-{number}" for number in range(120)]
    assert await world.receipts.name(ORGANISATION, ORANGE, "r-1", "m-1") == ["DeliveredToTerminal"]


async def test_receipts_that_come_before_their_provider_id(world: World) -> None:
    for status in ("MessageWaiting", "DeliveredToTerminal", "MessageWaiting"):
        assert await world.receipts.park(*RECEIPT, status) is None
    for _ in range(2):
        parked = await world.another().receipts.name(*RECEIPT, "m-1")
        assert sorted(parked) == ["DeliveredToTerminal", "MessageWaiting"]


async def test_receipt_ids_providers_and_organisations_are_apart(world: World) -> None:
    await world.receipts.name(*RECEIPT, "m-1")
    assert await world.receipts.park("other", ORANGE, "r-1", "DeliveredToTerminal") is None
    assert await world.receipts.park(ORGANISATION, ORANGE, "r-2", "DeliveredToTerminal") is None
    assert await world.receipts.park(ORGANISATION, Provider("another"), "r-1", "DeliveredToTerminal") is None
    assert list(await world.receipts.name(*RECEIPT, "m-1")) == []


CARD = (ORGANISATION, "number-1", "ab" * 32)
_LIFE = timedelta(days=30)
_MARGIN = timedelta(days=2)


async def test_a_card_is_remembered_for_less_than_metas_thirty_days(world: World) -> None:
    await world.media.remember(*CARD, "media-1", world.clock.instant)
    assert await world.another().media.media_id(*CARD) == "media-1"
    world.clock.instant += _LIFE - _MARGIN
    assert await world.media.media_id(*CARD) == "media-1"
    world.clock.instant += _MARGIN
    assert await world.media.media_id(*CARD) is None


async def test_many_concurrent_cards_each_have_their_own_id(world: World) -> None:
    cards = [(ORGANISATION, "number-1", f"{number:064x}") for number in range(12)]
    for card in cards[::2]:
        await world.media.remember(*card, f"media-{card[2]}", world.clock.instant)
    found = await asyncio.gather(*(world.media.media_id(*card) for card in cards))
    assert found == [None if number % 2 else f"media-{card[2]}" for number, card in enumerate(cards)]


async def test_a_card_that_is_uploaded_again_is_remembered_anew(world: World) -> None:
    await world.media.remember(*CARD, "media-1", world.clock.instant)
    world.clock.instant += _LIFE
    await world.media.remember(*CARD, "media-2", world.clock.instant)
    assert await world.media.media_id(*CARD) == "media-2"


@pytest.mark.parametrize(
    "other",
    [("other", "number-1", "ab" * 32), (ORGANISATION, "number-2", "ab" * 32), (ORGANISATION, "number-1", "cd" * 32)],
)
async def test_a_card_belongs_to_one_number_of_one_organisation(world: World, other: tuple[str, str, str]) -> None:
    await world.media.remember(*CARD, "media-1", world.clock.instant)
    assert await world.media.media_id(*other) is None


async def test_only_an_upload_after_a_given_instant_counts(world: World) -> None:
    uploaded = world.clock.instant
    await world.media.remember(*CARD, "media-1", uploaded)
    moment = timedelta(microseconds=1)
    assert await world.media.media_id(*CARD, after=uploaded - moment) == "media-1"
    assert await world.media.media_id(*CARD, after=uploaded) is None
    assert await world.media.media_id(*CARD) == "media-1"


async def test_a_refused_upload_is_forgotten_and_no_other(world: World) -> None:
    await world.media.forget(*CARD, "media-1")
    await world.media.remember(*CARD, "media-1", world.clock.instant)
    for other in ("media-0", "media-2"):
        await world.media.forget(*CARD, other)
        assert await world.media.media_id(*CARD) == "media-1"
    for _ in range(2):
        await world.media.forget(*CARD, "media-1")
        assert await world.another().media.media_id(*CARD) is None
    await world.media.remember(*CARD, "media-2", world.clock.instant)
    await world.media.forget(*CARD, "media-1")
    assert await world.media.media_id(*CARD) == "media-2"
