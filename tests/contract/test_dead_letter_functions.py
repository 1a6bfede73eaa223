"""Dead letters. The tests call the fan-out and the API as SQS and API Gateway do, on moto."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from functions.api.app import build as build_api
from functions.bulk_fanout.app import build as build_fanout
from shared.app.runtime import Loop
from shared.messages.queue_message import QueueMessage
from shared.storage.aws import Aws
from shared.storage.codec import encode
from tests.contract.cloud import deploy, on_aws
from tests.contract.test_person_functions import (
    ADMIN,
    DEAD_LETTER_QUEUES,
    READ,
    SEND,
    Invocation,
    Running,
    environment,
)
from tests.fakes.office import SMS
from tests.fakes.world import FakeClock
from tests.template.reading import Node

LIST, REDRIVE = "GET /v1/dead-letters", "POST /v1/dead-letters/redrive"
OTHER = "other"
UNKNOWN = "00000000-0000-5000-8000-000000000000.1795428000000"


@pytest.fixture
def running(aws: Aws, described: Node, loop: Loop) -> Running:
    names, clock = deploy(aws, described), FakeClock()
    key = aws.secrets.create_secret(Name=f"{names.bucket}/key", SecretString="k" * 64)["Name"]
    given = environment(names) | {"NUMBER_KEY_SECRET_ID": key}
    world = on_aws(aws, names, clock)
    loop.run(world.integrations.put(SMS))
    api, fanout = build_api(given, clock, aws, loop), build_fanout(given, clock, aws, loop)
    return Running(api=api, fanout=fanout, world=world, clock=clock, phone="+221770000007")


def delivered(running: Running, bodies: Sequence[str], queue: str = DEAD_LETTER_QUEUES[1]) -> list[str]:
    """Delivers a batch of a dead-letter queue. Returns the numbers of the records that have to come again."""
    records = [
        {
            "messageId": str(number),
            "body": body,
            "attributes": {"ApproximateReceiveCount": "13"},
            "eventSourceARN": queue,
        }
        for number, body in enumerate(bodies)
    ]
    answer: Any = running.fanout({"Records": records}, Invocation())
    return [failed["itemIdentifier"] for failed in answer["batchItemFailures"]]


def listed(running: Running, query: str = "", **parts: Any) -> list[Mapping[str, Any]]:
    status, page = running.call(LIST, query=query, **parts)
    assert status == 200, page
    items: list[Mapping[str, Any]] = page["items"]
    return items


def body_of(queue_message: QueueMessage) -> str:
    return encode(queue_message).decode()


def test_unreadable_records_stay_on_the_queue_and_do_not_block_the_others(running: Running) -> None:
    sent = [running.send(f"k-{number}") for number in range(3)]
    queue_messages = {
        queue_message.message_id: body_of(queue_message) for queue_message in running.queue_messages(after=5)
    }
    torn = json.dumps({**json.loads(queue_messages[sent[1]]), "payload": {"an": "older version's"}})
    nested = f'{{"x": {"[" * 20_000}{"]" * 20_000}}}'
    poison = ["{", "null", '{"organisation": "demo"}', "\ufffd", nested, '{"organisation": "\ud800"}']
    bodies = [poison[0], queue_messages[sent[0]], *poison[1:], torn, queue_messages[sent[2]]]
    assert delivered(running, bodies) == ["0", "2", "3", "4", "5", "6"]
    found = {one["message_id"]: one for one in listed(running)}
    assert {one: found[one]["reason"] for one in sent} == {
        sent[0]: "handling_failed",
        sent[1]: "copy_unreadable",
        sent[2]: "handling_failed",
    }
    assert found[sent[0]] == {
        "dead_letter_id": f"{sent[0]}.{int(running.clock.now().timestamp() * 1000)}",
        "channel": "sms",
        "message_id": sent[0],
        "recipient": "+22177***0007",
        "reason": "handling_failed",
        "reason_text": "Our own system failed each time it handled the message. "
        "Redrive it once the technical team has repaired the fault.",
        "received_at": "2026-11-23T10:00:00Z",
        "attempts": 12,
    }


def test_each_redriven_message_gets_one_new_queue_message(running: Running) -> None:
    sent = [running.send(f"k-{number}") for number in range(2)]
    queue_messages = running.queue_messages(after=5)
    assert delivered(running, [body_of(queue_message) for queue_message in queue_messages] * 2) == []
    running.clock.pass_by(minutes=10)
    running.fanout({"tick": True}, Invocation())
    running.work()
    assert running.queue_messages(after=30) == [], "the agenda leaves them alone"
    letters = [one["dead_letter_id"] for one in listed(running)]
    body = {"dead_letter_ids": [*letters, UNKNOWN, letters[0]]}
    assert running.call(REDRIVE, body) == (202, {"redriven": 2})
    assert running.call(REDRIVE, body) == (202, {"redriven": 0})
    assert running.call(REDRIVE, {"all": True}) == (202, {"redriven": 0})
    running.work()
    assert sorted(queue_message.message_id for queue_message in running.queue_messages(after=30)) == sorted(sent)
    assert listed(running) == []


def test_a_redriven_row_gets_the_distributions_present_epoch(running: Running) -> None:
    made = running.distribute("d", confirm=True)
    running.work()
    queue_messages = running.queue_messages(after=60)
    assert len(queue_messages) == 5
    delivered(running, [body_of(queue_messages[0])])
    for action in ("pause", "resume"):
        route = f"POST /v1/distributions/{{distribution_id}}/{action}"
        assert running.call(route, path={"distribution_id": made["distribution_id"]})[0] == 200
    running.world.hands.tasks()  # drops the release tasks, so that only the redrive enqueues the message
    assert running.call(REDRIVE, {"all": True}) == (202, {"redriven": 1})
    running.work()
    [queue_message] = running.queue_messages(after=120)
    assert (queue_message.message_id, queue_message.chunk) == (queue_messages[0].message_id, queue_messages[0].chunk)
    assert (queue_messages[0].epoch, queue_message.epoch) == (1, 3)


def test_only_records_of_the_dead_letter_queues_are_dead_letters(running: Running) -> None:
    running.send("k")
    [queue_message] = running.queue_messages(after=5)
    assert delivered(running, [body_of(queue_message)], "arn:aws:sqs:eu-west-1:123456789012:fanout") == ["0"]
    assert listed(running) == []
    assert delivered(running, [body_of(queue_message)], DEAD_LETTER_QUEUES[0]) == []
    assert len(listed(running)) == 1


def test_a_list_page_by_page_and_by_channel(running: Running) -> None:
    sent: list[str] = []
    for number in range(3):
        sent.insert(0, running.send(f"k-{number}"))
        running.clock.pass_by(seconds=1)
    delivered(running, [body_of(queue_message) for queue_message in running.queue_messages(after=5)])
    status, page = running.call(LIST, query="limit=2&channel=sms")
    assert (status, [one["message_id"] for one in page["items"]]) == (200, sent[:2])
    query = f"limit=2&channel=sms&cursor={page['next_cursor']}"
    _, rest = running.call(LIST, query=query)
    assert ([one["message_id"] for one in rest["items"]], rest["next_cursor"]) == (sent[2:], None)
    assert listed(running, "channel=whatsapp") == []
    assert running.call(LIST, query=f"limit=2&cursor={page['next_cursor']}")[0] == 400
    assert running.call(LIST, query="channel=fax")[0] == 400


def test_another_organisation_sees_and_redrives_nothing(running: Running) -> None:
    running.send("k")
    delivered(running, [body_of(queue_message) for queue_message in running.queue_messages(after=5)])
    [letter] = listed(running)
    stranger = {"organisation_id": OTHER, "scope": ADMIN}
    assert listed(running, claims=stranger) == []
    for body in ({"all": True}, {"dead_letter_ids": [letter["dead_letter_id"]]}):
        assert running.call(REDRIVE, body, claims=stranger) == (202, {"redriven": 0})
    running.clock.pass_by(minutes=5)
    running.work()
    assert listed(running) == [letter]
    assert running.queue_messages(after=30) == []


@pytest.mark.parametrize("route", [LIST, REDRIVE])
def test_only_an_administrator_may_list_and_redrive(running: Running, route: str) -> None:
    status, problem = running.call(route, {"all": True}, claims=running.claims(scope=f"{READ} {SEND}"))
    assert (status, problem["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 400, "dead_letter_ids"),
        ({"all": True, "dead_letter_ids": [UNKNOWN]}, 400, "dead_letter_ids"),
        ({"all": True, "channel": "sms"}, 400, "channel"),
        ({"all": 1}, 422, "all"),
        ({"all": False}, 422, "all"),
        ({"dead_letter_ids": UNKNOWN}, 400, "dead_letter_ids"),
        ({"dead_letter_ids": []}, 422, "dead_letter_ids"),
        ({"dead_letter_ids": [UNKNOWN] * 1001}, 422, "dead_letter_ids"),
        ({"dead_letter_ids": ["5"]}, 422, "dead_letter_ids.0"),
        ({"dead_letter_ids": [f"{UNKNOWN}\n"]}, 422, "dead_letter_ids.0"),
        ({"dead_letter_ids": [7]}, 400, "dead_letter_ids.0"),
        ({"dead_letter_ids": None}, 400, "dead_letter_ids"),
    ],
)
def test_a_body_that_names_nothing_is_refused(running: Running, body: object, status: int, field: str) -> None:
    found, problem = running.call(REDRIVE, body)
    assert (found, [one["field"] for one in problem["errors"]]) == (status, [field])


def test_a_message_with_a_live_claim_comes_again(running: Running, loop: Loop) -> None:
    message_id = running.send("k")
    queue_messages = [body_of(queue_message) for queue_message in running.queue_messages(after=5)]
    lease_until = running.clock.now() + timedelta(seconds=90)
    loop.run(running.world.log.claim("demo", message_id, token="t", now=running.clock.now(), lease_until=lease_until))
    assert delivered(running, queue_messages) == ["0"]
    running.clock.pass_by(minutes=90)
    assert delivered(running, queue_messages) == []
    status, row = running.call("GET /v1/messages/{message_id}", path={"message_id": message_id})
    assert (status, row["status"], row["reason"]) == (200, "failed", "outcome_unknown")
    assert listed(running) == []
