"""Statistics, and rows that were sent already. The tests call the API and the fan-out as AWS does, on moto."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from shared.messages.message import Status
from shared.messages.ports import Move
from shared.messages.status_writer import StatusWriter
from tests.contract.test_person_functions import READ, SEND, Running, deployed, running
from tests.fakes.office import recipient
from tests.fakes.world import FakeTelemetry

__all__ = ["deployed", "running"]

type Json = dict[str, Any]

ROUTES = pytest.mark.parametrize("route", ["GET /v1/statistics", "GET /v1/campaigns/{campaign_id}/statistics"])


def figures(found: Json) -> Json:
    """The part of an answer that each channel and country has too."""
    return {name: found[name] for name in ("counts", "delivery_rate", "read_rate", "segments", "prices")}


def deliver(running: Running, message_id: str) -> None:
    """A receipt, as its worker takes and counts it."""

    async def take() -> None:
        world = running.world
        status_writer = StatusWriter(world.log, world.distributions, FakeTelemetry(), running.clock)
        move = Move(status=Status.DELIVERED, at=running.clock.now())
        await status_writer.move(running.organisation, message_id, move)
        await status_writer.flush()

    asyncio.run(take())


@ROUTES
def test_statistics_of_singles_and_of_a_distribution(running: Running, route: str) -> None:
    sent = running.send("one")
    deliver(running, sent)
    running.distribute("two", confirm=True)
    path = {"campaign_id": "c-1"} if "campaign_id" in route else {}
    status, found = running.call(route, path=path)
    assert status == 200
    assert found["counts"] == {"pending": 5, "sent": 0, "delivered": 1, "read": 0, "failed": 0}
    running.work()
    status, later = running.call(route, path=path)
    assert (status, later) == (200, found)
    assert (found["by_channel"]["sms"], found["by_country"]["SN"]) == (figures(found), figures(found))
    assert (found["by_channel"].keys(), found["by_country"].keys()) == ({"sms"}, {"SN"})
    assert (found["delivery_rate"], found["read_rate"], found["median_delivery_seconds"]) == (1.0, None, None)


@ROUTES
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=yesterday", "from"),
        ("to=2026-11-23T10:00:00", "to"),
        ("limit=5", "limit"),
        ("status=sent", "status"),
        ("group=hour", "group"),
    ],
)
def test_an_invalid_period_is_refused(running: Running, route: str, query: str, field: str) -> None:
    path = {"campaign_id": "c-1"} if "campaign_id" in route else {}
    status, problem = running.call(route, path=path, query=query)
    assert (status, problem["errors"][0]["field"]) == (400, field)


@ROUTES
def test_a_period_selects_whole_hours_by_acceptance_time(running: Running, route: str) -> None:
    path = {"campaign_id": "c-1"} if "campaign_id" in route else {}

    def minutes_of_this_hour(minutes: int) -> str:
        at = running.clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(minutes=minutes)
        return at.isoformat().replace("+00:00", "Z")

    first, inside = minutes_of_this_hour(0), minutes_of_this_hour(10)
    running.send("one")
    running.clock.pass_by(hours=1)
    second, end = minutes_of_this_hour(0), minutes_of_this_hour(60)
    running.send("two")
    for query, count, used in (
        (f"from={first}", 2, (first, None)),
        (f"from={inside}&to={second}", 1, (first, second)),
        (f"from={minutes_of_this_hour(59)}", 1, (second, None)),
        (f"to={minutes_of_this_hour(1)}", 2, (None, end)),
        ("", 2, (None, None)),
    ):
        _, found = running.call(route, path=path, query=query)
        assert sum(found["counts"].values()) == count, query
        assert (found["from"], found["to"]) == used
        assert "series" not in found


@ROUTES
def test_a_series_has_the_counts_of_each_day(running: Running, route: str) -> None:
    path = {"campaign_id": "c-1"} if "campaign_id" in route else {}
    days = []
    for key in ("one", "two"):
        running.send(key)
        days.append(running.clock.now().date().isoformat())
        running.clock.pass_by(hours=48)
    _, found = running.call(route, path=path, query="group=day")
    pending = {"pending": 1, "sent": 0, "delivered": 0, "read": 0, "failed": 0}
    assert found["series"] == [{"day": day, "counts": pending} for day in days]


@ROUTES
def test_statistics_need_the_read_scope_and_show_only_the_own_organisation(running: Running, route: str) -> None:
    running.send("one")
    path = {"campaign_id": "c-1"} if "campaign_id" in route else {}
    status, problem = running.call(route, path=path, claims=running.claims(scope=SEND))
    assert (status, problem["code"]) == (403, "forbidden")
    stranger = {"organisation_id": "a-stranger", "scope": READ}
    status, found = running.call(route, path=path, claims=stranger)
    assert (status, sum(found["counts"].values()), found["delivery_rate"]) == (200, 0, None)


def test_a_phone_number_is_no_campaign(running: Running) -> None:
    status, problem = running.call("GET /v1/campaigns/{campaign_id}/statistics", path={"campaign_id": "221770000001"})
    assert (status, problem["errors"][0]["field"]) == (400, "campaign_id")


def test_rows_that_were_sent_already_count_as_duplicates(running: Running) -> None:
    running.distribute("first", confirm=True)
    running.work()
    running.send("single")
    rows = [recipient(number) for number in range(1, 8)]
    made = running.distribute("second", recipients=rows, skip_already_sent=True)
    assert (made["status"], made["accepted"], made["rejected"], made["duplicates"]) == ("planned", 3, 0, 4)
    again = running.distribute("second", recipients=rows, skip_already_sent=True)
    assert again == made
