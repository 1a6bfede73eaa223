"""AWS does a write and its answer is lost. The client repeats the write, which meets the first one."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from tests.stack.programme import DELIVERED, Programme
from tests.waiting import http, until


@contextmanager
def answers_lost(programme: Programme, *operations: str) -> Iterator[None]:
    """Every second call takes effect and answers 500."""
    url = f"{programme.stack.aws_url}/_stack/faults"
    names = [f"DynamoDB_20120810.{one}" for one in operations]
    faults = {"operations": names, "every": 2, "took_effect": True}
    http().post(url, json=faults).raise_for_status()
    try:
        yield
    finally:
        http().post(url, json={"every": 0}).raise_for_status()


def sent(programme: Programme, number: int) -> str:
    """Repeats the request with the same key until it is answered: all attempts of one write may be lost."""
    recipient, key = programme.recipient(DELIVERED + number), f"k-{number}"
    answer = until(lambda: programme.send(recipient, key=key), lambda answer: answer.is_success)
    return str(answer.json()["message_id"])


def test_no_sms_ends_as_unknown_although_no_call_was_made(programme: Programme) -> None:
    """A few messages must come again: both attempts of their claim were lost, and the claim was given back."""
    with answers_lost(programme, "UpdateItem"):
        made = [sent(programme, number) for number in range(8)]
        until(lambda: len(programme.ledger("orange")), lambda taken: taken >= 4)
    programme.move_to(programme.stack.now() + timedelta(minutes=10))
    ended = [programme.settled_at_a_tick(identity, "delivered") for identity in made]
    assert [one["reason"] for one in ended] == [None] * 8
    assert len(programme.ledger("orange")) == 8


def test_a_retry_whose_answers_are_lost_sends_each_failed_row_once(programme: Programme) -> None:
    """Of the request, of the place that a row takes, and of everything in between."""
    undeliverable = [programme.recipient(610, card_code=f"C-{number}") for number in range(3)]  # docs/simulators.md
    made = programme.ok(programme.distribute(recipients=undeliverable, confirm=True))
    until(lambda: programme.distribution(made["distribution_id"])["counts"]["failed"], lambda failed: failed == 3)
    programme.stack.set_simulators(special_numbers=False)
    try:
        with answers_lost(programme, "PutItem", "UpdateItem"):
            retry = until(lambda: programme.retry(made, key="once", confirm=True), lambda answer: answer.is_success)
            until(lambda: len(programme.ledger("orange")), lambda taken: taken >= 4)
        programme.move_to(programme.stack.now() + timedelta(minutes=20))
        identity = retry.json()["distribution_id"]
        until(lambda: programme.distribution(identity)["counts"]["delivered"], lambda found: found == 3)
    finally:
        programme.stack.set_simulators(special_numbers=True)
    assert len(programme.ledger("orange")) == 6
    rows = programme.messages(distribution_id=made["distribution_id"])
    assert len({row["successor_message_id"] for row in rows}) == 3


def test_an_inline_distribution_is_planned_at_once(programme: Programme) -> None:
    """The repeat does not count as another request with the same key."""
    rows = [programme.recipient(DELIVERED)]
    with answers_lost(programme, "PutItem"):
        answers = [programme.distribute(recipients=rows, key=f"k-{number}") for number in range(4)]
    assert [answer.status_code for answer in answers] == [201] * 4
    assert {answer.json()["status"] for answer in answers} == {"planned"}
