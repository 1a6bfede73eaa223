"""What providers, people and outsiders send to the webhooks about the planted people."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from uuid import uuid4

from tests.stack.planting import (
    CARD,
    FIRST,
    LAST,
    NESTED,
    OLD_APP_SECRET,
    OLD_TOKEN,
    PERSON,
    TOKENS,
    WORD,
    Planted,
    phone,
)
from tests.stack.programme import Json, Programme
from tests.waiting import http

WRITER, STOPPER = 8763, 8762


def webhooks(programme: Programme, planted: Planted) -> None:
    """People write and send STOP, providers send nonsense, and outsiders forge webhooks."""
    for last in (WRITER, STOPPER):
        planted.person(programme, last)
    for said in (
        {"from": phone(WRITER), "text": f"{WORD} {FIRST} {LAST}, ma carte {CARD}?"},
        {"from": phone(WRITER), "text": CARD, "type": "button", "payload": FIRST},
        {"from": phone(STOPPER), "text": "STOP"},
    ):
        _control(programme, "inbound", said)
    _control(programme, "preferences", {"from": phone(STOPPER), "value": "stop"})
    _control(programme, "account", {"field": "account_update", "value": {"event": f"{FIRST} {phone(PERSON)}"}})
    url = f"{programme.stack.base_url}/webhooks/whatsapp/{programme.organisation}"
    for body in _of_meta(programme):
        for secret in (TOKENS["app_secret"], OLD_APP_SECRET, FIRST):
            signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
            http().post(url, content=body, headers={"X-Hub-Signature-256": f"sha256={signature}"})
    for token in (TOKENS["verify_token"], OLD_TOKEN):
        asked = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": f"{FIRST} {phone(PERSON)}"}
        http().get(url, params=asked)
    receipts = programme.ok(programme.api.get("/v1/integrations/sms"))["webhook_url"]
    for body in _of_orange():
        for address in (receipts, f"{receipts}{FIRST}", f"{receipts.rpartition('/')[0]}/{phone(PERSON)}"):
            http().post(address, content=body, headers={"content-type": "application/json"})


def _control(programme: Programme, action: str, body: Json) -> None:
    whole = {"organisation": programme.organisation} | body
    http().post(f"{programme.stack.control_url}/{action}", json=whole).raise_for_status()


def _of_meta(programme: Programme) -> Iterator[bytes]:
    digits, reported = phone(PERSON)[1:], f"{FIRST} {phone(PERSON)} {CARD}"
    wamid = f"wamid.{base64.b64encode(b'\x1c\x18\x0c' + digits.encode() + b'\x15\x02').decode()}"
    error = {"code": 131026, "title": reported, "message": reported, "error_data": {"details": reported}}
    status = {"id": wamid, "status": "failed", "timestamp": "1795428100", "recipient_id": digits, "errors": [error]}
    ours = {"biz_opaque_callback_data": f"{uuid4()}.1"}
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": digits, "phone_number_id": programme.phone_number_id},
        "contacts": [{"profile": {"name": FIRST}, "wa_id": digits, "user_id": reported}],
        "statuses": [
            status,
            status | ours,
            status | {"biz_opaque_callback_data": reported},
            {reported: reported},
            reported,
        ],
        "messages": [{"from": digits, "id": wamid, "type": reported, "text": {"body": reported}}, {"from": reported}],
        reported: reported,
    }
    whole = json.dumps({"entry": [{"id": reported, "changes": [{"field": reported, "value": value}]}]}).encode()
    yield from (whole, whole[:-40], reported.encode(), b"\xff" + reported.encode(), f'{{"entry": {NESTED}}}'.encode())


def _of_orange() -> Iterator[bytes]:
    reported = f"{FIRST} {phone(PERSON)}"
    info = {"address": f"tel:{phone(PERSON)}", "deliveryStatus": f"Held 77 000 {PERSON // 100} {PERSON % 100}"}
    for receipt in (
        {"callbackData": str(uuid4()), "deliveryInfo": info | {"reason": reported}},
        {"callbackData": reported, "deliveryInfo": info | {reported: reported}},
        {"callbackData": str(uuid4()), "deliveryInfo": [reported, {"address": reported, "deliveryStatus": [reported]}]},
    ):
        yield json.dumps({"deliveryInfoNotification": receipt, reported: reported}).encode()
    yield from (reported.encode(), b"\xff" + reported.encode(), NESTED.encode())
