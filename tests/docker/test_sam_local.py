"""Every event of events/ goes through its function's own artefact in a container; then the tests read the log.

The stack polls no queue and fires no schedule. So a container made every change.
"""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from local.containers import ORGANISATION, SMS
from local.events import CAMPAIGN_NUMBERS, SMS_NUMBER, TEST_NUMBER, WHATSAPP, WHATSAPP_NUMBER, Step, read
from local.settings import CONTAINERS_HOST, HOST
from tests.docker.sam import Invocation, SamLocal, beside_a_stack, why_not
from tests.stack.running import RunningStack
from tests.waiting import PATIENCE, until

REASON = why_not()
pytestmark = [pytest.mark.docker, pytest.mark.skipif(REASON is not None, reason=REASON or "")]

STEPS = read()
EVENTS = {step.name: step.event for step in STEPS}
QUEUES = ("FanoutQueue", "WhatsAppQueue", "SmsQueue", "StatusQueue")
CREATED, ACCEPTED, EMPTY = 201, 202, 204
WAITING = frozenset(
    {
        "api_get_integration",
        "api_look_up_consent",
        "bulk_fanout_dead_sms",
        "api_list_dead_letters",
        "api_redrive_dead_letters",
        "send_sms",
        "webhook_whatsapp",
        "webhook_status",
        "api_list_messages",
        "api_get_distribution",
        "api_confirm_distribution",
        "bulk_fanout_queue",
        "send_sms_campaign",
        "bulk_fanout_retry",
        "api_resend_message",
        "api_cancel_message",
        "api_get_export",
        "api_pause_distribution",
        "api_resume_distribution",
        "api_cancel_distribution",
        "bulk_fanout_tick",
        "api_submit_template",
    }
)
"""Events that need the result of earlier ones. Every other event runs together with the one before it, in two
containers at a time."""
AT_ONCE = 2
STATUSES = {
    "api_delete_integration": EMPTY,
    "api_post_consent": EMPTY,
    "api_post_message_sms": ACCEPTED,
    "api_post_message_whatsapp": ACCEPTED,
    "api_resend_message": ACCEPTED,
    "api_submit_template": ACCEPTED,
    "api_redrive_dead_letters": ACCEPTED,
    "api_erase": ACCEPTED,
    "api_upload": CREATED,
    "bulk_fanout_http": CREATED,
    "bulk_fanout_retry": ACCEPTED,
    "api_post_export": ACCEPTED,
}
"""Every other HTTP event answers 200."""

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One handled event. `before` and `after` were read around the group of events that ran together."""

    invocation: Invocation
    before: "Sight"
    after: "Sight"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What the log (message ID → status) and the queues (number of messages) held."""

    log: Mapping[str, str]
    queues: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    stack: RunningStack
    sam: SamLocal
    done: Mapping[str, Done]

    def of(self, name: str) -> Invocation:
        return self.done[name].invocation

    def status(self, after: str, message_of: str) -> str:
        """A message's status in the log after an event. `message_of` names the event that carries the message."""
        return self.done[after].after.log[dispatch(message_of)["message_id"]]

    def grown(self, queue: str, name: str) -> int:
        """By how many messages a queue grew while the event ran."""
        return self.done[name].after.queues[queue] - self.done[name].before.queues[queue]

    def get(self, path: str) -> httpx2.Response:
        with self.stack.api(ORGANISATION) as api:
            return api.get(path)

    def ledger(self, provider: str) -> list[Json]:
        found = httpx2.get(f"{self.stack.control_url}/ledger", params={"provider": provider}).raise_for_status()
        messages: list[Json] = found.json()["messages"]
        return messages


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    with beside_a_stack(tmp_path_factory.mktemp("events")) as (stack, sam):
        yield Walk(stack=stack, sam=sam, done=dict(_walked(stack, sam)))


def _walked(stack: RunningStack, sam: SamLocal) -> Iterator[tuple[str, Done]]:
    before = _look(stack)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for steps in _together():
            invocations = list(pool.map(sam.invoke, steps))
            after = _look(stack)
            for step, invocation in zip(steps, invocations, strict=True):
                yield step.name, Done(invocation=invocation, before=before, after=after)
            before = after


def _together() -> list[list[Step]]:
    groups: list[list[Step]] = [[]]
    for step in STEPS:
        if step.name in WAITING:
            groups.append([])
        groups[-1].append(step)
    return groups


def _look(stack: RunningStack) -> Sight:
    with stack.api(ORGANISATION) as api:
        items = api.get("/v1/messages").raise_for_status().json()["items"]
    sqs = stack.aws("sqs")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
    queues = {}
    for queue in QUEUES:
        answer = sqs.get_queue_attributes(QueueUrl=stack.output(f"{queue}Url"), AttributeNames=names)
        queues[queue] = sum(int(count) for count in answer["Attributes"].values())
    return Sight(log={item["message_id"]: item["status"] for item in items}, queues=queues)


def dispatch(name: str, record: int = 0) -> Json:
    body: Json = json.loads(EVENTS[name]["Records"][record]["body"])
    return body


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_every_event_is_worked_off(walk: Walk, step: Step) -> None:
    invocation = walk.of(step.name)
    assert invocation.code == 0, invocation.said
    assert "errorType" not in invocation.said + str(invocation.answer)
    if "Records" in step.event:
        assert invocation.answer == {"batchItemFailures": []}
    elif "routeKey" in step.event:
        assert invocation.status == STATUSES.get(step.name, 200), invocation.answer
    else:
        assert invocation.answer is None


def test_the_settings_are_saved_shown_and_deleted(walk: Walk) -> None:
    shown = walk.of("api_get_integration").body
    assert shown["client_id"] == SMS["client_id"]
    assert shown["client_secret"]["set"] is True
    assert shown["webhook_url"].startswith(f"{walk.stack.base_url}/webhooks/orange/{ORGANISATION}/")
    assert walk.get("/v1/integrations/whatsapp").json()["phone_number_id"] == WHATSAPP["phone_number_id"]
    assert walk.get("/v1/integrations/dhis2").status_code == 404


def test_a_test_send_goes_out_inside_the_call(walk: Walk) -> None:
    assert walk.of("api_test_integration").body["status"] == "sent"
    assert [text["recipient"] for text in walk.ledger("orange")].count(TEST_NUMBER) == 1


def test_a_consent_is_recorded(walk: Walk) -> None:
    assert walk.of("api_look_up_consent").body["state"] == "granted"


def test_a_preview_shows_the_text_and_sends_nothing(walk: Walk) -> None:
    (item,) = walk.of("api_preview").body["items"]
    assert (item["valid"], item["text"][:15]) == (True, "Bonjour Aminata")


@pytest.mark.parametrize(("posted", "queue", "sent"), [
    ("api_post_message_sms", "SmsQueue", "send_sms"),
    ("api_post_message_whatsapp", "WhatsAppQueue", "send_whatsapp"),
])  # fmt: skip
def test_a_single_message_is_accepted_queued_and_sent(walk: Walk, posted: str, queue: str, sent: str) -> None:
    assert walk.of(posted).body["message_id"] == dispatch(sent)["message_id"]
    assert walk.status(posted, sent) == "pending"
    assert walk.grown(queue, posted) == 1
    assert walk.status(sent, sent) == "sent"


def test_queue_messages_that_were_given_up_are_listed_and_redriven(walk: Walk) -> None:
    """Both messages are sent all the same, by their later queue messages."""
    (letter,) = walk.of("api_list_dead_letters").body["items"]
    assert letter["message_id"] == dispatch("send_sms")["message_id"]
    assert (letter["reason"], letter["attempts"]) == ("handling_failed", 12)
    assert walk.of("api_redrive_dead_letters").body == {"redriven": 2}
    assert walk.grown("FanoutQueue", "api_redrive_dead_letters") >= 1
    assert walk.get("/v1/dead-letters").json()["items"] == []


def test_the_container_queues_the_same_body_as_the_event(walk: Walk) -> None:
    """Times are not compared, because each container has a clock of its own."""
    answer = walk.stack.aws("sqs").receive_message(
        QueueUrl=walk.stack.output("WhatsAppQueueUrl"), VisibilityTimeout=0, WaitTimeSeconds=5
    )
    (message,) = answer["Messages"]
    assert _lasting(json.loads(message["Body"])) == _lasting(dispatch("send_whatsapp"))


def _lasting(body: Json) -> Json:
    """The body without its times, and without the card's address, because the test chooses its port."""
    payload = {name: value for name, value in body["payload"].items() if name != "card_image"}
    return {**body, "payload": payload, "slot_at": 0, "integration_version": 0}


def test_the_providers_got_each_message_once(walk: Walk) -> None:
    texts = [entry["recipient"] for entry in walk.ledger("orange")]
    assert sorted(texts) == sorted([TEST_NUMBER, SMS_NUMBER, CAMPAIGN_NUMBERS[0]])
    (card,) = walk.ledger("meta")
    assert card["recipient"].removeprefix("+") == WHATSAPP_NUMBER.removeprefix("+")
    assert len(card["media_sha256"]) == 64


def test_metas_challenge_is_answered(walk: Walk) -> None:
    assert walk.of("webhook_whatsapp_challenge").answer["body"] == "1158201444"


@pytest.mark.parametrize("name", ["webhook_whatsapp", "webhook_orange"])
def test_a_receipt_is_verified_and_queued(walk: Walk, name: str) -> None:
    assert walk.grown("StatusQueue", name) >= 1  # more if the simulators' own receipts came at the same moment
    assert walk.status(name, "send_sms") == walk.status(name, "send_whatsapp") == "sent"


def test_receipts_from_the_queue_reach_the_log(walk: Walk) -> None:
    assert walk.status("webhook_status", "send_sms") == "delivered"
    assert walk.status("webhook_status", "send_whatsapp") == "read"
    assert walk.of("api_get_message").body["status"] == "read"
    assert {item["status"] for item in walk.of("api_list_messages").body["items"]} == {"delivered", "read"}


def test_a_campaign_is_planned_confirmed_logged_and_released(walk: Walk) -> None:
    planned = walk.of("bulk_fanout_http").body
    assert (planned["status"], planned["accepted"], planned["rejected"]) == ("planned", 2, 1)
    assert walk.of("api_get_distribution").body["distribution_id"] == planned["distribution_id"]
    (field_error,) = walk.of("api_distribution_errors").body["items"]
    assert (field_error["row"], field_error["code"]) == (3, "country_not_covered")
    # the container that planned it has a clock that is ahead
    assert walk.of("api_confirm_distribution").body["status"] == "scheduled"
    rows = [dispatch("send_sms_campaign", record)["message_id"] for record in (0, 1)]
    released = walk.done["bulk_fanout_queue"]
    assert not set(rows) & set(released.before.log)
    assert [released.after.log[row] for row in rows] == ["pending", "pending"]
    assert walk.grown("SmsQueue", "bulk_fanout_queue") == 2
    sent = walk.done["send_sms_campaign"].after.log
    assert {dispatch("send_sms_campaign", record)["payload"]["to"]: sent[row] for record, row in enumerate(rows)} == {
        CAMPAIGN_NUMBERS[0]: "sent",
        CAMPAIGN_NUMBERS[1]: "failed",
    }
    history = {item["message_id"] for item in walk.of("api_campaign_history").body["items"]}
    # the two events run at the same time
    assert {*rows} <= history <= {*rows, walk.of("api_resend_message").body["message_id"]}


def test_a_failed_message_is_sent_again_on_request(walk: Walk) -> None:
    successor = walk.of("api_resend_message").body["message_id"]
    assert walk.done["api_resend_message"].after.log[successor] == "pending"
    assert walk.grown("SmsQueue", "api_resend_message") == 1


def test_the_message_that_was_sent_again_is_cancelled(walk: Walk) -> None:
    cancelled = walk.of("api_cancel_message").body
    assert cancelled["message_id"] == walk.of("api_resend_message").body["message_id"]
    assert (cancelled["status"], cancelled["reason"]) == ("failed", "cancelled")


def test_a_persons_messages_are_found_by_the_number(walk: Walk) -> None:
    (item,) = walk.of("api_look_up_messages").body["items"]
    assert item["message_id"] == dispatch("send_sms")["message_id"]


def test_an_erasure_is_accepted_and_started(walk: Walk) -> None:
    assert walk.grown("FanoutQueue", "api_erase") >= 1


def test_a_template_is_submitted_to_meta(walk: Walk) -> None:
    templates = walk.get("/v1/templates").json()["items"]
    submitted = {each["status"] for each in templates if each["name"] == "vaccination_card"}
    assert submitted
    assert "not_submitted" not in submitted


def test_the_minutes_tick_finds_what_is_due(walk: Walk) -> None:
    """It finds a cancelled campaign whose unsent rows must end, an export that waits, and sums that lack counts."""
    assert walk.grown("FanoutQueue", "bulk_fanout_tick") == 3


def test_a_campaign_is_paused_resumed_and_cancelled(walk: Walk) -> None:
    actions = ("pause", "resume", "cancel")
    found = [walk.of(f"api_{action}_distribution").body["status"] for action in actions]
    assert found == ["paused", "scheduled", "cancelled"]
    found_by_id = {each["distribution_id"]: each for each in walk.get("/v1/distributions").json()["items"]}
    assert len(found_by_id) == 2, "the campaign and the retry of its failed row"
    listed = found_by_id[walk.of("bulk_fanout_http").body["distribution_id"]]
    assert (listed["status"], listed["counts"]["sent"], listed["counts"]["failed"]) == ("cancelled", 1, 1)


def test_a_file_can_be_uploaded_to_the_url_that_the_container_gives(walk: Walk) -> None:
    target = walk.of("api_upload").body
    url = target["url"].replace(CONTAINERS_HOST, HOST)
    assert url.startswith(walk.stack.aws_url)
    content = b"phone;first_name\n" + b"x" * 83
    httpx2.put(url, headers=target["headers"], content=content).raise_for_status()
    s3 = walk.stack.aws("s3")
    stored = s3.list_objects_v2(Bucket=walk.stack.output("PayloadBucketName"), Prefix=f"uploads/{ORGANISATION}/")
    assert [each["Size"] for each in stored["Contents"]] == [len(content)]


def test_the_public_pages_and_the_templates_are_served(walk: Walk) -> None:
    assert walk.of("api_health").body == {"status": "ok"}
    assert "/v1/messages" in walk.of("api_openapi").body["paths"]
    assert "<html" in walk.of("api_docs").answer["body"]
    assert walk.of("api_list_templates").body["items"]


def test_the_containers_log_no_personal_data_and_no_secret(walk: Walk) -> None:
    said = "".join(done.invocation.said for done in walk.done.values())
    for secret in (SMS_NUMBER, WHATSAPP_NUMBER, "Aminata", SMS["client_secret"], WHATSAPP["app_secret"]):
        assert secret.removeprefix("+") not in said


def test_start_api_serves_what_needs_no_token(walk: Walk, tmp_path: Path) -> None:
    """SAM checks no JWT and passes none on, so a route that needs one refuses the request."""
    status_queue = walk.stack.output("StatusQueueUrl")
    sqs = walk.stack.aws("sqs")
    sqs.purge_queue(QueueUrl=status_queue)
    with walk.sam.api(tmp_path / "api.log") as base_url, httpx2.Client(base_url=base_url, timeout=PATIENCE) as api:
        assert api.get("/health").json() == {"status": "ok"}
        token = walk.stack.token(ORGANISATION)
        refused = api.get("/v1/messages", headers={"authorization": f"Bearer {token}"})
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        assert api.post(f"/webhooks/whatsapp/{ORGANISATION}", json={"entry": []}).status_code == 401
        # The test does what Meta does: its challenge first, then a signed message from a person.
        walk.stack.set_simulators(api_url=base_url)
        inbound = {"organisation": ORGANISATION, "from": WHATSAPP_NUMBER, "text": "Bonjour"}
        httpx2.post(f"{walk.stack.control_url}/inbound", json=inbound).raise_for_status()
        reported = until(
            lambda: sqs.receive_message(QueueUrl=status_queue, WaitTimeSeconds=1).get("Messages", []), bool
        )
    assert json.loads(reported[0]["Body"])["provider"] == "meta"
