"""Messages in doubt and the receipts that nobody claims, by person."""

from datetime import timedelta

from shared.messages.payload import ORANGE
from shared.webhooks.unmatched_receipts import Doubts
from tests.contract.making import NOON, ORGANISATION
from tests.contract.world import World

LATER = NOON + timedelta(minutes=20)
NOTHING = Doubts(messages={}, receipts={})


async def test_a_message_in_doubt_meets_a_receipt(world: World) -> None:
    for _ in range(2):
        await world.unknown_sms.note(ORGANISATION, "p-1", ORANGE, "m-1", NOON)
    for _ in range(2):
        doubts = await world.another().unknown_sms.meet(ORGANISATION, "p-1", ORANGE, "r#1", LATER)
        assert doubts == Doubts(messages={"m-1": NOON}, receipts={"r#1": LATER})


async def test_a_receipt_where_nothing_is_in_doubt_leaves_no_trace(world: World) -> None:
    assert await world.unknown_sms.meet(ORGANISATION, "p-1", ORANGE, "r-1", NOON) == NOTHING
    await world.unknown_sms.note(ORGANISATION, "p-1", ORANGE, "m-1", NOON)
    doubts = await world.unknown_sms.meet(ORGANISATION, "p-1", ORANGE, "r-2", LATER)
    assert doubts.receipts == {"r-2": LATER}


async def test_all_that_is_in_doubt_comes_back(world: World) -> None:
    await world.unknown_sms.note(ORGANISATION, "p-1", ORANGE, "m-1", NOON)
    await world.unknown_sms.note(ORGANISATION, "p-1", ORANGE, "m-2", LATER)
    await world.unknown_sms.meet(ORGANISATION, "p-1", ORANGE, "r-1", LATER)
    doubts = await world.unknown_sms.meet(ORGANISATION, "p-1", ORANGE, "r-2", NOON)
    assert doubts == Doubts(messages={"m-1": NOON, "m-2": LATER}, receipts={"r-1": LATER, "r-2": NOON})


async def test_a_receipt_heard_twice_was_heard_when_it_first_was(world: World) -> None:
    await world.unknown_sms.note(ORGANISATION, "p-1", ORANGE, "m-1", NOON)
    await world.unknown_sms.meet(ORGANISATION, "p-1", ORANGE, "r-1", LATER)
    doubts = await world.unknown_sms.meet(ORGANISATION, "p-1", ORANGE, "r-1", NOON)
    assert doubts.receipts == {"r-1": NOON}


async def test_persons_and_organisations_are_apart(world: World) -> None:
    await world.unknown_sms.note(ORGANISATION, "p-1", ORANGE, "m-1", NOON)
    assert await world.unknown_sms.meet(ORGANISATION, "p-2", ORANGE, "r-1", LATER) == NOTHING
    assert await world.unknown_sms.meet("other", "p-1", ORANGE, "r-1", LATER) == NOTHING
