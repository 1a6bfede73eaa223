"""Two bodies with one Idempotency-Key at the same time: one is accepted, and only that one is sent."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx2

from shared.base.instants import format_instant
from tests.stack.programme import DELIVERED, Programme
from tests.waiting import until

AT_ONCE, ROUNDS = 8, 3


def _only_accepted(answers: list[httpx2.Response]) -> int:
    """The index of the accepted one; all others were refused."""
    taken = [number for number, answer in enumerate(answers) if answer.status_code == 202]
    refused = [answer.json()["code"] for answer in answers if answer.status_code != 202]
    assert len(taken) == 1, [answer.text for answer in answers]
    assert set(refused) == {"idempotency_key_reused"}
    return taken[0]


def test_only_the_accepted_message_is_sent(programme: Programme) -> None:
    at = programme.stack.now() + timedelta(minutes=2)
    expected, identities = set(), []
    with ThreadPoolExecutor(AT_ONCE) as clients:
        for turn in range(ROUNDS):
            numbers = [DELIVERED + AT_ONCE * turn + number for number in range(AT_ONCE)]

            def send(number: int, key: str = f"k-{turn}") -> httpx2.Response:
                return programme.send(programme.recipient(number), key=key, send_at=format_instant(at))

            answers = list(clients.map(send, numbers))
            taken = _only_accepted(answers)
            expected.add(f"+22177000{numbers[taken]:04d}")
            identities.append(answers[taken].json()["message_id"])
    programme.move_to(at + timedelta(seconds=61))
    for identity in identities:
        programme.settled(identity, "delivered")
    assert {entry["recipient"] for entry in programme.ledger("orange")} == expected


def test_only_the_accepted_upload_is_planned(programme: Programme) -> None:
    expected, planned = [], []
    with ThreadPoolExecutor(AT_ONCE) as clients:
        for turn in range(ROUNDS):
            files = [
                programme.upload(b"phone,first_name\n" + b"+221770008200,A\n+2217700083%02d,B\n" % number, "csv")
                for number in range(AT_ONCE)
            ]

            def plan(number: int, key: str = f"d-{turn}", files: list[str] = files) -> httpx2.Response:
                text = {"text": f"Bonjour {{first_name}} {number}"}
                return programme.distribute(key=key, upload_id=files[number], content=text, confirm=True)

            answers = list(clients.map(plan, range(AT_ONCE)))
            taken = _only_accepted(answers)
            expected += [f"Bonjour A {taken}", f"Bonjour B {taken}"]
            planned.append(answers[taken].json()["distribution_id"])
    for identity in planned:
        found = until(
            lambda one=identity: programme.distribution(one)["counts"],  # type: ignore[misc]  # mypy infers no default
            lambda counts: counts["delivered"] == 2,
        )
        assert found["failed"] == 0
    assert sorted(entry["text"] for entry in programme.ledger("orange")) == sorted(expected)
