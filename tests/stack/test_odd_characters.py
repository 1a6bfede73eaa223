"""Characters that no message can carry, and messages that no queue takes: neither blocks other messages."""

import json

import pytest

from tests.stack.programme import DELIVERED, Programme
from tests.stack.test_campaigns import ended
from tests.stack.test_whatsapp_templates import control, with_account

ROWS, ODD_ROW = 110, 7
TEXT = {"text": "Bonjour {first_name}"}


@pytest.mark.parametrize("odd", ["Awa\uffff", "\x00Awa\x1b"])
def test_one_odd_name_does_not_block_a_campaign(programme: Programme, odd: str) -> None:
    """SQS refuses U+FFFF. Once such a name blocked the release, and 51 of 150 rows waited for ever."""
    rows = [programme.recipient(DELIVERED + number) for number in range(ROWS)]
    rows[ODD_ROW - 1]["first_name"] = odd
    made = programme.ok(programme.distribute(recipients=rows, content=TEXT, confirm=True))
    [warning] = made["warnings"]
    assert (warning["code"], warning["count"]) == ("characters_removed", 1)
    done = ended(programme, made)
    assert done["counts"]["delivered"] == ROWS
    texts = {entry["recipient"]: entry["text"] for entry in programme.ledger("orange")}
    assert texts[rows[ODD_ROW - 1]["phone"]] == "Bonjour Awa"
    assert len(texts) == ROWS


def files(phones: list[str]) -> dict[str, bytes]:
    """In each format what its encoding can hold: raw, escaped, and half a surrogate pair."""
    attributes = [
        [{"attribute": "aPhoneAttr1", "value": phone}, {"attribute": "aFirstName1", "value": "A\x00wa\uffff"}]
        for phone in phones
    ]
    entities = json.dumps({"trackedEntities": [{"trackedEntity": "t", "attributes": one} for one in attributes]})
    lines = [json.dumps({"phone": phone, "first_name": "A\x00wa\uffff"}) for phone in phones]
    csv = "\n".join(["\ufeffphone;First\uffff_Name", *(f"{phone};A\x00wa\uffff" for phone in phones)])
    return {
        "csv": csv.encode(),
        "ndjson": "\n".join(lines).replace("\\uffff", "\\ud800").encode(),
        "dhis2": entities.replace("\\uffff", "\\udc00").encode(),
    }


def test_odd_characters_in_a_file_are_removed_with_a_warning(programme: Programme) -> None:
    attributes = {"phone": "aPhoneAttr1", "first_name": "aFirstName1"}
    programme.ok(programme.api.put("/v1/integrations/dhis2", json={"attributes": attributes}))
    for place, form in enumerate(("csv", "ndjson", "dhis2")):
        phones = [f"+22177000{DELIVERED + 10 * place + number}" for number in range(3)]
        upload = programme.upload(files(phones)[form], form)
        made = programme.ok(programme.distribute(upload_id=upload, content=TEXT, confirm=True))
        done = ended(programme, made)
        assert (done["accepted"], done["counts"]["delivered"]) == (3, 3), form
        assert [(one["code"], one["count"]) for one in done["warnings"]] == [("characters_removed", 3)], form
        texts = {entry["recipient"]: entry["text"] for entry in programme.ledger("orange")}
        assert {texts[phone] for phone in phones} == {"Bonjour Awa"}, form


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_preview_shows_the_text_without_odd_characters_and_warns(programme: Programme, language: str) -> None:
    odd = programme.recipient(DELIVERED, first_name="A\uffff\ud800wa", enrollment_id="e\ufffe1")
    body = {"channel": "sms", "content": {"text": "Bon\x07jour {first_name}"}, "recipients": [odd]}
    headers = {"Content-Type": "application/json", "Accept-Language": language}
    answer = programme.api.post("/v1/preview", headers=headers, content=json.dumps(body))
    [item] = programme.ok(answer)["items"]
    assert (item["valid"], item["text"]) == (True, "Bonjour Awa")
    [warning] = item["warnings"]
    assert warning["code"] == "characters_removed"
    assert ("no message can carry" if language == "en" else "aucun message") in warning["message"]


def test_odd_characters_in_a_single_message_and_a_consent_are_removed(programme: Programme) -> None:
    odd = programme.recipient(DELIVERED, phone="+221\x00770008200", first_name="Awa\ud800", enrollment_id="e\x00-1")
    headers = {"Content-Type": "application/json", "Idempotency-Key": "odd"}
    body = {"channel": "sms", "campaign_id": "single", "recipient": odd, "content": TEXT}
    for _ in range(2):
        sent = programme.ok(programme.api.post("/v1/messages", headers=headers, content=json.dumps(body)))
    message = programme.settled(sent["message_id"], "delivered")
    assert message["enrollment_id"] == "e-1"
    assert [entry["text"] for entry in programme.ledger("orange")] == ["Bonjour Awa"]
    said = json.dumps({"phone": "+221770008200\uffff", "granted": False, "source": "form\ud800"})
    assert programme.api.post("/v1/consents", headers=headers, content=said).status_code == 204
    reported = programme.ok(programme.api.post("/v1/consents/lookup", json={"phone": "+221770008200"}))
    assert (reported["state"], reported["source"]) == ("revoked", "form")


def test_a_message_that_no_queue_takes_ends_and_the_others_leave(programme: Programme) -> None:
    """The address of a button is the only value without a limit of its own."""
    account = with_account(programme)
    button = {
        "type": "URL",
        "text": "Voir",
        "url": "https://v.example.org/{{1}}",
        "example": ["https://v.example.org/x"],
    }
    body = {"type": "BODY", "text": "Bonjour {{1}}.", "example": {"body_text": [["first_name"]]}}
    header = {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::x"]}}
    own = {"name": "own_card", "language": "fr", "category": "UTILITY", "parameter_format": "POSITIONAL"}
    parts = [header, body, {"type": "BUTTONS", "buttons": [button]}]
    control(programme, "templates", business_account_id=account, status="APPROVED", components=parts, **own)
    rows = [programme.recipient(DELIVERED + 40 + number) for number in range(3)]
    rows[1]["verification_url"] = "https://v.example.org/" + "x" * 1_100_000
    content = {"template": {"name": "own_card"}}
    made = programme.ok(programme.distribute(channel="whatsapp", recipients=rows, content=content, confirm=True))
    done = ended(programme, made)
    assert (done["counts"]["failed"], done["by_reason"]) == (1, {"field_invalid": 1})
    assert len(programme.ledger("meta")) == 2
    [failed] = programme.messages(distribution_id=made["distribution_id"], status="failed")
    assert (failed["reason"], failed["attempts"]) == ("field_invalid", 0)
