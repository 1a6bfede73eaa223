"""Asking for exports: what is refused, what is shared, what waits, what is shown."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.base.refusal import ProblemCode, Refusal
from shared.campaigns.distribution import DistributionStatus
from shared.exports.export import KEPT_FOR, MOST_WAITING, ExportOrder, ExportStatus, Kind
from shared.exports.exporting import check
from shared.messages.message import Status
from tests.contract.making import distribution
from tests.fakes.world import MORNING, KilledError
from tests.unit.exports.world import ALL, DEMO, ExportWorld

MESSAGES = ExportOrder(kind=Kind.MESSAGES, language="fr")
REJECTED = ExportOrder(kind=Kind.REJECTED_ROWS, language="fr", distribution_id="d-1")
DAY = timedelta(days=1)


@pytest.fixture
def world() -> ExportWorld:
    made = ExportWorld()
    made.keep(distribution("d-1"))
    made.keep(distribution("d-planning", status=DistributionStatus.PLANNING))
    return made


@pytest.mark.parametrize(
    "order",
    [
        MESSAGES,
        replace(MESSAGES, campaign_id="c"),
        replace(MESSAGES, distribution_id="d-1", status=Status.FAILED),
        replace(MESSAGES, since=MORNING, until=MORNING),
        replace(MESSAGES, since=MORNING),
        REJECTED,
        ALL,
    ],
)
def test_orders_that_are_taken(order: ExportOrder) -> None:
    check(order)


@pytest.mark.parametrize(
    ("order", "code", "fields"),
    [
        (replace(MESSAGES, campaign_id="c", distribution_id="d"), ProblemCode.BAD_REQUEST, ["distribution_id"]),
        (replace(REJECTED, distribution_id=None), ProblemCode.BAD_REQUEST, ["distribution_id"]),
        (replace(ALL, distribution_id=None), ProblemCode.BAD_REQUEST, ["distribution_id"]),
        (
            replace(ALL, distribution_id=None, campaign_id="c"),
            ProblemCode.BAD_REQUEST,
            ["distribution_id", "campaign_id"],
        ),
        (replace(REJECTED, campaign_id="c"), ProblemCode.BAD_REQUEST, ["campaign_id"]),
        (replace(REJECTED, status=Status.FAILED), ProblemCode.BAD_REQUEST, ["status"]),
        (replace(ALL, since=MORNING, until=MORNING), ProblemCode.BAD_REQUEST, ["from", "to"]),
        (replace(MESSAGES, since=MORNING, until=MORNING - DAY), ProblemCode.UNPROCESSABLE, ["to"]),
    ],
)
def test_orders_that_are_refused(order: ExportOrder, code: ProblemCode, fields: list[str]) -> None:
    with pytest.raises(Refusal) as refused:
        check(order)
    assert refused.value.code is code
    assert [one.field for one in refused.value.field_errors] == fields
    assert {one.code for one in refused.value.field_errors} == {"field_invalid"}
    assert all(one.facts for one in refused.value.field_errors)


def refused(world: ExportWorld, order: ExportOrder) -> ProblemCode:
    with pytest.raises(Refusal) as found:
        world.ask(order)
    return found.value.code


def test_distributions_that_cannot_be_exported(world: ExportWorld) -> None:
    for kind in Kind:
        assert refused(world, replace(REJECTED, kind=kind, distribution_id="d-2")) is ProblemCode.NOT_FOUND
    assert refused(world, replace(REJECTED, distribution_id="d-planning")) is ProblemCode.STATE_CONFLICT
    assert world.ask(replace(MESSAGES, distribution_id="d-planning")).is_running
    assert len(world.store.items) == 1


def test_a_repeated_request_shares_the_export_until_it_is_over(world: ExportWorld) -> None:
    first = world.ask()
    assert world.ask().export_id == first.export_id
    other = world.ask(replace(ALL, language="fr"))
    assert other.export_id != first.export_id
    world.finish()
    later = world.ask()
    assert later.export_id not in (first.export_id, other.export_id)
    world.finish()
    assert {one.status for one in world.store.items.values()} == {ExportStatus.DONE}
    assert len(world.files.files) == 3


def test_an_export_that_is_over_but_not_yet_taken_from_the_queue_is_not_shared(world: ExportWorld) -> None:
    first = world.ask()
    assert world.killed(("exports.save_queue", 1))
    assert not world.state(first).is_running
    second = world.ask()
    assert second.export_id != first.export_id
    assert [one.export_id for one in world.store.queues[DEMO].waiting] == [second.export_id]


@pytest.mark.parametrize("point", ["exports.queue", "exports.create", "exports.save_queue", "tasks.put"])
def test_a_request_that_dies_makes_no_second_export(world: ExportWorld, point: str) -> None:
    world.points.kill_before = (point, 1)
    with pytest.raises(KilledError):
        world.ask()
    world.points.kill_before = None
    export = world.ask()
    world.finish()
    assert world.is_whole(export)
    assert len(world.files.files) == len(world.store.items) == 1


def test_an_organisation_has_a_limit_of_exports_that_wait(world: ExportWorld) -> None:
    for number in range(MOST_WAITING):
        world.ask(replace(MESSAGES, campaign_id=f"c-{number}"))
    assert refused(world, replace(MESSAGES, campaign_id="one-more")) is ProblemCode.STATE_CONFLICT
    assert world.ask(replace(MESSAGES, campaign_id="c-7")).order.campaign_id == "c-7"
    assert len(world.tasks.tasks) == MOST_WAITING


def test_an_export_is_shown_with_a_url_once_it_is_done(world: ExportWorld) -> None:
    export = world.ask()
    shown, url = world.run(world.exports().get(DEMO, export.export_id))
    assert (shown.status, url, shown.expires_at) == (ExportStatus.RUNNING, None, MORNING + KEPT_FOR)
    world.finish()
    shown, url = world.run(world.exports().get(DEMO, export.export_id))
    assert (shown.status, shown.rows) == (ExportStatus.DONE, 100)
    assert url is not None
    assert url.endswith(export.file_name)


def test_an_export_of_another_organisation_or_an_expired_one_is_not_found(world: ExportWorld) -> None:
    export = world.ask()
    for organisation, identity in (("other", export.export_id), (DEMO, "unknown")):
        with pytest.raises(Refusal) as found:
            world.run(world.exports().get(organisation, identity))
        assert found.value.code is ProblemCode.NOT_FOUND
    world.clock.pass_by(seconds=KEPT_FOR.total_seconds())
    with pytest.raises(Refusal):
        world.run(world.exports().get(DEMO, export.export_id))


@pytest.mark.parametrize(
    ("order", "name"),
    [
        (MESSAGES, "messages-20261123-1000.csv"),
        (replace(MESSAGES, campaign_id="vaccination-2026"), "messages-vaccination-2026-20261123-1000.csv"),
        (REJECTED, "lignes-rejetees-20261123-1000.csv"),
        (replace(ALL, language="en"), "duplicates-20261123-1000.csv"),
        (replace(ALL, language="fr"), "doublons-20261123-1000.csv"),
    ],
)
def test_the_file_has_a_name_that_says_what_it_is(world: ExportWorld, order: ExportOrder, name: str) -> None:
    assert world.ask(order).file_name == name


def test_a_request_leaves_an_event_with_the_caller(world: ExportWorld) -> None:
    world.ask(MESSAGES)
    assert ("export_requested", {"organisation": DEMO, "sub": "officer", "kind": "messages"}) in world.telemetry.events
