"""The task that makes a file: killed anywhere, done twice, with another worker, with stored parts that are gone."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.exports.export import KEPT_FOR, LEASE, MOST_RESTARTS, MOST_ROWS, MOST_TRIES, SLICE, ExportStatus
from tests.contract.making import distribution
from tests.unit.exports.world import ALL, DEMO, PART, ExportWorld

POINTS = (
    "exports.queue",
    "exports.get",
    "exports.save",
    "exports.save_queue",
    "export_files.begin",
    "export_files.put_part",
    "export_files.put_remainder",
    "export_files.read_remainder",
    "export_files.complete",
    "export_files.clean",
    "rows.page",
    "tasks.put",
)


@pytest.fixture
def world() -> ExportWorld:
    return made()


def made(**rows: float) -> ExportWorld:
    world = ExportWorld()
    world.keep(distribution("d-1"))
    for name, value in rows.items():
        setattr(world.rows, name, value)
    return world


@pytest.mark.parametrize("count", [0, 1, 20, 100])
@pytest.mark.parametrize("seconds_a_page", [0.1, 9, 61])
def test_a_file_has_one_header_and_each_row_once(count: int, seconds_a_page: float) -> None:
    world = made(count=count, seconds_a_page=seconds_a_page)
    export = world.ask()
    world.finish()
    assert world.is_whole(export)
    assert world.is_clean()
    assert world.file(export).startswith(b"\xef\xbb\xbf")
    done = world.state(export)
    assert (done.status, done.rows, done.lease_until) == (ExportStatus.DONE, count, None)
    assert world.store.queues[DEMO].waiting == ()
    assert "export_done" in world.telemetry.names()


@pytest.mark.parametrize("count", [50, 5000])
def test_a_worker_never_holds_more_than_a_part_and_a_page(count: int) -> None:
    world = made(count=count, seconds_a_page=0.1)
    export = world.ask()
    world.finish()
    assert world.is_whole(export)
    assert world.files.largest < PART + 200


def test_a_task_ends_after_a_minute_and_puts_another_on_the_queue() -> None:
    world = made(seconds_a_page=10)
    world.ask()
    world.tasks.tasks.clear()
    began = world.clock.now()
    world.work()
    assert world.clock.now() - began <= SLICE + timedelta(seconds=10)
    assert [task.kind for task in world.tasks.tasks] == ["export"]


@settings(max_examples=300)
@given(
    kills=st.lists(st.tuples(st.sampled_from(POINTS), st.integers(1, 12)), max_size=6),
    count=st.integers(0, 90),
    seconds_a_page=st.sampled_from([0.1, 8.0, 25.0, 70.0]),
)
def test_killed_anywhere_it_is_one_whole_file(kills: list[tuple[str, int]], count: int, seconds_a_page: float) -> None:
    """Each worker dies before a point; all that it did before stands. The tick revives the export."""
    world = made(count=count, seconds_a_page=seconds_a_page)
    export = world.ask()
    for kill in kills:
        world.killed(kill)
        world.clock.pass_by(minutes=3)
    world.finish()
    assert world.is_whole(export)
    assert world.is_clean()
    assert world.state(export).status is ExportStatus.DONE


def test_a_worker_waits_for_the_lease_of_a_dead_one(world: ExportWorld) -> None:
    export = world.ask()
    assert world.killed(("export_files.put_part", 2))
    began = world.clock.now()
    world.work()
    assert world.clock.now() == began  # it has read nothing
    world.clock.pass_by(seconds=LEASE.total_seconds())
    world.work()
    assert world.is_whole(export)


@settings(max_examples=200)
@given(
    steps=st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0, 0, 0, 40, 200])), max_size=120),
    count=st.integers(0, 60),
)
def test_several_workers_at_once_make_one_file(steps: list[tuple[int, int]], count: int) -> None:
    """Three workers take steps in any order, and some are frozen for longer than their lease."""
    world = made(count=count, seconds_a_page=1)
    export = world.ask()
    workers = [steps_of(world) for _ in range(3)]
    for number, seconds in steps:
        world.clock.pass_by(seconds=seconds)
        next(workers[number], None)
    world.clock.pass_by(minutes=3)
    world.finish()
    for worker in workers:  # the frozen ones wake up at last
        for _ in worker:
            pass
    assert world.is_whole(export)
    assert world.state(export).status is ExportStatus.DONE
    assert [one for one in world.telemetry.names() if one == "export_done"] == ["export_done"]


def steps_of(world: ExportWorld) -> Iterator[None]:
    """The work of one task, which stops before each call of a fake."""
    work = world.worker().work(DEMO, world.clock.now() + timedelta(minutes=10))
    while True:
        try:
            work.send(None)
        except StopIteration:
            return
        yield


def test_a_part_that_a_frozen_worker_overwrites_begins_the_file_again(world: ExportWorld) -> None:
    export = world.ask()
    assert world.killed(("export_files.complete", 1))
    written = world.state(export)
    late = world.run(world.files.put_part(written, 1, b"x" * 300))
    assert late is not None
    world.clock.pass_by(minutes=3)
    world.finish()
    assert world.is_whole(export)
    assert world.is_clean()
    assert world.state(export).status is ExportStatus.DONE


def test_parts_that_are_always_gone_end_as_failed(world: ExportWorld) -> None:
    export = world.ask()
    for number in range(MOST_RESTARTS + 1):
        # From the second time on, the worker first finds that the parts are gone and begins the file again.
        assert world.killed(("export_files.complete", 2 if number else 1))
        world.files.uploads.clear()
        world.clock.pass_by(minutes=3)
    world.finish()
    assert world.state(export).status is ExportStatus.FAILED
    assert world.telemetry.events[-1] == ("export_failed", {"organisation": DEMO, "reason": "parts_gone"})


def test_complete_twice_finds_the_file(world: ExportWorld) -> None:
    """The worker dies after the parts are put together, before it says so."""
    export = world.ask()
    assert world.killed(("export_files.clean", 1))
    assert world.is_whole(export)
    assert world.state(export).status is ExportStatus.RUNNING
    world.clock.pass_by(minutes=3)
    world.finish()
    assert world.is_whole(export)
    assert world.state(export).status is ExportStatus.DONE


@pytest.mark.parametrize("point", ["exports.save", "export_files.clean", "rows.page"])
def test_a_failed_export_leaves_nothing_behind(world: ExportWorld, point: str) -> None:
    export = world.ask()
    assert world.killed(("rows.page", 9))
    world.rows.are_gone = True
    for place in (1, 2, 3):
        world.clock.pass_by(minutes=3)
        world.killed((point, place))
    world.clock.pass_by(minutes=3)
    world.finish()
    assert world.state(export).status is ExportStatus.FAILED
    assert world.is_clean()
    assert world.files.files == {}
    assert world.telemetry.warning_events == ["export_failed"]
    assert world.telemetry.events[-1] == ("export_failed", {"organisation": DEMO, "reason": "content_gone"})


def test_a_frozen_worker_does_not_fail_what_another_one_has_finished(world: ExportWorld) -> None:
    """It must win a write before it removes anything."""
    export = world.ask()
    frozen = steps_of(world)
    while world.points.passed["rows.page"] < 3:
        next(frozen)
    world.clock.pass_by(minutes=3)
    world.finish()
    world.rows.are_gone = True
    for _ in frozen:
        pass
    assert world.is_whole(export)
    assert world.state(export).status is ExportStatus.DONE
    assert world.telemetry.warning_events == []


def test_an_export_without_progress_fails_at_last(world: ExportWorld) -> None:
    export = world.ask()
    for _ in range(MOST_TRIES):
        assert world.killed(("rows.page", 1))
        world.clock.pass_by(minutes=3)
    world.finish()
    assert world.state(export).status is ExportStatus.FAILED
    assert world.is_clean()


def test_progress_makes_good_for_earlier_tries() -> None:
    world = made(seconds_a_page=70)
    export = world.ask()
    for _ in range(2 * MOST_TRIES):
        world.killed(("rows.page", 1))
        world.clock.pass_by(minutes=3)
        if not world.run(world.store.due(world.clock.now(), 1)):
            break
        world.work()
    world.finish()
    assert world.is_whole(export)


def test_a_million_rows_and_one_more_fail(world: ExportWorld) -> None:
    world.rows.count, world.rows.a_page, world.rows.seconds_a_page = MOST_ROWS + 1, MOST_ROWS // 4, 0
    export = world.ask()
    world.store.items[DEMO, export.export_id] = replace(export, rows=MOST_ROWS - 10, position="0")
    world.rows.a_page, world.rows.count = 11, 11
    world.work()
    failed = world.state(export)
    assert (failed.status, failed.rows) == (ExportStatus.FAILED, MOST_ROWS)
    assert world.is_clean()


def test_exports_of_an_organisation_are_made_in_turn(world: ExportWorld) -> None:
    first, second = world.ask(), world.ask(replace(ALL, language="fr"))
    world.killed(("export_files.put_part", 1))
    assert world.state(second).revision == 0
    world.clock.pass_by(minutes=3)
    world.finish()
    assert {world.state(one).status for one in (first, second)} == {ExportStatus.DONE}
    assert world.file(second).count(b";") > 100


def test_an_expired_export_does_not_hold_up_the_next_one(world: ExportWorld) -> None:
    first = world.ask()
    del world.store.items[DEMO, first.export_id]
    second = world.ask(replace(ALL, language="fr"))
    world.clock.pass_by(seconds=KEPT_FOR.total_seconds() - 1)
    world.finish()
    assert world.state(second).status is ExportStatus.DONE
    assert world.store.queues[DEMO].waiting == ()
