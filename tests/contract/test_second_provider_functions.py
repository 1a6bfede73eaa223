"""A second SMS provider. The tests call API, SMS sender and webhook as API Gateway and SQS do, on moto."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import pytest

from functions.api.app import build as build_api
from functions.send_sms.app import build as build_send_sms
from functions.webhook.app import build as build_webhook
from shared.app.providers import PROVIDERS
from shared.app.receipts import RECEIPTS
from shared.app.runtime import Handler, Loop
from shared.base.instants import microseconds
from shared.messages.message import Message, Status
from shared.messages.payload import Channel
from shared.providers.http import client
from shared.storage.aws import Aws
from shared.storage.codec import encode
from tests.contract.cloud import deploy, on_aws
from tests.contract.test_person_functions import Invocation, environment
from tests.contract.world import World
from tests.fakes.office import DEMO, SMS, recipient
from tests.fakes.world import FakeClock
from tests.template.reading import Node
from tests.toy_provider.kite.receipts import FORMAT
from tests.toy_provider.row import KITE
from tests.toy_provider.server import KiteServer, field_error, reported
from tests.unit.api.events import event

AT_KITE = replace(SMS, provider=KITE.name, account="account-at-kite")
PATH = {"organisation_id": DEMO, "token": SMS.receipt_token.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Three functions of one deployment, and Kite."""

    api: Handler
    send_sms: Handler
    webhook: Handler
    world: World
    clock: FakeClock
    kite: KiteServer

    def send(self, key: str) -> str:
        body = {
            "channel": "sms",
            "campaign_id": "c-1",
            "recipient": recipient(7),
            "content": {"template": {"name": "vaccination_card"}},
        }
        answer: Any = self.api(dict(event(body=body, headers={"idempotency-key": key})), Invocation())
        assert answer["statusCode"] == 202, answer
        [queue_message] = self.world.hands.queue_messages(Channel.SMS, after=5)
        self.clock.pass_by(seconds=2)
        self.consumed(self.send_sms, [queue_message])
        return queue_message.message_id

    def called(self, body: bytes) -> int:
        """The status of the answer to a call of Kite's webhook; the queued receipts are handled at once."""
        posted = event(f"POST /webhooks/{KITE.name}/{{organisation_id}}/{{token}}", body=body, path=PATH)
        answer: Any = self.webhook(dict(posted), Invocation())
        self.consumed(self.webhook, self.world.hands.reports())
        return int(answer["statusCode"])

    def consumed(self, handler: Handler, bodies: Sequence[object]) -> None:
        records = [{"messageId": str(number), "body": encode(body).decode()} for number, body in enumerate(bodies)]
        assert handler({"Records": records}, Invocation()) == {"batchItemFailures": []}

    def row(self, message_id: str) -> Message:
        found = asyncio.run(self.world.log.get(DEMO, message_id))
        assert found is not None
        return found


@pytest.fixture(scope="module")
def running(aws: Aws, described: Node, loop: Loop) -> Running:
    names, clock = deploy(aws, described), FakeClock()
    kite = KiteServer(clock.now)
    http = client(httpx2.MockTransport(kite.answer))
    providers = (*PROVIDERS, replace(KITE, sender=lambda parts: KITE.sender(replace(parts, http=http))))
    key = aws.secrets.create_secret(Name=f"{names.bucket}/key", SecretString="k" * 64)["Name"]
    given = environment(names) | {"NUMBER_KEY_SECRET_ID": key, "STATUS_QUEUE_URL": names.status}
    world = on_aws(aws, names, clock)
    asyncio.run(world.integrations.put(AT_KITE))
    return Running(
        api=build_api(given, clock, aws, loop),
        send_sms=build_send_sms(given, clock, aws, loop, providers),
        webhook=build_webhook(given, clock, aws, loop, {**RECEIPTS, KITE.name: FORMAT}),
        world=world,
        clock=clock,
        kite=kite,
    )


def test_a_message_is_sent_and_delivered(running: Running) -> None:
    message_id = running.send("k-1")
    row = running.row(message_id)
    assert (row.status, row.provider, row.provider_message_id) == (Status.SENT, KITE.name, "ref-1")
    assert running.called(reported(("ref-1", "ARRIVED"), ("ref-of-another", "LOST"))) == 200
    assert running.row(message_id).status is Status.DELIVERED


def test_its_error_table_decides(running: Running) -> None:
    running.clock.pass_by(minutes=1)
    running.kite.answers = [(422, field_error(3))]
    row = running.row(running.send("k-2"))
    assert (row.status, row.reason) == (Status.FAILED, "phone_invalid")


def test_its_throttle_holds_its_own_rate_limit(running: Running) -> None:
    running.clock.pass_by(minutes=1)
    running.kite.answers = [(422, field_error(7))]
    running.send("k-3")
    held = asyncio.run(running.world.rate_limits.state(AT_KITE.rate_limit)).not_before
    assert held - microseconds(running.clock.now()) == 2_000_000
    assert asyncio.run(running.world.rate_limits.state(SMS.rate_limit)).not_before == 0
