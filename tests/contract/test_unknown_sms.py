"""SMS with an unknown outcome and unmatched receipts, by person."""

from datetime import timedelta

from shared.messages.payload import ORANGE
from shared.webhooks.unmatched_receipts import UnknownOutcomes
from tests.contract.making import NOON, ORGANISATION
from tests.contract.world import World

LATER = NOON + timedelta(minutes=20)
NOTHING = UnknownOutcomes(messages={}, receipts={})


async def test_a_receipt_finds_a_message_with_an_unknown_outcome(world: World) -> None:
    for _ in range(2):
        await world.unknown_sms.note(ORGANISATION, "p-1", ORANGE, "m-1", NOON)
    for _ in range(2):
        unknown_outcomes = await world.another().unknown_sms.meet(ORGANISATION, "p-1", ORANGE, "r#1", LATER)
        assert unknown_outcomes == UnknownOutcomes(messages={"m-1": NOON}, receipts={"r#1": LATER})


async def test_a_receipt_without_an_unknown_outcome_is_not_stored(world: World) -> None:
    assert await world.unknown_sms.meet(ORGANISATION, "p-1", ORANGE, "r-1", NOON) == NOTHING
    await world.unknown_sms.note(ORGANISATION, "p-1", ORANGE, "m-1", NOON)
    unknown_outcomes = await world.unknown_sms.meet(ORGANISATION, "p-1", ORANGE, "r-2", LATER)
    assert unknown_outcomes.receipts == {"r-2": LATER}


async def test_all_messages_with_an_unknown_outcome_are_returned(world: World) -> None:
    await world.unknown_sms.note(ORGANISATION, "p-1", ORANGE, "m-1", NOON)
    await world.unknown_sms.note(ORGANISATION, "p-1", ORANGE, "m-2", LATER)
    await world.unknown_sms.meet(ORGANISATION, "p-1", ORANGE, "r-1", LATER)
    unknown_outcomes = await world.unknown_sms.meet(ORGANISATION, "p-1", ORANGE, "r-2", NOON)
    assert unknown_outcomes == UnknownOutcomes(
        messages={"m-1": NOON, "m-2": LATER}, receipts={"r-1": LATER, "r-2": NOON}
    )


async def test_the_earlier_time_of_a_repeated_receipt_counts(world: World) -> None:
    await world.unknown_sms.note(ORGANISATION, "p-1", ORANGE, "m-1", NOON)
    await world.unknown_sms.meet(ORGANISATION, "p-1", ORANGE, "r-1", LATER)
    unknown_outcomes = await world.unknown_sms.meet(ORGANISATION, "p-1", ORANGE, "r-1", NOON)
    assert unknown_outcomes.receipts == {"r-1": NOON}


async def test_persons_and_organisations_are_apart(world: World) -> None:
    await world.unknown_sms.note(ORGANISATION, "p-1", ORANGE, "m-1", NOON)
    assert await world.unknown_sms.meet(ORGANISATION, "p-2", ORANGE, "r-1", LATER) == NOTHING
    assert await world.unknown_sms.meet("other", "p-1", ORANGE, "r-1", LATER) == NOTHING
