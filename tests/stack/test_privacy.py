"""Whole numbers, names, card codes, texts, tokens and signatures are only where personal data may be.

The test searches every item, log line (also exceptions and embedded metrics), answer, name, description and attribute,
and every URL called at Meta and Orange. It does not search a card's own URL, which contains its code (api.md,
`{card_code}` in `card_image`): the card's web server knows the codes.

It searches no traces, because we make none: Lambda makes them, and for an exception they contain only its type
(tests/template/test_traces.py).
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.stack import planting, telling
from tests.stack.needles import found_in, written
from tests.stack.planting import CARD, CLIENT_SECRET, ERASED, FIRST, LAST, PERSON, TOKENS, WORD, Planted, phone
from tests.stack.programme import Programme
from tests.stack.running import UNTHROTTLED, RunningStack, started
from tests.waiting import http, until

RECEIVES, VISIBILITY = 12, timedelta(seconds=361)
"""maxReceiveCount and VisibilityTimeout of the channel queues in template.yaml."""
SIGNS = (
    *('"_aws"', '"crash"', '"send_not_accepted"', '"webhook_refused"', '"message_handling_failed"', '"dead_letter"'),
    '"route": "POST /webhooks/orange/{organisation_id}/{token}"',
)
"""Proof that there was something to search: metrics, warning events of every kind, and the gateway's lines with
routes."""
QUEUES = ("FanoutQueue", "WhatsAppQueue", "SmsQueue", "StatusQueue")


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[RunningStack]:
    """A stack of its own: the test searches its whole log, and hours pass."""
    with started(tmp_path / "log") as running:
        running.set_simulators(orange_rate_per_second=UNTHROTTLED, hang_seconds=6)
        yield running


def test_planted_values_are_only_where_personal_data_may_be(stack: RunningStack) -> None:
    planted = Planted()
    with Programme(stack, "planted") as programme:
        programme.api.event_hooks["response"].append(planted.receive)
        live(programme, planted)
        called = addresses(stack)
        places = {**tables(stack), **beside(stack), "answers": "\n".join(planted.answers), "log": stack.log()} | called
        resting = {"objects": objects(stack), "bodies": dead_bodies(stack), "secrets": secrets(stack)}
        cards = places.pop("cards called")
    number = phone(PERSON)[4:]
    assert found_in(cards, planted.needles) == {CARD}  # proves that called addresses are searched
    assert found_in(resting["objects"], planted.needles) >= {number, FIRST, LAST, CARD, WORD}
    assert found_in(resting["bodies"], planted.needles) >= {number, FIRST, CARD}
    assert found_in(resting["secrets"], planted.needles) >= {CLIENT_SECRET, *TOKENS.values()}
    for sign in SIGNS:
        assert sign in places["log"], sign
    assert {where: found for where, text in places.items() if (found := found_in(text, planted.needles))} == {}


def live(programme: Programme, planted: Planted) -> None:
    """All actions of people, providers and accidents."""
    planting.settings(programme, planted)
    sent = planting.singles(programme, planted)
    planting.refused(programme, planted)
    made = planting.campaigns(programme, planted)
    telling.webhooks(programme, planted)
    rows = planting.stopped(programme, planted)
    planting.poison(programme, sent, rows)
    settled(programme, sent)
    dead = until_dead(programme, set(rows.values()))
    assert programme.api.post("/v1/dead-letters/redrive", json={"dead_letter_ids": dead[:1]}).json() == {"redriven": 1}
    assert programme.api.post("/v1/dead-letters/redrive", json={"all": True}).status_code == 202
    read(programme, planted, made, sent)
    programme.api.post("/v1/erasures", json={"phone": phone(ERASED)}).raise_for_status()
    until(
        lambda: programme.ok(programme.api.post("/v1/messages/lookup", json={"phone": phone(ERASED)}))["items"],
        lambda found: found == [],
    )


def settled(programme: Programme, sent: dict[str, str]) -> None:
    """Waits for the special numbers' outcomes and resends failed messages. Numbers that stop an account held the others
    until Meta and Orange were asked, a minute later."""
    programme.move_to(programme.stack.now() + timedelta(minutes=2))
    failed = sent["sms/610"]
    until(
        lambda: [programme.message(one)["status"] for one in (failed, sent["whatsapp/1026"], sent["whatsapp/9126"])],
        lambda found: found == ["failed"] * 3,
    )
    assert programme.api.post(f"/v1/messages/{failed}/resend").status_code == 202


def until_dead(programme: Programme, rows: set[str]) -> list[str]:
    """The dead letters, once the queue messages of these rows have crashed their worker as often as the queue
    allows."""

    def crashes() -> int:
        lines = [line for line in programme.stack.log().splitlines() if '"message_handling_failed"' in line]
        return min(sum(row in line for line in lines) for row in rows)

    for receives in range(1, RECEIVES + 1):
        until(crashes, lambda count, receives=receives: count >= receives)  # type: ignore[misc]
        programme.move_to(programme.stack.now() + VISIBILITY)
    found = until(
        lambda: programme.ok(programme.api.get("/v1/dead-letters"))["items"],
        lambda items: {one["message_id"] for one in items} >= rows,
    )
    return [one["dead_letter_id"] for one in found]


def read(programme: Programme, planted: Planted, made: list[str], sent: dict[str, str]) -> None:
    """Every kind of request, also wrong ones, and also from another organisation."""
    api, table = programme.api, {"accept": "text/csv"}
    asked = {"phone": phone(PERSON)}
    api.post("/v1/consents", json=asked | {"granted": True, "source": f"call to {phone(PERSON)}"})
    api.post("/v1/consents", json={"phone": FIRST, "granted": True, "source": "register"})
    for path in ("consents", "messages"):
        api.post(f"/v1/{path}/lookup", json=asked)
        api.post(f"/v1/{path}/lookup", json={"phone": f"{FIRST} 77"})
    first = programme.ok(api.post("/v1/messages/lookup", params={"limit": 1}, json=asked))
    assert first["next_cursor"]
    planted.answers.append(first["next_cursor"])
    for query in ({}, {"limit": 1}, {"campaign_id": phone(PERSON)}, {"cursor": FIRST}, {"status": FIRST}):
        for headers in ({}, table):
            api.get("/v1/messages", params=query, headers=headers)
    for path in ("statistics", "campaigns/single/statistics", "campaigns/single/messages", "distributions"):
        programme.ok(api.get(f"/v1/{path}"))
    for one in made:
        api.get(f"/v1/distributions/{one}")
        assert phone(PERSON)[4:] not in api.get(f"/v1/distributions/{one}/samples").raise_for_status().text
        for headers in ({}, table):
            api.get(f"/v1/distributions/{one}/errors", headers=headers).raise_for_status()
            api.get(f"/v1/distributions/{one}/duplicates", headers=headers).raise_for_status()
        for kind in ("messages", "rejected_rows", "duplicates"):
            planted.answers.append(programme.export(kind=kind, distribution_id=one)[1])
    planted.answers.append(programme.export(kind="messages", language="fr")[1])
    recipients = [planted.person(programme, PERSON), planted.person(programme, PERSON, phone=f"{FIRST} 77")]
    programme.ok(api.post("/v1/preview", json={"channel": "sms", "content": planting.TEXT, "recipients": recipients}))
    api.post("/v1/messages", content=f'{{"phone": "{phone(PERSON)} {FIRST}', headers={"idempotency-key": FIRST})
    with programme.stack.api("a-stranger") as stranger:
        stranger.event_hooks["response"].append(planted.receive)
        for one in (f"messages/{sent['sms/610']}", *(f"distributions/{one}" for one in made), f"messages/{FIRST}"):
            assert stranger.get(f"/v1/{one}").status_code == 404


def tables(stack: RunningStack) -> dict[str, str]:
    return {name: written(pages(stack, name)) for name in ("LogTableName", "StateTableName")}


def pages(stack: RunningStack, table: str) -> list[Any]:
    scan = stack.aws("dynamodb").get_paginator("scan").paginate(TableName=stack.output(table))
    items = [item for page in scan for item in page["Items"]]
    assert len(items) > len(planting.FAILING_NUMBERS["sms"])
    return items


def beside(stack: RunningStack) -> dict[str, str]:
    """What AWS shows beside the contents: names, descriptions, inputs, attributes, metadata."""
    sqs, s3, scheduler = stack.aws("sqs"), stack.aws("s3"), stack.aws("scheduler")
    bucket = stack.output("PayloadBucketName")
    schedules = [one for one in scheduler.list_schedules()["Schedules"] if "tick" not in one["Name"].casefold()]
    assert schedules
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    urls = [stack.output(f"{name}Url") for queue in QUEUES for name in (queue, queue.replace("Queue", "DeadLetters"))]
    return {
        "schedules": written([scheduler.get_schedule(Name=o["Name"], GroupName=o["GroupName"]) for o in schedules]),
        "queue attributes": written([sqs.get_queue_attributes(QueueUrl=u, AttributeNames=["All"]) for u in urls]),
        "object heads": written([s3.head_object(Bucket=bucket, Key=key) | {"Key": key} for key in keys]),
        "secret names": written(stack.aws("secretsmanager").list_secrets()["SecretList"]),
    }


def addresses(stack: RunningStack) -> dict[str, str]:
    """Method, path and query of every call, answered well, badly or not at all."""
    found = http().get(f"{stack.control_url}/addresses").raise_for_status().json()["addresses"]
    kinds = {"Meta called": " /meta/", "Orange called": " /orange/", "cards called": " /cards/"}
    called = {kind: "\n".join(one for one in found if where in one) for kind, where in kinds.items()}
    assert sum(text.count("\n") + 1 for text in called.values()) == len(found)
    for kind, some in (("Meta called", "/messages"), ("Meta called", "/media"), ("Orange called", "/requests")):
        assert some in called[kind], (kind, some)
    return called


def objects(stack: RunningStack) -> str:
    s3, bucket = stack.aws("s3"), stack.output("PayloadBucketName")
    found = s3.list_object_versions(Bucket=bucket)["Versions"]
    bodies = [s3.get_object(Bucket=bucket, Key=o["Key"], VersionId=o["VersionId"])["Body"].read() for o in found]
    return written(bodies)


def dead_bodies(stack: RunningStack) -> str:
    """Of the status queue, whose dead letters wait for an operator."""
    sqs, url = stack.aws("sqs"), stack.output("StatusDeadLettersUrl")
    received = until(lambda: sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", ()), bool)
    return written([one["Body"] for one in received])


def secrets(stack: RunningStack) -> str:
    manager = stack.aws("secretsmanager")
    names = [one["Name"] for one in manager.list_secrets()["SecretList"]]
    return written([manager.get_secret_value(SecretId=name) for name in names])
