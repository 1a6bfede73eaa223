"""Single messages and previews: accepted ones, and every refusal for a person, a content or a state."""

import threading
from collections.abc import Iterator
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from tests.recording import world
from tests.recording.stack import until
from tests.recording.tape import LANGUAGES, Json, Scene, Tape

UID = "aPhoneAttr1"
MOST_TURNS = 20
MAPPING = {"attributes": {"phone": UID, "first_name": "aFirstName1"}, "program": "aProgramme1"}


def play(tape: Tape) -> None:
    with Scene(tape, "without settings") as scene:
        _without_settings(scene)
    with Scene(tape, "settings") as scene:
        _settings(scene)
    with Scene(tape, "people") as scene:
        world.set_up(scene)
        scene.ok(scene.quietly("PUT", "/v1/integrations/dhis2", json=MAPPING))
        _refused(scene)
    with Scene(tape, "sent") as scene:
        world.set_up(scene)
        _sent(scene)
    with Scene(tape, "keys") as scene:
        world.set_up(scene)
        _keys(scene)
    with Scene(tape, "lookups") as scene:
        _too_many_lookups(scene)


def _without_settings(scene: Scene) -> None:
    for name in ("whatsapp", "sms", "dhis2"):
        scene.both("GET", f"/v1/integrations/{name}")
        scene.both("DELETE", f"/v1/integrations/{name}")
    for name in ("whatsapp", "sms"):
        scene.both("GET", f"/v1/integrations/{name}/health")
        scene.both("POST", f"/v1/integrations/{name}/test", json={"to": "+221770008200"})
        body = world.order(scene, world.PLAIN, name)
        scene.both("POST", "/v1/messages", json=body, headers={"idempotency-key": "one"})
        people = [world.recipient(scene, world.PLAIN)]
        plan = world.bulk(scene, *people, channel=name, content=body["content"])
        scene.both("POST", "/v1/distributions", json=plan, headers={"idempotency-key": "many"})
        scene.both("POST", "/v1/preview", json={"channel": name, "content": body["content"], "recipients": people})
    scene.both("POST", "/v1/templates/vaccination_card/submit")
    scene.both("GET", "/v1/templates", unordered=True)
    dhis2 = {"channel": "sms", "content": world.TEXT, "recipients": [{"dhis2": {"trackedEntity": "aTrackedEn1"}}]}
    scene.both("POST", "/v1/preview", json=dhis2)


def _settings(scene: Scene) -> None:
    """Refused values, defaults, kept secrets, and the results of test sends and health checks."""
    scene.both("PUT", "/v1/integrations/sms", json=world.sms(scene, client_secret=None))
    scene.both("PUT", "/v1/integrations/whatsapp", json=world.whatsapp(scene, access_token=None))
    wrong: dict[str, list[Json]] = {
        "sms": [
            {"sender_name": "ABCDEFGHIJKL"}, {"sender_name": "Été"}, {"default_country": "FR"}, {"rate_per_second": 0},
            {"rate_per_second": 1001}, {"senders": {"FR": "tel:+33"}}, {"senders": {"SN": "0770"}},
            {"unit_prices": {"SN": {"amount": "x", "currency": "XOF"}}}, {"peak_hours": [["10:00", "08:00"]]},
            {"peak_hours": [["25:00", "26:00"]]}, {"receipt_addresses": ["nowhere"]}, {"client_secret": "a\nb"},
        ],
        "whatsapp": [
            {"phone_number_id": "x"}, {"sender_number": "0770"}, {"rate_per_second": 0}, {"access_token": "a\nb"},
            {"business_account_id": "x"}, {"default_template": "Not A Name"}, {"verify_token": ""}, {"app_secret": ""},
        ],
        "dhis2": [
            {"attributes": {}}, {"attributes": {"phone": "short"}}, {"attributes": {"phone": UID, "shoe_size": UID}},
            {"attributes": {"phone": UID}, "program": "x"},
        ],
    }  # fmt: skip
    whole = {"sms": world.sms(scene), "whatsapp": world.whatsapp(scene), "dhis2": MAPPING}
    for name, changes in wrong.items():
        for change in changes:
            scene.both("PUT", f"/v1/integrations/{name}", json=whole[name] | change)
    for name, change in (
        ("sms", {"sender_name": "PNV-SN 1"}), ("sms", {"client_secret": None}), ("sms", {"peak_hours": []}),
        ("sms", {"unit_prices": None, "senders": None}), ("whatsapp", {"default_template": None}),
        ("whatsapp", {"access_token": None, "app_secret": None, "verify_token": None, "business_account_id": None}),
        ("dhis2", {}),
    ):  # fmt: skip
        scene.both("PUT", f"/v1/integrations/{name}", json=_without_none(whole[name] | change))
        scene.both("GET", f"/v1/integrations/{name}")
    test = "/v1/integrations/whatsapp/test"
    for change in ({"default_template": None}, {}, {"business_account_id": None}):
        scene.both("PUT", "/v1/integrations/whatsapp", json=_without_none(whole["whatsapp"] | change))
        scene.both("POST", test, json={"to": "+221770008200"})
        scene.both("GET", "/v1/integrations/whatsapp/health")
        body = world.order(scene, world.PLAIN, "whatsapp")
        preview = {"channel": "whatsapp", "content": body["content"], "recipients": [body["recipient"]]}
        scene.both("POST", "/v1/preview", json=preview)
        plan = world.bulk(scene, body["recipient"], channel="whatsapp", content=body["content"])
        scene.both("POST", "/v1/distributions", json=plan, headers={"idempotency-key": f"unsubmitted-{len(change)}"})
    world.set_up(scene)
    for name in ("whatsapp", "sms"):
        for to in (
            "+221770008200",
            "+221770001026",
            "+221770004002",
            "+221770000401",
            "+33612345678",
            "77",
            "+221338001234",
        ):
            for language in LANGUAGES:
                body = {"to": to, "language": language}
                scene.call("POST", f"/v1/integrations/{name}/test", language=language, json=body)
                scene.stack.settle()
        scene.both("GET", f"/v1/integrations/{name}/health")
    scene.both("PUT", "/v1/integrations/whatsapp", json=world.whatsapp(scene, default_template="nutrition_reminder"))
    scene.both("POST", "/v1/integrations/whatsapp/test", json={"to": "+221770008200"})
    scene.stack.settle()
    scene.both("GET", "/v1/messages", unordered=True)
    scene.both("POST", "/v1/templates/no_such_template/submit")
    scene.both("GET", "/v1/templates?limit=2")


def _without_none(body: Json) -> Json:
    return {name: value for name, value in body.items() if value is not None}


def _people(scene: Scene) -> Iterator[tuple[str, Json]]:
    """(channel, recipient) of people who are refused, or who get a warning."""
    for phone in (
        None, "", "N/A", "07 07 07 07", "+225 07070707", "+2250707070707", "+221338001234", "770008200 / 770008201",
        "+22790123456", "+33612345678", "00221 77 000.82(00)", "770008200", "+201000008200", "77000820",
        "2,21771234501E+11",
    ):  # fmt: skip
        yield "sms", world.recipient(scene, world.PLAIN, phone=phone)
    for change in (
        {"consent": None}, {"consent": False}, {"consent": {"granted_at": "2027-01-01T10:00:00Z", "source": "x"}},
        {"consent": {"granted_at": "2026-11-01T10:00:00Z", "source": "register"}}, {"card_image": None},
        {"card_image": "https://elsewhere.example.org/a.png"}, {"card_image": "ftp://x/y.png"},
        {"card_image": "s3://bucket/other/key.png"}, {"card_image": "no address"}, {"card_code": None},
        {"card_generated_at": "2026-11-20T10:00:00Z"}, {"first_name": None}, {"last_name": ""},
        {"first_name": "A\u0000m\uffff"}, {"language": "Wolof"}, {"language": "FR"}, {"language": "English"},
        {"enrollment_id": "+221770008200"}, {"enrollment_id": "a b"}, {"surname": "x"}, {"consent": "perhaps"},
        {"issue_date": "hier"}, {"card_generated_at": "hier"}, {"verification_url": None},
    ):  # fmt: skip
        yield "whatsapp", world.recipient(scene, world.PLAIN, **change)
    attributes = [{"attribute": UID, "value": "+221770008200"}, {"attribute": "aFirstName1", "value": "Awa"}]
    enrollment = {"enrollment": "aEnrollmen1", "program": "aProgramme1", "status": "ACTIVE", "attributes": attributes}
    entity = {"trackedEntity": "aTrackedEn1"}
    for record in (
        enrollment, enrollment | {"status": "CANCELLED"}, enrollment | {"deleted": True},
        enrollment | {"program": "aProgramme2"}, enrollment | {"attributes": attributes[1:]},
        entity | {"inactive": True, "attributes": attributes}, entity,
        entity | {"attributes": attributes, "enrollments": [enrollment | {"status": "COMPLETED"}]},
        "x",
    ):  # fmt: skip
        yield "sms", {"dhis2": record}


def _contents() -> Iterator[tuple[str, Json]]:
    for text in (
        "", " ", "Bonjour {prenom}", "Bonjour {first_name", "{{first_name}}",
        "Fête à l'école : ça coûte 0 € … « œuvre »",
        "x" * 2000, "مرحبا {first_name}", "{issue_date}", "a" * 152 + "€",
    ):  # fmt: skip
        yield "sms", {"text": text}
        yield "sms", {"text": text, "sms_encoding": "gsm7"}
    yield "sms", {"text": "x", "sms_encoding": "utf7"}
    for template in (
        {"name": "vaccination_card"}, {"name": "vaccination_card", "language": "en"}, {"name": "no_such_template"},
        {"name": "nutrition_reminder"}, {"name": "vaccination_card", "language": "de"}, {"name": "Bad Name"}, {},
    ):  # fmt: skip
        for channel in ("sms", "whatsapp"):
            yield channel, {"template": template}
    yield "whatsapp", world.TEXT
    yield "sms", world.TEXT | world.TEMPLATE
    yield "sms", {}


def _refused(scene: Scene) -> None:
    """Each person and content in a preview. If the preview calls it invalid, also as a single message."""
    for channel, person in _people(scene):
        _try(scene, channel, world.TEXT if channel == "sms" else world.TEMPLATE, person)
    for channel, content in _contents():
        _try(scene, channel, content, world.recipient(scene, world.PLAIN, issue_date=None))
    many = [world.recipient(scene, world.PLAIN)] * 101
    scene.both("POST", "/v1/preview", json={"channel": "sms", "content": world.TEXT, "recipients": many})
    scene.both("POST", "/v1/preview", json={"channel": "sms", "content": world.TEXT, "recipients": []})
    defaults = {"first_name": "x", "programme_name": "PNV", "language": "en", "consent": True}
    for given in (defaults, {"programme_name": "PNV", "language": "en", "consent": True}):
        person = world.recipient(scene, world.PLAIN, programme_name=None, consent=None)
        preview = {"channel": "whatsapp", "content": world.TEMPLATE, "recipients": [person], "defaults": given}
        scene.both("POST", "/v1/preview", json=preview)
    scene.ok(scene.quietly("PUT", "/v1/integrations/sms", json=world.sms(scene, senders=None)))
    _try(scene, "sms", world.TEXT, world.recipient(scene, world.PLAIN, phone="+201000008200"))
    for change in (
        {"send_at": "2026-11-01T10:00:00Z"}, {"send_at": "tomorrow"}, {"send_at": "2028-11-01T10:00:00Z"},
        {"fallback": {"channel": "sms", "after_minutes": 0}},
        {"fallback": {"channel": "whatsapp", "after_minutes": 30}},
        {"fallback": {"channel": "sms", "after_minutes": 20000}}, {"campaign_id": "+221770008200"},
        {"campaign_id": "a b"},
        {"fallback": {"channel": "sms", "after_minutes": 30, "content": {"text": "{x}"}}}, {"channel": "fax"},
    ):  # fmt: skip
        for channel in ("sms", "whatsapp"):
            body = world.order(scene, world.PLAIN, channel) | change
            scene.both("POST", "/v1/messages", json=body, headers={"idempotency-key": "never"})


def _try(scene: Scene, channel: str, content: Json, person: Json) -> None:
    body = {"channel": channel, "content": content, "recipients": [person]}
    shown = scene.both("POST", "/v1/preview", json=body)
    if not shown.is_success or not shown.json()["items"][0]["valid"]:
        order = {"channel": channel, "campaign_id": "refused", "content": content, "recipient": person}
        scene.both("POST", "/v1/messages", json=order, headers={"idempotency-key": "never"})


def _sent(scene: Scene) -> None:
    """Messages on both channels: at once, later, resent, with a fallback; then lists and sums over them."""
    ids = []
    changes: list[tuple[str, int, Json, str]] = [
        ("sms", world.PLAIN, {}, "delivered"),
        ("whatsapp", world.PLAIN + 1, {}, "read"),
        ("sms", world.UNDELIVERABLE, {}, "failed"),
        ("sms", world.PLAIN + 2, {"send_at": world.AT}, "pending"),
        ("whatsapp", 1026, {"fallback": {"channel": "sms", "after_minutes": 30, "content": world.TEXT}}, "failed"),
        ("whatsapp", world.SILENT, {"fallback": {"channel": "sms", "after_minutes": 30}}, "sent"),
    ]
    for number, (channel, last, change, status) in enumerate(changes):
        body = world.order(scene, last, channel, **change)
        for language in LANGUAGES:
            headers = {"idempotency-key": f"sent-{number}"}
            made = scene.ok(scene.call("POST", "/v1/messages", language=language, json=body, headers=headers))
        ids.append(made["message_id"])
        world.settled(scene, ids[-1], status)
        scene.both("GET", f"/v1/messages/{ids[-1]}")
        scene.both("POST", f"/v1/messages/{ids[-1]}/resend")
        scene.stack.settle()
    scene.stack.forward(minutes=35)
    until(lambda: len(_listed(scene, "via=fallback")) + 2, lambda found: found >= 2)
    for query in (
        "limit=200", "channel=sms", "status=failed", "campaign_id=single", "campaign_id=none", "limit=1",
        "from=2026-11-23T10:00:00Z&to=2026-11-24T10:00:00Z", "to=2026-11-20T10:00:00Z", "channel=sms&status=delivered",
        "reason=undeliverable", "via=resend", "campaign_id=single&via=fallback", "reason=none", "via=none",
    ):  # fmt: skip
        scene.both("GET", f"/v1/messages?{query}", unordered="limit=1" not in query)
    _pages(scene)
    later = world.send(scene, world.order(scene, world.PLAIN + 60, send_at=world.AT), "later")
    for identity in (later, ids[0]):
        scene.both("POST", f"/v1/messages/{identity}/cancel")
    shown = world.message(scene, ids[0])["provider_message_id"]
    for query in (f"provider_message_id={shown}", "provider_message_id=none"):
        scene.both("GET", f"/v1/messages?{query}")
    scene.both("GET", "/v1/campaigns/single/messages?status=delivered", unordered=True)
    scene.both("GET", "/v1/campaigns/none/messages")
    person = {"phone": "+221770008200"}
    scene.both("POST", "/v1/messages/lookup", json=person)
    scene.both("POST", "/v1/messages/lookup", json={"phone": "x"})
    for path in ("/v1/statistics", "/v1/campaigns/single/statistics", "/v1/campaigns/none/statistics"):
        scene.both("GET", path, keep_hours=False)
        scene.both("GET", f"{path}?from=2026-11-23T10:00:00Z&to=2026-11-24T10:00:00Z")
    world.ledger(scene, "meta")
    world.ledger(scene, "orange")


def _listed(scene: Scene, query: str) -> list[Any]:
    answer = scene.quietly("GET", "/v1/messages?limit=200")
    name, _, value = query.partition("=")
    return [one for one in scene.ok(answer)["items"] if one[name] == value]


def _pages(scene: Scene) -> None:
    """All pages to the end."""
    cursor = ""
    while True:
        page = scene.ok(scene.both("GET", f"/v1/messages?limit=3{cursor}"))
        if page["next_cursor"] is None:
            return
        cursor = f"&cursor={page['next_cursor']}"


def _keys(scene: Scene) -> None:
    """A repeated key: with the same body, with another body, and while the first request runs."""
    body = world.order(scene, world.PLAIN)
    for order in (body, body, body | {"campaign_id": "other"}):
        scene.both("POST", "/v1/messages", json=order, headers={"idempotency-key": "again"})
    plan = world.bulk(scene, world.recipient(scene, world.PLAIN + 1))
    for order in (plan, plan, plan | {"campaign_id": "other"}):
        scene.both("POST", "/v1/distributions", json=order, headers={"idempotency-key": "again"})
    people = [world.recipient(scene, 0, phone=f"+22177{number:07d}") for number in range(4500)]
    large = world.bulk(scene, *people)
    for language in LANGUAGES:
        _while_the_first_is_at_work(scene, large, language)


def _while_the_first_is_at_work(scene: Scene, body: Json, language: str) -> None:
    """Two requests with one key run at once. The API refuses a further one until the first has ended."""
    for turn in range(MOST_TURNS):
        headers = {"idempotency-key": str(uuid5(NAMESPACE_URL, f"{language} {turn}"))}
        asked = {"json": body, "headers": headers}
        first = threading.Thread(target=scene.quietly, args=("POST", "/v1/distributions"), kwargs=asked)
        first.start()
        refused = scene.quietly("POST", "/v1/distributions", **asked).status_code == 409
        if refused:
            scene.call("POST", "/v1/distributions", language=language, json=body, headers=headers)
        first.join()
        if refused:
            return


def _too_many_lookups(scene: Scene) -> None:
    """61 look-ups by one person within a minute."""
    for path in ("/v1/messages/lookup", "/v1/consents/lookup"):
        token = scene.bearer(subject=f"curious-{path.count('consents')}")
        body = {"phone": "+221770008200"}
        _until_refused(scene, path, body, token)
        scene.both("POST", path, json=body, token=token)


def _until_refused(scene: Scene, path: str, body: Json, token: dict[str, str]) -> None:
    def status() -> int:
        return scene.quietly("POST", path, json=body, headers=token).status_code

    until(status, lambda found: found == 429, pause=0)
