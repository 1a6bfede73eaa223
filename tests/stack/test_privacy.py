"""Whole numbers, names, card codes, tokens and texts are nowhere in the log tables nor in the log output."""

import base64
import re
from typing import Any

from tests.stack.programme import Programme, until

NUMBER = "770008765"
PLANTED = (
    "Zuleikha-Planted",
    "Quartzberg-Planted",
    "PLANTED-CARD-0042",
    "planted-access-token",
    "planted-client-secret",
)


def _readable(text: str) -> str:
    """The text, and whatever base64 in it says."""
    parts = [text]
    for found in re.findall(r"[A-Za-z0-9+/_=-]{16,}", text):
        padded = found.replace("-", "+").replace("_", "/") + "=" * (-len(found) % 4)
        try:
            parts.append(base64.b64decode(padded).decode("latin-1"))
        except ValueError:
            continue
    return "\n".join(parts)


def _items(client: Any, table: str) -> str:
    return "".join(str(page["Items"]) for page in client.get_paginator("scan").paginate(TableName=table))


def test_nothing_planted_is_found(programme: Programme) -> None:
    programme.put_whatsapp(access_token="planted-access-token")
    programme.put_sms(client_secret="planted-client-secret")
    person = programme.recipient(
        8765, first_name="Zuleikha-Planted", last_name="Quartzberg-Planted", card_code="PLANTED-CARD-0042"
    )
    numbers = [f"+22177000{last}" for last in ("8765", "1026", "0606", "0401", "0502", "0190", "9131", "0429")]
    people = [person | {"phone": number} for number in numbers]
    sent = [
        programme.ok(programme.send(one, channel=channel, content={"template": {"name": "vaccination_card"}}))
        for one in people
        for channel in ("sms", "whatsapp")
    ]
    programme.send(person | {"phone": "N/A 770008765"})
    programme.send(person | {"phone": "+22770008765"})
    programme.send(person, content={"text": "Zuleikha-Planted {PLANTED-CARD-0042}"})
    made = programme.distribute(
        recipients=[person, person | {"phone": "770008765 / 770008766"}],
        defaults={"programme_name": "PNV"},
        content={"text": "Bonjour Zuleikha-Planted {first_name}"},
        confirm=True,
    ).json()
    programme.api.get("/v1/messages", params={"campaign_id": NUMBER})
    programme.api.post("/v1/consents", json={"phone": NUMBER, "granted": True, "source": "register"})
    until(lambda: programme.distribution(made["distribution_id"]), lambda found: found["counts"]["delivered"] == 1)
    until(
        lambda: [programme.message(one["message_id"])["status"] for one in sent],
        lambda found: found.count("pending") <= 4,
    )
    for path in ("messages/lookup", "consents/lookup", "erasures"):
        programme.api.post(f"/v1/{path}", json={"phone": NUMBER}).raise_for_status()
    until(
        lambda: programme.ok(programme.api.post("/v1/messages/lookup", json={"phone": NUMBER}))["items"],
        lambda found: found == [],
    )
    dynamodb = programme.stack.aws("dynamodb")
    tables = {name: _items(dynamodb, programme.stack.output(name)) for name in ("LogTableName", "StateTableName")}
    assert programme.organisation in tables["LogTableName"]
    for where, text in {**tables, "log": programme.stack.log()}.items():
        readable = _readable(text)
        for planted in (*PLANTED, NUMBER, *(number[1:] for number in numbers)):
            assert planted not in readable, f"{planted} in {where}"
