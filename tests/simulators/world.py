"""The simulators without sockets: virtual time, a fake registration, and a product that records its calls."""

import asyncio
import hashlib
import heapq
import hmac
import io
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue
from typing import cast
from urllib.parse import parse_qs, urlsplit

import httpx2
from PIL import Image
from starlette.requests import Request

from local.simulators.app import build
from local.simulators.background import Background
from local.simulators.cards import Cards
from local.simulators.ledger import Ledger
from local.simulators.registrations import SmsRegistration, WhatsAppRegistration
from local.simulators.settings import Settings
from local.simulators.stage import Stage

NUMBER, TOKEN, CLIENT, ACCOUNT = "106540352242922", "EAA-token", "client-1", "102290129340398"
START = datetime(2026, 11, 23, 10, tzinfo=UTC)
SENDER = "tel%3A%2B2210000"


class VirtualClock:
    """Sleepers wake when `settle` reaches their instant. Nothing takes real time."""

    def __init__(self) -> None:
        self._now = START
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._order = 0

    def now(self) -> datetime:
        return self._now

    def set(self, now: datetime) -> None:
        self._now = now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            return
        self._order += 1
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + timedelta(seconds=seconds), self._order, wake))
        await wake

    async def settle(self) -> None:
        """Runs until no task sleeps or moves."""
        while True:
            for _ in range(30):
                await asyncio.sleep(0)
            if not self._sleepers:
                return
            at, _, wake = heapq.heappop(self._sleepers)
            self._now = max(self._now, at)
            if not wake.done():
                wake.set_result(None)


@dataclass
class Product:
    """Records the webhook calls. It gives `answers` first, in order; then 200.

    `updates` are Meta's calls with body and signature, for a test that waits for them in another thread.
    """

    app_secret: str = "app-secret"
    verify_token: str = "verify"
    statuses: list[dict[str, object]] = field(default_factory=list)
    values: list[dict[str, object]] = field(default_factory=list)
    accounts: list[str] = field(default_factory=list)
    receipts: list[tuple[str, str]] = field(default_factory=list)
    infos: list[object] = field(default_factory=list)
    posts: int = 0
    answers: list[int] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)
    updates: SimpleQueue[tuple[bytes, str]] = field(default_factory=SimpleQueue)
    seconds: float = 0.0

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        if request.method == "GET" and path in self.pictures:
            return httpx2.Response(200, content=self.pictures[path], headers={"Content-Type": "image/png"})
        if request.method == "GET":
            query = {name: values[0] for name, values in parse_qs(urlsplit(str(request.url)).query).items()}
            good = path == "/webhooks/whatsapp/demo" and query.get("hub.verify_token") == self.verify_token
            return httpx2.Response(200, text=query["hub.challenge"]) if good else httpx2.Response(403)
        self.posts += 1
        if self.answers:
            return httpx2.Response(self.answers.pop(0))
        if path == "/webhooks/whatsapp/demo":
            self._whatsapp(request)
        else:
            assert path == "/webhooks/orange/demo/receipt-token"
            notification = json.loads(request.content)["deliveryInfoNotification"]
            info = notification["deliveryInfo"]
            self.infos.append(info)
            info = info[0] if isinstance(info, list) else info
            status = info.get("delivery", info)["deliveryStatus"]
            self.receipts.append((notification["callbackData"], status))
        return httpx2.Response(200)

    def _whatsapp(self, request: httpx2.Request) -> None:
        expected = hmac.new(self.app_secret.encode(), request.content, hashlib.sha256).hexdigest()
        signature = request.headers["X-Hub-Signature-256"]
        assert signature == f"sha256={expected}"
        self.updates.put((request.content, signature))
        for entry in json.loads(request.content)["entry"]:
            self.accounts.append(entry["id"])
            for change in entry["changes"]:
                self.values.append(change["value"])
                self.statuses.extend(change["value"].get("statuses", []))

    def reported(self) -> list[str]:
        """Meta's statuses in the order in which they came."""
        return [str(each["status"]) for each in self.statuses]


class FakeRegistrations:
    """One organisation, `demo`."""

    def __init__(self, app_secret: str | None) -> None:
        self._whatsapp = WhatsAppRegistration(
            organisation="demo",
            phone_number_id=NUMBER,
            sender_number="+221770009999",
            access_token=TOKEN,
            app_secret=app_secret,
            verify_token="verify",
            business_account_id=ACCOUNT,
        )

    async def whatsapp(self, phone_number_id: str, access_token: str) -> WhatsAppRegistration | None:
        mine = phone_number_id == NUMBER and access_token == TOKEN
        return self._whatsapp if mine else None

    async def whatsapp_of(self, organisation: str) -> WhatsAppRegistration | None:
        return self._whatsapp if organisation == "demo" else None

    async def whatsapp_of_account(self, account: str) -> WhatsAppRegistration | None:
        return self._whatsapp if account == ACCOUNT and self._whatsapp.app_secret is not None else None

    async def numbers_of_account(self, account: str) -> Sequence[WhatsAppRegistration]:
        return [self._whatsapp] if account == ACCOUNT else []

    async def sms(self, client_id: str) -> SmsRegistration | None:
        if client_id != CLIENT:
            return None
        return SmsRegistration(organisation="demo", client_id=CLIENT, receipt_token="receipt-token")


async def _reset(_: Request) -> None:
    raise ConnectionResetError


class World:
    """Calls the simulators as the product does."""

    def __init__(self, app_secret: str | None = "app-secret") -> None:
        self.clock = VirtualClock()
        self.product = Product()
        self.background = Background()
        stage = Stage(
            clock=self.clock,
            settings=Settings(api_url="http://product"),
            ledger=Ledger(),
            registrations=FakeRegistrations(app_secret),
            client=httpx2.AsyncClient(transport=httpx2.MockTransport(self._product)),
            background=self.background,
            hang_up=_reset,
        )
        self.app = build(stage, Cards(None, stage.settings))
        self.transport = httpx2.ASGITransport(app=self.app)
        self.http = httpx2.AsyncClient(transport=self.transport, base_url="http://simulators")

    async def _product(self, request: httpx2.Request) -> httpx2.Response:
        await self.clock.sleep(self.product.seconds)
        return self.product(request)

    async def message(self, body: object, *, token: str = TOKEN, number: str = NUMBER) -> httpx2.Response:
        return await self.http.post(
            f"/meta/v25.0/{number}/messages", json=body, headers={"Authorization": f"Bearer {token}"}
        )

    async def upload(
        self, content: bytes, *, kind: str = "image/png", number: str = NUMBER, fields: dict[str, str] | None = None
    ) -> httpx2.Response:
        return await self.http.post(
            f"/meta/v25.0/{number}/media",
            data={"messaging_product": "whatsapp", "type": kind} if fields is None else fields,
            files={"file": ("card", content, kind)},
            headers={"Authorization": f"Bearer {TOKEN}"},
        )

    async def media_id(self) -> str:
        answer = await self.upload(png())
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    async def get(self, path: str, token: str = TOKEN) -> httpx2.Response:
        return await self.http.get(path, headers={"Authorization": f"Bearer {token}"})

    async def control(self, action: str, /, **body: object) -> dict[str, object]:
        answer = await self.http.post(f"/_control/{action}", json=body)
        assert answer.status_code == 200, answer.text
        return cast("dict[str, object]", answer.json())

    async def ledger(self) -> list[dict[str, object]]:
        return cast("list[dict[str, object]]", (await self.http.get("/_control/ledger")).json()["messages"])

    async def token(self, client: str = CLIENT, secret: str = "secret") -> str:
        answer = await self.http.post(
            "/orange/oauth/v3/token", data={"grant_type": "client_credentials"}, auth=(client, secret)
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    async def text(self, body: object, *, token: str, sender: str = SENDER, query: str = "") -> httpx2.Response:
        url = f"/orange/smsmessaging/v1/outbound/{sender}/requests{query}"
        return await self.http.post(url, json=body, headers={"Authorization": f"Bearer {token}"})


def play(scene: Callable[[World], Awaitable[None]], *, app_secret: str | None = "app-secret") -> None:
    """Runs one scene from a fresh start."""

    async def run() -> None:
        world = World(app_secret)
        try:
            await scene(world)
        finally:
            await world.background.stop()
            await world.http.aclose()

    asyncio.run(run())


def png(mode: str = "RGB", size: tuple[int, int] = (60, 38)) -> bytes:
    """A picture."""
    out = io.BytesIO()
    Image.new(mode, size).save(out, "PNG")
    return out.getvalue()


def template(to: str = "+221770001234", media: str = "1", **changes: object) -> dict[str, object]:
    """A good template message. `changes` replace top-level fields; None removes one."""
    body: dict[str, object] = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": to,
        "type": "template",
        "biz_opaque_callback_data": "key.1",
        "template": {
            "name": "vaccination_card",
            "language": {"code": "fr"},
            "components": [
                {"type": "header", "parameters": [{"type": "image", "image": {"id": media}}]},
                {
                    "type": "body",
                    "parameters": [
                        {"type": "text", "parameter_name": "first_name", "text": "Awa"},
                        {"type": "text", "parameter_name": "card_code", "text": "DKR-VAC-1"},
                    ],
                },
            ],
        },
    }
    return {name: value for name, value in {**body, **changes}.items() if value is not None}


def sms(address: str = "tel:+221770001234", sender: str = "tel:+2210000", **changes: object) -> dict[str, object]:
    """A good text message. `changes` replace fields of the inner object; None removes one."""
    inner: dict[str, object] = {
        "address": address,
        "senderAddress": sender,
        "senderName": "SANTE-SN",
        "outboundSMSTextMessage": {"message": "Bonjour"},
        **changes,
    }
    return {"outboundSMSMessageRequest": {name: value for name, value in inner.items() if value is not None}}
