"""What a front end does with the API: settings, recipients, campaigns, and waiting for outcomes."""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import uuid4

import httpx2

from tests.stack.running import RunningStack
from tests.waiting import http, until

type Json = dict[str, Any]

WHATSAPP_SECRET = "app-secret-of-a-test"
DELIVERED = 8200
"""Last digits from here on are no special numbers of the simulators (docs/simulators.md)."""


def organisation_of(node_id: str) -> str:
    """A test's own organisation: readable, and different for each test, also for long or similar names."""
    readable = re.sub(r"[^A-Za-z0-9_-]", "_", node_id.rpartition("::")[2])
    return f"{readable[:50]}-{hashlib.sha256(node_id.encode()).hexdigest()[:8]}"


class Programme:
    """One organisation at a running stack, with both channels set up."""

    def __init__(
        self, stack: RunningStack, organisation: str, *, rate: int = 50, transport: httpx2.BaseTransport | None = None
    ) -> None:
        self.stack = stack
        self.organisation = organisation
        self.phone_number_id = str(abs(hash(organisation)) % 10**12)
        self.api = stack.api(organisation, transport=transport)
        self.put_sms(rate_per_second=rate)
        self.put_whatsapp()

    def move_to(self, instant: datetime) -> None:
        """Moves the stack's clock. Tokens expire by this clock, so there is a new one afterwards."""
        self.stack.move_to(instant)
        self.api.headers["authorization"] = f"Bearer {self.stack.token(self.organisation)}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.api.close()

    def put_sms(self, **changes: Any) -> Json:
        body = {
            "client_id": f"client-{self.organisation}",
            "client_secret": "client-secret-of-a-test",
            "sender_name": "PNV",
            "default_country": "SN",
            "senders": {"EG": "tel:+200000"},
            "unit_prices": {"SN": {"amount": "12", "currency": "XOF"}},
        }
        return self.ok(self.api.put("/v1/integrations/sms", json=body | changes))

    def put_whatsapp(self, **changes: Any) -> Json:
        """Saves the settings; None leaves a field out."""
        body = {
            "access_token": "access-token-of-a-test",
            "phone_number_id": self.phone_number_id,
            "sender_number": "+221770009999",
            "app_secret": WHATSAPP_SECRET,
            "verify_token": "verify-token-of-a-test",
            "default_template": "vaccination_card",
        }
        return self.ok(self.api.put("/v1/integrations/whatsapp", json=_without_none(body | changes)))

    def recipient(self, number: int, **changes: Any) -> Json:
        card = f"DKR-VAC-{number:06d}"
        return {
            "phone": f"+22177000{number:04d}",
            "first_name": "Aminata",
            "last_name": "Essai",
            "programme_name": "PNV",
            "card_code": card,
            "verification_url": "https://v.example.org/c/{card_code}",
            "card_image": f"{self.stack.simulators_url}/cards/{{card_code}}.png",
            "consent": True,
        } | changes

    def send(self, recipient: Json, *, key: str | None = None, **changes: Any) -> httpx2.Response:
        body = {
            "channel": "sms",
            "campaign_id": "single",
            "recipient": recipient,
            "content": {"text": "Bonjour {first_name}, votre carte : {verification_url}"},
        }
        return self.api.post("/v1/messages", headers={"Idempotency-Key": key or str(uuid4())}, json=body | changes)

    def distribute(self, *, key: str | None = None, **changes: Any) -> httpx2.Response:
        body: Json = {
            "campaign_id": "campaign",
            "channel": "sms",
            "content": {"text": "Bonjour {first_name}, votre carte : {verification_url}"},
        }
        headers = {"Idempotency-Key": key or str(uuid4())}
        return self.api.post("/v1/distributions", headers=headers, json=body | changes)

    def upload(self, content: bytes, form: str) -> str:
        made = self.api.post("/v1/uploads", json={"format": form, "bytes": len(content)})
        assert made.status_code == 201, made.text
        target = made.json()
        http().put(target["url"], headers=target["headers"], content=content).raise_for_status()
        return str(target["upload_id"])

    def act(self, distribution: Mapping[str, Any], action: str) -> httpx2.Response:
        return self.api.post(f"/v1/distributions/{distribution['distribution_id']}/{action}")

    def retry(self, distribution: Mapping[str, Any], *, key: str | None = None, **body: Any) -> httpx2.Response:
        headers = {"Idempotency-Key": key or str(uuid4())}
        url = f"/v1/distributions/{distribution['distribution_id']}/retry"
        return self.api.post(url, headers=headers, json=body)

    def distribution(self, identity: str) -> Json:
        return self.ok(self.api.get(f"/v1/distributions/{identity}"))

    def message(self, identity: str) -> Json:
        return self.ok(self.api.get(f"/v1/messages/{identity}"))

    def messages(self, **query: str) -> list[Json]:
        found: list[Json] = []
        cursor: str | None = None
        while True:
            page = self.ok(self.api.get("/v1/messages", params={**query, **({"cursor": cursor} if cursor else {})}))
            found += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    def settled(self, message_id: str, status: str) -> Json:
        return until(lambda: self.message(message_id), lambda message: message["status"] == status)

    def settled_at_a_tick(self, message_id: str, status: str) -> Json:
        """The same for a message that the tick has to send again: the clock goes from minute to minute."""

        def a_minute_later() -> Json:
            self.move_to(self.stack.now() + timedelta(minutes=1))
            return self.message(message_id)

        return until(a_minute_later, lambda message: message["status"] == status)

    def ledger(self, provider: str) -> list[Json]:
        """What the simulated provider has accepted from this organisation."""
        answer = http().get(f"{self.stack.control_url}/ledger", params={"provider": provider}).raise_for_status()
        return [entry for entry in answer.json()["messages"] if entry["organisation"] == self.organisation]

    def export(self, **order: Any) -> tuple[Json, str]:
        """A whole list as a file: the export once it is over, and what its URL leads to."""
        asked = self.api.post("/v1/exports", json=order)
        assert asked.status_code == 202, asked.text
        identity = asked.json()["export_id"]
        over = until(
            lambda: self.ok(self.api.get(f"/v1/exports/{identity}")), lambda found: found["status"] != "running"
        )
        assert over["status"] == "done", over
        return over, http().get(over["url"]).raise_for_status().content.decode("utf-8")

    @staticmethod
    def ok(answer: httpx2.Response) -> Json:
        assert answer.is_success, (answer.status_code, answer.text)
        document: Json = answer.json()
        return document


def _without_none(body: Json) -> Json:
    return {name: value for name, value in body.items() if value is not None}
