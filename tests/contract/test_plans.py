"""Stored plans and contents come back unchanged, for every kind of row."""

from dataclasses import replace
from decimal import Decimal

import pytest

from shared.base.refusal import FieldError
from shared.campaigns.distribution import Order, Upload
from shared.campaigns.stored_content import DuplicateRow, PlannedRow
from shared.messages.message import Chunk, PayloadRef, Price
from shared.messages.payload import Payload
from shared.texts.content import Content, SmsEncoding
from tests.contract.making import BARE_PAYLOAD, CHUNK, FULL_PAYLOAD, ORGANISATION, PERSON
from tests.contract.world import World

PAYLOADS = pytest.mark.parametrize("payload", [FULL_PAYLOAD, BARE_PAYLOAD], ids=["full", "bare"])
FULL_ROW = PlannedRow(
    row=1,
    message_id="m-1",
    person="0123456789abcdef0123456789abcdef",
    recipient="+221 77 *** ** 01",
    country="SN",
    enrollment_id="e-1",
    segments=2,
    price=Price(amount=Decimal("24.10"), currency="XOF"),
    payload=FULL_PAYLOAD,
)
BARE_ROW = replace(FULL_ROW, row=3, message_id="m-3", enrollment_id=None, segments=None, price=None)
ROWS = (FULL_ROW, replace(BARE_ROW, payload=BARE_PAYLOAD))


@pytest.mark.parametrize(
    "order",
    [
        Order(content=Content(text="Bonjour {first_name} 🎉\n«é»"), defaults={}),
        Order(
            content=Content(template="vaccination_card", language="fr", sms_encoding=SmsEncoding.GSM7),
            defaults={"é": [1, 2.5, None, True, {"a": "ü"}], "consent": False},
            upload=Upload(object_key="uploads/demo/u", version="v", format="csv"),
            skip_already_sent=True,
        ),
    ],
    ids=["text", "template"],
)
async def test_an_order_comes_back(world: World, order: Order) -> None:
    for _ in range(2):
        name = await world.plans.write_order(ORGANISATION, "d-1", order)
    await world.plans.write_order("other", "d-1", Order(content=Content(text="another"), defaults={}))
    assert await world.plans.read_order(ORGANISATION, "d-1", name) == order


@pytest.mark.parametrize("rows", [ROWS, ()], ids=["rows", "none"])
async def test_a_chunk_comes_back_until_it_expires(world: World, rows: tuple[PlannedRow, ...]) -> None:
    await world.plans.write_chunk(ORGANISATION, 1, CHUNK, rows)
    assert tuple(await world.plans.read_chunk(ORGANISATION, 1, CHUNK) or ()) == rows
    world.hands.erase(world.plans.chunk_key(ORGANISATION, 1, CHUNK))
    assert await world.plans.read_chunk(ORGANISATION, 1, CHUNK) is None


async def test_chunks_of_other_runs_attempts_and_organisations_are_separate(world: World) -> None:
    places = [
        (organisation, attempt, Chunk(distribution_id=identity, run=run, number=number))
        for organisation in (ORGANISATION, "other")
        for attempt in (1, 2)
        for identity in ("d-1", "d-2")
        for run in (0, 1)
        for number in (0, 1)
    ]
    assert len({world.plans.chunk_key(*place) for place in places}) == len(places)
    for number, place in enumerate(places):
        await world.plans.write_chunk(*place, [replace(FULL_ROW, row=number)])
    found = [await world.plans.read_chunk(*place) for place in places]
    assert [rows and rows[0].row for rows in found] == list(range(len(places)))


async def test_a_row_of_a_chunk_is_found_by_its_number(world: World) -> None:
    await world.plans.write_chunk(ORGANISATION, 1, CHUNK, ROWS)
    key = world.plans.chunk_key(ORGANISATION, 1, CHUNK)
    found = [await world.plans.read_payload(PayloadRef(object_key=key, row=row)) for row in (1, 2, 3)]
    assert found == [FULL_PAYLOAD, None, BARE_PAYLOAD]
    world.hands.erase(key)
    assert await world.plans.read_payload(PayloadRef(object_key=key, row=1)) is None


@PAYLOADS
async def test_a_single_payload_comes_back_until_it_expires(world: World, payload: Payload) -> None:
    for _ in range(2):
        reference = await world.plans.write_payload(ORGANISATION, PERSON, "m-1", payload)
    other = await world.plans.write_payload("other", PERSON, "m-1", BARE_PAYLOAD)
    assert await world.another().plans.read_payload(reference) == payload
    world.hands.erase(reference.object_key)
    assert await world.plans.read_payload(reference) is None
    assert await world.plans.read_payload(other) == BARE_PAYLOAD


async def test_a_payload_that_was_never_stored_is_none(world: World) -> None:
    assert await world.plans.read_payload(PayloadRef(object_key="messages/demo/none.json")) is None
    assert await world.plans.read_payload(PayloadRef(object_key="plans/demo/none", row=1)) is None


async def test_rejected_rows_come_back_in_their_parts(world: World) -> None:
    full = FieldError(
        field="phone", code="phone_invalid", facts={"name": "prénom"}, row=7, enrollment_id="e-1", recipient="***01"
    )
    parts: tuple[list[FieldError], ...] = (
        [full, FieldError(field="row", code="row_unreadable")],
        [replace(full, row=8)],
        [],
    )
    for number, part in enumerate(parts):
        await world.plans.write_field_errors(ORGANISATION, "d-1", 2, number, part)
    for number, part in enumerate(parts):
        assert list(await world.plans.read_field_errors(ORGANISATION, "d-1", 2, number) or ()) == part
    for place in ((ORGANISATION, "d-1", 2, 3), (ORGANISATION, "d-1", 1, 0), ("other", "d-1", 2, 0)):
        assert await world.plans.read_field_errors(*place) is None


async def test_two_bodies_for_one_message_or_distribution_are_both_kept(world: World) -> None:
    """Two requests with the same key run at once, and the refused one may write last."""
    winner = await world.plans.write_payload(ORGANISATION, PERSON, "m-1", BARE_PAYLOAD)
    loser = await world.another().plans.write_payload(ORGANISATION, "f" * 32, "m-1", FULL_PAYLOAD)
    same_person = await world.plans.write_payload(ORGANISATION, PERSON, "m-1", replace(BARE_PAYLOAD, text="Salut"))
    assert len({winner, loser, same_person}) == 3
    assert await world.plans.read_payload(winner) == BARE_PAYLOAD
    orders = [Order(content=Content(text=text), defaults={}) for text in ("one", "two")]
    names = [await world.plans.write_order(ORGANISATION, "d-1", order) for order in orders]
    assert [await world.plans.read_order(ORGANISATION, "d-1", name) for name in names] == orders


async def test_a_stored_chunk_is_never_overwritten(world: World) -> None:
    """A late repeat of a write by AWS's client must not restore an erased row."""
    await world.plans.write_chunk(ORGANISATION, 1, CHUNK, [FULL_ROW])
    await world.plans.erase_person(ORGANISATION, 1, CHUNK, FULL_ROW.person)
    await world.plans.write_chunk(ORGANISATION, 1, CHUNK, [FULL_ROW])
    rows = await world.plans.read_chunk(ORGANISATION, 1, CHUNK)
    assert rows is not None
    assert [row.payload for row in rows] == [None]


async def test_the_chunks_of_a_planning_run_are_listed(world: World) -> None:
    places = [(0, 0), (0, 1), (2, 0)]
    chunks = [Chunk(distribution_id="d-1", run=run, number=number) for run, number in places]
    for attempt in (1, 11):
        for chunk in chunks[: 4 - attempt]:
            await world.plans.write_chunk(ORGANISATION, attempt, chunk, [FULL_ROW])
    await world.plans.write_order(ORGANISATION, "d-1", Order(content=Content(text="t"), defaults={}))
    assert await world.plans.chunks(ORGANISATION, "d-1", 1) == chunks
    assert await world.plans.chunks("other", "d-1", 1) == []


async def test_duplicates_come_back_in_their_parts(world: World) -> None:
    full = DuplicateRow(row=7, duplicate_of=2, recipient="+22177***0001", enrollment_id="e-1")
    parts = ([full, replace(full, row=8, duplicate_of=None, enrollment_id=None)], [replace(full, row=9)])
    for _ in range(2):
        for number, part in enumerate(parts):
            await world.plans.write_duplicates(ORGANISATION, "d-1", 2, number, part)
    for number, part in enumerate(parts):
        assert list(await world.plans.read_duplicates(ORGANISATION, "d-1", 2, number) or ()) == part
    for place in ((ORGANISATION, "d-1", 2, 2), (ORGANISATION, "d-1", 1, 0), ("other", "d-1", 2, 0)):
        assert await world.plans.read_duplicates(*place) is None
