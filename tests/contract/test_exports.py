"""States and files of exports: each written conditionally, in parts, as often as a worker may repeat it."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit

from shared.exports.export import Export, ExportOrder, ExportQueue, ExportStatus, Kind, Part
from shared.messages.message import Status
from tests.contract.making import NOON, ORGANISATION
from tests.contract.world import World
from tests.fakes.exports import SMALLEST_PART

ORDER = ExportOrder(kind=Kind.MESSAGES, language="fr", campaign_id="c-1")
FULL = Export(
    organisation=ORGANISATION,
    export_id="e-full",
    order=replace(ORDER, status=Status.FAILED, since=NOON, until=NOON + timedelta(days=1)),
    created_at=NOON,
    rows=12,
    position="0000#m",
    is_read=True,
    upload_id="u",
    parts=(Part(number=1, etag='"a"', checksum="b"),),
    remainder=3,
    lease_until=NOON,
    tries=2,
    restarts=1,
    fails_for="no_progress",
)
BIG, SMALL = b"x" * SMALLEST_PART, "é;1\r\n".encode()


def export(export_id: str = "e-1") -> Export:
    return Export(organisation=ORGANISATION, export_id=export_id, order=ORDER, created_at=NOON)


async def begun(world: World, export_id: str = "e-1") -> Export:
    return replace(export(export_id), upload_id=await world.export_files.begin(export(export_id)))


async def with_parts(world: World, made: Export, *bodies: bytes) -> Export:
    for body in bodies:
        part = await world.export_files.put_part(made, len(made.parts) + 1, body)
        assert part is not None
        made = replace(made, parts=(*made.parts, part))
    return made


class TestStates:
    async def test_every_field_is_stored(self, world: World) -> None:
        await world.exports.create(FULL)
        assert await world.another().exports.get(ORGANISATION, "e-full") == FULL

    async def test_an_existing_export_stays(self, world: World) -> None:
        await world.exports.create(export())
        await world.exports.create(replace(export(), rows=7))
        assert await world.exports.get(ORGANISATION, "e-1") == export()
        assert await world.exports.get("other", "e-1") is None

    async def test_only_the_revision_that_was_read_is_replaced(self, world: World) -> None:
        await world.exports.create(export())
        saved = await world.exports.save(replace(export(), rows=1))
        assert saved is not None
        assert saved.revision == 1
        assert await world.exports.save(replace(export(), rows=2)) is None
        assert await world.exports.get(ORGANISATION, "e-1") == saved

    async def test_a_write_whose_answer_was_lost_finds_itself(self, world: World) -> None:
        await world.exports.create(export())
        first = await world.exports.save(replace(export(), rows=1))
        assert await world.exports.save(replace(export(), rows=1)) == first

    async def test_an_expired_export_is_not_made_again(self, world: World) -> None:
        assert await world.exports.save(replace(export(), revision=4)) is None
        assert await world.exports.get(ORGANISATION, "e-1") is None


class TestQueues:
    async def test_it_is_due_as_long_as_something_waits(self, world: World) -> None:
        empty = await world.exports.queue(ORGANISATION)
        assert empty == ExportQueue(organisation=ORGANISATION)
        assert await world.exports.save_queue(empty.with_export(export()))
        assert await world.exports.due(NOON - timedelta(seconds=1), 10) == []
        assert await world.exports.due(NOON, 10) == [ORGANISATION]
        waiting = await world.another().exports.queue(ORGANISATION)
        assert waiting.same(ORDER) is not None
        assert await world.exports.save_queue(waiting.without("e-1"))
        assert await world.exports.due(NOON + timedelta(days=1), 10) == []
        over = await world.exports.queue(ORGANISATION)
        assert (over.made, over.waiting, over.revision) == (1, (), 2)

    async def test_of_two_writers_one_wins(self, world: World) -> None:
        empty = await world.exports.queue(ORGANISATION)
        assert await world.exports.save_queue(empty.with_export(export()))
        assert not await world.exports.save_queue(empty.with_export(export("e-2")))
        assert await world.exports.save_queue(empty.with_export(export()))  # its answer was lost
        [one] = (await world.exports.queue(ORGANISATION)).waiting
        assert one.export_id == "e-1"


class TestFiles:
    async def test_parts_make_one_file_in_their_order(self, world: World) -> None:
        made = await with_parts(world, await begun(world), BIG, BIG, SMALL)
        assert world.hands.file(made) is None
        assert await world.export_files.complete(made)
        assert world.hands.file(made) == BIG + BIG + SMALL
        assert world.hands.leavings(made) == 0

    async def test_a_single_small_part_is_a_file(self, world: World) -> None:
        made = await with_parts(world, await begun(world), SMALL)
        assert await world.export_files.complete(made)
        assert world.hands.file(made) == SMALL

    async def test_a_repeated_part_replaces_itself(self, world: World) -> None:
        """A worker was killed after the part, before the state."""
        made = await begun(world)
        await with_parts(world, made, SMALL)
        made = await with_parts(world, made, BIG, SMALL)
        assert await world.export_files.complete(made)
        assert world.hands.file(made) == BIG + SMALL

    async def test_parts_are_put_together_once(self, world: World) -> None:
        made = await with_parts(world, await begun(world), SMALL)
        for _ in range(2):
            assert await world.another().export_files.complete(made)
            assert world.hands.file(made) == SMALL

    async def test_a_part_that_was_overwritten_is_noticed(self, world: World) -> None:
        made = await with_parts(world, await begun(world), BIG, SMALL)
        assert await world.export_files.put_part(made, 1, BIG + b"y") is not None
        assert not await world.export_files.complete(made)
        assert world.hands.file(made) is None

    async def test_a_removed_upload_takes_no_part_and_makes_no_file(self, world: World) -> None:
        made = await with_parts(world, await begun(world), SMALL)
        await world.export_files.clean(made, keep_file=True)
        assert await world.export_files.put_part(made, 2, SMALL) is None
        assert not await world.export_files.complete(made)

    async def test_a_remainder_is_read_again(self, world: World) -> None:
        await world.export_files.put_remainder(export(), 3, SMALL)
        await world.export_files.put_remainder(export(), 3, SMALL)
        await world.export_files.put_remainder(export(), 5, BIG)
        assert await world.export_files.read_remainder(replace(export(), remainder=3)) == SMALL
        assert await world.export_files.read_remainder(replace(export(), remainder=5)) == BIG
        assert await world.export_files.read_remainder(replace(export(), remainder=4)) is None
        assert world.hands.leavings(export()) >= 2

    async def test_cleaning_removes_all_but_the_file(self, world: World) -> None:
        made = await with_parts(world, await begun(world), SMALL)
        await begun(world)  # by a worker that was killed before it could say so
        await world.export_files.put_remainder(made, 2, SMALL)
        other = await with_parts(world, await begun(world, "e-10"), SMALL)
        assert await world.export_files.complete(made)
        for _ in range(2):
            await world.export_files.clean(made, keep_file=True)
            assert world.hands.file(made) == SMALL
        assert await world.export_files.complete(other)
        assert world.hands.leavings(made) == 0

    async def test_a_failed_export_has_no_file(self, world: World) -> None:
        made = await with_parts(world, await begun(world), SMALL)
        assert await world.export_files.complete(made)
        await world.export_files.put_remainder(made, 2, SMALL)
        for _ in range(2):
            await world.export_files.clean(made, keep_file=False)
            assert world.hands.file(made) is None
        assert world.hands.leavings(made) == 0


async def test_the_url_is_for_a_quarter_of_an_hour_and_forces_name_and_type(cloud: World) -> None:
    ended = export().ended(ExportStatus.DONE)
    url = urlsplit(await cloud.export_files.url(ended))
    asked = parse_qs(url.query)
    assert unquote(url.path).endswith(f"exports/{ORGANISATION}/e-1/file.csv")
    assert asked["X-Amz-Expires"] == ["900"]
    assert asked["response-content-disposition"] == [f'attachment; filename="{ended.file_name}"']
    assert asked["response-content-type"] == ["text/csv; charset=utf-8"]
