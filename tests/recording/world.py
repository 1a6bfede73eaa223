"""What every scene needs: settings, people, contents, and messages that have ended."""

import re
from collections.abc import Mapping
from typing import Any

import httpx2

from tests.recording.stack import until
from tests.recording.tape import Json, Scene

APP_SECRET = "app-secret-of-a-recording"
VERIFY_TOKEN = "verify-token-of-a-recording"
TEMPLATE = {"template": {"name": "vaccination_card"}}
TEXT = {"text": "Bonjour {first_name}, votre carte : {verification_url}"}
PLAIN = 8200
"""Last digits from here on are no special numbers of the simulators (docs/simulators.md)."""
SILENT = 603
"""docs/simulators.md: taken, but no receipt ever follows."""
UNDELIVERABLE = 610
AT = "2026-11-30T10:00:00Z"
"""A later day, at a whole hour: a recording keeps such times."""
UNKNOWN_ID = "00000000-0000-5000-8000-000000000000"


def whatsapp(scene: Scene, **changes: Any) -> Json:
    """Settings that work; None leaves a field out."""
    body = {
        "access_token": "access-token-of-a-recording",
        "phone_number_id": scene.phone_number_id,
        "sender_number": "+221770009999",
        "app_secret": APP_SECRET,
        "verify_token": VERIFY_TOKEN,
        "business_account_id": scene.account,
        "default_template": "vaccination_card",
    } | changes
    return {name: value for name, value in body.items() if value is not None}


def sms(scene: Scene, **changes: Any) -> Json:
    body = {
        "client_id": f"client-{scene.organisation}",
        "client_secret": "client-secret-of-a-recording",
        "sender_name": "PNV",
        "default_country": "SN",
        "senders": {"EG": "tel:+200000"},
        "unit_prices": {"SN": {"amount": "12", "currency": "XOF"}},
        "rate_per_second": 50,
    } | changes
    return {name: value for name, value in body.items() if value is not None}


def set_up(scene: Scene, *, approved: bool = True) -> None:
    """Sets up both channels without recording it. The ready template is submitted and approved."""
    scene.ok(scene.quietly("PUT", "/v1/integrations/whatsapp", json=whatsapp(scene)))
    scene.ok(scene.quietly("PUT", "/v1/integrations/sms", json=sms(scene)))
    if approved:
        approve(scene)


def approve(scene: Scene) -> None:
    """Waits until Meta has approved the ready template in both languages."""
    scene.ok(scene.quietly("POST", "/v1/templates/vaccination_card/submit"))

    def approved() -> set[str]:
        items = scene.ok(scene.quietly("GET", "/v1/templates"))["items"]
        return {one["status"] for one in items if (one["name"], one["channel"]) == ("vaccination_card", "whatsapp")}

    until(approved, lambda found: found == {"approved"})
    scene.stack.settle()


def recipient(scene: Scene, last: int, **changes: Any) -> Json:
    """A person whose number ends with these digits; None leaves a field out."""
    body = {
        "phone": f"+22177000{last:04d}",
        "first_name": "Aminata",
        "last_name": "Essai",
        "programme_name": "PNV",
        "card_code": f"DKR-VAC-{last:06d}",
        "verification_url": "https://v.example.org/c/{card_code}",
        "card_image": f"{scene.stack.simulators_url}/cards/{{card_code}}.png",
        "consent": True,
    } | changes
    return {name: value for name, value in body.items() if value is not None}


def order(scene: Scene, last: int, channel: str = "sms", **changes: Any) -> Json:
    """The body of a single message."""
    content = TEXT if channel == "sms" else TEMPLATE
    body = {"channel": channel, "campaign_id": "single", "recipient": recipient(scene, last), "content": content}
    return body | changes


def bulk(scene: Scene, *people: Json, **changes: Any) -> Json:
    """The body of a distribution to these people."""
    body: Json = {"campaign_id": "campaign", "channel": "sms", "content": TEXT}
    return body | ({"recipients": list(people)} if people else {}) | changes


def send(scene: Scene, body: Json, key: str) -> str:
    """The ID of a new message; the request is not recorded."""
    answer = scene.quietly("POST", "/v1/messages", json=body, headers={"Idempotency-Key": _visible(key)})
    return str(scene.ok(answer)["message_id"])


def distribute(scene: Scene, body: Json, key: str) -> Json:
    """A new distribution; the request is not recorded."""
    answer = scene.quietly("POST", "/v1/distributions", json=body, headers={"Idempotency-Key": _visible(key)})
    return scene.ok(answer)


def _visible(key: str) -> str:
    """The key with only the characters that an Idempotency-Key may have."""
    return re.sub(r"[^!-~]", "_", key)


def upload(scene: Scene, content: bytes, form: str) -> str:
    """The ID of an uploaded file."""
    made = scene.ok(scene.quietly("POST", "/v1/uploads", json={"format": form, "bytes": len(content)}))
    put = httpx2.put(made["url"], headers=made["headers"], content=content)
    put.raise_for_status()
    return str(made["upload_id"])


def message(scene: Scene, identity: str) -> Json:
    return scene.ok(scene.quietly("GET", f"/v1/messages/{identity}"))


def settled(scene: Scene, identity: str, *statuses: str) -> Json:
    """The message, once it has one of these statuses and no work is under way."""
    until(lambda: message(scene, identity), lambda found: found["status"] in statuses)
    scene.stack.settle()
    return message(scene, identity)


def distribution(scene: Scene, identity: str) -> Json:
    return scene.ok(scene.quietly("GET", f"/v1/distributions/{identity}"))


def stands(scene: Scene, identity: str, *statuses: str, **counts: int) -> Json:
    """The distribution, once it has one of these statuses and these counts."""

    def there(found: Mapping[str, Any]) -> bool:
        return found["status"] in statuses and all(found["counts"][name] == count for name, count in counts.items())

    return until(lambda: distribution(scene, identity), there)


def exported(scene: Scene, body: Json) -> str:
    """The ID of an export whose file is made; the request is not recorded."""
    identity = str(scene.ok(scene.quietly("POST", "/v1/exports", json=body))["export_id"])
    has_file(scene, identity)
    return identity


def has_file(scene: Scene, identity: str) -> None:
    """Waits until the file of an export is made."""
    until(lambda: scene.ok(scene.quietly("GET", f"/v1/exports/{identity}"))["status"], lambda found: found == "done")


def ledger(scene: Scene, provider: str) -> None:
    """Records what the simulated provider has taken from this organisation."""
    url = f"{scene.stack.simulators_url}/_control/ledger?provider={provider}&organisation={scene.organisation}"
    answer = scene.stack.client.get(url)
    scene.note(f"{provider} has taken", answer.json()["messages"])
