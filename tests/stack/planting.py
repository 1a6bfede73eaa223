"""The planted values and the actions with them. Each action succeeds in some place and fails in another."""

import json
import re
from dataclasses import dataclass, field
from datetime import timedelta

import httpx2

from shared.base.instants import format_instant
from tests.stack.programme import Json, Programme
from tests.waiting import http, until

FIRST, LAST, CARD, WORD = "Zuleikha-Planted", "Quartzberg-Planted", "PLANTED-CARD-0042", "Salutation-Planted"
TOKENS = {
    "access_token": "planted-access-token",
    "app_secret": "planted-app-secret",
    "verify_token": "planted-verify-token",
}
CLIENT_SECRET, OLD_APP_SECRET, OLD_TOKEN = "planted-client-secret", "planted-old-secret", "planted-old-token"
ERASED, PERSON, ROWS, LATER = 8765, 8764, 8700, 8300
FAILING_NUMBERS = {
    "whatsapp": (1026, 9126, 9042, 1047, 1016, 500, 512, 603, 604, 606, 700, 429, 404, 100, 2015, 402, 190),
    "sms": (610, 611, 612, 613, 604, 605, 606, 4002, 4004, 200, 429, 502, 503, 4301, 4350, 403, 4102, 4141),
}
"""Special numbers of docs/simulators.md. Those that stop an account or a template come last: they hold what comes after
them, again and again."""
TEMPLATE = {"template": {"name": "vaccination_card"}}
TEXT = {"text": f"{WORD} {{first_name}} {{last_name}} {{card_code}}"}
MAY_SHOW = ("/v1/preview", "/v1/integrations/", "/v1/uploads")
"""Routes whose answers may show a text, a webhook's URL or a signed address to their caller."""
NESTED = "[" * 20_000 + "]" * 20_000


def phone(last: int) -> str:
    return f"+22177000{last:04d}"


@dataclass
class Planted:
    """The planted values, and the API's answers. The product makes some of the values: tokens in URLs, signatures."""

    needles: set[str] = field(
        default_factory=lambda: {FIRST, LAST, CARD, WORD, CLIENT_SECRET, OLD_APP_SECRET, OLD_TOKEN, *TOKENS.values()}
    )
    answers: list[str] = field(default_factory=list)

    def receive(self, answer: httpx2.Response) -> None:
        """An event hook of the clients."""
        answer.read()
        self.needles.add(answer.request.headers.get("authorization", "").rpartition(".")[2])
        path = answer.request.url.path
        if not (path.startswith(MAY_SHOW) or path.endswith("/samples")) or answer.is_client_error:
            self.answers.append(f"{answer.request.method} {answer.status_code} {answer.headers} {answer.text}")

    def person(self, programme: Programme, last: int, **changes: object) -> Json:
        self.needles.add(phone(last)[4:])
        return programme.recipient(last, first_name=FIRST, last_name=LAST, card_code=CARD, **changes)


def settings(programme: Programme, planted: Planted) -> None:
    """Both channels: replaced once, checked, with test sends, and a template of the account's own."""
    account = f"9{programme.phone_number_id}"
    programme.put_whatsapp(access_token=OLD_TOKEN, app_secret=OLD_APP_SECRET)
    programme.put_whatsapp(business_account_id=account, **TOKENS)
    url = programme.put_sms(client_secret=CLIENT_SECRET)["webhook_url"]
    planted.needles.add(url.rpartition("/")[2])
    attributes = {"phone": "aPhoneAttr1", "first_name": "aFirstName1"}
    programme.ok(programme.api.put("/v1/integrations/dhis2", json={"attributes": attributes}))
    for name, wrong in (
        ("whatsapp", {"access_token": f"{OLD_TOKEN}\n", "sender_number": FIRST}),
        ("sms", {"client_secret": CLIENT_SECRET, "sender_name": f"{FIRST} {phone(PERSON)}", "default_country": LAST}),
    ):
        assert programme.api.put(f"/v1/integrations/{name}", json=wrong).is_client_error
    for name in ("whatsapp", "sms"):
        programme.ok(programme.api.get(f"/v1/integrations/{name}/health"))
        for last in (PERSON, 1026, 4002):
            planted.person(programme, last)
            programme.api.post(f"/v1/integrations/{name}/test", json={"to": phone(last)})
    assert programme.api.post("/v1/templates/vaccination_card/submit").status_code == 202
    until(lambda: _statuses(programme, "vaccination_card"), lambda found: found == {"approved"})


def _statuses(programme: Programme, template: str) -> set[str]:
    items = programme.ok(programme.api.get("/v1/templates"))["items"]
    return {one["status"] for one in items if (one["name"], one["channel"]) == (template, "whatsapp")}


def singles(programme: Programme, planted: Planted) -> dict[str, str]:
    """A message to each special number of each channel, and cards that cannot be fetched."""
    sent: dict[str, str] = {}
    later = format_instant(programme.stack.now() + timedelta(hours=6))
    fallback = {"channel": "sms", "after_minutes": 30, "content": TEXT}
    for channel, content in (("whatsapp", TEMPLATE), ("sms", TEXT)):
        more: Json = {"fallback": fallback} if channel == "whatsapp" else {}
        for last in (*FAILING_NUMBERS[channel], PERSON, ERASED):
            answer = programme.send(planted.person(programme, last), channel=channel, content=content, **more)
            sent[f"{channel}/{last}"] = programme.ok(answer)["message_id"]
        waiting = programme.send(planted.person(programme, LATER), channel=channel, content=content, send_at=later)
        sent[f"{channel}/later"] = programme.ok(waiting)["message_id"]
    for picture in (f"{CARD}/{CARD}.png", "missing.png", "broken.png", "huge.png"):
        unfit = planted.person(programme, PERSON, card_image=f"{programme.stack.simulators_url}/cards/{picture}")
        programme.ok(programme.send(unfit, channel="whatsapp", content=TEMPLATE))
    return sent


def refused(programme: Programme, planted: Planted) -> None:
    """Requests for single messages that are refused."""
    for wrong in (
        {"phone": f"N/A {phone(PERSON)} {FIRST}"},
        {"phone": f"{phone(PERSON)}1"},
        {"phone": f"{phone(PERSON)} / {phone(ERASED)}"},
        {"card_image": f"https://elsewhere.example.org/{CARD}.png"},
        {"language": FIRST, "enrollment_id": phone(PERSON)},
        {"card_generated_at": FIRST},
        {"consent": FIRST},
        {"surname": LAST},
    ):
        answer = programme.send(planted.person(programme, PERSON) | wrong, channel="whatsapp", content=TEMPLATE)
        assert answer.is_client_error, wrong


def campaigns(programme: Programme, planted: Planted) -> list[str]:
    """Inline, uploaded, scheduled and unreadable campaigns, with rows that are refused and rows that fail."""
    lasts = (ROWS, ROWS + 1, 610, 4004)
    people = [planted.person(programme, last) for last in lasts]
    bad = [people[0] | {"phone": f"{phone(PERSON)} {FIRST}"}, people[0] | {"card_code": ""}, {"last_name": LAST}]
    inline = programme.ok(programme.distribute(recipients=[*people, *bad], content=TEXT, confirm=True))
    at = format_instant(programme.stack.now() + timedelta(days=1))
    later = programme.distribute(recipients=people, content=TEXT, schedule={"mode": "at", "at": at}, confirm=True)
    table = "\n".join(
        [
            f"phone;first_name;last_name;card_code;{FIRST};{phone(PERSON)}",
            *(f"{phone(last)};{FIRST};{LAST};{CARD};x;y" for last in lasts),
            f"{FIRST} {phone(PERSON)};{FIRST};{LAST};{CARD};x;y",
            f'"{phone(PERSON)}"{FIRST};{LAST}',
        ]
    )
    lines = f'{json.dumps(people[0])}\n{{"phone": "{phone(PERSON)}", "first_name": "{FIRST}\n["{CARD}"]\n'
    files = (
        ("csv", table.encode()),
        ("csv", f"{phone(PERSON)};{FIRST};{LAST}\n".encode()),
        ("csv", f"phone;first_name\n{phone(PERSON)};{FIRST} ".encode() + b"\xff\xfe\n"),
        ("ndjson", lines.encode()),
        ("ndjson", json.dumps({"phone": phone(PERSON), "first_name": FIRST}).encode("utf-16")),
        (
            "dhis2",
            json.dumps({"trackedEntities": [{"attributes": [{"attribute": "aFirstName1", "value": FIRST}]}]}).encode(),
        ),
        ("dhis2", f'{{"trackedEntities": [{{"value": "{FIRST} {phone(PERSON)}"'.encode()),
    )
    uploaded = [_uploaded(programme, planted, form, content) for form, content in files]
    return [inline["distribution_id"], programme.ok(later)["distribution_id"], *uploaded]


def stopped(programme: Programme, planted: Planted) -> dict[str, str]:
    """On each channel a row that stays pending after the provider's refusal. Its distribution pauses."""
    rows: dict[str, str] = {}
    for channel, last, content in (("whatsapp", 2015, TEMPLATE), ("sms", 4102, TEXT)):
        made = programme.ok(
            programme.distribute(
                channel=channel, recipients=[planted.person(programme, last)], content=content, confirm=True
            )
        )
        identity = made["distribution_id"]
        until(lambda one=identity: programme.distribution(one)["status"], lambda status: status == "paused")  # type: ignore[misc]
        [row] = programme.messages(distribution_id=identity)
        rows[channel] = row["message_id"]
    return rows


def _uploaded(programme: Programme, planted: Planted, form: str, content: bytes) -> str:
    made = programme.ok(programme.api.post("/v1/uploads", json={"format": form, "bytes": len(content)}))
    planted.needles |= set(re.findall(r"Signature=([^&]+)", made["url"]))
    http().put(made["url"], headers=made["headers"], content=content).raise_for_status()
    asked = programme.distribute(upload_id=made["upload_id"], content=TEXT)
    return str(programme.ok(asked)["distribution_id"])


def poison(programme: Programme, sent: dict[str, str], rows: dict[str, str]) -> None:
    """On each queue: a body that is no JSON, one of another version, one with deep nesting, and queue messages whose
    values make the worker crash."""
    reported = f"{FIRST} {phone(PERSON)} {CARD}"
    named = {"organisation": programme.organisation}
    other = named | {"provider": reported, "kind": reported, "channel": reported, "message_id": 7}
    shared = (f'{{"to": "{reported}"', json.dumps(other), f'{{"x": {NESTED}}}')
    bodies: dict[str, list[Json]] = {
        "StatusQueueUrl": [named | {"provider": "meta", "document": "{}", "looks": reported}],
        "FanoutQueueUrl": [
            named | {"kind": one, "distribution_id": reported, "place": reported} for one in ("plan", "redrive")
        ],
    }
    for channel, url in (("sms", "SmsQueueUrl"), ("whatsapp", "WhatsAppQueueUrl")):
        queue_message = named | {"channel": channel, "person": "0" * 32}
        after_9999 = {"message_id": rows[channel], "slot_at": 10**18, "payload": _payload(channel, "SN")}
        nowhere = {"message_id": sent[f"{channel}/later"], "slot_at": 0, "payload": _payload(channel, reported)}
        bodies[url] = [queue_message | after_9999, queue_message | nowhere]
    sqs = programme.stack.aws("sqs")
    for queue, own in bodies.items():
        url = programme.stack.output(queue)
        for body in (*shared, *map(json.dumps, own)):
            sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=programme.organisation)


def _payload(channel: str, country: str) -> Json:
    whole = {"to": phone(LATER), "country": country, "mode": "sms", "text": f"{WORD} {FIRST}"}
    template = {"name": "vaccination_card", "language": "fr", "parameters": [["first_name", FIRST]]}
    as_template = {"mode": "template", "template": template, "card_image": f"https://{CARD}"}
    return whole | as_template if channel == "whatsapp" else whole
