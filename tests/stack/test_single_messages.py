"""POST /v1/messages and test sends, from the client to the provider and back."""

from datetime import timedelta

import httpx2
import pytest

from shared.base.instants import format_instant
from tests.stack.programme import DELIVERED, Programme

UNDELIVERABLE = 610


def test_an_sms_is_sent_once_and_delivered(programme: Programme) -> None:
    recipient = programme.recipient(DELIVERED)
    first = programme.ok(programme.send(recipient, key="same"))
    again = programme.ok(programme.send(recipient, key="same"))
    assert first == again
    assert (first["status"], first["scheduled_for"]) == ("pending", None)
    message = programme.settled(first["message_id"], "delivered")
    assert message["recipient"] == "+22177***8200"
    assert (message["attempts"], message["created_by"]) == (1, "an-officer")
    assert (message["segments"], message["price"]) == (1, {"amount": "12", "currency": "XOF"})
    [entry] = programme.ledger("orange")
    assert entry["text"] == "Bonjour Aminata, votre carte : https://v.example.org/c/DKR-VAC-008200"
    assert entry["provider_message_id"] == message["provider_message_id"]


def test_a_whatsapp_card_is_uploaded_and_read(programme: Programme) -> None:
    recipient = programme.recipient(DELIVERED)
    template = {"template": {"name": "vaccination_card", "language": "fr"}}
    sent = programme.ok(programme.send(recipient, channel="whatsapp", content=template))
    message = programme.settled(sent["message_id"], "read")
    assert all(message[f"{status}_at"] for status in ("sent", "delivered", "read"))
    [entry] = programme.ledger("meta")
    assert entry["recipient"] == "+221770008200"
    assert entry["media_sha256"]
    assert entry["parameters"]["verification_url"] == "https://v.example.org/c/DKR-VAC-008200"
    assert "8200" not in message["provider_message_id"].removeprefix("wamid.")


def test_another_body_with_the_same_key_is_refused_but_a_refusal_uses_no_key(programme: Programme) -> None:
    refused = programme.send(programme.recipient(DELIVERED, phone="N/A"), key="k")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "phone_missing")
    assert programme.send(programme.recipient(DELIVERED), key="k").status_code == 202
    other = programme.send(programme.recipient(DELIVERED + 1), key="k")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("number", "channel", "status", "reason"),
    [
        (1026, "whatsapp", "failed", "not_on_whatsapp"),
        (401, "sms", "failed", "outcome_unknown"),
        (610, "sms", "failed", "undeliverable"),
        (429, "sms", "delivered", None),
        (604, "whatsapp", "read", None),
        (605, "whatsapp", "read", None),
        (606, "whatsapp", "read", None),
        (606, "sms", "delivered", None),
        (403, "whatsapp", "read", None),
    ],
)
def test_the_log_shows_the_providers_outcome(
    programme: Programme, number: int, channel: str, status: str, reason: str | None
) -> None:
    content = {"template": {"name": "vaccination_card"}}
    sent = programme.ok(programme.send(programme.recipient(number), channel=channel, content=content))
    assert programme.settled(sent["message_id"], status)["reason"] == reason


@pytest.mark.parametrize("card", ["broken", "truncated", "garbled"])
def test_a_card_that_is_no_picture_fails_its_message(programme: Programme, card: str) -> None:
    """The sender notices text and truncated files. Only decoding shows `garbled`, and Meta notices it at the upload."""
    recipient = programme.recipient(DELIVERED, card_image=f"{programme.stack.simulators_url}/cards/{card}.png")
    content = {"template": {"name": "vaccination_card"}}
    sent = programme.ok(programme.send(recipient, channel="whatsapp", content=content))
    assert programme.settled(sent["message_id"], "failed")["reason"] == "card_not_a_picture"
    assert programme.ledger("meta") == []


def test_consent_is_required_and_a_revocation_blocks_both_channels(programme: Programme) -> None:
    content = {"template": {"name": "vaccination_card"}}
    silent = programme.recipient(DELIVERED, consent=None)
    missing = programme.send(silent, channel="whatsapp", content=content)
    assert (missing.status_code, missing.json()["errors"][0]["code"]) == (422, "consent_missing")
    statement = {"phone": "77 000 82 00", "granted": True, "source": "register"}
    assert programme.api.post("/v1/consents", json=statement).status_code == 204
    assert programme.send(silent, channel="whatsapp", content=content).status_code == 202
    assert programme.api.post("/v1/consents", json={"items": [statement | {"granted": False}]}).status_code == 204
    looked_up = programme.ok(programme.api.post("/v1/consents/lookup", json={"phone": "+221770008200"}))
    assert (looked_up["state"], looked_up["source"]) == ("revoked", "register")
    for channel in ("whatsapp", "sms"):
        refused = programme.send(programme.recipient(DELIVERED), channel=channel, content=content)
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "opted_out")


def test_a_message_for_later_waits_and_then_leaves(programme: Programme) -> None:
    at = programme.stack.now() + timedelta(minutes=30)
    sent = programme.ok(programme.send(programme.recipient(DELIVERED), send_at=format_instant(at)))
    assert sent["scheduled_for"] is not None
    assert programme.message(sent["message_id"])["status"] == "pending"
    assert programme.ledger("orange") == []
    programme.stack.move_to(at + timedelta(seconds=61))
    assert programme.settled(sent["message_id"], "delivered")["sent_at"] > sent["scheduled_for"]
    past = programme.send(programme.recipient(DELIVERED), send_at="2026-01-01T00:00:00Z")
    assert past.json()["errors"][0]["code"] == "send_at_past"


def cancel(programme: Programme, message_id: str) -> httpx2.Response:
    return programme.api.post(f"/v1/messages/{message_id}/cancel", headers={"accept-language": "fr"})


def test_a_scheduled_message_is_cancelled_once_and_never_sent(programme: Programme) -> None:
    at = programme.stack.now() + timedelta(minutes=30)
    sent = programme.ok(programme.send(programme.recipient(DELIVERED), send_at=format_instant(at)))
    message = programme.ok(cancel(programme, sent["message_id"]))
    assert (message["status"], message["reason"], message["next_attempt_at"]) == ("failed", "cancelled", None)
    assert message["reason_text"].startswith("Le message a été annulé avant son envoi")
    assert programme.ok(cancel(programme, sent["message_id"])) == message
    programme.stack.move_to(at + timedelta(minutes=2))
    assert programme.message(sent["message_id"])["status"] == "failed"
    assert programme.ledger("orange") == []
    statistics = programme.ok(programme.api.get("/v1/campaigns/single/statistics"))
    assert statistics["by_reason"] == {"cancelled": 1}


def test_a_message_that_has_gone_is_not_cancelled(programme: Programme) -> None:
    sent = programme.ok(programme.send(programme.recipient(DELIVERED)))
    programme.settled(sent["message_id"], "delivered")
    refused = cancel(programme, sent["message_id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "state_conflict")
    assert "remis" in refused.json()["detail"]
    assert cancel(programme, "5f0c2b1e-0000-5000-8000-000000000001").status_code == 404


def test_the_log_is_filtered_by_reason_and_by_how_a_message_was_made(programme: Programme) -> None:
    failed = programme.ok(programme.send(programme.recipient(UNDELIVERABLE)))["message_id"]
    programme.settled(failed, "failed")
    again = programme.ok(programme.api.post(f"/v1/messages/{failed}/resend"))["message_id"]
    programme.settled(again, "failed")
    row = programme.settled(failed, "failed")
    assert (row["template"], row["language"], row["country"], row["via"]) == (None, None, "SN", "single")
    assert row["reason_text"].startswith("The network could not deliver the message.")
    for query, found in (
        ({"reason": "undeliverable"}, [again, failed]),
        ({"reason": "undeliverable", "via": "single"}, [failed]),
        ({"via": "resend", "campaign_id": "single"}, [again]),
        ({"reason": "cancelled"}, []),
        ({"via": "distribution"}, []),
    ):
        assert [one["message_id"] for one in programme.messages(**query)] == found, query
    for name in ("reason", "via"):
        refused = programme.api.get("/v1/messages", params={name: "surprise"})
        [error] = refused.json()["errors"]
        assert (refused.status_code, error["field"], error["code"]) == (400, name, "field_invalid")


def test_a_test_send_answers_with_its_outcome(programme: Programme) -> None:
    for channel in ("sms", "whatsapp"):
        answer = programme.ok(programme.api.post(f"/v1/integrations/{channel}/test", json={"to": "+221770008200"}))
        assert answer["status"] == "sent"
        message = programme.message(answer["message_id"])
        assert (message["campaign_id"], message["channel"], message["created_by"]) == (None, channel, "an-officer")
    programme.put_whatsapp(access_token="expired-token")
    refused = programme.api.post("/v1/integrations/whatsapp/test", json={"to": "+221770008200"})
    assert (refused.status_code, refused.json()["code"]) == (502, "provider_refused")
