"""Forged, repeated, truncated, oversized and misaddressed webhooks: the function behind the gateway, on moto."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pytest

from functions.webhook.app import build
from local.clock import StackClock
from local.gateway import Gateway, GatewayParts
from local.routes import Route, RouteTable
from local.tokens import make_key
from shared.app.runtime import Loop
from shared.integrations.integration import Secret
from shared.messages.payload import Channel
from shared.storage.aws import Aws
from shared.storage.dynamodb.log import DynamoLog
from shared.storage.secrets import SecretIntegrations
from tests.contract.cloud import Deployed, deploy
from tests.contract.making import message
from tests.contract.test_person_functions import environment
from tests.contract.test_webhook_function import NO_CONTEXT
from tests.contract.tricks import tricks
from tests.fakes.office import DEMO, SMS, WHATSAPP
from tests.fakes.world import MORNING, FakeClock
from tests.template.reading import Node
from tests.unit.providers.webhooks import NUMBER_ID, SECONDS, WA_ID, WAMID, change, document, inbound, text, value

META_SECRET, ORANGE_TOKEN = "the app secret", "the-token-in-the-path"
NEIGHBOUR = "neighbour"
MEGABYTE = 1024 * 1024
LIMIT = 3 * MEGABYTE
ROUTES = ("GET /webhooks/whatsapp/{organisation_id}", "POST /webhooks/whatsapp/{organisation_id}",
          "POST /webhooks/orange/{organisation_id}/{token}")  # fmt: skip
META, ORANGE = f"/webhooks/whatsapp/{DEMO}", f"/webhooks/orange/{DEMO}/{ORANGE_TOKEN}"
RECEIPT = {"address": "tel:+221770000001", "deliveryStatus": "DeliveredToTerminal"}


def signature(body: bytes, secret: str = META_SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def receipts(count: int, **more: Any) -> bytes:
    reported = {"deliveryInfoNotification": {"callbackData": "receipt-1", "deliveryInfo": [RECEIPT | more] * count}}
    return json.dumps(reported, ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The gateway with the webhook function behind it."""

    gateway: Gateway
    consume: Callable[[list[dict[str, str]]], Any]
    aws: Aws
    names: Deployed

    def post(self, path: str, body: bytes, source_ip: str = "196.0.2.7", **headers: str) -> int:
        """The path is sent as it is; an HTTP client would have normalised dots and signs."""
        given = {"content-type": "application/json", **{name.replace("_", "-"): its for name, its in headers.items()}}
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(name.encode(), its.encode("latin-1")) for name, its in given.items()],
            "client": (source_ip, 4711),
        }
        answered: list[int] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": body}

        async def send(message: MutableMapping[str, Any]) -> None:
            answered.extend([message["status"]] if "status" in message else [])

        asyncio.run(self.gateway(scope, receive, send))
        [status] = answered
        return status

    def meta(self, body: bytes, path: str = META, **headers: str) -> int:
        return self.post(path, body, x_hub_signature_256=signature(body), **headers)

    def queued(self, url: str | None = None) -> list[dict[str, str]]:
        """Takes all messages from a queue, by default from the status queue."""
        found: list[dict[str, str]] = []
        chosen = url or self.names.status
        while taken := self.aws.sqs.receive_message(QueueUrl=chosen, MaxNumberOfMessages=10).get("Messages"):
            found += [{"messageId": one["MessageId"], "body": one["Body"]} for one in taken]
            for one in taken:
                self.aws.sqs.delete_message(QueueUrl=chosen, ReceiptHandle=one["ReceiptHandle"])
        return found

    @property
    def onward(self) -> tuple[str, ...]:
        """The queues for later work: WhatsApp, SMS, fan-out."""
        return (*(self.names.channels[one] for one in (Channel.WHATSAPP, Channel.SMS)), self.names.fanout)

    def kept(self) -> dict[str, list[str]]:
        """Every item of both tables, and every object's key."""
        scanned: dict[str, list[Any]] = {
            table: self.aws.dynamodb.scan(TableName=table)["Items"]
            for table in (self.names.log_table, self.names.state_table)
        }
        versions = self.aws.s3.list_object_versions(Bucket=self.names.bucket).get("Versions", ())
        objects = [f"{one['Key']} {one['VersionId']}" for one in versions]
        return {name: sorted(map(repr, found)) for name, found in {**scanned, "objects": objects}.items()}


@pytest.fixture(scope="module")
def door(aws: Aws, described: Node, loop: Loop) -> Iterator[Door]:
    names, clock = deploy(aws, described), FakeClock()
    key = aws.secrets.create_secret(Name=f"{names.bucket}/key", SecretString="k" * 64)["Name"]
    integrations = SecretIntegrations(aws, names.bucket, clock)
    for organisation, mark in ((DEMO, ""), (NEIGHBOUR, " of the neighbour")):
        app = Secret(value=META_SECRET + mark, updated_at=MORNING)
        path = Secret(value=ORANGE_TOKEN + mark.replace(" ", "-"), updated_at=MORNING)
        whatsapp = replace(WHATSAPP, organisation=organisation, phone_number_id=NUMBER_ID, app_secret=app)
        asyncio.run(integrations.put(whatsapp))
        addresses = ("196.0.2.0/24",)
        sms = replace(SMS, organisation=organisation, receipt_token=path, receipt_addresses=addresses)
        asyncio.run(integrations.put(sms))
    given = environment(names) | {"NUMBER_KEY_SECRET_ID": key, "STATUS_QUEUE_URL": names.status}
    routes = [
        Route(method=method, path=path, function_name="webhook", jwt=None)
        for method, path in (route.split(" ") for route in ROUTES)
    ]
    with ThreadPoolExecutor(1) as pool:
        handler = build(given, clock, aws, loop)
        parts = GatewayParts(
            routes=RouteTable(routes),
            cors=None,
            key=make_key().public_key(),
            clock=StackClock(MORNING),
            invoke=lambda _, event: pool.submit(handler, event, NO_CONTEXT),  # type: ignore[arg-type]  # an event is a dict
        )
        yield Door(
            gateway=Gateway(parts),
            consume=lambda records: pool.submit(handler, {"Records": records}, NO_CONTEXT).result(),
            aws=aws,
            names=names,
        )


STATUS = json.dumps(inbound(text("Bonjour"))).encode()
OURS = "0f8f5e7c-3f0a-5d53-9d0e-6f3a0c1b2d4e"
DELIVERED = json.dumps(
    document(
        change(
            value(
                statuses=[
                    {
                        "id": WAMID,
                        "status": "delivered",
                        "timestamp": str(SECONDS),
                        "recipient_id": WA_ID,
                        "biz_opaque_callback_data": f"{OURS}.1",
                    }
                ]
            )
        )
    )
).encode()
OTHER = json.dumps(inbound(text("Bonsoir"))).encode()
FORGED: dict[str, tuple[bytes, str]] = {
    "by another secret": (STATUS, signature(STATUS, "another secret")),
    "by the neighbour's secret": (STATUS, signature(STATUS, f"{META_SECRET} of the neighbour")),
    "of another body": (STATUS, signature(OTHER)),
    "of the whole, with the end cut off": (STATUS[:-1], signature(STATUS)),
    "of the beginning": (STATUS, signature(STATUS[:-1])),
    "with a line added": (STATUS + b"\n", signature(STATUS)),
    "in capitals": (STATUS, signature(STATUS).upper()),
    "without its name": (STATUS, signature(STATUS).removeprefix("sha256=")),
    "with another name": (STATUS, signature(STATUS).replace("sha256", "sha1")),
    "twice in one": (STATUS, f"{signature(STATUS)},{signature(STATUS)}"),
    "cut": (STATUS, signature(STATUS)[:-2]),
    "longer": (STATUS, signature(STATUS) + "00"),
    "a name only": (STATUS, "sha256="),
    "none": (STATUS, ""),
}


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_signature_is_refused(door: Door, how: str) -> None:
    body, signed = FORGED[how]
    assert door.post(META, body, x_hub_signature_256=signed) == 401
    assert door.post(META, body) == 401
    assert door.queued() == []


@pytest.mark.parametrize(
    ("path", "source_ip"),
    [
        (f"/webhooks/orange/{DEMO}/another-token", "196.0.2.7"),
        (f"/webhooks/orange/{DEMO}/{ORANGE_TOKEN}x", "196.0.2.7"),
        (f"/webhooks/orange/{DEMO}/{ORANGE_TOKEN[:-1]}", "196.0.2.7"),
        (f"/webhooks/orange/{DEMO}/{ORANGE_TOKEN.upper()}", "196.0.2.7"),
        (f"/webhooks/orange/{DEMO}/{ORANGE_TOKEN}-of-the-neighbour", "196.0.2.7"),
        (f"/webhooks/orange/{NEIGHBOUR}/{ORANGE_TOKEN}", "196.0.2.7"),
        (f"/webhooks/orange/nobody/{ORANGE_TOKEN}", "196.0.2.7"),
        (ORANGE, "196.0.3.7"),
        (ORANGE, "::1"),
        (ORANGE, "no address"),
    ],
)
def test_a_receipt_with_a_wrong_token_or_address_is_refused(door: Door, path: str, source_ip: str) -> None:
    assert door.post(path, receipts(1), source_ip) == 401
    # A client's own header is not the address of the call.
    assert door.post(path, receipts(1), source_ip, x_forwarded_for="196.0.2.7") == 401
    assert door.queued() == []


@pytest.mark.parametrize("organisation", [NEIGHBOUR, "nobody", "DEMO", "demo ", "a" * 65, "*", "demo,neighbour"])
def test_a_signature_counts_for_its_organisation_only(door: Door, organisation: str) -> None:
    assert door.meta(STATUS, f"/webhooks/whatsapp/{organisation.replace(' ', '%20')}") == 401
    assert door.queued() == []


def test_unknown_organisations_are_refused_alike_and_cost_few_reads(door: Door) -> None:
    """Issue 14, line 12. Each call names another organisation, on both paths. Meanwhile the known one is always
    accepted."""
    assert {door.meta(STATUS), door.post(ORANGE, receipts(1))} == {200}
    asked: list[str] = []
    event = "before-parameter-build.secrets-manager.GetSecretValue"
    note = lambda params, **_: asked.append(params["SecretId"])  # noqa: E731 - a handler of botocore's
    door.aws.secrets.meta.events.register(event, note)
    try:
        for number in range(300):
            assert door.meta(STATUS, f"/webhooks/whatsapp/invented-{number}") == 401
            assert door.post(f"/webhooks/orange/invented-{number}/{ORANGE_TOKEN}", receipts(1)) == 401
            assert number % 100 or door.meta(STATUS) == door.post(ORANGE, receipts(1)) == 200
    finally:
        door.aws.secrets.meta.events.unregister(event, note)
    assert len(asked) <= 100
    assert len(door.queued()) == 2 + 6


TRICKS = tricks(DEMO, below=ORANGE_TOKEN, beside="whatsapp")


@pytest.mark.parametrize("trick", TRICKS, ids=range(len(TRICKS)))
def test_a_path_that_almost_names_the_organisation_is_refused(door: Door, trick: str) -> None:
    """The gateway does not normalise a path into a valid address."""
    assert door.meta(STATUS, f"/webhooks/whatsapp/{trick}") in {401, 404}
    assert door.post(f"/webhooks/orange/{trick}/{ORANGE_TOKEN}", receipts(1)) in {401, 404}
    assert door.post(f"/webhooks/orange/{DEMO}/{trick}", receipts(1)) in {401, 404}
    assert door.queued() == []


def test_repeated_webhooks_are_accepted_and_change_nothing_more(door: Door) -> None:
    """A person's message, a STOP with its answer, a status of ours and a receipt: each comes three times, and one
    handled record comes again."""
    log = DynamoLog(door.aws, door.names.log_table)
    asyncio.run(log.add(message(OURS, organisation=DEMO, channel=Channel.WHATSAPP)))
    reported = [STATUS, json.dumps(inbound(text("STOP", id="wamid.STOP"))).encode(), DELIVERED]
    assert {door.meta(body) for body in reported * 3} | {door.post(ORANGE, receipts(1)) for _ in range(3)} == {200}
    records = door.queued()
    assert len(records) == 12
    before = door.kept()
    assert door.consume(records) == {"batchItemFailures": []}
    after = door.kept()
    assert [name for name in after if after[name] == before[name]] == []
    assert [len(door.queued(url)) for url in door.onward] == [1, 0, 0]  # the answer to the STOP
    assert door.consume(records) == {"batchItemFailures": []}
    assert door.kept() == after
    assert [len(door.queued(url)) for url in door.onward] == [0, 0, 0]


SHAPELESS = {
    "nothing": b"",
    "cut": STATUS[: len(STATUS) // 2],
    "no text": b"\xff\xfe\x00",
    "another encoding": json.dumps({"entry": []}).encode("utf-16"),
    "HTML": b"<html>502 Bad Gateway</html>",
    "a number": b"1e400",
    "deep lists": b"[" * 200_000,
    "deep lists that end": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"entry":' * 50_000 + b"1" + b"}" * 50_000,
    "deep inside a receipt": b'{"deliveryInfoNotification":{"callbackData":"a","deliveryInfo":'
    + b'{"x":' * 900
    + b"1"
    + b"}" * 902,
    "many digits": b'{"entry": [{"time": ' + b"9" * 100_000 + b"}]}",
    "a name twice": b'{"entry": [], "entry": [7]}',
}


@pytest.mark.parametrize("shape", SHAPELESS)
def test_a_signed_body_without_content_is_200_and_blocks_no_other(door: Door, shape: str) -> None:
    body = SHAPELESS[shape]
    assert door.meta(body) == 200
    assert door.post(ORANGE, body) == 200
    assert door.consume(door.queued()) == {"batchItemFailures": []}


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "image/png", "nonsense", ""],
)
def test_the_content_type_decides_nothing(door: Door, content_type: str) -> None:
    """Meta signs bytes, not their type; Orange is recognised by its path."""
    assert door.meta(STATUS, content_type=content_type) == 200
    assert door.post(ORANGE, receipts(1), content_type=content_type) == 200
    assert len(door.queued()) == 2


@pytest.mark.parametrize("content_type", ["application/json", "application/octet-stream"])
@pytest.mark.parametrize(("size", "status"), [(LIMIT, 200), (LIMIT + 1, 413), (4 * MEGABYTE, 413)])
def test_a_body_of_more_than_three_megabytes_is_refused(door: Door, size: int, status: int, content_type: str) -> None:
    for body in (STATUS.ljust(size), receipts(1).ljust(size)):
        path, signed = (META, signature(body)) if body.startswith(STATUS) else (ORANGE, "")
        assert door.post(path, body, content_type=content_type, x_hub_signature_256=signed) == status
    assert len(door.queued()) == (2 if status == 200 else 0)


@pytest.mark.parametrize("size", [LIMIT + 1, 11 * MEGABYTE])
def test_an_oversized_body_is_refused_before_any_other_check(door: Door, size: int) -> None:
    assert door.post(META, b"x" * size, x_hub_signature_256="sha256=00") == 413
    assert door.post("/webhooks/orange/nobody/x", b"x" * size) == 413


@pytest.mark.parametrize("sign", ["é", "\uffff", "\x01", "\U0001f600"])
def test_many_receipts_with_any_characters_fit_the_queue(door: Door, sign: str) -> None:
    """SQS takes 1 MiB a message, and refuses some characters that JSON allows."""
    body = receipts(15_000, note=sign * 20)
    assert MEGABYTE < len(body) < LIMIT
    assert door.post(ORANGE, body) == 200
    records = door.queued()
    assert sum(record["body"].count("DeliveredToTerminal") for record in records) == 15_000
    assert all(len(record["body"].encode()) < MEGABYTE and record["body"].isascii() for record in records)
