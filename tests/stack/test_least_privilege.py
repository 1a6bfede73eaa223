"""Each function has the permissions that it needs under template.yaml's role, and no others.

The stack enforces every function's role (local/moto_access.py). `tests.stack.running.started` checks that no other test
meets a refusal.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.deployment import assume, client
from local.simulators.cards import draw
from local.stack import STACK_NAME
from shared.base.ids import distribution_id
from tests.stack.programme import DELIVERED, Json, Programme
from tests.stack.running import TRESPASSER, UNTHROTTLED, RunningStack, started
from tests.stack.test_webhooks import body_of, post, status
from tests.stack.test_whatsapp_inbound import acts, consent
from tests.template.reading import FUNCTION_FOLDERS
from tests.waiting import http, until

ROLES = tuple(f"{function.removesuffix('Function')}Role" for function in FUNCTION_FOLDERS)
CARD = {"template": {"name": "vaccination_card"}}
UNDELIVERABLE, NOT_ON_WHATSAPP, FAILS_LATER, THROTTLED_ONCE = 610, 1026, 9026, 429
NEVER_UPLOADED = "00000000-0000-4000-8000-000000000000"
ORGANISATION = "privilege"
CARD_BUCKETS, NO_CARDS = ("cards-of-a-programme", "cards-of-another"), "somebody-s-bucket"

NOT_SEEN_HERE = {
    # Lambda's runtime does these; this stack has no such runtime.
    "WriteOwnLogs": {"logs:CreateLogStream", "logs:PutLogEvents"},
    "WriteTraces": {"xray:PutTraceSegments", "xray:PutTelemetryRecords"},
    # moto encrypts nothing, so it uses no key.
    "UseKeyThroughItsServices": {
        "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom", "kms:ReEncryptTo",
    },
}  # fmt: skip
ROLE_ARN = f"arn:aws:iam::123456789012:role/{STACK_NAME}-"
POLLED_BY_LAMBDA = {"sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"}
"""AWS needs them for every event source mapping; the local poller does not."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack of its own: the tests move its clock, and read all its calls to AWS."""
    with started(tmp_path_factory.mktemp("privilege") / "log", CARD_BUCKETS=",".join(CARD_BUCKETS)) as stack:
        stack.set_simulators(orange_rate_per_second=UNTHROTTLED)
        for bucket in (*CARD_BUCKETS, NO_CARDS):
            where = {"LocationConstraint": "eu-west-1"}
            stack.aws("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
            stack.aws("s3").put_object(Bucket=bucket, Key=f"{ORGANISATION}/2026/card.png", Body=draw(bucket))
        yield stack


@pytest.fixture(scope="module")
def worked(running: RunningStack) -> RunningStack:
    """After one organisation's whole life, and another's first step."""
    # planning before the first send makes planning fetch Orange's token
    with Programme(running, "privilege-first") as programme:
        programme.ok(programme.distribute(recipients=[programme.recipient(DELIVERED)]))
    with Programme(running, ORGANISATION) as programme:
        _settings(programme)
        _single_messages(programme)
        _cards(programme)
        _distributions(programme)
        _twice(programme)
        _stops(programme)
        _one_person(programme)
        _full(programme)
        _restricted(programme)
        _forgotten(programme)
        _erased_files(programme)
        programme.ok(programme.api.get("/v1/statistics"))
        for name in ("dhis2", "whatsapp", "sms"):
            assert programme.api.delete(f"/v1/integrations/{name}").status_code == 204
    return running


def _settings(programme: Programme) -> None:
    attributes = {"phone": "aPhoneAttr1", "first_name": "aFirstName1"}
    programme.ok(programme.api.put("/v1/integrations/dhis2", json={"attributes": attributes}))
    for channel in ("sms", "whatsapp"):
        programme.ok(programme.api.post(f"/v1/integrations/{channel}/test", json={"to": f"+22177000{DELIVERED}"}))
        programme.ok(programme.api.get(f"/v1/integrations/{channel}/health"))
    programme.put_whatsapp(business_account_id=f"9{programme.phone_number_id}")
    assert programme.api.post("/v1/templates/vaccination_card/submit").status_code == 202
    statuses = lambda: {one["status"] for one in _templates(programme)}  # noqa: E731 - one expression
    until(statuses, lambda found: found == {"approved"})
    preview = {"channel": "sms", "content": {"text": "Bonjour"}, "recipients": [programme.recipient(DELIVERED)]}
    programme.ok(programme.api.post("/v1/preview", json=preview))


def _templates(programme: Programme) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = programme.ok(programme.api.get("/v1/templates"))["items"]
    return [one for one in items if (one["name"], one["channel"]) == ("vaccination_card", "whatsapp")]


def _single_messages(programme: Programme) -> None:
    """Successful and failed messages on both channels, a fallback, one for later, one resent."""
    sms = programme.ok(programme.send(programme.recipient(DELIVERED)))
    card = programme.ok(programme.send(programme.recipient(DELIVERED), channel="whatsapp", content=CARD))
    again = programme.ok(programme.send(programme.recipient(THROTTLED_ONCE), channel="whatsapp", content=CARD))
    fallback = {"channel": "sms", "after_minutes": 90, "content": {"text": "Bonjour {first_name}"}}
    for gone in map(programme.recipient, (NOT_ON_WHATSAPP, FAILS_LATER)):
        programme.ok(programme.send(gone, channel="whatsapp", content=CARD, fallback=fallback))
    later = (programme.stack.now() + timedelta(minutes=40)).isoformat()
    programme.ok(programme.send(programme.recipient(DELIVERED + 1), send_at=later))
    failed = programme.ok(programme.send(programme.recipient(UNDELIVERABLE)))
    programme.settled(sms["message_id"], "delivered")
    for one in (card, again):
        programme.settled(one["message_id"], "read")
    programme.settled(failed["message_id"], "failed")
    _keyless(programme, programme.settled(card["message_id"], "read"))
    assert programme.api.post(f"/v1/messages/{failed['message_id']}/resend").status_code == 202
    until(lambda: programme.messages(channel="sms", campaign_id="single"), lambda found: len(found) == 6)
    programme.ok(programme.api.post("/v1/messages/lookup", json={"phone": f"+22177000{DELIVERED}"}))


def _keyless(programme: Programme, message: Json) -> None:
    """Meta reports on a message with its own ID only."""
    [entry] = [one for one in programme.ledger("meta") if one["key"] == f"{message['message_id']}.1"]
    reported = status(message, "delivered", 1795428104) | {"id": entry["provider_message_id"]}
    del reported["biz_opaque_callback_data"]
    assert post(programme, body_of(programme, [reported])).status_code == 200


def _cards(programme: Programme) -> None:
    """A card from each bucket, and none from another one."""
    for number, bucket in enumerate((*CARD_BUCKETS, NO_CARDS), DELIVERED + 2):
        person = programme.recipient(number, card_image=f"s3://{bucket}/{ORGANISATION}/2026/card.png")
        answer = programme.send(person, channel="whatsapp", content=CARD)
        if bucket == NO_CARDS:
            assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "card_host_not_allowed")
            continue
        programme.settled(programme.ok(answer)["message_id"], "read")
        assert programme.ledger("meta")[-1]["media_sha256"] == hashlib.sha256(draw(bucket)).hexdigest()
        planned = programme.ok(programme.distribute(recipients=[person], channel="whatsapp", content=CARD))
        assert planned["warnings"] == []


def _distributions(programme: Programme) -> None:
    """Inline and uploaded, at once and scheduled, paused and resumed, until the receipts."""
    people = [programme.recipient(number) for number in (*range(DELIVERED + 10, DELIVERED + 13), UNDELIVERABLE)]
    rows = "\n".join(["phone;first_name;card_code", *(f"{one['phone']};A;{one['card_code']}" for one in people)])
    upload_id = programme.upload(rows.encode(), "csv")
    text = {"text": "Bonjour {first_name}"}
    made = [
        programme.ok(
            programme.distribute(
                upload_id=upload_id, content=text, confirm=True, skip_already_sent=True, campaign_id="file"
            )
        ),
        programme.ok(programme.distribute(recipients=people, channel="whatsapp", content=CARD, confirm=True)),
    ]
    at = (programme.stack.now() + timedelta(hours=1)).isoformat()
    waiting = programme.ok(programme.distribute(recipients=people, schedule={"mode": "at", "at": at}, confirm=True))
    # Confirmed once more: a request may die after the resume, before it makes the schedule.
    for action in ("pause", "resume", "confirm"):
        programme.ok(programme.act(waiting, action))
    dropped = programme.ok(programme.distribute(recipients=people))
    programme.ok(programme.act(dropped, "cancel"))
    programme.move_to(programme.stack.now() + timedelta(hours=1, minutes=1))
    for one in (*made, waiting):
        identity = one["distribution_id"]
        until(lambda this=identity: programme.distribution(this), lambda found: found["status"] == "completed")  # type: ignore[misc]
    [failed] = programme.messages(distribution_id=made[0]["distribution_id"], status="failed")
    assert programme.api.post(f"/v1/messages/{failed['message_id']}/resend").status_code == 202
    missing = programme.distribute(upload_id=NEVER_UPLOADED, content=text)
    assert (missing.status_code, missing.json()["code"]) == (409, "upload_missing")
    for rows in ("errors", "duplicates"):
        programme.ok(programme.api.get(f"/v1/distributions/{made[0]['distribution_id']}/{rows}"))
    _exported(programme, made[0]["distribution_id"])
    programme.ok(programme.api.get("/v1/distributions"))


def _exported(programme: Programme, identity: str) -> None:
    """Lists go out. For the first one, a worker that was killed has left some rows and half a file behind."""
    order = {"kind": "messages", "distribution_id": identity}
    made = programme.ok(programme.api.post("/v1/exports", json=order))["export_id"]
    is_done = lambda: programme.ok(programme.api.get(f"/v1/exports/{made}"))["status"] == "done"  # noqa: E731 - one expression
    until(is_done, bool)
    folder, s3 = f"exports/{programme.organisation}/{made}", programme.stack.aws("s3")
    bucket = {"Bucket": programme.stack.output("PayloadBucketName")}
    s3.create_multipart_upload(**bucket, Key=f"{folder}/file.csv")
    s3.put_object(**bucket, Key=f"{folder}/remainder-1", Body=b"half\r\n")
    export = _rewritten(programme, f"export#{made}", "export", status="running", is_read=False, remainder=1)
    waiting = [{"export_id": made, "order": export["order"]}]
    _rewritten(programme, "exports", "exports", waiting=waiting, since=export["created_at"])
    programme.export(kind="duplicates", distribution_id=identity)
    until(is_done, bool)
    file = s3.get_object(**bucket, Key=f"{folder}/file.csv")["Body"].read()
    assert file.startswith(b"half\r\n")
    assert "Uploads" not in s3.list_multipart_uploads(**bucket, Prefix=folder)


def _rewritten(programme: Programme, place: str, sort_key: str, **changes: Any) -> Json:
    """The document of an item of the state table, with changes."""
    dynamodb, table = programme.stack.aws("dynamodb"), {"TableName": programme.stack.output("StateTableName")}
    key = {"pk": {"S": f"{programme.organisation}#{place}"}, "sk": {"S": sort_key}}
    item = dynamodb.get_item(**table, Key=key)["Item"]
    document: Json = json.loads(item["document"]["S"]) | changes
    dynamodb.put_item(**table, Item=item | {"document": {"S": json.dumps(document)}})
    return document


def _twice(programme: Programme) -> None:
    """Two requests plan with the same key. This one comes after the other has made the schedule. The rows are DHIS2
    records."""
    identity, scheduler = distribution_id(programme.organisation, "twice"), programme.stack.aws("scheduler")
    [group] = [one["Name"] for one in scheduler.list_schedule_groups()["ScheduleGroups"] if one["Name"] != "default"]
    target = {"Arn": "arn:aws:lambda:eu-west-1:123456789012:function:x", "RoleArn": f"{ROLE_ARN}SchedulerRole"}
    before = {"ScheduleExpression": "at(2030-01-01T00:00:00)", "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": target}
    scheduler.create_schedule(Name=identity, GroupName=group, **before)
    values = {"aPhoneAttr1": f"+22177000{DELIVERED + 14}", "aFirstName1": "Aminata"}
    entity = {"attributes": [{"attribute": uid, "value": value} for uid, value in values.items()]}
    schedule = {"mode": "at", "at": (programme.stack.now() + timedelta(hours=2)).isoformat()}
    text = {"text": "Bonjour {first_name}"}
    made = programme.ok(
        programme.distribute(key="twice", recipients=[{"dhis2": entity}], content=text, schedule=schedule, confirm=True)
    )
    assert (made["distribution_id"], made["accepted"]) == (identity, 1)
    after = scheduler.get_schedule(Name=identity, GroupName=group)
    assert after["ScheduleExpression"] != before["ScheduleExpression"]


def _stops(programme: Programme) -> None:
    """Orange throttles; then both accounts are refused, and their distributions pause."""
    programme.stack.set_simulators(orange_rate_per_second=1)
    sent = [programme.ok(programme.send(programme.recipient(DELIVERED + number))) for number in range(20, 26)]
    for one in sent:
        programme.settled(one["message_id"], "delivered")  # each throttle moves the messages behind it
    programme.stack.set_simulators(orange_rate_per_second=UNTHROTTLED)
    for channel, content, put, wrong in (
        ("sms", {"text": "Bonjour"}, programme.put_sms, {"client_id": "revoked"}),
        ("whatsapp", CARD, programme.put_whatsapp, {"access_token": "expired-token"}),
    ):
        put(**wrong)
        people = [programme.recipient(DELIVERED + number) for number in range(30, 33)]
        made = programme.ok(programme.distribute(recipients=people, channel=channel, content=content, confirm=True))
        identity = made["distribution_id"]
        until(lambda this=identity: programme.distribution(this), lambda found: found["status"] == "paused")  # type: ignore[misc]
        put()


def _one_person(programme: Programme) -> None:
    """A person writes, sends STOP, and is erased while a message waits."""
    phone = f"+22177000{DELIVERED}"
    acts(programme, "inbound", text="STOP")
    until(lambda: consent(programme), lambda found: found["state"] == "revoked")
    granted = {"phone": phone, "granted": True, "source": "paper"}
    assert programme.api.post("/v1/consents", json=granted).status_code == 204
    later = (programme.stack.now() + timedelta(hours=3)).isoformat()
    sent = programme.ok(programme.send(programme.recipient(DELIVERED), send_at=later))
    planned = f"+22177000{DELIVERED + 10}"
    for one in (phone, planned):
        assert programme.api.post("/v1/erasures", json={"phone": one}).status_code == 202
    until(lambda: programme.message(sent["message_id"]), lambda found: found["reason"] == "erased")
    until(lambda: _places_erased(programme), lambda places: places == 3)


def _places_erased(programme: Programme) -> int:
    removed = ("BulkFanoutRole", "RemoveErasedVersions", "s3:DeleteObjectVersion")
    return [one[:3] for one in programme.stack.access("allowed")].count(removed)


def _erased_files(programme: Programme) -> None:
    """The last step of an erasure removes the uploaded files."""
    for _ in range(2):
        programme.move_to(programme.stack.now() + timedelta(minutes=16))
    until(lambda: _places_erased(programme), lambda places: places == 4)


def _full(programme: Programme) -> None:
    """The daily limit is reached, and a late queue message of a read message comes once more."""
    programme.put_whatsapp(business_account_id=f"9{programme.phone_number_id}")  # so that Meta's updates count
    reported = {"max_daily_conversations_per_business": "TIER_1"}
    acts(programme, "account", field="business_capability_update", value=reported)
    [read, *_] = [one for one in programme.messages(channel="whatsapp") if one["status"] == "read"]
    payload: Json = {"to": f"+22177000{DELIVERED}", "country": "SN", "mode": "template", "text": "", "consented": True}
    payload["template"] = {"name": "vaccination_card", "language": "fr", "parameters": [["first_name", "Aminata"]]}
    payload["card_image"] = f"{programme.stack.simulators_url}/cards/LATE.png"
    late: Json = {"organisation": programme.organisation, "channel": "whatsapp", "payload": payload}
    late |= {"message_id": read["message_id"], "slot_at": 0}
    sqs, url = programme.stack.aws("sqs"), programme.stack.output("WhatsAppQueueUrl")

    def done() -> set[str]:
        """Sends queue messages for unknown people; one of them may still be within the limit."""
        for stranger in "012":
            body = json.dumps(late | {"person": stranger * 32})
            sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=programme.organisation)
        # a sender's knowledge of the limit may be so old
        programme.move_to(programme.stack.now() + timedelta(seconds=31))
        allowed = programme.stack.access("allowed")
        return {one[2] for one in allowed if one[:2] == ("SendWhatsAppRole", "ClaimAndRecord")}

    until(done, lambda actions: "dynamodb:BatchGetItem" in actions)
    assert programme.message(read["message_id"]) == read


def _restricted(programme: Programme) -> None:
    """Meta's updates pause a planned distribution."""
    later = {"mode": "at", "at": (programme.stack.now() + timedelta(days=2)).isoformat()}
    people = [programme.recipient(DELIVERED + 40)]
    made = programme.ok(
        programme.distribute(recipients=people, channel="whatsapp", content=CARD, schedule=later, confirm=True)
    )
    restriction = {"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": 1_800_000_000}
    reported: Json = {"event": "ACCOUNT_RESTRICTION", "restriction_info": [restriction]}
    acts(programme, "account", field="account_update", value=reported)
    until(lambda: programme.distribution(made["distribution_id"]), lambda found: found["status"] == "paused")


def _forgotten(programme: Programme) -> None:
    """A template that Meta no longer has."""
    programme.put_whatsapp(business_account_id=f"9{programme.phone_number_id}")
    assert {one["status"] for one in _templates(programme)} == {"approved"}
    http().post(f"{programme.stack.control_url}/reset").raise_for_status()
    programme.move_to(programme.stack.now() + timedelta(minutes=11))
    assert {one["status"] for one in _templates(programme)} == {"not_submitted"}


def statements(stack: RunningStack, role: str) -> list[Json]:
    """The permissions of the deployed role: its own policies and the managed ones."""
    iam, name = stack.aws("iam"), f"{STACK_NAME}-{role}"
    documents = [
        iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
    ]
    for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        documents.append(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
    return [statement for document in documents for statement in document["Statement"]]


def listed(one: Any) -> list[str]:
    return one if isinstance(one, list) else [one]


def is_seen_here(statement: Json, action: str) -> bool:
    sid: str = statement["Sid"]
    return action not in NOT_SEEN_HERE.get(sid, ()) and not (sid.startswith("Consume") and action in POLLED_BY_LAMBDA)


@pytest.mark.parametrize("role", ROLES)
def test_each_granted_permission_is_used(worked: RunningStack, role: str) -> None:
    """Every action of every statement, and every resource that a statement names."""
    used = {one[1:] for one in worked.access("allowed") if one[0] == role}
    actions, resources = {(sid, action) for sid, action, _ in used}, {(sid, where) for sid, _, where in used}
    granted = statements(worked, role)
    assert {statement["Sid"] for statement in granted} >= NOT_SEEN_HERE.keys()  # the managed policy is among them
    spare = [
        (statement["Sid"], action)
        for statement in granted
        for action in listed(statement["Action"])
        if is_seen_here(statement, action) and (statement["Sid"], action) not in actions
    ]
    spare += [
        (statement["Sid"], where)
        for statement in granted
        for where in listed(statement["Resource"])
        if statement["Sid"] not in NOT_SEEN_HERE and (statement["Sid"], where) not in resources
    ]
    assert spare == []


def test_no_function_was_refused_anything(worked: RunningStack) -> None:
    assert worked.access("refused") == set()


@pytest.mark.parametrize("role", ROLES)
def test_only_sender_and_planning_read_cards_and_only_from_their_buckets(running: RunningStack, role: str) -> None:
    """No function lists or writes cards."""
    session = assume(f"{ROLE_ARN}{role}", TRESPASSER, running.aws_url)
    s3 = client("s3", running.aws_url, session)
    for bucket in (*CARD_BUCKETS, NO_CARDS):
        card = {"Bucket": bucket, "Key": f"{ORGANISATION}/2026/card.png"}
        if role in ("SendWhatsAppRole", "BulkFanoutRole") and bucket in CARD_BUCKETS:
            assert s3.get_object(**card)["Body"].read() == draw(bucket)
        else:
            with pytest.raises(ClientError, match="AccessDenied"):
                s3.get_object(**card)
        listing, changed = {"Bucket": bucket}, card | {"Body": b"x"}
        for call, asked in (("put_object", changed), ("delete_object", card), ("list_objects_v2", listing)):
            with pytest.raises(ClientError, match="AccessDenied"):
                getattr(s3, call)(**asked)
