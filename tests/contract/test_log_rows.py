"""Rows are stored whole, once, and apart from other organisations' rows."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bench.cloud.tables import size_of
from shared.messages.message import Chunk, Message, PayloadRef, Price, Status
from shared.messages.payload import Channel
from shared.messages.ports import Move
from shared.storage.dynamodb.items import attributes
from shared.storage.dynamodb.message_item import KEPT_FOR, to_item
from tests.contract.making import FULL_MESSAGE, NOON, ORGANISATION, message, stored_row
from tests.contract.world import World

FALLBACK = replace(
    message(), parent_message_id="m-0", parent_chunk=Chunk(distribution_id="d-1", run=1, number=4), due_at=NOON
)


@pytest.mark.parametrize("kept", [FULL_MESSAGE, message(), FALLBACK], ids=["full", "bare", "fallback"])
async def test_every_field_comes_back(world: World, kept: Message) -> None:
    assert await world.log.add(kept)
    assert await world.log.get(ORGANISATION, kept.message_id) == kept


async def test_instants_are_kept_to_the_millisecond(world: World) -> None:
    late = timedelta(microseconds=1999)
    await world.log.add(message(accepted_at=NOON + late, due_at=NOON + late))
    row = await stored_row(world.log)
    assert row.accepted_at == row.due_at == NOON + timedelta(milliseconds=1)


async def test_adding_twice_keeps_the_first(world: World) -> None:
    assert await world.log.add(message(campaign_id="first"))
    assert not await world.log.add(message(campaign_id="second"))
    assert (await stored_row(world.log)).campaign_id == "first"


async def test_adding_many_leaves_what_is_there(world: World) -> None:
    await world.log.add(message("m-7", campaign_id="first"))
    many = [message(f"m-{number}") for number in range(130)]
    for _ in range(2):
        await world.log.add_all(many)
    rows = await world.log.get_many(ORGANISATION, [*(one.message_id for one in many), "unknown"])
    assert rows == {one.message_id: one for one in many} | {"m-7": message("m-7", campaign_id="first")}


async def test_adding_many_again_leaves_every_status_as_it_is(world: World) -> None:
    """A worker that was killed logs its chunk twice. A sent message must not become pending again."""
    many = [message(f"m-{status}") for status in Status]
    await world.log.add_all(many)
    for status in (Status.SENT, Status.DELIVERED, Status.READ, Status.FAILED):
        await world.log.move(ORGANISATION, f"m-{status}", Move(status=status, at=NOON))
    await world.log.claim(
        ORGANISATION, f"m-{Status.PENDING}", token="t", now=NOON, lease_until=NOON + timedelta(seconds=90)
    )
    identities = [one.message_id for one in many]
    before = await world.log.get_many(ORGANISATION, identities)
    await world.log.add_all([*many, message("m-new")])
    assert await world.log.get_many(ORGANISATION, identities) == before
    assert {row.message_id: row.status for row in before.values()} == {f"m-{status}": status for status in Status}
    assert await stored_row(world.log, "m-new") == message("m-new")


async def test_the_first_of_two_rows_with_one_id_is_kept(world: World) -> None:
    many = [message(f"m-{number}") for number in range(30)]
    await world.log.add_all([*many, message("m-3", campaign_id="second"), message("m-3", organisation="other")])
    assert await stored_row(world.log, "m-3") == message("m-3")
    assert await world.log.get("other", "m-3") == message("m-3", organisation="other")


@pytest.mark.parametrize("count", [0, 1, 24, 25, 26, 51])
async def test_any_number_is_added(world: World, count: int) -> None:
    """DynamoDB takes 25 in a request."""
    many = {f"m-{number}": message(f"m-{number}", enrollment_id=f"e-{number}") for number in range(count)}
    await world.log.add_all(list(many.values()))
    assert await world.log.get_many(ORGANISATION, list(many)) == many


@pytest.mark.parametrize("kept", [FULL_MESSAGE, message()], ids=["full", "bare"])
async def test_every_field_of_one_among_many_comes_back(world: World, kept: Message) -> None:
    await world.log.add_all([kept, message("m-other")])
    assert await world.log.get(ORGANISATION, kept.message_id) == kept


def test_a_row_never_exceeds_one_kilobyte() -> None:
    """So each change costs one write unit. The row has the longest values: UUIDs as IDs, every instant, and Meta's
    ID."""
    identity = "6f1d3f0e-2b7a-5c49-9d0a-0b5c1f5e7a11"
    row = replace(
        message(identity, organisation=identity, campaign_id="vaccination-2026-11", enrollment_id="ENR00000001"),
        channel=Channel.WHATSAPP,
        chunk=Chunk(distribution_id=identity, run=2, number=41),
        payload=PayloadRef(object_key=f"plans/{identity}/{identity}/1/run-02/chunk-000041.ndjson", row=4100),
        recipient="+22177***4567",
        dedupe_key=" ".join(["0" * 16] * 3) + "!",
        provider_message_id="wamid." + "x" * 54,
        sender="106540352242922",
        attempts=1,
        segments=1,
        price=Price(amount=Decimal("12.3450"), currency="XOF"),
        claimed_at=NOON,
        sent_at=NOON,
        delivered_at=NOON,
        read_at=NOON,
    )
    assert size_of(dict(attributes(to_item(row, KEPT_FOR)))) <= 1024


async def test_organisations_do_not_share_an_id(world: World) -> None:
    assert await world.log.add(message())
    assert await world.log.add(message(organisation="other"))
    assert await world.log.get("stranger", "m-1") is None
    assert await world.log.get_many("stranger", ["m-1"]) == {}
    await world.log.postpone("other", "m-1", due_at=NOON)
    assert await stored_row(world.log) == message()
    assert await world.log.get("other", "m-1") == replace(message(organisation="other"), due_at=NOON)


async def test_changing_a_missing_row_creates_nothing(world: World) -> None:
    log, key = world.log, (ORGANISATION, "m-1")
    assert not await log.give_back(*key, token="t", due_at=NOON, uses_attempt=False)
    assert not await log.mark_unknown(*key, token="t", now=NOON, due_at=NOON)
    assert not await log.postpone(*key, due_at=NOON)
    assert not await log.move_next_check(*key, seen=NOON, due_at=NOON)
    assert await log.get(*key) is None
