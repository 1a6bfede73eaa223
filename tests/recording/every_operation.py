"""Every operation of the served OpenAPI document: once with success in both languages, then each refusal that all
share."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from local.tokens import ALL_SCOPES
from tests.recording import world
from tests.recording.tape import LANGUAGES, Json, Operation, Scene, Tape

KEYED = ("send_message", "create_distribution", "retry_distribution")
OPEN = re.compile(r"/webhooks/|/health$|/openapi\.json|/docs")
DELETIONS = re.compile("delete_")
HUGE = 7 * 1024 * 1024
"""Bytes: more than Lambda takes in one event, less than a gateway takes."""
LARGEST = 11 * 1024 * 1024
"""Bytes: more than a gateway takes."""


class Places(NamedTuple):
    """The values for the variables in the paths."""

    message_id: str
    distribution_id: str
    token: str
    organisation_id: str
    export_id: str
    failed_list: str
    """A distribution with a failed message; nothing of `distribution_id` has been sent."""
    campaign_id: str = "campaign"
    name: str = "vaccination_card"

    def path(self, operation: Operation) -> str:
        path = operation.path
        if operation.name == "retry_distribution":
            path = path.replace("{distribution_id}", "{failed_list}")
        return re.sub(r"\{(\w+)\}", lambda match: str(getattr(self, match[1])), path)


def bodies(scene: Scene) -> Mapping[str, Json]:
    """A body for each operation that takes one."""
    person = world.recipient(scene, world.PLAIN + 10)
    phone = {"phone": person["phone"]}
    return {
        "put_whatsapp_integration": world.whatsapp(scene),
        "put_sms_integration": world.sms(scene),
        "put_dhis2_integration": {"attributes": {"phone": "aPhoneAttr1", "first_name": "aFirstName1"}},
        "patch_whatsapp_integration": {"rate_per_second": 79},
        "patch_sms_integration": {"sender_name": "PNV", "senders": {"EG": None}},
        "patch_dhis2_integration": {"attributes": {"first_name": None}},
        "test_whatsapp_integration": {"to": "+221770008290"},
        "test_sms_integration": {"to": "+221770008291", "language": "en"},
        "preview": {"channel": "sms", "content": world.TEXT, "recipients": [person]},
        "send_message": world.order(scene, world.PLAIN + 11),
        "list_messages_of_person": phone,
        "create_upload": {"format": "csv", "bytes": 10},
        "create_distribution": world.bulk(scene, person, schedule={"mode": "at", "at": world.AT}),
        "retry_distribution": {"reasons": ["undeliverable"]},
        "create_export": {"kind": "messages", "status": "failed"},
        "record_consents": phone | {"granted": True, "source": "register"},
        "lookup_consent": phone,
        "erase_person": {"phone": "+221770008299"},
        "redrive_dead_letters": {"all": True},
    }


def settle_in(scene: Scene) -> Places:
    """Sets up an organisation with a value for each variable in the paths."""
    world.set_up(scene)
    failed = world.send(scene, world.order(scene, world.UNDELIVERABLE), "failed")
    world.settled(scene, failed, "failed")
    rows = [world.recipient(scene, world.PLAIN), world.recipient(scene, 1, phone="N/A")]
    rows.append(rows[0])
    planned = world.distribute(scene, world.bulk(scene, *rows, schedule={"mode": "at", "at": world.AT}), "planned")
    list_of_one = world.bulk(scene, world.recipient(scene, world.UNDELIVERABLE), confirm=True)
    failed_list = world.distribute(scene, list_of_one, "failed-list")["distribution_id"]
    world.stands(scene, failed_list, "sending", "completed", failed=1)
    webhook = scene.ok(scene.quietly("GET", "/v1/integrations/sms"))["webhook_url"]
    return Places(
        failed_list=failed_list,
        message_id=failed,
        distribution_id=planned["distribution_id"],
        token=webhook.rpartition("/")[2],
        organisation_id=scene.organisation,
        export_id=world.exported(scene, {"kind": "duplicates", "distribution_id": planned["distribution_id"]}),
    )


def play(tape: Tape) -> None:
    """The operations themselves, from the first setting to the last deletion; then their refusals."""
    with Scene(tape, "taken") as scene:
        places = settle_in(scene)
        in_order = sorted(tape.operations, key=lambda one: bool(DELETIONS.match(one.name)))
        for operation in in_order:
            for language in LANGUAGES:
                _taken(scene, operation, places, language)
        for name in ("whatsapp", "sms", "dhis2"):
            scene.both("GET", f"/v1/integrations/{name}")
    with Scene(tape, "refused") as scene:
        places = settle_in(scene)
        scene.ok(scene.quietly("PUT", "/v1/integrations/dhis2", json=bodies(scene)["put_dhis2_integration"]))
        for operation in tape.operations:
            if not OPEN.match(operation.path):
                _without_right(scene, operation, places)
                _with_unknown_ids(scene, operation, places)
                _with_a_bad_body(scene, operation, places)
                _with_a_bad_query(scene, operation, places)
        unknown_routes(scene)


def _taken(scene: Scene, operation: Operation, places: Places, language: str) -> None:
    asked: dict[str, Any] = {"json": bodies(scene).get(operation.name), "language": language}
    path = places.path(operation)
    if operation.name in KEYED:
        asked["headers"] = {"idempotency-key": f"taken-{language}"}
    if operation.name == "verify_whatsapp_webhook":
        path += f"?hub.mode=subscribe&hub.verify_token={world.VERIFY_TOKEN}&hub.challenge=7"
    if operation.name == "receive_whatsapp_webhook":
        content = b'{"object": "whatsapp_business_account", "entry": []}'
        asked = {"content": content, "language": language, "headers": signed(content)}
    if operation.name == "receive_orange_webhook":
        asked["json"] = {}
    if OPEN.match(operation.path):
        asked["token"] = {}
    hours = "statistics" not in operation.name
    unordered = operation.name == "list_templates"
    scene.call(operation.method, path, unordered=unordered, keep_hours=hours, **asked)
    if operation.method != "GET":
        scene.stack.settle()


def signed(content: bytes, secret: str = world.APP_SECRET) -> dict[str, str]:
    """The headers of a call from Meta."""
    digest = hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
    return {"content-type": "application/json", "x-hub-signature-256": f"sha256={digest}"}


def _asked(scene: Scene, operation: Operation) -> dict[str, Any]:
    headers = {"idempotency-key": "never-used"} if operation.name in KEYED else {}
    return {"json": bodies(scene).get(operation.name), "headers": headers}


def _without_right(scene: Scene, operation: Operation, places: Places) -> None:
    """401 of the gateway, 403 of the function."""
    path, asked, stack = places.path(operation), _asked(scene, operation), scene.stack
    expired = stack.token(scene.organisation, lifetime=timedelta(seconds=-60))
    scene.both(operation.method, path, token={}, as_text="no token", **asked)
    scene.both(operation.method, path, token={"authorization": f"Bearer {expired}"}, as_text="expired", **asked)
    homeless = {"authorization": f"Bearer {stack.token(None)}"}
    scene.both(operation.method, path, token=homeless, as_text="no organisation", **asked)
    for scope in ALL_SCOPES:
        others = [one for one in ALL_SCOPES if one != scope]
        token = scene.bearer(scopes=others)
        if scene.quietly(operation.method, path, headers=asked["headers"] | token, content=b"{").status_code == 403:
            scene.both(operation.method, path, token=token, as_text=f"without {scope}", **asked)


def _with_unknown_ids(scene: Scene, operation: Operation, places: Places) -> None:
    """404 for an ID that does not exist, and for an ID of another organisation."""
    if not re.search(r"\{(message|distribution|export)_id\}", operation.path):
        return
    asked = _asked(scene, operation)
    unknown = dict.fromkeys(("message_id", "distribution_id", "export_id", "failed_list"), world.UNKNOWN_ID)
    nowhere = places._replace(**unknown)
    scene.both(operation.method, nowhere.path(operation), as_text="unknown ID", **asked)
    stranger = scene.bearer("a-stranger")
    scene.both(operation.method, places.path(operation), token=stranger, as_text="another organisation", **asked)


def _with_a_bad_body(scene: Scene, operation: Operation, places: Places) -> None:
    """400, 413 and 415 for operations with a body."""
    body = bodies(scene).get(operation.name)
    if body is None:
        return
    path, headers = places.path(operation), _asked(scene, operation)["headers"] | {"content-type": "application/json"}

    def ask(content: bytes, as_text: str, **more: str) -> None:
        headers_now = headers | {name.replace("_", "-"): value for name, value in more.items()}
        scene.both(operation.method, path, content=content, headers=headers_now, as_text=as_text)

    ask(b"{", "not JSON")
    ask(b"[]", "a list")
    ask(b"", "empty")
    ask(b'{"a": 1, "a": 2}', "a name twice")
    ask(b'{"x": "\xff"}', "not UTF-8")
    ask(b"x", "text", content_type="text/plain")
    ask(b"{}", "nothing in it")
    ask(b" " * HUGE + b"{}", "7 MiB")
    ask(b" " * LARGEST + b"{}", "11 MiB")
    scene.both(operation.method, path, json=body | {"surprise": 1}, headers=headers, as_text="unknown field")
    wrong = {name: {"of": "a wrong type"} for name in body}
    scene.both(operation.method, path, json=wrong, headers=headers, as_text="wrong types")
    if operation.name in KEYED:
        scene.both(operation.method, path, json=body, as_text="no key")
        scene.both(operation.method, path, json=body, headers={"idempotency-key": "a b"}, as_text="a bad key")
        scene.both(operation.method, path, json=body, headers={"idempotency-key": "k" * 256}, as_text="a long key")


def _with_a_bad_query(scene: Scene, operation: Operation, places: Places) -> None:
    """400 for operations with a query."""
    if "400" not in operation.statuses or operation.method != "GET":
        return
    path = places.path(operation)
    for query in (
        "limit=0", "limit=201", "limit=x", "cursor=x", "cursor=AAAA", "surprise=1", "from=yesterday",
        "from=2026-11-23T10:00:00", "from=2026-11-24T10:00:00Z&to=2026-11-23T10:00:00Z", "channel=fax", "status=lost",
        "campaign_id=%2B221770008200", "campaign_id=a%20b", "enrollment_id=a%20b", "distribution_id=x",
        "limit=1&limit=2",
        "provider_message_id=%C3%A9", "to=2026-11-24T10:00:00Z&from=2026-11-23T10:00:00Z",
    ):  # fmt: skip
        scene.both(operation.method, f"{path}?{query}", as_text="a query")


def unknown_routes(scene: Scene) -> None:
    """404 of the gateway, other methods, and pages of other origins."""
    for method, path in (
        ("GET", "/"), ("GET", "/v1"), ("GET", "/v1/nothing"), ("POST", "/health"), ("PATCH", "/v1/messages"),
        ("DELETE", "/v1/messages"), ("PUT", "/v1/messages"), ("HEAD", "/health"), ("OPTIONS", "/v1/messages"),
        ("GET", "/v1/messages/"), ("GET", "/v1//messages"), ("GET", "/v1/integrations/telex"), ("GET", "/docs/"),
        ("POST", "/v1/integrations/dhis2/test"), ("GET", "/v1/integrations/dhis2/health"),
        ("GET", "/v1/exports"), ("GET", "/v1/audit"), ("GET", "/v1/callbacks"), ("GET", "/v1/operations/brake"),
    ):  # fmt: skip
        scene.both(method, path)
    for origin in ("http://localhost:5173", "https://elsewhere.example.org"):
        scene.call("GET", "/health", headers={"origin": origin}, token={})
        scene.call("GET", "/v1/messages", headers={"origin": origin}, token={})
        asks = {"origin": origin, "access-control-request-method": "POST"}
        scene.call("OPTIONS", "/v1/messages", headers=asks, token={}, as_text="preflight")
    for accept in ("text/csv", "text/html", "application/xml", "application/json;q=0.1, text/csv"):
        scene.both("GET", "/v1/messages", headers={"accept": accept}, unordered=True)
    for language in ("fr-CA, en;q=0.5", "de", "*", "en;q=0.2, fr;q=0.1", "", "fr;q=0"):
        scene.call("GET", "/v1/messages/x", language=language)
