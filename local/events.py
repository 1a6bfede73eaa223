"""Makes events/: for `sam local invoke`, one event of every function and trigger, as the local stack builds it.

`make events` takes one organisation through settings, single messages, receipts and a campaign. HTTP events come from
the gateway's own builder, queue records from what the functions put on the queues, receipts from the simulators.
Constants replace what is random or comes from the real clock (request IDs, receipt handles, token signatures). So the
same code always writes the same files, and a test compares them.
"""

import asyncio
import json
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import httpx2

from local.clock import StackClock
from local.containers import ORGANISATION, RECEIPT_TOKEN, SMS
from local.deployment import client
from local.http_event import Caller, HttpRequest, build_event
from local.logs import logging_to
from local.poller import build_records
from local.processes import PROJECT_ROOT
from local.routes import RouteTable, read_routes
from local.schedules import read_schedule
from local.settings import CONTAINERS_HOST, CONTAINERS_START, Settings
from local.simulators import settings as simulated
from local.simulators.background import Background
from local.simulators.ledger import Ledger
from local.simulators.meta.hooks import MetaHooks, Sent, wamid
from local.simulators.meta.subscriptions import Subscriptions
from local.simulators.orange.hooks import OrangeHooks
from local.simulators.orange.simulator import resource_id_of
from local.simulators.outcomes import META_DEFAULT, ORANGE_DEFAULT
from local.simulators.registrations import SmsRegistration, WhatsAppRegistration
from local.simulators.secret_registrations import SecretRegistrations
from local.simulators.stage import Stage
from local.stack import STACK_NAME, Stack
from local.template import REGION
from shared.base.ids import resend_id
from shared.base.instants import format_instant

if TYPE_CHECKING:
    from types_boto3_sqs.type_defs import MessageTypeDef

type Json = dict[str, Any]

FOLDER = PROJECT_ROOT / "events"
ENVIRONMENT = "env.json"
WALK = "walk.json"
"""The index: which file is for which function and trigger. Each event needs only what those before it have made."""
GATEWAY, MOTO, SIMULATORS = 8000, 8001, 8002
"""The ports of `make run DOCKER=1`; the files contain them."""
ACCEPTING_FROM = CONTAINERS_START
SENDING_FROM = CONTAINERS_START + timedelta(seconds=6)
REPORTING_FROM = CONTAINERS_START + timedelta(seconds=12)
"""When the containers' clocks start: the API's, the workers', the webhook's. What one container accepts is due when the
next one starts.
"""
_CLOCKS = {"ApiFunction": ACCEPTING_FROM, "WebhookFunction": REPORTING_FROM}
SLOT_AT = CONTAINERS_START + timedelta(seconds=8)
"""When the events happen. A container has five seconds more to reach its send slot."""

SMS_NUMBER, WHATSAPP_NUMBER, TEST_NUMBER = "+221770008301", "+221770008302", "+221770008303"
CAMPAIGN_NUMBERS = ("+221770008311", "+221770004002", "+22790000001")
"""The first gets its text. Orange refuses the second (docs/simulators.md). The third is in a country that is not
covered.
"""
WHATSAPP = {
    "access_token": "container-access-token",
    "phone_number_id": "100000000000001",
    "sender_number": "+221770009999",
    "app_secret": "container-app-secret",
    "verify_token": "container-verify-token",
    "default_template": "vaccination_card",
}
ACCOUNT = {**WHATSAPP, "business_account_id": "200000000000002"}
"""Saved towards the end. From then on the product uses a template only after Meta has approved it."""
DHIS2 = {"attributes": {"phone": "aPhoneAttr1", "first_name": "aFirstName1"}}
PERSON = {"first_name": "Aminata", "last_name": "Essai", "programme_name": "PNV", "consent": True}
CARD = {"verification_url": "https://v.example.org/c/{card_code}"}
PICTURE = f"http://{CONTAINERS_HOST}:{SIMULATORS}/cards/{{card_code}}.png"
TEXT = {"text": "Bonjour {first_name}, votre carte : {verification_url}"}
TEMPLATE = {"template": {"name": "vaccination_card", "language": "fr"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One file. `function` and `trigger` are the template's names of the function and of its event."""

    name: str
    function: str
    trigger: str
    event: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An HTTP request. `key` is its Idempotency-Key, `by` its User-Agent."""

    method: str
    path: str
    body: object = None
    key: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    by: str = "front-end"


class Maker:
    """Makes events on a running stack that polls no queue."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._deployment = stack.deployment
        self._routes = RouteTable(read_routes(stack.deployment.http_api))
        self._sqs: Any = client("sqs", stack.aws_url, read_timeout=30)

    def http(self, call: Call) -> Json:
        """Return the gateway's event for a call."""
        content = call.body if isinstance(call.body, bytes) else b""
        if call.body is not None and not isinstance(call.body, bytes):
            content = json.dumps(call.body, ensure_ascii=False).encode()
        headers = [("host", f"127.0.0.1:{GATEWAY}"), ("user-agent", call.by), ("accept", "*/*"), *call.headers]
        if content:
            headers += [("content-type", "application/json"), ("content-length", str(len(content)))]
        if call.key is not None:
            headers.append(("idempotency-key", call.key))
        path, _, query = call.path.partition("?")
        request = HttpRequest(method=call.method, raw_path=path, query=query, headers=headers, body=content)
        matched = self._routes.find(call.method, path)
        if matched is None:
            raise LookupError(f"template.yaml has no route for {call.method} {path}")
        caller: Caller | None = None
        if matched.route.jwt is not None:
            caller = self._stack.authorize(f"Bearer {self._stack.token()}", matched.route.jwt)
            caller = replace(caller, claims={**caller.claims, "iss": f"http://127.0.0.1:{GATEWAY}"})
            # The token itself stays out: it is valid for an hour, and the function never reads it.
            request = replace(request, headers=[*headers, ("authorization", "Bearer checked-by-the-gateway")])
        event = build_event(request, matched, caller, self._stack.clock.now())
        event["requestContext"]["requestId"] = "local-request-0="
        return event

    def from_queue(self, queue: str, count: int = 1) -> Json:
        """Take messages off a queue and return the event that the event source mapping would make of them."""
        url = self._deployment.outputs[f"{queue}Url"]
        found: list[Json] = []
        while len(found) < count:
            answer = self._sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=count - len(found),
                WaitTimeSeconds=5,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            messages = answer.get("Messages", [])
            if not messages:
                raise LookupError(f"{queue} holds {len(found)} of {count} messages")
            for message in messages:
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            found += messages
        arn = next(each.queue_arn for each in self._deployment.mappings if each.queue_url == url)
        found.sort(key=lambda message: str(message["Body"]))
        event = build_records(cast("list[MessageTypeDef]", found), arn)
        instant = str(int(self._stack.clock.now().timestamp() * 1000))
        for number, record in enumerate(event["Records"], start=1):
            record["messageId"] = f"00000000-0000-4000-8000-{number:012d}"
            record["receiptHandle"] = f"local-receipt-handle-{number}"
            for name in ("SentTimestamp", "ApproximateFirstReceiveTimestamp"):
                record["attributes"][name] = instant
        return event

    def given_up(self, queue: str, body: str) -> Json:
        """Return the event of a queue message that was received as often as its queue allows but never finished."""
        url = self._deployment.outputs[f"{queue}Url"]
        self._sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=ORGANISATION)
        while self._sqs.receive_message(QueueUrl=url, VisibilityTimeout=0, WaitTimeSeconds=0).get("Messages"):
            pass  # with a visibility time-out of 0 the queue message comes back at once
        return self.from_queue(f"{queue.removesuffix('Queue')}DeadLetters")

    def invoke(self, function: str, event: Json) -> Json:
        """Have a function of this process handle an event. Raises ValueError if it answers 4xx or 5xx, or reports
        failures.
        """
        answer = self._stack.invoke(self._deployment.logical_ids[function], event)
        found: Json = answer if isinstance(answer, dict) else {}
        if int(found.get("statusCode", 200)) >= 400 or found.get("batchItemFailures"):
            raise ValueError(f"{function} answers {found}")
        return found

    def tick(self) -> Json:
        """Return the payload of the template's one schedule."""
        scheduler = client("scheduler", self._stack.aws_url)
        (summary,) = scheduler.list_schedules()["Schedules"]
        schedule = read_schedule(scheduler.get_schedule(Name=summary["Name"], GroupName=summary["GroupName"]))
        payload: Json = json.loads(schedule.payload)
        return payload


def walk(stack: Stack) -> Iterator[Step]:
    """Yield the events in an order in which each finds what it needs."""
    maker = Maker(stack)
    yield from _settings(maker)
    yield from _single_messages(maker)
    yield from _campaign(maker)
    account = Call(method="PUT", path="/v1/integrations/whatsapp", body=ACCOUNT)
    submit = Call(method="POST", path="/v1/templates/vaccination_card/submit")
    for name, trigger, call in (
        ("put_integration_whatsapp_account", "PutIntegration", account),
        ("submit_template", "SubmitTemplate", submit),
        ("upload", "PostUpload", Call(method="POST", path="/v1/uploads", body={"format": "csv", "bytes": 100})),
        ("list_templates", "ListTemplates", Call(method="GET", path="/v1/templates")),
        ("erase", "PostErasure", Call(method="POST", path="/v1/erasures", body={"phone": CAMPAIGN_NUMBERS[0]})),
        ("health", "Health", Call(method="GET", path="/health")),
        ("openapi", "OpenApi", Call(method="GET", path="/openapi.json")),
        ("docs", "Docs", Call(method="GET", path="/docs")),
    ):
        yield _api(maker, name, trigger, call)


def _api(maker: Maker, name: str, trigger: str, call: Call, *, work: bool = False) -> Step:
    """Make an event of the API. With `work`, the API also handles it here, because later events need its result."""
    event = maker.http(call)
    if work:
        maker.invoke("ApiFunction", event)
    return Step(name=f"api_{name}", function="ApiFunction", trigger=trigger, event=event)


def _settings(maker: Maker) -> Iterator[Step]:
    for name, body in (("sms", SMS), ("whatsapp", WHATSAPP), ("dhis2", DHIS2)):
        call = Call(method="PUT", path=f"/v1/integrations/{name}", body=body)
        yield _api(maker, f"put_integration_{name}", "PutIntegration", call, work=True)
    changed = Call(method="PATCH", path="/v1/integrations/sms", body={"rate_per_second": 10})
    yield _api(maker, "patch_integration", "PatchIntegration", changed)
    yield _api(maker, "get_integration", "GetIntegration", Call(method="GET", path="/v1/integrations/sms"))
    yield _api(maker, "delete_integration", "DeleteIntegration", Call(method="DELETE", path="/v1/integrations/dhis2"))
    health = Call(method="GET", path="/v1/integrations/sms/health")
    yield _api(maker, "integration_health", "IntegrationHealth", health)
    test = Call(method="POST", path="/v1/integrations/sms/test", body={"to": TEST_NUMBER})
    yield _api(maker, "test_integration", "TestIntegration", test)
    consent = {"phone": WHATSAPP_NUMBER, "granted": True, "source": "paper form"}
    yield _api(maker, "post_consent", "PostConsents", Call(method="POST", path="/v1/consents", body=consent))
    looked_up = Call(method="POST", path="/v1/consents/lookup", body={"phone": WHATSAPP_NUMBER})
    yield _api(maker, "look_up_consent", "LookUpConsent", looked_up)
    recipient = {**PERSON, **CARD, "phone": SMS_NUMBER, "card_code": "DKR-0001"}
    preview = {"channel": "sms", "content": TEXT, "recipients": [recipient]}
    yield _api(maker, "preview", "Preview", Call(method="POST", path="/v1/preview", body=preview))


def _single_messages(maker: Maker) -> Iterator[Step]:
    for channel, number, content in (("sms", SMS_NUMBER, TEXT), ("whatsapp", WHATSAPP_NUMBER, TEMPLATE)):
        recipient = {**PERSON, **CARD, "phone": number, "card_code": "DKR-0001"}
        if channel == "whatsapp":
            recipient["card_image"] = PICTURE
        body = {"channel": channel, "campaign_id": "single", "recipient": recipient, "content": content}
        call = Call(method="POST", path="/v1/messages", body=body, key=f"events-{channel}")
        yield _api(maker, f"post_message_{channel}", "PostMessage", call, work=True)
    sms, whatsapp = maker.from_queue("SmsQueue"), maker.from_queue("WhatsAppQueue")
    yield from _dead_letters(maker, sms, whatsapp)
    yield Step(name="send_sms", function="SendSmsFunction", trigger="Sms", event=sms)
    yield Step(name="send_whatsapp", function="SendWhatsAppFunction", trigger="WhatsApp", event=whatsapp)
    message_id = json.loads(whatsapp["Records"][0]["body"])["message_id"]
    yield from _receipts(maker, message_id)
    yield _api(maker, "list_messages", "ListMessages", Call(method="GET", path="/v1/messages?campaign_id=single"))
    yield _api(maker, "get_message", "GetMessage", Call(method="GET", path=f"/v1/messages/{message_id}"))
    looked_up = Call(method="POST", path="/v1/messages/lookup", body={"phone": SMS_NUMBER})
    yield _api(maker, "look_up_messages", "LookUpMessages", looked_up)


def _dead_letters(maker: Maker, sms: Json, whatsapp: Json) -> Iterator[Step]:
    """Put each message on the queue once more and let that queue message die.

    The listing and the redrive find both as dead letters. The next two events still send the messages.
    """
    for name, channel, queue_message in (("sms", "Sms", sms), ("whatsapp", "WhatsApp", whatsapp)):
        event = maker.given_up(f"{channel}Queue", queue_message["Records"][0]["body"])
        function, trigger = "BulkFanoutFunction", f"{channel}Dead"
        yield Step(name=f"bulk_fanout_dead_{name}", function=function, trigger=trigger, event=event)
    listed = Call(method="GET", path="/v1/dead-letters?channel=sms")
    yield _api(maker, "list_dead_letters", "ListDeadLetters", listed)
    redriven = Call(method="POST", path="/v1/dead-letters/redrive", body={"all": True})
    yield _api(maker, "redrive_dead_letters", "RedriveDeadLetters", redriven)


def _receipts(maker: Maker, message_id: str) -> Iterator[Step]:
    query = f"hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={WHATSAPP['verify_token']}"
    challenge = Call(method="GET", path=f"/webhooks/whatsapp/{ORGANISATION}?{query}", by="facebookplatform/1.0")
    calls = [challenge, *asyncio.run(_reported(message_id))]
    names = (
        ("whatsapp_challenge", "WhatsAppChallenge"),
        ("whatsapp", "WhatsAppReceipts"),
        ("orange", "OrangeReceipts"),
    )
    for (name, trigger), call in zip(names, calls, strict=True):
        event = maker.http(call)
        maker.invoke("WebhookFunction", event)
        yield Step(name=f"webhook_{name}", function="WebhookFunction", trigger=trigger, event=event)
    reports = maker.from_queue("StatusQueue", 2)
    yield Step(name="webhook_status", function="WebhookFunction", trigger="Status", event=reports)


async def _reported(message_id: str) -> list[Call]:
    """Return what the simulators of Meta and Orange post when a message has been read or delivered."""
    posted: list[Call] = []

    def post(request: httpx2.Request) -> httpx2.Response:
        kept = [(name, request.headers[name]) for name in ("x-hub-signature-256",) if name in request.headers]
        provider = "facebookexternalua" if kept else "orange"
        call = Call(method="POST", path=request.url.raw_path.decode(), body=request.content, headers=tuple(kept))
        posted.append(replace(call, by=provider))
        return httpx2.Response(200)

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(post)) as poster:
        stage = _stage(poster)
        hooks = MetaHooks(stage, Subscriptions(stage.registrations))
        to = WHATSAPP_NUMBER.removeprefix("+")
        sent = Sent(
            registration=_whatsapp_registration(),
            wamid=wamid(to, "events"),
            wa_id=to,
            key=f"{message_id}.1",
            accepted_at=SLOT_AT,
            category="utility",
            failure=0,
        )
        await hooks.follow(replace(META_DEFAULT, receipts=("read",), early=True), sent)
        receipts = SmsRegistration(organisation=ORGANISATION, client_id=SMS["client_id"], receipt_token=RECEIPT_TOKEN)
        resource_id = resource_id_of(SMS["client_id"], SMS_NUMBER, 1)
        await OrangeHooks(stage).follow(replace(ORANGE_DEFAULT, early=True), receipts, resource_id, SMS_NUMBER)
    return posted


class _StoppedClock:
    """The simulators' clock, stopped at the instant of the events."""

    def now(self) -> datetime:
        return SLOT_AT

    async def sleep(self, _: float) -> None:
        """Return at once: no time passes."""

    def set(self, _: datetime) -> None:
        """Do nothing: the clock stays where it is."""


def _stage(poster: httpx2.AsyncClient) -> Stage:
    async def stay(_: object) -> None:
        """Do nothing: there is no connection to cut."""

    return Stage(
        clock=_StoppedClock(),
        settings=simulated.Settings(api_url=f"http://127.0.0.1:{GATEWAY}", verify_webhook=False),
        ledger=Ledger(),
        registrations=SecretRegistrations("http://127.0.0.1", STACK_NAME, REGION),
        client=poster,
        background=Background(),
        hang_up=stay,
    )


def _whatsapp_registration() -> WhatsAppRegistration:
    return WhatsAppRegistration(
        organisation=ORGANISATION,
        phone_number_id=WHATSAPP["phone_number_id"],
        sender_number=WHATSAPP["sender_number"],
        access_token=WHATSAPP["access_token"],
        app_secret=WHATSAPP["app_secret"],
        verify_token=WHATSAPP["verify_token"],
        business_account_id=None,
    )


def _campaign(maker: Maker) -> Iterator[Step]:
    recipients = [
        {**PERSON, "phone": number, "card_code": f"DKR-{row:04d}"}
        for row, number in enumerate(CAMPAIGN_NUMBERS, start=11)
    ]
    order = {"campaign_id": "campaign", "channel": "sms", "content": TEXT, "defaults": CARD, "recipients": recipients}
    planned = maker.http(Call(method="POST", path="/v1/distributions", body=order, key="events-campaign"))
    answer = maker.invoke("BulkFanoutFunction", planned)
    one = f"/v1/distributions/{json.loads(answer['body'])['distribution_id']}"
    yield Step(name="bulk_fanout_http", function="BulkFanoutFunction", trigger="PostDistribution", event=planned)
    yield _api(maker, "get_distribution", "GetDistribution", Call(method="GET", path=one))
    yield _api(maker, "distribution_samples", "DistributionSamples", Call(method="GET", path=f"{one}/samples"))
    yield _api(maker, "distribution_errors", "DistributionErrors", Call(method="GET", path=f"{one}/errors"))
    listed = Call(method="GET", path=f"{one}/duplicates")
    yield _api(maker, "distribution_duplicates", "DistributionDuplicates", listed)
    confirm = Call(method="POST", path=f"{one}/confirm")
    yield _api(maker, "confirm_distribution", "ConfirmDistribution", confirm, work=True)
    task = maker.from_queue("FanoutQueue")
    maker.invoke("BulkFanoutFunction", task)
    yield Step(name="bulk_fanout_queue", function="BulkFanoutFunction", trigger="Fanout", event=task)
    queue_messages = maker.from_queue("SmsQueue", 2)
    yield Step(name="send_sms_campaign", function="SendSmsFunction", trigger="Sms", event=queue_messages)
    refused = next(
        body["message_id"]
        for body in (json.loads(record["body"]) for record in queue_messages["Records"])
        if body["payload"]["to"] == CAMPAIGN_NUMBERS[1]
    )
    retry = maker.http(Call(method="POST", path=f"{one}/retry", body={}, key="events-retry"))
    yield Step(name="bulk_fanout_retry", function="BulkFanoutFunction", trigger="RetryDistribution", event=retry)
    again = Call(method="POST", path=f"/v1/messages/{refused}/resend")
    yield _api(maker, "resend_message", "ResendMessage", again)
    undone = Call(method="POST", path=f"/v1/messages/{resend_id(refused)}/cancel")
    yield _api(maker, "cancel_message", "CancelMessage", undone)
    history = Call(method="GET", path="/v1/campaigns/campaign/messages")
    yield _api(maker, "campaign_history", "CampaignHistory", history)
    figures = Call(method="GET", path="/v1/campaigns/campaign/statistics?from=2026-11-01T00:00:00Z")
    yield _api(maker, "campaign_statistics", "CampaignStatistics", figures)
    yield _api(maker, "statistics", "Statistics", Call(method="GET", path="/v1/statistics"))
    yield _api(maker, "list_campaigns", "ListCampaigns", Call(method="GET", path="/v1/campaigns"))
    yield _api(maker, "list_distributions", "ListDistributions", Call(method="GET", path="/v1/distributions"))
    yield from _export(maker, json.loads(answer["body"])["distribution_id"])
    for action in ("pause", "resume", "cancel"):
        call = Call(method="POST", path=f"{one}/{action}")
        yield _api(maker, f"{action}_distribution", f"{action.capitalize()}Distribution", call)
    yield Step(name="bulk_fanout_tick", function="BulkFanoutFunction", trigger="Tick", event=maker.tick())


def _export(maker: Maker, distribution_id: str) -> Iterator[Step]:
    order = {"kind": "rejected_rows", "distribution_id": distribution_id, "language": "fr"}
    ordered = maker.http(Call(method="POST", path="/v1/exports", body=order))
    export_id = json.loads(maker.invoke("ApiFunction", ordered)["body"])["export_id"]
    yield Step(name="api_post_export", function="ApiFunction", trigger="PostExport", event=ordered)
    yield _api(maker, "get_export", "GetExport", Call(method="GET", path=f"/v1/exports/{export_id}"))


def environment(stack: Stack) -> dict[str, dict[str, str]]:
    """Return the env file: each function's variables for a container beside `make run DOCKER=1`."""
    deployment = stack.deployment
    return {
        logical_id: _variables(stack, deployment.functions[name].environment)
        | {"CLOCK_STARTS_AT": format_instant(_CLOCKS.get(logical_id, SENDING_FROM))}
        for logical_id, name in sorted(deployment.logical_ids.items())
    }


def _variables(stack: Stack, given: Mapping[str, str]) -> dict[str, str]:
    simulators = f"http://{CONTAINERS_HOST}:{SIMULATORS}"
    here = {
        "AWS_ENDPOINT_URL": f"http://{CONTAINERS_HOST}:{MOTO}",
        "META_GRAPH_URL": f"{simulators}/meta",
        "ORANGE_API_URL": f"{simulators}/orange",
        "CARD_HOSTS": simulators,
        "PUBLIC_BASE_URL": f"http://127.0.0.1:{GATEWAY}",
        "NUMBER_KEY_SECRET_ID": f"{STACK_NAME}-NumberKeySecret",
    }
    lambdas_own = re.compile(r"AWS_(REGION|DEFAULT_REGION|LAMBDA_\w+)|POWERTOOLS_\w+")
    return {name: here.get(name, value) for name, value in sorted(given.items()) if not lambdas_own.fullmatch(name)}


def make(folder: Path) -> Sequence[Step]:
    """Write all files into a folder and return the steps in their order."""
    clock = StackClock(SLOT_AT, monotonic=_stopped)
    folder.mkdir(exist_ok=True)
    settings = Settings(port=0, containers=True, card_hosts=(f"{CONTAINERS_HOST}:{SIMULATORS}",))
    with tempfile.TemporaryFile("w+") as log, logging_to(log, clock), Stack(settings, log, clock) as stack:
        steps = tuple(walk(stack))
        for step in steps:
            _write(folder / f"{step.name}.json", step.event)
        index = [{"event": f"{step.name}.json", "function": step.function, "trigger": step.trigger} for step in steps]
        _write(folder / WALK, index)
        _write(folder / ENVIRONMENT, environment(stack))
    return steps


def read(folder: Path = FOLDER) -> tuple[Step, ...]:
    """Read the steps from the files."""
    listed = json.loads((folder / WALK).read_text(encoding="utf-8"))
    return tuple(
        Step(
            name=Path(one["event"]).stem,
            function=one["function"],
            trigger=one["trigger"],
            event=json.loads((folder / one["event"]).read_text(encoding="utf-8")),
        )
        for one in listed
    )


def _stopped() -> float:
    """The time source of a stopped clock, so that two runs book the same send slots."""
    return 0.0


def _write(path: Path, document: object) -> None:
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main(argv: Sequence[str]) -> int:
    """Replace the files of events/."""
    if argv:
        print("usage: python -m local events", file=sys.stderr)
        return 2
    steps = make(FOLDER)
    print(f"{len(steps)} events and {ENVIRONMENT} are in {FOLDER}")
    return 0
