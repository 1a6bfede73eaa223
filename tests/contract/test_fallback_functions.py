"""Fallbacks. The tests call API, webhook and fan-out as API Gateway and SQS do, on moto."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from functions.api.app import build as build_api
from functions.bulk_fanout.app import build as build_fanout
from functions.webhook.app import build as build_webhook
from shared.app.runtime import Handler, Loop
from shared.base.ids import fallback_id
from shared.messages.message import Status
from shared.messages.payload import Channel
from shared.messages.ports import Move
from shared.messages.queue_message import QueueMessage
from shared.storage.aws import Aws
from shared.storage.codec import encode
from tests.contract.cloud import deploy, on_aws
from tests.contract.test_person_functions import Invocation, environment
from tests.contract.world import World
from tests.fakes.office import DEMO, SMS, WHATSAPP, recipient, secret
from tests.fakes.world import FakeClock
from tests.template.reading import Node
from tests.unit.api.events import ALL_SCOPES, event
from tests.unit.providers.webhooks import change, document, value

FALLBACK = {"channel": "sms", "after_minutes": 60, "content": {"text": "SMS pour {first_name}"}}
CLAIMS = {"organisation_id": DEMO, "scope": ALL_SCOPES}
PATH = "/webhooks/whatsapp/{organisation_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Three functions of one deployment."""

    api: Handler
    fanout: Handler
    webhook: Handler
    world: World
    clock: FakeClock
    another_fanout: Callable[[Loop], Handler]
    """The same function in an environment of its own, to run it while another function works."""

    def send(self, key: str, **changes: Any) -> tuple[int, Any]:
        body = {
            "channel": "whatsapp",
            "campaign_id": "c-1",
            "recipient": recipient(7),
            "content": {"template": {"name": "vaccination_card"}},
            "fallback": FALLBACK,
        } | changes
        asked = event("POST /v1/messages", body=body, headers={"idempotency-key": key}, claims=CLAIMS)
        return _answer(self.api(dict(asked), Invocation()))

    def resend(self, message_id: str) -> int:
        path = {"message_id": message_id}
        asked = event("POST /v1/messages/{message_id}/resend", path=path, claims=CLAIMS)
        return _answer(self.api(dict(asked), Invocation()))[0]

    def claimed(self, message_id: str) -> None:
        """The state after a sender's claim, during its call."""
        now = self.clock.now()
        lease = now + timedelta(seconds=90)
        asyncio.run(self.world.log.claim(DEMO, message_id, token="t", now=now, lease_until=lease, sender="1060001"))

    def taken(self, message_id: str) -> None:
        """The state after Meta's answer and the sender's record of it."""
        self.claimed(message_id)
        move = Move(status=Status.SENT, at=self.clock.now(), by_attempt=1, provider_message_id="wamid.x")
        assert asyncio.run(self.world.log.move(DEMO, message_id, move)).won

    def reported(self, message_id: str, status: str, code: int | None = None, *, at: datetime | None = None) -> None:
        """Meta's signed webhook and its way through the status queue. An empty `message_id` is another program's
        message."""
        reported: dict[str, Any] = {
            "id": "wamid.x",
            "status": status,
            "timestamp": str(int((at or self.clock.now()).timestamp())),
            "biz_opaque_callback_data": f"{message_id}.1",
        } | ({"errors": [{"code": code}]} if code else {})
        body = json.dumps(document(change(value(statuses=[reported])))).encode()
        signature = "sha256=" + hmac.new(b"a", body, hashlib.sha256).hexdigest()
        headers = {"content-type": "application/json", "x-hub-signature-256": signature}
        posted = event(f"POST {PATH}", body=body, headers=headers, path={"organisation_id": DEMO})
        assert _answer(self.webhook(dict(posted), Invocation()))[0] == 200
        assert _consumed(self.webhook, self.world.hands.reports()) == {"batchItemFailures": []}

    def work(self) -> None:
        while tasks := self.world.hands.tasks():
            assert _consumed(self.fanout, tasks) == {"batchItemFailures": []}

    def tick(self) -> None:
        self.fanout({"tick": True}, Invocation())
        self.work()

    def texts(self) -> list[QueueMessage]:
        return list(self.world.hands.queue_messages(Channel.SMS, after=5))


def _answer(answer: Any) -> tuple[int, Any]:
    text = str(answer.get("body") or "null")
    return int(str(answer["statusCode"])), json.loads(text)


def _consumed(handler: Handler, bodies: Sequence[object]) -> Any:
    records = [{"messageId": str(number), "body": encode(body).decode()} for number, body in enumerate(bodies)]
    return handler({"Records": records}, Invocation())


@pytest.fixture
def running(aws: Aws, described: Node, loop: Loop) -> Running:
    names, clock = deploy(aws, described), FakeClock()
    key = aws.secrets.create_secret(Name=f"{names.bucket}/key", SecretString="k" * 64)["Name"]
    given = environment(names) | {"NUMBER_KEY_SECRET_ID": key, "STATUS_QUEUE_URL": names.status}
    world = on_aws(aws, names, clock)
    for integration in (SMS, replace(WHATSAPP, phone_number_id="1060001", app_secret=secret("a"))):
        asyncio.run(world.integrations.put(integration))
    functions = {"api": build_api, "fanout": build_fanout, "webhook": build_webhook}
    built = {name: build(given, clock, aws, loop) for name, build in functions.items()}
    another = partial(build_fanout, given, clock, aws)
    return Running(**built, world=world, clock=clock, another_fanout=another)


def test_a_failure_that_meta_reports_starts_it_at_once(running: Running) -> None:
    status, made = running.send("k-1")
    assert status == 202, made
    parent = str(made["message_id"])
    running.claimed(parent)
    for _ in range(2):
        running.reported(parent, "failed", 131026)
        running.work()
    [queue_message] = running.texts()
    assert (queue_message.message_id, queue_message.payload.text) == (fallback_id(parent), "SMS pour Aminata")
    assert queue_message.payload.fallback_of == parent
    running.tick()
    assert running.texts() == []
    assert running.resend(parent) == 409


@pytest.mark.parametrize("arrives", [True, False])
def test_a_message_that_is_not_delivered_in_time_falls_back(running: Running, arrives: bool) -> None:
    parent = str(running.send("k-2")[1]["message_id"])
    running.claimed(parent)
    running.reported(parent, "sent")
    if arrives:
        running.reported(parent, "delivered")
    running.clock.pass_by(minutes=59)
    running.tick()
    assert running.texts() == []
    running.clock.pass_by(minutes=2)
    running.tick()
    assert [queue_message.message_id for queue_message in running.texts()] == ([] if arrives else [fallback_id(parent)])


def test_while_meta_reports_nothing_it_waits_24_hours_at_most(running: Running) -> None:
    parent = str(running.send("k-5")[1]["message_id"])
    running.taken(parent)
    for _ in range(23):
        running.clock.pass_by(minutes=62)
        running.tick()
    assert running.texts() == []
    running.clock.pass_by(minutes=30)
    running.tick()
    assert [queue_message.message_id for queue_message in running.texts()] == [fallback_id(parent)]


@pytest.mark.parametrize("whose", ["its own", "a later one's", "another program's"])
def test_it_waits_until_meta_reports(running: Running, whose: str) -> None:
    parent, later = (str(running.send(key)[1]["message_id"]) for key in ("k-6", "k-7"))
    running.taken(parent)
    began = running.clock.now()
    running.clock.pass_by(minutes=1)
    running.taken(later)
    running.clock.pass_by(minutes=75)
    running.tick()
    assert running.texts() == []
    about = {"its own": parent, "a later one's": later, "another program's": ""}[whose]
    running.reported(about, "sent" if whose == "its own" else "delivered", at=began if about == parent else None)
    for _ in range(12):
        running.clock.pass_by(minutes=1)
        running.tick()
    texts = {queue_message.message_id for queue_message in running.texts()}
    assert texts == {fallback_id(parent)} | ({fallback_id(later)} if not about else set())


def test_a_late_delivery_report_prevents_the_fallback(running: Running) -> None:
    """Meta repeats a failed webhook for days. So `sent` may come before `delivered`, and the agenda may run in
    between."""
    parent = str(running.send("k-8")[1]["message_id"])
    running.taken(parent)
    began = running.clock.now()
    running.clock.pass_by(hours=5)
    running.tick()
    for status in ("sent", "delivered"):
        running.reported(parent, status, at=began + timedelta(seconds=1))
        running.tick()
    running.clock.pass_by(hours=30)
    running.tick()
    assert running.texts() == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"channel": "sms"}, "fallback"),
        ({"fallback": FALLBACK | {"after_minutes": 0}}, "fallback.after_minutes"),
        ({"fallback": FALLBACK | {"after_minutes": 10_081}}, "fallback.after_minutes"),
        ({"fallback": FALLBACK | {"channel": "whatsapp"}}, "fallback.channel"),
    ],
)
def test_an_invalid_fallback_is_refused(running: Running, changes: Any, field: str) -> None:
    status, problem = running.send("k-3", **changes)
    assert status == 422
    assert [(field_error["field"], field_error["code"]) for field_error in problem["errors"]] == [
        (field, "fallback_invalid")
    ]


def test_without_sms_settings_it_is_a_conflict(running: Running) -> None:
    asyncio.run(running.world.integrations.delete(DEMO, "sms"))
    status, problem = running.send("k-4")
    assert (status, problem["code"]) == (409, "integration_missing")
