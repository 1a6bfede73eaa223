"""What the API does about one person. The tests call the API and the fan-out as AWS does, on moto."""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from functions.api.app import build as build_api
from functions.bulk_fanout.app import build as build_fanout
from shared.app.runtime import Handler, Loop
from shared.messages.message import Status
from shared.messages.payload import Channel
from shared.messages.ports import Move
from shared.messages.queue_message import QueueMessage
from shared.storage.aws import Aws
from shared.storage.codec import encode
from tests.contract.cloud import Deployed, deploy, on_aws
from tests.contract.world import World
from tests.fakes.office import DEMO, SMS, recipient
from tests.fakes.world import FakeClock
from tests.template.reading import Node
from tests.unit.api.events import ALL_SCOPES, event

DEAD_LETTER_QUEUES = tuple(f"arn:aws:sqs:eu-west-1:123456789012:{name}" for name in ("whatsapp-dead", "sms-dead"))
READ, SEND, ADMIN = "messaging.read", "messaging.send", "messaging.admin"


class Invocation:
    """Lambda's context, with plenty of time."""

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Both functions of one deployment."""

    api: Handler
    fanout: Handler
    world: World
    clock: FakeClock
    organisation: str = DEMO
    phone: str = ""

    def claims(self, scope: str = ALL_SCOPES) -> Mapping[str, str]:
        return {"organisation_id": self.organisation, "scope": scope}

    def call(self, route: str, body: object = None, **parts: Any) -> tuple[int, Any]:
        """Status and body of the API's answer; a JSON body is parsed."""
        answer = self.api(dict(event(route, body=body, **{"claims": self.claims(), **parts})), Invocation())
        assert answer is not None
        text = str(answer["body"])
        headers: Any = answer["headers"]
        is_json = "json" in headers.get("content-type", "")
        return int(str(answer["statusCode"])), json.loads(text) if is_json else text

    def send(self, key: str) -> str:
        body = {
            "channel": "sms",
            "campaign_id": "c-1",
            "recipient": recipient(7, phone=self.phone),
            "content": {"template": {"name": "vaccination_card"}},
        }
        status, answer = self.call("POST /v1/messages", body, headers={"idempotency-key": key})
        assert status == 202, answer
        return str(answer["message_id"])

    def distribute(self, key: str, **changes: Any) -> Any:
        body = {
            "campaign_id": "c-1",
            "channel": "sms",
            "recipients": [recipient(7, phone=self.phone), *map(recipient, range(1, 5))],
            "content": {"template": {"name": "vaccination_card"}},
        } | changes
        headers = {"idempotency-key": key}
        asked = event("POST /v1/distributions", body=body, headers=headers, claims=self.claims())
        made = self.fanout(dict(asked), Invocation())
        assert made is not None
        assert made["statusCode"] == 201, made["body"]
        return json.loads(str(made["body"]))

    def queue_messages(self, after: float = 0) -> list[QueueMessage]:
        """Takes the organisation's queue messages that are visible on the SMS queue after so many seconds. Those of
        other tests are dropped."""
        taken = self.world.hands.queue_messages(Channel.SMS, after)
        return [queue_message for queue_message in taken if queue_message.organisation == self.organisation]

    def work(self) -> None:
        """Gives the fan-out the tasks on its queue, as Lambda's poller does, until none is visible."""
        while tasks := self.world.hands.tasks():
            records = [{"messageId": str(number), "body": encode(task).decode()} for number, task in enumerate(tasks)]
            assert self.fanout({"Records": records}, Invocation()) == {"batchItemFailures": []}

    def fail(self, message_id: str) -> None:
        move = Move(status=Status.FAILED, at=self.clock.now(), reason="undeliverable")
        asyncio.run(self.world.log.move(self.organisation, message_id, move))


@pytest.fixture(scope="module")
def deployed(aws: Aws, described: Node, loop: Loop) -> Running:
    names, clock = deploy(aws, described), FakeClock()
    key = aws.secrets.create_secret(Name=f"{names.bucket}/key", SecretString="k" * 64)["Name"]
    given = environment(names) | {"NUMBER_KEY_SECRET_ID": key}
    api, fanout = build_api(given, clock, aws, loop), build_fanout(given, clock, aws, loop)
    return Running(api=api, fanout=fanout, world=on_aws(aws, names, clock), clock=clock)


@pytest.fixture
def running(deployed: Running, request: pytest.FixtureRequest) -> Running:
    """An organisation of the test's own, with SMS settings."""
    number = int(hashlib.sha256(request.node.name.encode()).hexdigest(), 16) % 10**6
    organisation = f"o-{number}-x"
    asyncio.run(deployed.world.integrations.put(replace(SMS, organisation=organisation)))
    return replace(deployed, organisation=organisation, phone=f"+221770{number:06d}")


def environment(names: Deployed) -> dict[str, str]:
    return {
        "LOG_TABLE": names.log_table,
        "STATE_TABLE": names.state_table,
        "PAYLOAD_BUCKET": names.bucket,
        "SECRETS_PREFIX": names.bucket,
        "SECRETS_KEY": "alias/aws/secretsmanager",
        "MESSAGE_RETENTION_DAYS": "400",
        "WHATSAPP_QUEUE_URL": names.channels[Channel.WHATSAPP],
        "SMS_QUEUE_URL": names.channels[Channel.SMS],
        "FANOUT_QUEUE_URL": names.fanout,
        "DEAD_LETTER_QUEUE_ARNS": ",".join(DEAD_LETTER_QUEUES),
        "META_GRAPH_URL": "http://meta.invalid",
        "ORANGE_API_URL": "http://orange.invalid",
        "CARD_HOSTS": "cards.example.org",
        "CARD_BUCKETS": "",
        "PUBLIC_BASE_URL": "",
        "SCHEDULE_GROUP": names.schedules.group,
        "SCHEDULE_TARGET_ARN": names.schedules.target_arn,
        "SCHEDULE_ROLE_ARN": names.schedules.role_arn,
    }


@pytest.mark.parametrize(
    ("route", "scope"),
    [("POST /v1/messages/lookup", READ), ("POST /v1/messages/{message_id}/resend", SEND), ("POST /v1/erasures", ADMIN)],
)
def test_each_route_needs_its_scope(running: Running, route: str, scope: str) -> None:
    others = " ".join({READ, SEND, ADMIN} - {scope})
    status, problem = running.call(
        route, {"phone": running.phone}, path={"message_id": "m"}, claims=running.claims(scope=others)
    )
    assert (status, problem["code"]) == (403, "forbidden")


@pytest.mark.parametrize("route", ["POST /v1/messages/lookup", "POST /v1/erasures"])
@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 400, "phone"),
        ({"phone": 7}, 400, "phone"),
        ({"phone": "+221770000007", "number": "x"}, 400, "number"),
        ({"phone": ""}, 422, "phone"),
        ({"phone": "N/A"}, 422, "phone"),
    ],
)
def test_a_body_without_a_usable_number_is_refused(
    running: Running, route: str, body: object, status: int, field: str
) -> None:
    found, problem = running.call(route, body)
    assert (found, problem["errors"][0]["field"]) == (status, field)


def test_a_persons_messages_newest_first_page_by_page(running: Running) -> None:
    sent: list[str] = []
    for number in range(3):
        sent.insert(0, running.send(f"k-{number}"))
        running.clock.pass_by(seconds=1)
    status, page = running.call("POST /v1/messages/lookup", {"phone": running.phone[4:]}, query="limit=2")
    assert (status, [one["message_id"] for one in page["items"]]) == (200, sent[:2])
    query = f"limit=2&cursor={page['next_cursor']}"
    _, rest = running.call("POST /v1/messages/lookup", {"phone": running.phone}, query=query)
    assert ([one["message_id"] for one in rest["items"]], rest["next_cursor"]) == (sent[2:], None)
    status, problem = running.call("POST /v1/messages/lookup", {"phone": "+221770000008"}, query=query)
    assert (status, problem["errors"][0]["field"]) == (400, "cursor")
    _, page = running.call("POST /v1/messages/lookup", {"phone": running.phone}, headers={"accept": "text/csv"})
    assert [one["message_id"] for one in page["items"]] == sent
    stranger = {"organisation_id": "other", "scope": READ}
    assert running.call("POST /v1/messages/lookup", {"phone": running.phone}, claims=stranger)[1]["items"] == []


def test_a_failed_message_is_sent_again_once(running: Running) -> None:
    first = running.send("k")
    running.queue_messages()
    route, path = "POST /v1/messages/{message_id}/resend", {"message_id": first}
    status, problem = running.call(route, path=path)
    assert (status, problem["code"]) == (409, "state_conflict")
    running.fail(first)
    answers = [running.call(route, path=path) for _ in range(2)]
    assert answers[0] == answers[1]
    status, answer = answers[0]
    assert (status, answer["status"], answer["scheduled_for"]) == (202, "pending", None)
    [queue_message] = running.queue_messages()
    assert (queue_message.message_id, queue_message.payload.to) == (answer["message_id"], running.phone)
    stranger = {"organisation_id": "other", "scope": SEND}
    assert running.call(route, path=path, claims=stranger)[0] == 404


def test_sending_again_is_refused_in_the_officers_language(running: Running) -> None:
    first = running.send("k")
    running.fail(first)
    running.call("POST /v1/erasures", {"phone": running.phone})
    running.work()
    route, path = "POST /v1/messages/{message_id}/resend", {"message_id": first}
    for language, words in (("en", "no longer stored (erased)"), ("fr", "n’est plus conservé (effacé)")):
        _, problem = running.call(route, path=path, headers={"accept-language": language})
        assert words in problem["detail"]


def test_an_erasure_leaves_an_opt_out_and_nothing_else(running: Running) -> None:
    waiting = running.send("k")
    planned = running.distribute("d")
    assert running.world.hands.holds(running.phone)
    assert running.call("POST /v1/erasures", {"phone": running.phone}) == (202, "")
    running.work()
    assert not running.world.hands.holds(running.phone)
    assert running.call("POST /v1/messages/lookup", {"phone": running.phone})[1]["items"] == []
    _, ended = running.call("GET /v1/messages/{message_id}", path={"message_id": waiting})
    assert (ended["status"], ended["reason"], ended["recipient"]) == (
        "failed",
        "erased",
        f"+22177***{running.phone[-4:]}",
    )
    _, statement = running.call("POST /v1/consents/lookup", {"phone": running.phone})
    assert (statement["state"], statement["source"]) == ("revoked", "erasure")
    path = {"distribution_id": planned["distribution_id"]}
    assert running.call("POST /v1/distributions/{distribution_id}/confirm", path=path)[0] == 200
    running.work()
    queue_messages = [queue_message for queue_message in running.queue_messages(after=60) if queue_message.chunk]
    assert {queue_message.payload.to for queue_message in queue_messages} == {
        f"+22177000{number:04d}" for number in range(1, 5)
    }
    _, found = running.call("GET /v1/distributions/{distribution_id}", path=path)
    assert found["by_reason"] == {"erased": 1}


def test_a_distribution_is_woken_by_its_own_schedule(running: Running, aws: Aws) -> None:
    at = running.clock.now() + timedelta(hours=4)
    made = running.distribute("d", schedule={"mode": "at", "at": at.isoformat()}, confirm=True)
    name = made["distribution_id"]
    assert list(running.world.hands.waiting()) == [name]
    running.work()
    group = aws.scheduler.list_schedules(NamePrefix=name)["Schedules"][0]["GroupName"]
    reported = json.loads(aws.scheduler.get_schedule(Name=name, GroupName=group)["Target"]["Input"])
    running.clock.instant = at
    assert running.fanout(reported, Invocation()) is None
    running.work()
    assert len(running.queue_messages(after=60)) == 5
    path = {"distribution_id": name}
    assert running.call("POST /v1/distributions/{distribution_id}/cancel", path=path)[0] == 200
    assert running.world.hands.waiting() == {}


# ------------------------------------------------------------------------------------------------------------ look-ups


LOOK_UPS = ("POST /v1/messages/lookup", "POST /v1/consents/lookup")


def look_up(running: Running, number: int, **claims: str) -> tuple[int, Any, Mapping[str, Any]]:
    """Status, body and headers; the two routes alternate."""
    body = {"phone": f"+22177{number:07d}"}
    asked = event(LOOK_UPS[number % 2], body=body, claims={**running.claims(), **claims})
    answer = running.api(dict(asked), Invocation())
    assert answer is not None
    headers: Any = answer["headers"]
    return int(str(answer["statusCode"])), json.loads(str(answer["body"])), headers


def test_no_more_than_sixty_look_ups_of_one_person_in_any_minute(running: Running) -> None:
    """A masked number has a thousand candidates. At 60 a minute a caller does not find the right one in passing."""
    assert [look_up(running, number, sub="officer-1")[0] for number in range(60)] == [200] * 60
    running.clock.pass_by(seconds=59.5)
    status, problem, headers = look_up(running, 60, sub="officer-1")
    assert (status, problem["code"], headers["retry-after"]) == (429, "rate_limited", "1")
    assert headers["content-type"] == "application/problem+json"
    assert look_up(running, 61, sub="officer-2")[0] == 200
    running.clock.pass_by(seconds=0.5)
    assert look_up(running, 62, sub="officer-1")[0] == 200


def test_look_ups_of_programs_and_of_tokens_without_a_subject_are_limited_too(running: Running) -> None:
    for number in range(30):
        assert look_up(running, number, client_id="importer")[0] == 200
        assert look_up(running, number, sub="officer", client_id="importer")[0] == 200
        assert look_up(running, number)[0] == 200
        assert look_up(running, number, sub="é" * 3)[0] == 200  # a subject that api.md does not accept
    assert look_up(running, 1)[0] == 429
    assert look_up(running, 1, sub="s" * 129)[0] == 429
    for _ in range(30):
        assert look_up(running, 1, client_id="importer")[0] == 200
    assert look_up(running, 1, client_id="importer")[0] == 429
    assert look_up(running, 1, client_id="importer", sub="a b")[0] == 429
    assert look_up(running, 1, client_id="importer", sub="officer")[0] == 200


def test_the_refusal_says_what_to_do_in_both_languages(running: Running) -> None:
    for number in range(60):
        look_up(running, number)
    for language, words in (("en", "Wait 60 s"), ("fr", "Attendez 60 s")):
        status, problem = running.call(LOOK_UPS[0], {"phone": running.phone}, headers={"accept-language": language})
        assert (status, problem["status"]) == (429, 429)
        assert words in problem["detail"]


def test_a_body_that_cannot_be_read_is_not_counted(running: Running) -> None:
    assert [running.call(LOOK_UPS[0], {"number": "1"})[0] for _ in range(61)] == [400] * 61
    assert look_up(running, 0)[0] == 200


def test_each_look_up_leaves_an_event_that_names_the_caller(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    subjects = ("auth0|5f7c8ec7c33c6c004bbafe82", "108234567890123456789", "officer@programme.example")
    for number, subject in enumerate(subjects):
        look_up(running, number, sub=subject)
    look_up(running, 3)
    look_up(running, 4, sub="+221770000001")
    lines = [vars(record) for record in caplog.records if record.getMessage().endswith("_looked_up")]
    reported = [(line["msg"], line["organisation"], line["sub"]) for line in lines]
    events = ("phone_looked_up", "consent_looked_up")
    named = (*subjects, None, "***")
    assert reported == [(events[n % 2], running.organisation, name) for n, name in enumerate(named)]
