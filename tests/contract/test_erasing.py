"""Erasure in the stores: every version of a person's data is gone, and other people's data stays."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.campaigns.stored_content import PlannedRow
from shared.messages.message import Chunk, PayloadRef, Status
from shared.messages.payload import ORANGE
from shared.messages.ports import LogQuery, Move
from shared.recipients.number_key import IdentityLink
from shared.storage.aws import Aws
from tests.contract.making import BARE_PAYLOAD, CHUNK, NOON, ORGANISATION, message, stored_row
from tests.contract.world import World
from tests.fakes.consents import record, revoked
from tests.fakes.world import KilledError

PERSON, OTHER = "a" * 32, "b" * 32
NUMBER, OTHERS_NUMBER = "+221770000001", "+221770000002"


def planned(number: int, person: str, to: str) -> PlannedRow:
    return PlannedRow(
        row=number,
        message_id=f"m-{number}",
        person=person,
        recipient="+22177***0001",
        country="SN",
        enrollment_id=None,
        segments=1,
        price=None,
        payload=replace(BARE_PAYLOAD, to=to),
    )


MINE, THEIRS, MINE_TOO = planned(1, PERSON, NUMBER), planned(2, OTHER, OTHERS_NUMBER), planned(3, PERSON, NUMBER)


def blank(row: PlannedRow) -> PlannedRow:
    return replace(row, payload=None, person="")


async def stored_content(world: World) -> str:
    await world.plans.write_chunk(ORGANISATION, 1, CHUNK, (MINE, THEIRS, MINE_TOO))
    return world.plans.chunk_key(ORGANISATION, 1, CHUNK)


async def test_a_single_payload_is_gone_in_every_version(world: World) -> None:
    for _ in range(2):
        reference = await world.plans.write_payload(ORGANISATION, PERSON, "m-1", replace(BARE_PAYLOAD, to=NUMBER))
    longer = await world.plans.write_payload(ORGANISATION, PERSON, "m-1.json", replace(BARE_PAYLOAD, to=OTHERS_NUMBER))
    for _ in range(2):
        await world.plans.erase_payload(reference)
        assert await world.plans.read_payload(reference) is None
        assert not world.hands.holds(NUMBER)
    assert await world.plans.read_payload(longer) is not None


async def test_an_expired_payload_is_still_found(world: World) -> None:
    """In a versioned bucket, expiry hides an object and leaves its version for a day."""
    reference = await world.plans.write_payload(ORGANISATION, PERSON, "m-1", replace(BARE_PAYLOAD, to=NUMBER))
    world.hands.erase(reference.object_key)
    await world.plans.erase_payload(reference)
    assert not world.hands.holds(NUMBER)


async def test_one_row_of_a_chunk_is_erased_and_the_others_stay(world: World) -> None:
    key = await stored_content(world)
    for _ in range(2):
        await world.plans.erase_payload(PayloadRef(object_key=key, row=1))
        assert tuple(await world.plans.read_chunk(ORGANISATION, 1, CHUNK) or ()) == (blank(MINE), THEIRS, MINE_TOO)
    assert await world.plans.read_payload(PayloadRef(object_key=key, row=1)) is None
    assert await world.plans.read_payload(PayloadRef(object_key=key, row=2)) == THEIRS.payload


async def test_a_persons_rows_are_gone_in_every_version(world: World) -> None:
    await stored_content(world)
    for _ in range(2):
        await world.plans.erase_person(ORGANISATION, 1, CHUNK, PERSON)
        assert tuple(await world.plans.read_chunk(ORGANISATION, 1, CHUNK) or ()) == (
            blank(MINE),
            THEIRS,
            blank(MINE_TOO),
        )
        assert not world.hands.holds(NUMBER)
        assert not world.hands.holds(PERSON)
    assert world.hands.holds(OTHERS_NUMBER)


async def test_two_erasures_in_one_chunk_restore_neither_row(world: World) -> None:
    await stored_content(world)
    await asyncio.gather(*(world.plans.erase_person(ORGANISATION, 1, CHUNK, one) for one in (PERSON, OTHER)))
    rows = tuple(await world.plans.read_chunk(ORGANISATION, 1, CHUNK) or ())
    assert rows == (blank(MINE), blank(THEIRS), blank(MINE_TOO))
    assert not world.hands.holds(NUMBER)
    assert not world.hands.holds(OTHERS_NUMBER)


async def test_erasing_an_expired_or_missing_object_is_no_error(world: World) -> None:
    never = Chunk(distribution_id="d-9", run=0, number=0)
    await world.plans.erase_person(ORGANISATION, 1, never, PERSON)
    await world.plans.erase_payload(PayloadRef(object_key="messages/demo/never.json"))
    await world.plans.erase_payload(PayloadRef(object_key="plans/demo/never", row=1))
    key = await stored_content(world)
    world.hands.erase(key)
    await world.plans.erase_person(ORGANISATION, 1, CHUNK, PERSON)
    await world.plans.erase_payload(PayloadRef(object_key=key, row=1))


async def test_a_chunk_that_expired_and_is_not_gone_yet_is_found_and_removed(cloud: World) -> None:
    """In a versioned bucket, expiry hides an object and leaves its version for a day. The fakes keep no versions."""
    cloud.hands.erase(await stored_content(cloud))
    assert await cloud.plans.chunks(ORGANISATION, CHUNK.distribution_id, 1) == [CHUNK]
    assert cloud.hands.holds(NUMBER)
    await cloud.plans.erase_person(ORGANISATION, 1, CHUNK, PERSON)
    assert not cloud.hands.holds(NUMBER)
    assert await cloud.plans.chunks(ORGANISATION, CHUNK.distribution_id, 1) == []


@pytest.mark.parametrize("status", [Status.PENDING, Status.SENT])
async def test_an_unlinked_row_stays_without_its_person(world: World, status: Status) -> None:
    rows = [
        replace(message(f"m-{n}"), person=PERSON, payload=PayloadRef(object_key=f"messages/demo/{PERSON}/m-{n}.abc"))
        for n in range(3)
    ]
    await world.log.add_all(rows)
    if status is not Status.PENDING:
        await world.log.move(ORGANISATION, "m-1", Move(status=status, at=NOON))
    before = await stored_row(world.log)
    for _ in range(2):
        await world.log.unlink(ORGANISATION, "m-1")
        assert await stored_row(world.log) == replace(before, person="", payload=PayloadRef(object_key=""))
    await world.log.unlink(ORGANISATION, "never")
    assert await world.log.get(ORGANISATION, "never") is None
    page = await world.log.page(LogQuery(organisation=ORGANISATION, person=PERSON), None, 10)
    assert [one.message_id for one in page.items] == ["m-2", "m-0"]
    everyone = await world.log.page(LogQuery(organisation=ORGANISATION, campaign_id="c-1"), None, 10)
    assert [one.message_id for one in everyone.items] == ["m-2", "m-1", "m-0"]


async def test_a_row_can_be_logged_without_a_person(world: World) -> None:
    await world.log.add(replace(message(), person=""))
    assert (await stored_row(world.log)).person == ""
    page = await world.log.page(LogQuery(organisation=ORGANISATION), None, 10)
    assert [one.message_id for one in page.items] == ["m-1"]


@pytest.mark.parametrize("identity_links", [False, True])
async def test_traces_are_erased_and_the_consent_record_stays(world: World, identity_links: bool) -> None:
    statement = revoked(NOON, "erasure")
    for organisation in (ORGANISATION, "other"):
        for person in (PERSON, OTHER):
            await world.people.record(organisation, person, [statement])
            await world.sessions.open(organisation, "1", person, NOON + timedelta(hours=24))
            await world.contacts.add_identity_links(organisation, [(person, IdentityLink(other="c" * 32))])
            await world.unknown_sms.note(organisation, person, ORANGE, "m-1", NOON)
    for _ in range(2):
        await world.traces.forget(ORGANISATION, PERSON, identity_links=identity_links)
    assert await world.people.consents(ORGANISATION, [PERSON]) == {PERSON: record(statement)}
    assert list(await world.sessions.open_until(ORGANISATION, "1", [PERSON, OTHER])) == [OTHER]
    assert list(await world.sessions.open_until("other", "1", [PERSON])) == [PERSON]
    assert bool(await world.contacts.identity_links(ORGANISATION, PERSON)) is not identity_links
    assert await world.contacts.identity_links(ORGANISATION, OTHER)
    for organisation, person, known in ((ORGANISATION, PERSON, False), (ORGANISATION, OTHER, True)):
        met = await world.unknown_sms.meet(organisation, person, ORANGE, "r-1", NOON)
        assert bool(met.messages) is known


async def test_an_overtaken_erasure_reads_again(cloud: World, aws: Aws) -> None:
    """Another erasure writes the chunk between this one's read and write."""
    await stored_content(cloud)
    overtaken: list[str] = []

    def overtake(**_: object) -> None:
        if not overtaken:
            overtaken.append(OTHER)
            with pytest.raises(StopIteration):  # the overtaking call runs at once and never waits
                cloud.another().plans.erase_person(ORGANISATION, 1, CHUNK, OTHER).send(None)

    aws.s3.meta.events.register("after-call.s3.GetObject", overtake)
    try:
        await cloud.plans.erase_person(ORGANISATION, 1, CHUNK, PERSON)
    finally:
        aws.s3.meta.events.unregister("after-call.s3.GetObject", overtake)
    rows = tuple(await cloud.plans.read_chunk(ORGANISATION, 1, CHUNK) or ())
    assert rows == (blank(MINE), blank(THEIRS), blank(MINE_TOO))
    assert not cloud.hands.holds(NUMBER)
    assert not cloud.hands.holds(OTHERS_NUMBER)


async def test_the_next_erasure_completes_one_that_was_killed(cloud: World, aws: Aws) -> None:
    await stored_content(cloud)

    def kill(**_: object) -> None:
        raise KilledError

    aws.s3.meta.events.register("before-call.s3.ListObjectVersions", kill)
    try:
        with pytest.raises(KilledError):
            await cloud.plans.erase_person(ORGANISATION, 1, CHUNK, PERSON)
    finally:
        aws.s3.meta.events.unregister("before-call.s3.ListObjectVersions", kill)
    assert cloud.hands.holds(NUMBER)
    await cloud.plans.erase_person(ORGANISATION, 1, CHUNK, PERSON)
    assert not cloud.hands.holds(NUMBER)


async def test_an_object_without_a_row_is_found_by_the_person(world: World) -> None:
    """A lost race or a killed request leaves it behind."""
    for text in ("one", "two"):
        await world.plans.write_payload(ORGANISATION, PERSON, "m-1", replace(BARE_PAYLOAD, to=NUMBER, text=text))
    held = await world.plans.write_payload(ORGANISATION, PERSON, "m-2", replace(BARE_PAYLOAD, to=NUMBER))
    theirs = await world.plans.write_payload(ORGANISATION, OTHER, "m-1", replace(BARE_PAYLOAD, to=OTHERS_NUMBER))
    for _ in range(2):
        await world.plans.erase_singles(ORGANISATION, PERSON, but={"m-2"})
        assert await world.plans.read_payload(held) is not None
    await world.plans.erase_singles(ORGANISATION, PERSON, but=())
    assert not world.hands.holds(NUMBER)
    assert await world.plans.read_payload(theirs) is not None
    assert await world.plans.read_payload(PayloadRef(object_key="")) is None
    await world.plans.erase_payload(PayloadRef(object_key=""))
