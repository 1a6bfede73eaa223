"""The scenarios are complete, and each can fail. `make chaos` runs them."""

from datetime import UTC, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

import pytest

from local.sample.people import PLACES
from tests.chaos.hands import HELD
from tests.chaos.run import besides, performed, start_of
from tests.chaos.scenarios import OMITTED, SCENARIOS, Scenario, named, take
from tests.chaos.seen import Seen, calls, reported, rows
from tests.chaos.stage import GRACE
from tests.simulation.checker import KNOWN_FOR, LATE, QUIET, ZONES, violations
from tests.simulation.evidence import Evidence, Person
from tests.stack.programme import Json
from tests.stack.running import RunningStack

NOON = datetime(2026, 10, 30, 12, tzinfo=UTC)
CARDS = {"+221770000300": "chaos-00001", "+221770000301": "chaos-00002"}


def test_each_scenario_has_each_of_its_people_once() -> None:
    for scenario in SCENARIOS:
        people = take(scenario)
        assert len(set(people)) == len(people) == scenario.rows
        assert {country for country, _ in people} == set(scenario.countries) <= set(PLACES)
        assert not OMITTED & {tail for _, tail in people}


def test_names_are_distinct_and_found_by_their_words() -> None:
    assert len({one.name for one in SCENARIOS}) == len(SCENARIOS)
    faults = [fault for one in SCENARIOS for fault in one.faults]
    assert len(set(faults)) == len(faults)
    assert named([]) == list(SCENARIOS)
    assert [one.name.partition(":")[2] for one in named(["cancelled"])] == [" cancelled under way"]


def test_the_evening_comes_first_because_the_clock_only_goes_forwards() -> None:
    assert [one for one in SCENARIOS if "T" in one.begins] == [SCENARIOS[0]]


def test_a_stack_that_ignores_the_rate_exceeds_it_in_some_scenarios() -> None:
    """A stack on two cores sends 25 a second or more. If it ignored these campaigns' rates, the checker would see it,
    even for half a campaign (quiet hours may cut it in two)."""
    bound = [one for one in SCENARIOS if one.rows / 2 * (1 - one.rate / 25) > one.rate * (LATE + GRACE) + 1]
    assert len(bound) >= 2
    assert any(not one.throttles for one in bound)


def test_a_pause_is_far_longer_than_what_the_checker_forgives() -> None:
    assert HELD.total_seconds() >= 8 + KNOWN_FOR + GRACE


def test_a_campaign_begins_outside_quiet_hours_or_at_its_own_hour() -> None:
    day, hour = Scenario(name="d", faults={}), Scenario(name="h", faults={}, begins="07:59:30")
    late = NOON.replace(hour=19)
    assert start_of(day, NOON) == NOON
    assert start_of(day, late) == datetime(2026, 10, 31, 7, 5, tzinfo=UTC)
    assert start_of(hour, NOON) == datetime(2026, 10, 31, 7, 59, 30, tzinfo=UTC)
    assert start_of(SCENARIOS[0], NOON) == datetime(2026, 10, 29, 17, 59, 40, tzinfo=UTC)


# --------------------------------------------------------------------------------------- what the checker would see


def person(number: str) -> Person:
    return Person(
        card=CARDS[number],
        number=number,
        country="SN",
        channel="sms",
        distribution="d",
        not_before=None,
        off_peak=False,
        consent=True,
        skips=False,
        granted_at=None,
        answered=None,
    )


def entry(number: str) -> Json:
    at = NOON.isoformat()
    return {"recipient": number, "provider_message_id": f"of-{number}", "key": None, "at": at, "outcome": "delivered"}


def receipt(number: str, result: str = "200") -> Json:
    at = (NOON + timedelta(seconds=1)).isoformat()
    reported_of = {"provider_message_ids": [f"of-{number}"], "statuses": ["DeliveredToTerminal"]}
    return {**reported_of, "at": at, "result": result}


def logged(number: str, status: str) -> Json:
    return {
        "message_id": f"m-{number}",
        "parent_message_id": None,
        "distribution_id": "d",
        "channel": "sms",
        "enrollment_id": CARDS[number],
        "status": status,
        "reason": "receipt_missing" if status == "sent" else None,
        "attempts": 1,
    }


def seen(statuses: list[str], receipts: list[Json], refused: dict[str, int] | None = None) -> Seen:
    """Two people; one message was sent to each."""
    ledger = [entry(number) for number in CARDS]
    evidence = Evidence(
        people=[person(number) for number in CARDS],
        calls=calls(ledger, "sms", CARDS),
        fetches=[],
        rows=rows([logged(number, status) for number, status in zip(CARDS, statuses, strict=True)]),
        deeds=[],
        states=[{"distribution": "d", "at": NOON - timedelta(minutes=1), "status": "sending"}],
        statements=[],
        reported=reported(receipts, ledger, "sms", CARDS),
        arrivals=[],
        changes=[],
        unknown=[],
        accepted={"d": 2},
        retries={},
        counts={"d": {status: statuses.count(status) for status in set(statuses)}},
        idle=[],
        reasons={},
        fallbacks={},
        rates={"sms": 10},
        grace=GRACE,
    )
    return Seen(
        evidence=evidence, ledger=ledger, receipts=receipts, refused=refused or {}, failed={}, done={"forged": 1}
    )


def test_a_receipt_that_the_webhook_accepted_and_lost_is_a_violation() -> None:
    both = [receipt(number) for number in CARDS]
    assert violations(seen(["delivered", "delivered"], both).evidence) == []
    assert [wrong.kind for wrong in violations(seen(["delivered", "sent"], both).evidence)] == ["lost"]
    refused = [both[0], receipt("+221770000301", "500")]
    assert violations(seen(["delivered", "sent"], refused).evidence) == []


def test_repeated_receipts_are_counted() -> None:
    once, twice = receipt("+221770000300"), receipt("+221770000301")
    assert seen(["delivered", "delivered"], [once, twice]).reported_twice() == 0
    assert seen(["delivered", "delivered"], [once, twice, twice]).reported_twice() == 1


def test_a_fault_that_never_occurred_and_an_exceeded_rate_are_violations() -> None:
    calm = Scenario(name="s", faults={}, rate=10)
    found = seen(["delivered", "delivered"], [], {"403/53": 51})
    once = seen(["delivered", "delivered"], [], {"403/53": 50})
    assert besides(calm, once, {"f": 1}) == []
    assert [wrong.kind for wrong in besides(calm, found, {"f": 0, "g": 1})] == ["wrong", "early"]
    assert besides(Scenario(name="s", faults={}, throttles=True), found, {"g": 1}) == []


class _Broken:
    def now(self) -> datetime:
        raise ConnectionError("no server answers")


def test_a_scenario_that_raises_has_failed(capsys: pytest.CaptureFixture[str]) -> None:
    one = performed(cast("RunningStack", _Broken()), 4, SCENARIOS[1])
    assert [wrong.kind for wrong in one.wrongs] == ["wrong"]
    assert "ConnectionError: no server answers (tests/chaos/" in one.wrongs[0].text
    assert "1 wrong" in capsys.readouterr().err


def test_at_the_next_mornings_start_no_country_has_quiet_hours() -> None:
    begins = start_of(Scenario(name="d", faults={}), NOON.replace(hour=19))
    assert all(QUIET[1] <= begins.astimezone(ZoneInfo(zone)).time() < QUIET[0] for zone in ZONES.values())
