"""The webhook function as API Gateway and SQS call it, on moto: a signed body gets 200 and never blocks another."""

import asyncio
import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.webhook.app import build
from shared.app.runtime import Handler, Loop
from shared.integrations.integration import Secret
from shared.storage.aws import Aws
from shared.storage.secrets import SecretIntegrations
from tests.contract.cloud import Deployed, deploy
from tests.fakes.office import DEMO, WHATSAPP
from tests.fakes.world import MORNING, FakeClock
from tests.template.reading import Node
from tests.unit.providers.test_whatsapp_updates import EVERY_SHAPE, mangled, template
from tests.unit.providers.webhooks import change, document, inbound, text

NEW, OLD = "the new secret", "the old secret"
PATH = "/webhooks/whatsapp/{organisation_id}"
NO_CONTEXT: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One deployed function and its status queue."""

    handler: Handler
    aws: Aws
    names: Deployed
    clock: FakeClock

    def post(self, body: bytes, secret: str = NEW, *, coded: bool = False, signature: str | None = None) -> int:
        """The status of the function's answer to a request of Meta."""
        if signature is None:
            signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        event = {
            "version": "2.0",
            "routeKey": f"POST {PATH}",
            "rawQueryString": "",
            "headers": {"content-type": "application/json", "x-hub-signature-256": signature},
            "pathParameters": {"organisation_id": DEMO},
            "requestContext": {"http": {"sourceIp": "127.0.0.1"}, "domainName": "api.invalid", "requestId": "r"},
            "body": base64.b64encode(body).decode() if coded else body.decode("utf-8", "surrogateescape"),
            "isBase64Encoded": coded,
        }
        answer = self.handler(event, NO_CONTEXT)
        assert answer is not None
        status = answer["statusCode"]
        assert isinstance(status, int)
        return status

    def queued(self) -> list[dict[str, str]]:
        """Takes the records on the status queue, as Lambda's poller does."""
        url, found = self.names.status, []
        while messages := self.aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [{"messageId": one["MessageId"], "body": one["Body"]} for one in messages]
            for one in messages:
                self.aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        return found

    def consume(self, records: list[dict[str, str]]) -> Any:
        """Gives records to the consumer. Returns the records that have to come again."""
        answer = self.handler({"Records": records}, NO_CONTEXT)
        assert answer is not None
        return answer["batchItemFailures"]


@pytest.fixture(scope="module")
def running(aws: Aws, described: Node, loop: Loop) -> Running:
    names, clock = deploy(aws, described), FakeClock()
    key = aws.secrets.create_secret(Name=f"{names.bucket}/key", SecretString="k" * 64)["Name"]
    secrets = {name: Secret(value=value, updated_at=MORNING) for name, value in (("new", NEW), ("old", OLD))}
    mine = replace(WHATSAPP, phone_number_id="1060001", app_secret=secrets["new"], previous_app_secret=secrets["old"])
    asyncio.run(SecretIntegrations(aws, names.bucket, clock).put(mine))
    environment = {
        "LOG_TABLE": names.log_table,
        "STATE_TABLE": names.state_table,
        "SECRETS_PREFIX": names.bucket,
        "NUMBER_KEY_SECRET_ID": key,
        "STATUS_QUEUE_URL": names.status,
        "WHATSAPP_QUEUE_URL": next(url for channel, url in names.channels.items() if channel == "whatsapp"),
        "FANOUT_QUEUE_URL": names.fanout,
        "PAYLOAD_BUCKET": names.bucket,
        "MESSAGE_RETENTION_DAYS": "400",
    }
    return Running(handler=build(environment, clock, aws, loop), aws=aws, names=names, clock=clock)


BODIES = [
    b"",
    b"null",
    b"[]",
    b"7",
    b"{",
    b"\xff\xfe",
    b'{"entry": 5}',
    b'{"entry": [{"changes": [7]}]}',
    b'{"entry": [{"changes": [{"value": [[[]]]}]}]}',
    b'{"entry":[' + b"[" * 50_000 + b"]" * 50_000 + b"]}",
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    json.dumps(inbound(*(text("x" * 2_000) for _ in range(1_000)))).encode(),
    json.dumps(document(change(template(event="PAUSED") | {"message_template_name": "x" * 3_000}))).encode(),
    json.dumps(document(change({"max_daily_conversations_per_business": 10**40}))).encode(),
    *(json.dumps(shape).encode() for shape in EVERY_SHAPE),
]
ways = pytest.mark.parametrize("coded", [False, True])


@ways
@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_every_signed_body_gets_200_and_is_handled(running: Running, body: bytes, coded: bool) -> None:
    if not coded and not body.isascii():
        pytest.skip("what is no text comes in base64")
    assert running.post(body, coded=coded) == 200
    assert running.consume(running.queued()) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reported=mangled(), data=st.data(), coded=st.booleans())
def test_every_mangled_signed_body_gets_200_too(
    running: Running, reported: Any, data: st.DataObject, coded: bool
) -> None:
    body = json.dumps(reported).encode()
    body = body[: data.draw(st.sampled_from([len(body), len(body) // 2, len(body) - 1]))]
    assert running.post(body, coded=coded) == 200
    assert running.consume(running.queued()) == []


@ways
@pytest.mark.parametrize(
    ("secret", "later", "status"),
    [
        (NEW, timedelta(0), 200),
        (OLD, timedelta(0), 200),
        (OLD, timedelta(hours=23, minutes=59), 200),
        (OLD, timedelta(hours=24), 401),
        (NEW, timedelta(days=300), 200),
        ("another", timedelta(0), 401),
        ("", timedelta(0), 401),
    ],
)
def test_both_secrets_are_valid_during_a_rotation(
    running: Running, secret: str, later: timedelta, status: int, coded: bool
) -> None:
    body = json.dumps(document(), ensure_ascii=False).encode() + "é".encode()
    running.clock.instant = MORNING + later
    try:
        assert running.post(body, secret, coded=coded) == status
    finally:
        running.clock.instant = MORNING
        running.queued()


@pytest.mark.parametrize("signature", ["", "sha256=", "sha256=00", "sha1=00", "é" * 71])
def test_an_unsigned_body_is_refused(running: Running, signature: str) -> None:
    assert running.post(b"{}", signature=signature) == 401
    assert running.queued() == []


def test_only_the_record_that_cannot_be_handled_comes_again(running: Running) -> None:

    assert running.post(json.dumps(inbound(text("Bonjour"))).encode()) == 200
    [good] = running.queued()
    poison = {"messageId": "poison", "body": '{"organisation": 7}'}
    assert running.consume([poison, good]) == [{"itemIdentifier": "poison"}]
