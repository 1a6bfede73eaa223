"""Meta's calls to the product: signed, batched, in the shapes of v25 (reference/whatsapp.md §5)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx2

from local.simulators.callbacks import Callback, Outbox, Postman, play
from local.simulators.ledger import Call
from local.simulators.meta.errors import webhook_error
from local.simulators.meta.inbound import Person, person
from local.simulators.meta.subscriptions import Subscriptions
from local.simulators.outcomes import Outcome
from local.simulators.registrations import WhatsAppRegistration
from local.simulators.stage import Stage

WAITS = (1, 2, 4, 8, 16, 32, 60, 60, 60)
"""Seconds before each repetition. Meta itself repeats for 7 days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change to report.

    `status` names it in the ledger. `account` is the business account of the change; None means the organisation's own.
    """

    registration: WhatsAppRegistration
    provider_message_id: str
    status: str
    value: dict[str, object]
    field: str = "messages"
    account: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a status needs to know of an accepted message."""

    registration: WhatsAppRegistration
    wamid: str
    wa_id: str
    key: str | None
    accepted_at: datetime
    category: str
    failure: int
    user_id: str | None = None
    """The user ID, if the message was sent to it and not to the number. Its statuses then hold no number."""

    @property
    def recipient(self) -> Person:
        """The person, as the message's statuses name them."""
        return person(self.wa_id, self.user_id, shows_number=self.user_id is None)


class MetaHooks:
    """Posts to the webhooks. Each organisation has one app, one webhook and one outbox."""

    def __init__(self, stage: Stage, subscriptions: Subscriptions) -> None:
        self._stage = stage
        self._subscriptions = subscriptions
        self._postman = Postman(stage, WAITS)
        self._outboxes: dict[str, Outbox[Event]] = {}
        self._verified: set[tuple[str, str]] = set()

    async def follow(self, outcome: Outcome, sent: Sent) -> None:
        """Report what happens to a message, each receipt when it is due.

        With `early`, it posts all receipts once and then returns.
        """
        if not self._stage.settings.receipts or sent.registration.app_secret is None:
            return
        if outcome.early:
            for receipt in outcome.receipts:
                await self._post([self._event(receipt, sent)])
            return
        self._stage.background.start(
            play(self._stage, outcome, self._natural, lambda receipt: self._put(self._event(receipt, sent)))
        )

    def inbound(self, registration: WhatsAppRegistration, sender: Person, content: dict[str, object]) -> str:
        """Report that a person writes to the number. Returns the message's ID."""
        name = wamid(sender.wa_id, f"in{self._stage.ledger.next_serial()}")
        at = str(int(self._stage.clock.now().timestamp()))
        message = {**sender.sender(), "id": name, "timestamp": at, **content}
        value = {**_envelope(registration), "contacts": [sender.contact()], "messages": [message]}
        self._put(Event(registration=registration, provider_message_id=name, status="inbound", value=value))
        return name

    def preference(self, registration: WhatsAppRegistration, chooser: Person, value: str) -> None:
        """Report that a person stops marketing messages, or accepts them again."""
        preference = {
            **chooser.named(),
            "detail": "User requested to change marketing messages",
            "category": "marketing_messages",
            "value": value,
            "timestamp": int(self._stage.clock.now().timestamp()),
        }
        reported = {**_envelope(registration), "contacts": [chooser.contact()], "user_preferences": [preference]}
        self._put(
            Event(
                registration=registration,
                provider_message_id="",
                status="preference",
                value=reported,
                field="user_preferences",
            )
        )

    def clear(self) -> None:
        self._outboxes.clear()
        self._verified.clear()

    def _natural(self, receipt: str) -> float:
        settings = self._stage.settings
        delays = {"sent": settings.sent_delay, "read": settings.read_delay}
        return delays.get(receipt, settings.delivered_delay)

    def _event(self, receipt: str, sent: Sent) -> Event:
        at = sent.accepted_at + timedelta(seconds=self._natural(receipt))
        value = {**_envelope(sent.registration), "statuses": [_status(receipt, sent, at)]}
        if receipt != "failed":
            value["contacts"] = [sent.recipient.contact()]
        elif self._stage.settings.contacts_on_failed:
            value["contacts"] = [{"wa_id": sent.wa_id}]
        return Event(registration=sent.registration, provider_message_id=sent.wamid, status=receipt, value=value)

    def put(self, event: Event) -> None:
        """Post the event as soon as a call is free. Events of one organisation keep their order."""
        self._put(event)

    def _put(self, event: Event) -> None:
        organisation = event.registration.organisation
        if organisation not in self._outboxes:
            self._outboxes[organisation] = Outbox(
                self._stage.background, self._post, lambda: self._stage.settings.receipts_per_call
            )
        self._outboxes[organisation].put(event)

    async def _post(self, events: Sequence[Event]) -> None:
        registration = events[-1].registration
        if self._subscriptions.is_ended(registration.business_account_id or ""):
            return
        url = f"{self._stage.settings.api_url}/webhooks/whatsapp/{registration.organisation}"
        body = json.dumps(
            {
                "object": "whatsapp_business_account",
                "entry": self._entries(registration, events),
            }
        ).encode()  # JSON escapes non-ASCII characters, and the signature covers the escaped form, as at Meta.
        signature = hmac.new((registration.app_secret or "").encode(), body, hashlib.sha256).hexdigest()
        callback = Callback(
            provider="meta",
            organisation=registration.organisation,
            url=url,
            body=body,
            headers={"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"},
            provider_message_ids=tuple(event.provider_message_id for event in events),
            statuses=tuple(event.status for event in events),
        )
        if await self._is_registered(registration, url):
            await self._postman.post(callback)

    def _entries(self, registration: WhatsAppRegistration, events: Sequence[Event]) -> list[dict[str, object]]:
        """Return one entry per account, in the order of their first events."""
        changes: dict[str, list[dict[str, object]]] = {}
        for event in events:
            account = event.account or registration.business_account_id or "0"
            changes.setdefault(account, []).append({"field": event.field, "value": event.value})
        now = int(self._stage.clock.now().timestamp())
        return [{"id": account, "time": now, "changes": its} for account, its in changes.items()]

    async def _is_registered(self, registration: WhatsAppRegistration, url: str) -> bool:
        """Meta calls a webhook only after it has answered a challenge."""
        token = registration.verify_token or ""
        mark = (registration.organisation, token)
        if not self._stage.settings.verify_webhook or mark in self._verified:
            return True
        challenge = str(1_158_201_444 + len(self._verified))
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": token}
        try:
            answer = await self._stage.client.get(url, params=query)
            good = answer.status_code == 200 and answer.text == challenge
            result = str(answer.status_code) if good or answer.status_code != 200 else "wrong challenge"
        except httpx2.HTTPError as error:
            good, result = False, type(error).__name__
        self._stage.ledger.call(
            Call(
                provider="meta",
                at=self._stage.clock.now(),
                organisation=registration.organisation,
                provider_message_ids=(),
                statuses=("verification",),
                attempt=1,
                result=result,
            )
        )
        if good:
            self._verified.add(mark)
        return good


def wamid(wa_id: str, seed: str) -> str:
    """Return an ID as Meta makes it: base64 that contains the number's digits."""
    unique = hashlib.sha256(f"{wa_id}/{seed}".encode()).hexdigest()[:18].upper()
    digits = wa_id.encode()
    raw = b"\x1c\x18" + bytes([len(digits)]) + digits + b"\x15\x02\x00\x11\x18\x12" + unique.encode() + b"\x00"
    return "wamid." + base64.b64encode(raw).decode()


def _envelope(registration: WhatsAppRegistration) -> dict[str, object]:
    return {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": registration.sender_number.lstrip("+"),
            "phone_number_id": registration.phone_number_id,
        },
    }


def _status(receipt: str, sent: Sent, at: datetime) -> dict[str, object]:
    status: dict[str, object] = {
        "id": sent.wamid,
        "status": receipt,
        "timestamp": str(int(at.timestamp())),
        **({"recipient_id": sent.wa_id} if sent.user_id is None else {"recipient_user_id": sent.user_id}),
    }
    if sent.key is not None:
        status["biz_opaque_callback_data"] = sent.key
    if receipt in {"sent", "delivered"}:
        status["pricing"] = {
            "billable": True,
            "pricing_model": "PMP",
            "type": "regular",
            "category": sent.category,
        }
    if receipt == "failed":
        status["errors"] = [webhook_error(sent.failure)]
    return status
