"""The words with which people end all messages to them, in webhooks as Meta sends them."""

import json
from typing import Any

import pytest

from shared.policy.opt_out import TEXTS, Tongue
from tests.stack.programme import DELIVERED, WHATSAPP_SECRET, Programme
from tests.stack.test_webhooks import post
from tests.stack.test_whatsapp_inbound import PHONE, acts, answers, consent
from tests.waiting import until

FRENCH, ENGLISH, ARABIC = (TEXTS[tongue] for tongue in (Tongue.FRENCH, Tongue.ENGLISH, Tongue.ARABIC))
CARD = {"template": {"name": "vaccination_card"}}


def person(number: int) -> str:
    return f"+22177000{DELIVERED + number:04d}"


def test_stop_words_revoke_and_sentences_do_not(programme: Programme) -> None:
    ends = [
        ("Stop svp", FRENCH), ("STOP SMS", FRENCH), ("Stop. Thank you", ENGLISH), ("arrêtez de m'envoyer ça", FRENCH),
        ("stop 🙏", FRENCH), ("STOP PNV", FRENCH), ("désinscription", FRENCH), ("stopall", FRENCH), ("توقف", ARABIC),
        ("إيقاف", ARABIC), ("الغاء", ARABIC), ("قف", ARABIC),
    ]  # fmt: skip
    passes = ["bus stop", "non-stop", "ne pas arrêter"]
    for number, (text, _) in enumerate(ends):
        acts(programme, "inbound", text=text, **{"from": person(number)})
    for number, text in enumerate(passes, start=len(ends)):
        acts(programme, "inbound", text=text, **{"from": person(number)})
    for number, (text, _) in enumerate(ends):
        found = until(lambda number=number: consent(programme, person(number)), lambda one: one["state"] == "revoked")  # type: ignore[misc]
        assert found["source"] == "whatsapp_stop", text
    reported = until(lambda: answers(programme), lambda found: len(found) == len(ends))
    assert {entry["recipient"]: entry["text"] for entry in reported} == {
        person(number): texts.done for number, (_, texts) in enumerate(ends)
    }
    for number in range(len(ends), len(ends) + len(passes)):
        assert consent(programme, person(number))["state"] == "unknown"
    assert len(programme.ledger("meta")) == len(ends)


def test_an_unclear_stop_gets_one_question_and_its_button_revokes(programme: Programme) -> None:
    for _ in range(3):
        acts(programme, "inbound", text="Comment arrêter ces messages ?")
    [question] = until(lambda: programme.ledger("meta"), lambda found: len(found) > 0)
    assert (question["kind"], question["text"], question["recipient"]) == ("interactive", FRENCH.question, PHONE)
    assert consent(programme)["state"] == "unknown"
    acts(programme, "inbound", type="button_reply", text=FRENCH.title, payload="STOP")
    until(lambda: consent(programme), lambda one: one["state"] == "revoked")
    [answer] = until(lambda: answers(programme), lambda found: len(found) > 0)
    assert answer["text"] == FRENCH.done
    assert len(programme.ledger("meta")) == 2
    refused = programme.send(programme.recipient(DELIVERED))
    assert refused.json()["errors"][0]["code"] == "opted_out"


@pytest.mark.parametrize(("language", "expected"), [("en", ENGLISH), ("fr", FRENCH)])
def test_a_bare_stop_is_answered_in_the_language_of_our_text(
    programme: Programme, language: str, expected: Any
) -> None:
    row = programme.recipient(DELIVERED, language=language)
    sent = programme.ok(programme.send(row, channel="whatsapp", content=CARD))
    programme.settled(sent["message_id"], "read")
    acts(programme, "inbound", text="STOP")
    [answer] = until(lambda: answers(programme), lambda found: len(found) > 0)
    assert answer["text"] == expected.done


def opened_sessions(programme: Programme) -> int:
    """How many of the organisation's inbound messages have opened a session, as the stack's log says."""
    lines = (
        line for line in programme.stack.log().splitlines() if f'"organisation":"{programme.organisation}"' in line
    )
    return sum('"opens_session":true' in line for line in lines)


def test_a_message_that_was_changed_to_stop_revokes(programme: Programme) -> None:
    """The shape of pywa's fixture `edit_text` (tests/data/updates/edited_message.json)."""
    acts(programme, "inbound", text="Bonjour")
    until(lambda: opened_sessions(programme), lambda count: count == 1)  # only then may the stop be answered
    now = int(programme.stack.now().timestamp())
    edited = {"original_message_id": "wamid.zzzzzz", "message": {"type": "text", "text": {"body": "Arrêtez svp"}}}
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "221770009999", "phone_number_id": programme.phone_number_id},
        "contacts": [{"profile": {"name": "Test Name"}, "wa_id": PHONE[1:]}],
        "messages": [{"from": PHONE[1:], "id": "wamid.yyyyyy", "timestamp": str(now), "type": "edit", "edit": edited}],
    }
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    for _ in range(2):
        assert post(programme, body, secret=WHATSAPP_SECRET).status_code == 200
    until(lambda: consent(programme), lambda one: one["state"] == "revoked")
    [answer] = until(lambda: answers(programme), lambda found: len(found) > 0)
    assert answer["text"] == FRENCH.done
