"""Webhooks from outside: who may report, and what a report may change."""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from tests.stack.programme import DELIVERED, WHATSAPP_SECRET, Programme
from tests.waiting import http, until

NUMBER_IN_A_WEBHOOK = "221770008200"


def body_of(programme: Programme, statuses: list[dict[str, Any]]) -> bytes:
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "221770009999", "phone_number_id": programme.phone_number_id},
        "statuses": statuses,
    }
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def post(programme: Programme, body: bytes, secret: str = WHATSAPP_SECRET, **headers: str) -> httpx2.Response:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    url = f"{programme.stack.base_url}/webhooks/whatsapp/{programme.organisation}"
    return http().post(
        url,
        content=body,
        headers={"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"} | headers,
    )


def status(message: dict[str, Any], name: str, at: int, **more: Any) -> dict[str, Any]:
    key = f"{message['message_id']}.{message['attempts']}"
    shown = {"id": "wamid.TEST", "status": name, "timestamp": str(at), "recipient_id": NUMBER_IN_A_WEBHOOK}
    return shown | {"biz_opaque_callback_data": key} | more


def test_meta_verifies_the_address(programme: Programme) -> None:
    url = f"{programme.stack.base_url}/webhooks/whatsapp/{programme.organisation}"
    asked = {"hub.mode": "subscribe", "hub.verify_token": "verify-token-of-a-test", "hub.challenge": "1158201444"}
    answer = http().get(url, params=asked)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    for wrong in ({"hub.verify_token": "other"}, {"hub.mode": "unsubscribe"}):
        assert http().get(url, params=asked | wrong).status_code == 403
    unknown = f"{programme.stack.base_url}/webhooks/whatsapp/nobody-here"
    assert http().get(unknown, params=asked).status_code == 403


def test_a_report_counts_only_with_metas_signature(programme: Programme) -> None:
    sent = programme.ok(
        programme.send(programme.recipient(603), channel="whatsapp", content={"template": {"name": "vaccination_card"}})
    )
    message = programme.settled(sent["message_id"], "sent")
    read = body_of(programme, [status(message, "read", 1795428100)])
    assert post(programme, read, secret="somebody else's").status_code == 401
    assert post(programme, read, **{"X-Hub-Signature-256": ""}).status_code == 401
    assert post(programme, read, **{"X-Hub-Signature-256": "sha256=00"}).status_code == 401
    assert programme.message(message["message_id"])["status"] == "sent"
    assert post(programme, read).status_code == 200
    assert programme.settled(message["message_id"], "read")["read_at"]


def test_a_replaced_secret_stays_valid_for_a_day(programme: Programme) -> None:
    programme.put_whatsapp(app_secret="the new one")
    empty = body_of(programme, [])
    assert post(programme, empty, secret="the new one").status_code == 200
    assert post(programme, empty, secret=WHATSAPP_SECRET).status_code == 200
    assert post(programme, empty, secret="a third one").status_code == 401


def test_late_repeated_and_reordered_statuses_never_go_back(programme: Programme) -> None:
    sent = programme.ok(
        programme.send(programme.recipient(603), channel="whatsapp", content={"template": {"name": "vaccination_card"}})
    )
    message = programme.settled(sent["message_id"], "sent")
    early = [status(message, "read", 1795428103), status(message, "delivered", 1795428102)]
    late = [
        status(message, "sent", 1795428101),
        status(message, "failed", 1795428104, errors=[{"code": 131026, "title": "x"}]),
        status(message, "deleted", 1795428105),
        {"id": "wamid.OTHER", "status": "read", "timestamp": "1795428100"},
    ]
    for statuses in (early, late, early, late):
        assert post(programme, body_of(programme, statuses)).status_code == 200
    seen = until(
        lambda: programme.message(message["message_id"]), lambda found: found["read_at"] and found["delivered_at"]
    )
    assert (seen["status"], seen["reason"], seen["failed_at"]) == ("read", None, None)
    assert seen["delivered_at"] < seen["read_at"]


def test_a_status_moves_only_a_message_that_it_can_be_about(programme: Programme) -> None:
    """Issue 14, line 5. The status is signed and has our key, but the key is an SMS's or another number's message's."""
    content = {"template": {"name": "vaccination_card"}}
    made = [
        programme.ok(programme.send(programme.recipient(DELIVERED + 1))),
        programme.ok(programme.send(programme.recipient(603), channel="whatsapp", content=content)),
        programme.ok(
            programme.send(programme.recipient(604, phone="+221770010603"), channel="whatsapp", content=content)
        ),
    ]
    sms = programme.settled(made[0]["message_id"], "delivered")
    whatsapp, witness = (programme.settled(one["message_id"], "sent") for one in made[1:])
    before = [programme.message(one["message_id"]) for one in (sms, whatsapp)]
    of_sms = [status(sms, name, 1795428100) for name in ("sent", "read", "failed")]
    assert post(programme, body_of(programme, of_sms)).status_code == 200
    elsewhere = body_of(programme, [status(whatsapp, name, 1795428100) for name in ("delivered", "read", "failed")])
    assert post(programme, elsewhere.replace(programme.phone_number_id.encode(), b"100200300")).status_code == 200
    assert post(programme, body_of(programme, [status(witness, "read", 1795428100)])).status_code == 200
    programme.settled(witness["message_id"], "read")
    assert _stays(lambda: [programme.message(one["message_id"]) for one in (sms, whatsapp)], before)


def _stays(look: Callable[[], Any], expected: Any) -> bool:
    """The queue promises no order: the earlier webhook may be handled shortly after the later one that shows it."""
    return all(look() == expected for _ in range(20))


def test_a_status_without_our_key_is_found_by_its_message_id(programme: Programme) -> None:
    template = {"template": {"name": "vaccination_card"}}
    sent = programme.ok(programme.send(programme.recipient(603), channel="whatsapp", content=template))
    message = programme.settled(sent["message_id"], "sent")
    [entry] = [one for one in programme.ledger("meta") if one["key"] == f"{sent['message_id']}.1"]
    failed = status(message, "failed", 1795428104, errors=[{"code": 131026, "title": "x"}])
    for reported in ({"id": entry["provider_message_id"]}, {"id": "wamid.OTHER"}):
        nameless = {name: one for name, one in (failed | reported).items() if name != "biz_opaque_callback_data"}
        assert post(programme, body_of(programme, [nameless])).status_code == 200
    seen = programme.settled(message["message_id"], "failed")
    assert (seen["reason"], seen["attempts"]) == ("not_on_whatsapp", 1)


def test_a_message_is_found_by_the_providers_id(programme: Programme) -> None:
    """By the ID as the log shows it and as Meta writes it, for both channels. Another organisation finds nothing."""
    template = {"template": {"name": "vaccination_card"}}
    sent = [
        programme.ok(programme.send(programme.recipient(603), channel="whatsapp", content=template)),
        programme.ok(programme.send(programme.recipient(603))),
    ]
    shown = [programme.settled(one["message_id"], "sent") for one in sent]
    for provider, message in zip(("meta", "orange"), shown, strict=True):
        [entry] = [one for one in programme.ledger(provider) if one["recipient"] == "+221770000603"][-1:]
        for written in (message["provider_message_id"], entry["provider_message_id"]):
            assert programme.messages(provider_message_id=written) == [message]
            assert programme.messages(provider_message_id=written, channel=message["channel"], limit="1") == [message]
            assert programme.messages(provider_message_id=written, status="failed") == []
            with programme.stack.api("somebody-else") as other:
                answer = other.get("/v1/messages", params={"provider_message_id": written})
            assert (answer.status_code, answer.json()["items"]) == (200, [])
    unescaped = shown[0]["provider_message_id"].replace("=", "%3D")
    assert programme.ok(programme.api.get(f"/v1/messages?provider_message_id={unescaped}"))["items"] == shown[:1]
    assert programme.messages(provider_message_id="wamid.NONE") == []
    assert programme.api.get("/v1/messages?provider_message_id=é").status_code == 400


@pytest.mark.parametrize("body", [b"", b"hello", b"[]", b"null", b'{"entry": 5}', b'{"entry": [{"changes": [7]}]}'])
def test_signed_nonsense_is_accepted_and_changes_nothing(programme: Programme, body: bytes) -> None:
    assert post(programme, body).status_code == 200


def test_oversized_bodies_are_refused(programme: Programme) -> None:
    assert post(programme, b"{" + b" " * (3 * 1024 * 1024) + b"}").status_code == 413


def test_orange_reports_on_its_secret_path_and_from_its_addresses_only(programme: Programme) -> None:
    sent = programme.ok(programme.send(programme.recipient(603)))
    message = programme.settled(sent["message_id"], "sent")
    info = {"address": f"tel:+{NUMBER_IN_A_WEBHOOK}", "deliveryStatus": "DeliveredToTerminal"}
    receipt = {"callbackData": message["provider_message_id"], "deliveryInfo": info}
    body = {"deliveryInfoNotification": receipt}
    url = programme.ok(programme.api.get("/v1/integrations/sms"))["webhook_url"]
    assert http().post(url[:-4] + "AAAA", json=body).status_code == 401
    programme.put_sms(receipt_addresses=["192.0.2.0/24"])
    programme.stack.move_to(programme.stack.now() + timedelta(minutes=6))  # settings are cached for five minutes
    assert http().post(url, json=body).status_code == 401
    assert programme.message(message["message_id"])["status"] == "sent"
    programme.put_sms(receipt_addresses=["127.0.0.0/8"])
    programme.stack.move_to(programme.stack.now() + timedelta(seconds=10))
    assert http().post(url, json=body).status_code == 200
    assert programme.settled(message["message_id"], "delivered")
