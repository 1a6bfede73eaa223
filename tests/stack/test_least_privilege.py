"""Each function under the role that template.yaml gives it: what it needs it has, and it has nothing else.

The stack holds every function to its role (local/moto_access.py); that no other test of this folder meets a refusal is
asked in `tests.stack.running.started`.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.stack.programme import DELIVERED, Programme, until
from tests.stack.running import RunningStack, started
from tests.stack.test_whatsapp_inbound import acts, consent
from tests.template.reading import FUNCTION_FOLDERS, Node, at, listed, mapping, of_type, properties, read, text
from tests.template.test_permissions import inline_statements

ROLES = tuple(f"{function.removesuffix('Function')}Role" for function in FUNCTION_FOLDERS)
CARD = {"template": {"name": "vaccination_card"}}
UNDELIVERABLE, NOT_ON_WHATSAPP = 610, 1026
NEVER_UPLOADED = "00000000-0000-4000-8000-000000000000"

NOT_SEEN_HERE = {
    # Lambda's runtime does these, and here there is none.
    "WriteOwnLogs": {"logs:CreateLogStream", "logs:PutLogEvents"},
    "WriteTraces": {"xray:PutTraceSegments", "xray:PutTelemetryRecords"},
    # moto encrypts nothing, so it asks for no key.
    "UseKeyThroughItsServices": {
        "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom", "kms:ReEncryptTo",
    },
}  # fmt: skip
NOT_WALKED = {
    # A template that Meta no longer has is forgotten (tests/contract/test_templates.py).
    ("ApiRole", "KeepState", "dynamodb:DeleteItem"),
    # Two set or end one schedule at once (tests/contract/test_schedules.py).
    ("ApiRole", "WakeDistributions", "scheduler:UpdateSchedule"),
    ("BulkFanoutRole", "WakeDistributions", "scheduler:UpdateSchedule"),
    ("BulkFanoutRole", "WakeDistributions", "scheduler:DeleteSchedule"),
    # Whoever plans when the shared token has run out fetches the next one; here a sender may come first.
    ("BulkFanoutRole", "ShareToken", "secretsmanager:PutSecretValue"),
    # A second copy of a message looks at how the first one left it.
    ("SendWhatsAppRole", "ClaimAndRecord", "dynamodb:BatchGetItem"),
    # No bucket of cards is set here.
    ("SendWhatsAppRole", "ReadCards", "s3:GetObject"),
}
POLLED_BY_LAMBDA = {"sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"}
"""AWS asks them of the role of every event source mapping; the local poller makes do without."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Of its own: the clock is moved, and the whole of what was asked of AWS is looked at."""
    with started(tmp_path_factory.mktemp("privilege") / "log") as stack:
        stack.set_simulators(orange_rate_per_second=50)
        yield stack


@pytest.fixture(scope="module")
def worked(running: RunningStack) -> RunningStack:
    """After one organisation's whole life."""
    with Programme(running, "privilege") as programme:
        _settings(programme)
        _single_messages(programme)
        _distributions(programme)
        _stops(programme)
        _one_person(programme)
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
    """To both ends on both channels, a fallback, one for later, one again."""
    sms = programme.ok(programme.send(programme.recipient(DELIVERED)))
    card = programme.ok(programme.send(programme.recipient(DELIVERED), channel="whatsapp", content=CARD))
    fallback = {"channel": "sms", "after_minutes": 90, "content": {"text": "Bonjour {first_name}"}}
    gone = programme.recipient(NOT_ON_WHATSAPP)
    programme.ok(programme.send(gone, channel="whatsapp", content=CARD, fallback=fallback))
    later = (programme.stack.now() + timedelta(minutes=40)).isoformat()
    programme.ok(programme.send(programme.recipient(DELIVERED + 1), send_at=later))
    failed = programme.ok(programme.send(programme.recipient(UNDELIVERABLE)))
    programme.settled(sms["message_id"], "delivered")
    programme.settled(card["message_id"], "read")
    programme.settled(failed["message_id"], "failed")
    assert programme.api.post(f"/v1/messages/{failed['message_id']}/resend").status_code == 202
    until(lambda: programme.messages(channel="sms", campaign_id="single"), lambda found: len(found) == 5)
    programme.ok(programme.api.post("/v1/messages/lookup", json={"phone": f"+22177000{DELIVERED}"}))


def _distributions(programme: Programme) -> None:
    """In the request and uploaded, at once and for an hour, stopped and gone on with, to the receipts."""
    people = [programme.recipient(DELIVERED + number) for number in range(10, 13)]
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
    for action in ("pause", "resume"):
        programme.ok(programme.act(waiting, action))
    dropped = programme.ok(programme.distribute(recipients=people))
    programme.ok(programme.act(dropped, "cancel"))
    programme.move_to(programme.stack.now() + timedelta(hours=1, minutes=1))
    for one in (*made, waiting):
        identity = one["distribution_id"]
        until(lambda this=identity: programme.distribution(this), lambda found: found["status"] == "completed", 90)  # type: ignore[misc]
    missing = programme.distribute(upload_id=NEVER_UPLOADED, content=text)
    assert (missing.status_code, missing.json()["code"]) == (409, "upload_missing")
    programme.ok(programme.api.get(f"/v1/distributions/{made[0]['distribution_id']}/errors"))
    programme.ok(programme.api.get("/v1/distributions"))


def _stops(programme: Programme) -> None:
    """Orange throttles, and then both accounts are refused: what they were sending is paused."""
    programme.stack.set_simulators(orange_rate_per_second=1)
    sent = [programme.ok(programme.send(programme.recipient(DELIVERED + number))) for number in range(20, 26)]
    for one in sent:
        programme.settled(one["message_id"], "delivered")
    programme.stack.set_simulators(orange_rate_per_second=50)
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
    """Writes, stops, and is erased while a message waits."""
    phone = f"+22177000{DELIVERED}"
    acts(programme, "inbound", text="STOP")
    until(lambda: consent(programme), lambda found: found["state"] == "revoked")
    granted = {"phone": phone, "granted": True, "source": "paper"}
    assert programme.api.post("/v1/consents", json=granted).status_code == 204
    later = (programme.stack.now() + timedelta(hours=3)).isoformat()
    sent = programme.ok(programme.send(programme.recipient(DELIVERED), send_at=later))
    assert programme.api.post("/v1/erasures", json={"phone": phone}).status_code == 202
    until(lambda: programme.message(sent["message_id"]), lambda found: found["reason"] == "erased")


def granted(template: Node, role: str) -> set[tuple[str, str, str]]:
    """(role, Sid, action) as the template has them, the managed policy's too."""
    managed = [
        mapping(one)
        for its in of_type(template, "AWS::IAM::ManagedPolicy").values()
        for one in listed(at(its, "PolicyDocument", "Statement"))
    ]
    named = at(properties(template, role), "ManagedPolicyArns")
    assert named == [{"Ref": "RuntimePolicy"}]
    return {
        (role, text(statement, "Sid"), str(action))
        for statement in (*inline_statements(template, role), *managed)
        for action in listed(statement["Action"])
    }


@pytest.mark.parametrize("role", ROLES)
def test_what_is_granted_is_needed(worked: RunningStack, role: str) -> None:
    used = {one for one in worked.access("allowed") if one[0] == role}
    spare = granted(read(), role) - used
    unexplained = {
        one
        for one in spare - NOT_WALKED
        if one[2] not in NOT_SEEN_HERE.get(one[1], ())
        and not (one[1].startswith("Consume") and one[2] in POLLED_BY_LAMBDA)
    }
    assert unexplained == set()


def test_no_function_was_refused_anything(worked: RunningStack) -> None:
    assert worked.access("refused") == set()
