"""People write to the organisation's number: a session opens, and STOP revokes consent with one answer."""

import json
from datetime import UTC, datetime
from typing import Any

from shared.policy.opt_out import BOTH, TEXTS
from tests.stack.programme import DELIVERED, WHATSAPP_SECRET, Programme
from tests.stack.test_webhooks import post
from tests.waiting import http, until

PHONE = f"+22177000{DELIVERED:04d}"


def acts(programme: Programme, act: str, **body: Any) -> None:
    """A person writes or chooses (docs/simulators.md). The simulator looks for new organisations every five seconds."""
    reported = {"organisation": programme.organisation, "from": PHONE, **body}
    url = f"{programme.stack.control_url}/{act}"
    until(lambda: http().post(url, json=reported).status_code, lambda status: status == 200)


def consent(programme: Programme, phone: str = PHONE) -> dict[str, Any]:
    return programme.ok(programme.api.post("/v1/consents/lookup", json={"phone": phone}))


def answers(programme: Programme) -> list[dict[str, Any]]:
    done = {texts.done for texts in (*TEXTS.values(), BOTH)}
    return [entry for entry in programme.ledger("meta") if entry["text"] in done]


def test_stop_revokes_and_is_answered_once_even_when_meta_repeats_itself(programme: Programme) -> None:
    now = int(programme.stack.now().timestamp())
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "221770009999", "phone_number_id": programme.phone_number_id},
        "contacts": [{"wa_id": PHONE[1:], "user_id": "SN.123", "profile": {"name": "Aminata"}}],
        "messages": [
            {"from": PHONE[1:], "id": "wamid.IN", "timestamp": str(now), "type": "text", "text": {"body": "Arrêt !"}}
        ],
    }
    entry = {"id": "1", "time": now, "changes": [{"field": "messages", "value": value}]}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    acts(programme, "inbound", text="Bonjour")  # the simulator accepts a text only inside a session that it knows
    for _ in range(3):
        assert post(programme, body, secret=WHATSAPP_SECRET).status_code == 200
    found = until(lambda: consent(programme), lambda one: one["state"] == "revoked")
    assert (found["source"], found["recorded_at"]) == (
        "whatsapp_stop",
        f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%SZ}",
    )
    [answer] = until(lambda: programme.messages(channel="whatsapp"), lambda rows: len(rows) > 0)
    answer = programme.settled(answer["message_id"], "read")
    assert (answer["campaign_id"], answer["recipient"]) == (None, "+22177***8200")
    assert post(programme, body, secret=WHATSAPP_SECRET).status_code == 200
    acts(programme, "inbound", text="STOP")
    until(lambda: consent(programme), lambda one: one["recorded_at"] > found["recorded_at"])
    assert len(answers(programme)) == len(programme.messages(channel="whatsapp")) == 1
    refused = programme.send(programme.recipient(DELIVERED))
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "opted_out")


def test_a_stop_button_without_a_number_revokes_for_the_number(programme: Programme) -> None:
    card = {"template": {"name": "vaccination_card"}}
    sent = programme.ok(programme.send(programme.recipient(DELIVERED), channel="whatsapp", content=card))
    programme.settled(sent["message_id"], "read")  # its statuses showed which number the user ID belongs to
    acts(programme, "inbound", type="button", text="Ne plus recevoir", payload="STOP", without_phone=True)
    until(lambda: consent(programme), lambda one: one["state"] == "revoked")
    [entry] = until(lambda: answers(programme), lambda found: len(found) == 1)
    assert entry["recipient"] == PHONE
    rows = until(lambda: programme.messages(channel="whatsapp"), lambda found: len(found) == 2)
    assert {row["recipient"] for row in rows} == {"+22177***8200", "***"}


def test_metas_own_opt_out_revokes_without_an_answer(programme: Programme) -> None:
    acts(programme, "preferences", value="stop")
    found = until(lambda: consent(programme), lambda one: one["state"] == "revoked")
    assert found["source"] == "whatsapp_preference"
    assert programme.messages() == []
