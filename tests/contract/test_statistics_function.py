"""Statistics, and rows that were sent already. The tests call the API and the fan-out as AWS does, on moto."""

import asyncio

import pytest

from shared.messages.message import Status
from shared.messages.ports import Move
from tests.contract.test_person_functions import READ, SEND, Running, deployed, running
from tests.fakes.office import recipient

__all__ = ["deployed", "running"]

ROUTES = pytest.mark.parametrize("route", ["GET /v1/statistics", "GET /v1/campaigns/{campaign_id}/statistics"])


def deliver(running: Running, message_id: str) -> None:
    """A receipt without the worker that counts it."""
    move = Move(status=Status.DELIVERED, at=running.clock.now())
    asyncio.run(running.world.log.move(running.organisation, message_id, move))


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
    assert found["by_channel"] == {"sms": 6}
    assert found["by_country"] == {"SN": 6}
    assert (found["delivery_rate"], found["read_rate"], found["median_delivery_seconds"]) == (1.0, None, None)


@ROUTES
@pytest.mark.parametrize(
    ("query", "field"),
    [("from=yesterday", "from"), ("to=2026-11-23T10:00:00", "to"), ("limit=5", "limit"), ("status=sent", "status")],
)
def test_an_invalid_period_is_refused(running: Running, route: str, query: str, field: str) -> None:
    path = {"campaign_id": "c-1"} if "campaign_id" in route else {}
    status, problem = running.call(route, path=path, query=query)
    assert (status, problem["errors"][0]["field"]) == (400, field)


@ROUTES
def test_a_period_selects_by_acceptance_time(running: Running, route: str) -> None:
    path = {"campaign_id": "c-1"} if "campaign_id" in route else {}
    first = running.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    running.send("one")
    running.clock.pass_by(minutes=1)
    second = running.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    running.send("two")
    for query, count in ((f"from={first}", 2), (f"from={first}&to={second}", 1), (f"from={second}", 1)):
        _, found = running.call(route, path=path, query=query)
        assert sum(found["counts"].values()) == count, query


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
