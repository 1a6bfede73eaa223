"""Dead letters over HTTP: the test puts unreadable bodies on the queue, and functions receive them until the queue
gives up."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from tests.stack.programme import DELIVERED, Json, Programme
from tests.stack.running import RunningStack
from tests.waiting import until

ROWS = 12
RECEIVES, VISIBILITY = 12, timedelta(seconds=361)
"""maxReceiveCount and VisibilityTimeout of the channel queues in template.yaml."""


@pytest.fixture
def programme(fresh_stack: RunningStack) -> Iterator[Programme]:
    """Hours pass, and the test empties a queue."""
    with Programme(fresh_stack, "dead-letters", rate=1) as programme:
        yield programme


def rows_whose_queue_messages_are_lost(programme: Programme) -> tuple[str, list[str]]:
    """A released distribution, and its messages whose queue messages are gone."""
    sqs, url = programme.stack.aws("sqs"), programme.stack.output("SmsQueueUrl")
    recipients = [programme.recipient(DELIVERED + number) for number in range(ROWS)]
    with programme.stack.taking_up("SmsQueue", 2):
        identity = programme.distribute(recipients=recipients, confirm=True).json()["distribution_id"]
        until(lambda: programme.stack.on_queue("SmsQueue") + len(programme.ledger("orange")), lambda all_: all_ >= ROWS)
        sqs.purge_queue(QueueUrl=url)
    is_sent(programme, ROWS)  # messages that senders took before the purge have left by then
    rows = programme.messages(distribution_id=identity)
    assert len(rows) == ROWS
    return identity, [row["message_id"] for row in rows if row["status"] == "pending"]


def is_sent(programme: Programme, number: int) -> None:
    """Sends one more message, which arrives."""
    healthy = programme.ok(programme.send(programme.recipient(DELIVERED + number)))["message_id"]
    programme.settled(healthy, "delivered")


def queue_message_of(programme: Programme, message_id: str, payload: object) -> Json:
    """Its send slot is after the year 9999: a worker that computes with it fails."""
    return {
        "organisation": programme.organisation,
        "message_id": message_id,
        "channel": "sms",
        "person": "0" * 32,
        "slot_at": 10**18,
        "payload": payload,
    }


def dead_letters(programme: Programme, **query: str) -> list[Json]:
    items: list[Json] = programme.ok(programme.api.get("/v1/dead-letters", params=query))["items"]
    return items


@contextmanager
def unreadable_settings(programme: Programme) -> Iterator[None]:
    """The secret is unreadable, as after a manual change. So no queue message can be handled, and the agenda cannot
    make a new one."""
    secrets = programme.stack.aws("secretsmanager")
    (name,) = [
        secret["Name"]
        for page in secrets.get_paginator("list_secrets").paginate()
        for secret in page["SecretList"]
        if secret["Name"].endswith(f"/{programme.organisation}/sms")
    ]
    whole = secrets.get_secret_value(SecretId=name)["SecretString"]
    secrets.put_secret_value(SecretId=name, SecretString="{")
    yield
    secrets.put_secret_value(SecretId=name, SecretString=whole)


def redrive(programme: Programme, body: Json) -> tuple[int, Json]:
    answer = programme.api.post("/v1/dead-letters/redrive", json=body)
    return answer.status_code, answer.json()


def test_dead_letters_are_listed_redriven_and_sent_once(programme: Programme) -> None:
    identity, lost = rows_whose_queue_messages_are_lost(programme)
    assert len(lost) >= ROWS // 2
    payload = {"to": "+221770000000", "country": "SN", "mode": "sms", "text": "x"}
    poison = [
        queue_message_of(programme, lost[0], "an older version's"),
        *(queue_message_of(programme, one, payload) for one in lost[1:]),
    ]
    sqs, url = programme.stack.aws("sqs"), programme.stack.output("SmsQueueUrl")
    for body in ("{", *map(json.dumps, poison)):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=programme.organisation)
    is_sent(programme, ROWS + 1)
    with unreadable_settings(programme):
        for _ in range(RECEIVES):
            assert dead_letters(programme) == []
            programme.move_to(programme.stack.now() + VISIBILITY)
        letters = until(lambda: dead_letters(programme), lambda all_: len(all_) == len(lost))
    found = {one["message_id"]: one for one in letters}
    assert set(found) == set(lost)
    assert [one["reason"] for one in map(found.__getitem__, lost)] == [
        "copy_unreadable",
        *["handling_failed"] * (len(lost) - 1),
    ]
    assert {(one["channel"], one["attempts"], one["recipient"][:-4]) for one in found.values()} == {
        ("sms", RECEIVES, "+22177***")
    }
    assert dead_letters(programme, channel="whatsapp") == []
    assert programme.distribution(identity)["status"] == "sending"
    with programme.stack.api("another-organisation") as stranger:
        assert stranger.get("/v1/dead-letters").json()["items"] == []
        assert stranger.post("/v1/dead-letters/redrive", json={"all": True}).json() == {"redriven": 0}

    programme.put_sms(rate_per_second=50)
    first = {"dead_letter_ids": [found[lost[0]]["dead_letter_id"]]}
    assert redrive(programme, first) == (202, {"redriven": 1})
    assert redrive(programme, first) == (202, {"redriven": 0})
    programme.settled(lost[0], "delivered")
    assert redrive(programme, {"all": True}) == (202, {"redriven": len(lost) - 1})
    done = until(lambda: programme.distribution(identity), lambda one: one["counts"]["delivered"] == ROWS)
    assert done["counts"] == {"pending": 0, "sent": 0, "delivered": ROWS, "read": 0, "failed": 0}
    assert dead_letters(programme) == []
    programme.move_to(programme.stack.now() + timedelta(minutes=5))
    until(lambda: programme.distribution(identity), lambda one: one["status"] == "completed")
    got = [entry["recipient"] for entry in programme.ledger("orange")]
    assert sorted(got) == [f"+22177000{DELIVERED + number}" for number in range(ROWS + 2)]
