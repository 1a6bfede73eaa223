"""Invented settings, payloads and answers."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import httpx2

from shared.integrations.integration import Secret, SmsIntegration, UnitPrice, WhatsAppIntegration
from shared.messages.payload import Mode, Payload, TemplateCall
from shared.providers.http import client

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NUMBER = "+221770000001"
TOKEN = "EAAinvented"


def secret(value: str) -> Secret:
    return Secret(value=value, updated_at=NOON)


def whatsapp(token: str = TOKEN) -> WhatsAppIntegration:
    return WhatsAppIntegration(
        organisation="demo",
        phone_number_id="1060001",
        sender_number="+221330000000",
        access_token=secret(token),
        app_secret=secret("app-secret"),
        previous_app_secret=None,
        verify_token=secret("verify"),
        business_account_id=None,
        rate_per_second=80,
        default_template=None,
        version=1,
    )


def sms(**senders: str) -> SmsIntegration:
    return SmsIntegration(
        organisation="demo",
        client_id="client",
        client_secret=secret("invented"),
        sender_name="OOMUS",
        default_country="SN",
        senders=senders,
        rate_per_second=5,
        unit_prices={"SN": UnitPrice(amount=Decimal(12), currency="XOF")},
        peak_hours=(),
        receipt_addresses=(),
        receipt_token=secret("path"),
        version=1,
    )


def card_message(mode: Mode = Mode.TEMPLATE, card: str | None = "s3://cards/a.png", **parameters: str) -> Payload:
    call = TemplateCall(name="vaccination_card", language="fr", parameters=tuple(parameters.items()))
    return Payload(
        to=NUMBER,
        country="SN",
        mode=mode,
        text="Votre carte",
        template=call if mode is Mode.TEMPLATE else None,
        card_image=card,
    )


def text_message(country: str = "SN") -> Payload:
    return Payload(to=NUMBER, country=country, mode=Mode.SMS, text="Voici votre carte : é €")


type Answer = httpx2.Response | Exception


class Provider:
    """Answers by path, in order; the last answer repeats. It records the requests."""

    def __init__(self, **answers: Sequence[Answer]) -> None:
        self._answers = {name: list(queue) for name, queue in answers.items()}
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        queue = self._answers[request.url.path.rstrip("/").rpartition("/")[2]]
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def asked(self, name: str) -> list[httpx2.Request]:
        return [request for request in self.requests if request.url.path.endswith(f"/{name}")]

    def http(self) -> httpx2.AsyncClient:
        return client(httpx2.MockTransport(self))


def ok(document: object, status: int = 200) -> httpx2.Response:
    return httpx2.Response(status, content=json.dumps(document).encode())


def body(request: httpx2.Request) -> object:
    return json.loads(request.content)


type Now = Callable[[], datetime]
