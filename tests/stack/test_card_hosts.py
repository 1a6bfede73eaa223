"""A failing card host, over HTTP: no row fails and no SMS leaves. One bad card fails only its own row. The plan
warns."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.stack.programme import DELIVERED, Json, Programme, organisation_of
from tests.stack.running import RunningStack
from tests.waiting import until

TEMPLATE = {"template": {"name": "vaccination_card"}}
FALLBACK = {"channel": "sms", "after_minutes": 600}
ROWS = 24
"""Half of them are more than the ten failures that hold a host."""
MINUTE = timedelta(minutes=1)
FIRST, SECOND = "127.0.0.1", "127.1"
"""The simulators' card host, under two names (docs/simulators.md)."""
KINDS = ("missing", "page", "down")
"""One answer of each kind: no card there, something else instead of it, no answer. `tests/unit/providers/test_cards.py`
shows that 302, 403, 404 and 410 are one kind."""


@pytest.fixture(scope="module")
def running(fresh_stack: RunningStack) -> RunningStack:
    """The tests move its clock and break its card host."""
    return fresh_stack


@pytest.fixture
def programme(running: RunningStack, request: pytest.FixtureRequest) -> Iterator[Programme]:
    running.set_simulators(cards={FIRST: "ok", SECOND: "ok"})
    with Programme(running, organisation_of(request.node.nodeid)) as programme:
        yield programme


def break_cards(programme: Programme, answer: str, host: str = FIRST) -> None:
    programme.stack.set_simulators(cards={host: answer})


def recipients(programme: Programme, count: int = ROWS) -> list[Json]:
    return [programme.recipient(DELIVERED + number) for number in range(count)]


def distribute(programme: Programme, people: list[Json], *, confirm: bool = True) -> Json:
    answer = programme.distribute(
        channel="whatsapp", content=TEMPLATE, recipients=people, fallback=FALLBACK, confirm=confirm
    )
    return programme.ok(answer)


def counts(programme: Programme, made: Json) -> dict[str, int]:
    found: dict[str, int] = programme.distribution(made["distribution_id"])["counts"]
    return found


def pass_by(programme: Programme, minutes: int) -> None:
    """The clock stops at each due time, and waits there for the functions."""
    programme.move_to(programme.stack.now() + minutes * MINUTE)


def arrived(found: dict[str, int]) -> int:
    return found["delivered"] + found["read"]


@pytest.mark.parametrize("answer", KINDS)
def test_a_host_that_serves_no_card_fails_no_row_and_starts_no_fallback(programme: Programme, answer: str) -> None:
    break_cards(programme, answer)
    made = distribute(programme, recipients(programme))
    pass_by(programme, 5)
    found = until(
        lambda: programme.distribution(made["distribution_id"]),
        lambda one: one["status"] == "paused" and one["holds"][0]["messages"] == one["counts"]["pending"] == ROWS,
    )
    assert found["counts"] == {"pending": ROWS, "sent": 0, "delivered": 0, "read": 0, "failed": 0}
    assert programme.ledger("meta") == programme.ledger("orange") == []
    assert found["status_reason"] == "cards_unavailable"
    [hold] = found["holds"]
    host = programme.stack.simulators_url.removeprefix("http://")
    assert (hold["scope"], hold["key"], hold["reason"], hold["messages"]) == ("cards", host, "cards_unavailable", ROWS)
    logged = programme.messages(distribution_id=made["distribution_id"])
    assert {(message["status"], message["reason"]) for message in logged} == {("pending", None)}
    break_cards(programme, "ok")
    pass_by(programme, 15)
    until(lambda: counts(programme, made), lambda found: arrived(found) == ROWS)
    assert len(programme.ledger("meta")) == ROWS
    assert programme.ledger("orange") == []


@pytest.mark.parametrize(("bad", "card"), [(3, "missing"), (12, "page")])
def test_one_bad_card_among_good_ones_fails_after_a_second_try(programme: Programme, bad: int, card: str) -> None:
    """Also if it is the last row: then no later card shows that the host works."""
    people = recipients(programme, 12)
    people[bad - 1]["card_image"] = f"{programme.stack.simulators_url}/cards/{card}.png"
    made = distribute(programme, people)
    until(lambda: counts(programme, made), lambda found: arrived(found) == 11)
    assert counts(programme, made)["pending"] == 1
    assert programme.ledger("orange") == []
    pass_by(programme, 4)
    until(lambda: counts(programme, made), lambda found: found["failed"] == 1)
    found = programme.distribution(made["distribution_id"])
    assert found["by_reason"] == {"card_unreachable": 1}
    until(lambda: programme.ledger("orange"), lambda sent: len(sent) == 1)


def test_a_failing_host_does_not_hold_the_rows_of_another_host(programme: Programme) -> None:
    people = recipients(programme)
    second = programme.stack.simulators_url.replace(FIRST, SECOND)
    for person in people[1::2]:
        person["card_image"] = f"{second}/cards/{{card_code}}.png"
    break_cards(programme, "forbidden", SECOND)
    made = distribute(programme, people)
    until(lambda: counts(programme, made), lambda found: arrived(found) == ROWS / 2)
    pass_by(programme, 5)
    found = until(
        lambda: programme.distribution(made["distribution_id"]),
        lambda one: [(hold["scope"], hold["messages"]) for hold in one["holds"]] == [("cards", ROWS / 2)],
    )
    assert found["counts"]["pending"] == ROWS / 2
    assert programme.ledger("orange") == []
    break_cards(programme, "ok", SECOND)
    pass_by(programme, 15)
    until(lambda: counts(programme, made), lambda found: arrived(found) == ROWS)


def test_a_single_message_is_tried_again_for_a_while_before_it_fails(programme: Programme) -> None:
    person = programme.recipient(DELIVERED, card_image=f"{programme.stack.simulators_url}/cards/missing.png")
    answer = programme.send(person, channel="whatsapp", content=TEMPLATE, fallback=FALLBACK)
    made = programme.ok(answer)
    pass_by(programme, 10)
    assert programme.message(made["message_id"])["status"] == "pending"
    assert programme.ledger("orange") == []
    pass_by(programme, 15)
    assert programme.settled(made["message_id"], "failed")["reason"] == "card_unreachable"
    until(lambda: programme.ledger("orange"), lambda sent: len(sent) == 1)


@pytest.mark.parametrize(("language", "words"), [("fr", "Certaines cartes"), ("en", "Some cards")])
@pytest.mark.parametrize("answer", ["page", "down"])
def test_the_plan_warns_in_the_callers_language_and_names_no_url(
    programme: Programme, answer: str, language: str, words: str
) -> None:
    break_cards(programme, answer)
    programme.api.headers["Accept-Language"] = language
    made = distribute(programme, recipients(programme), confirm=False)
    [warning] = [one for one in made["warnings"] if one["code"] == "cards_unreachable"]
    assert words in warning["message"]
    assert 3 <= warning["count"] <= 5
    assert "http" not in warning["message"]
    assert "/cards/" not in warning["message"]
    break_cards(programme, "ok")
    mended = distribute(programme, recipients(programme), confirm=False)
    assert "cards_unreachable" not in [one["code"] for one in mended["warnings"]]


def test_the_plan_of_an_upload_warns_too(programme: Programme) -> None:
    break_cards(programme, "forbidden")
    people = recipients(programme)
    header = list(people[0])
    lines = [",".join(str(person[name]) for name in header) for person in people]
    upload = programme.upload("\n".join([",".join(header), *lines]).encode(), "csv")
    made = programme.ok(programme.distribute(channel="whatsapp", content=TEMPLATE, upload_id=upload))
    planned = until(lambda: programme.distribution(made["distribution_id"]), lambda found: found["status"] == "planned")
    assert "cards_unreachable" in [one["code"] for one in planned["warnings"]]
