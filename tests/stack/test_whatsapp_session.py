"""Texts inside a session, templates outside, and unknown outcomes: over HTTP, to the simulator."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.stack.programme import DELIVERED, Json, Programme
from tests.waiting import http, until

TEXT = {"text": "Bonjour {first_name}, votre carte est prête."}
LONG = {"text": "Bonjour {first_name}. " + "Gardez bien ce message. " * 60}


def write(programme: Programme, number: int) -> None:
    """The person writes to the organisation, and the webhook is handled."""
    body = {"organisation": programme.organisation, "from": f"+22177000{number:04d}", "text": "Bonjour"}
    http().post(f"{programme.stack.control_url}/inbound", json=body).raise_for_status()
    until(lambda: mode(programme, number), lambda found: found == "session")


def mode(programme: Programme, number: int) -> str:
    """The preview's result: a mode, or the code of the first error."""
    body = {"channel": "whatsapp", "content": TEXT, "recipients": [programme.recipient(number)]}
    [item] = programme.ok(programme.api.post("/v1/preview", json=body))["items"]
    return str(item["mode"] if item["valid"] else item["errors"][0]["code"])


def sent(programme: Programme, number: int, content: Json, **changes: Any) -> str:
    answer = programme.send(programme.recipient(number), channel="whatsapp", content=content, **changes)
    return str(programme.ok(answer)["message_id"])


def test_a_text_needs_a_session(programme: Programme) -> None:
    assert mode(programme, DELIVERED) == "template_required"
    refused = programme.send(programme.recipient(DELIVERED), channel="whatsapp", content=TEXT)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "template_required")
    assert refused.json()["errors"][0]["field"] == "content.text"


def test_inside_the_session_the_text_is_the_cards_caption(programme: Programme) -> None:
    write(programme, DELIVERED)
    message = programme.settled(sent(programme, DELIVERED, TEXT), "read")
    assert message["attempts"] == 1
    [entry] = programme.ledger("meta")
    assert (entry["kind"], entry["text"]) == ("image", "Bonjour Aminata, votre carte est prête.")
    assert entry["media_sha256"]


def test_a_long_text_follows_its_card(programme: Programme) -> None:
    write(programme, DELIVERED)
    message_id = sent(programme, DELIVERED, LONG)
    programme.settled(message_id, "read")
    card, words = sorted(programme.ledger("meta"), key=lambda entry: entry["kind"])
    assert (card["kind"], card["key"], card["text"]) == ("image", f"{message_id}.1.card", None)
    assert (words["kind"], words["key"]) == ("text", f"{message_id}.1")
    assert words["text"].startswith("Bonjour Aminata.")
    assert len(words["text"]) > 1024


@pytest.mark.parametrize(
    ("template", "status", "reason"), [("vaccination_card", "read", None), (None, "failed", "template_required")]
)
def test_a_session_that_closes_before_the_text_leaves(
    programme: Programme, template: str | None, status: str, reason: str | None
) -> None:
    """The simulator would refuse the text with 131047, but no call is made."""
    if template is None:
        programme.put_whatsapp(default_template=None)
    now = _written_at_half_a_minute(programme)
    before_its_end = (now + timedelta(hours=24)).replace(second=1, microsecond=0)
    message_id = sent(programme, DELIVERED, TEXT, send_at=before_its_end.isoformat())
    # the tick that finds the message comes after the session's end
    programme.move_to(now + timedelta(hours=24, minutes=1))
    message = programme.settled(message_id, status)
    assert message["reason"] == reason
    assert [entry["template"] for entry in programme.ledger("meta")] == ([template] if template else [])


def _written_at_half_a_minute(programme: Programme) -> datetime:
    """The person writes at half a minute, so that the session ends in that half minute a day later. On a slow machine
    it may take a second try."""
    while True:
        now = (programme.stack.now() + timedelta(minutes=1)).replace(second=30, microsecond=0)
        programme.move_to(now)
        write(programme, DELIVERED)
        if programme.stack.now() < now + timedelta(seconds=25):
            return now


def test_if_meta_reports_a_closed_session_the_template_is_sent(programme: Programme) -> None:
    """9047 takes every message and later reports 131047. The second time the message stays failed."""
    write(programme, 9047)
    message_id = sent(programme, 9047, TEXT)
    message = programme.settled_at_a_tick(message_id, "failed")
    assert (message["reason"], message["attempts"]) == ("template_required", 2)
    kinds = [(entry["kind"], entry["template"]) for entry in programme.ledger("meta")]
    assert kinds == [("image", None), ("template", "vaccination_card")]


@pytest.mark.parametrize("number", [403, 404, 512, 200])
def test_a_status_settles_an_unknown_outcome(programme: Programme, number: int) -> None:
    message = programme.settled(sent(programme, number, {"template": {"name": "vaccination_card"}}), "read")
    assert message["attempts"] == 1
    assert len(programme.ledger("meta")) == 1


def test_a_message_that_meta_probably_lost_is_resent_once(programme: Programme) -> None:
    """A 502 without acceptance, twice. Meta has reported on a later message. After the second time the message fails a
    day later."""
    template = {"template": {"name": "vaccination_card"}}
    lost = sent(programme, 502, template)
    until(lambda: programme.message(lost), lambda message: message["attempts"] == 1)
    programme.settled(sent(programme, DELIVERED, template), "read")
    start = programme.stack.now()
    programme.move_to(start + timedelta(minutes=16))
    until(lambda: programme.message(lost), lambda message: message["attempts"] == 2)
    assert programme.message(lost)["status"] == "pending"
    programme.move_to(start + timedelta(hours=25))
    message = programme.settled(lost, "failed")
    assert (message["reason"], message["attempts"]) == ("outcome_unknown", 2)
