"""An Ivorian number from before 2021 and its new form belong to one person."""

from typing import Any

import pytest

from tests.stack.programme import Programme
from tests.stack.test_whatsapp_inbound import acts, answers, consent
from tests.waiting import until

OLD, NEW = "+22505128458", "+2250505128458"
OTHERS = ("+2250105128458", "+2250705128458")
"""The same last digits with another operator's prefix."""
CARD = {"template": {"name": "vaccination_card"}}


def ivorian(programme: Programme, phone: str, **changes: Any) -> dict[str, Any]:
    return programme.recipient(1, phone=phone, **changes)


@pytest.mark.parametrize("wrote", [OLD, NEW])
def test_a_stop_under_either_form_ends_both(programme: Programme, wrote: str) -> None:
    acts(programme, "inbound", text="STOP", **{"from": wrote})
    for phone in (OLD, NEW):
        found = until(lambda phone=phone: consent(programme, phone), lambda one: one["state"] == "revoked")  # type: ignore[misc]
        assert found["source"] == "whatsapp_stop"
    refused = programme.send(ivorian(programme, NEW))
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "opted_out")
    obsolete = programme.send(ivorian(programme, OLD))
    assert obsolete.json()["errors"][0]["code"] == "phone_obsolete"
    for phone in OTHERS:
        assert consent(programme, phone)["state"] == "unknown"
    assert programme.send(ivorian(programme, OTHERS[0])).status_code == 202
    [answer] = until(lambda: answers(programme), lambda found: len(found) == 1)
    assert answer["recipient"] in (OLD, NEW)
    [row] = programme.messages(channel="whatsapp")
    assert programme.settled(row["message_id"], "read")["recipient"] == "+22505***8458"


def test_a_plan_from_before_the_stop_sends_nothing_to_the_new_number(programme: Programme) -> None:
    rows = [ivorian(programme, phone, card_code=f"C-{phone[-9:]}") for phone in (NEW, *OTHERS)]
    planned = programme.ok(programme.distribute(recipients=rows))
    acts(programme, "inbound", text="STOP", **{"from": OLD})
    until(lambda: consent(programme, NEW), lambda one: one["state"] == "revoked")
    programme.act(planned, "confirm")
    identity = planned["distribution_id"]
    done = until(lambda: programme.distribution(identity), lambda found: found["counts"]["delivered"] == 2)
    assert done["by_reason"] == {"opted_out": 1}
    assert sorted(entry["recipient"] for entry in programme.ledger("orange")) == sorted(OTHERS)


def test_the_session_of_an_old_account_is_the_new_numbers(programme: Programme) -> None:
    acts(programme, "inbound", text="Bonjour", **{"from": OLD})
    text = {"text": "Bonjour {first_name}"}
    sent = until(
        lambda: programme.send(ivorian(programme, NEW), channel="whatsapp", content=text),
        lambda answer: answer.status_code == 202,
    )
    message = programme.settled(sent.json()["message_id"], "read")
    assert message["recipient"] == "+22505***8458"
    for phone in OTHERS:
        refused = programme.send(ivorian(programme, phone), channel="whatsapp", content=text)
        assert refused.json()["errors"][0]["code"] == "template_required"


def test_consents_are_recorded_and_found_under_either_form(programme: Programme) -> None:
    for said, granted, state in ((OLD, True, "granted"), (NEW, False, "revoked"), ("05 12 84 58", True, "revoked")):
        statement = {"phone": said, "granted": granted, "source": "register"}
        answer = programme.api.post("/v1/consents", json=statement)
        if said.startswith("+"):
            assert answer.status_code == 204
        else:
            assert answer.json()["errors"][0]["code"] == "phone_invalid"  # no Senegalese number
        assert {consent(programme, phone)["state"] for phone in (OLD, NEW)} == {state}
    assert {consent(programme, phone)["state"] for phone in OTHERS} == {"unknown"}
    fixed = programme.api.post("/v1/consents/lookup", json={"phone": "+22520128458"})
    assert (fixed.status_code, fixed.json()["errors"][0]["code"]) == (422, "phone_obsolete")


def test_an_erasure_by_the_old_number_covers_the_new_one(programme: Programme) -> None:
    sent = programme.ok(programme.send(ivorian(programme, NEW), channel="whatsapp", content=CARD))
    other = programme.ok(programme.send(ivorian(programme, OTHERS[0]), channel="whatsapp", content=CARD))
    programme.settled(sent["message_id"], "read")

    def found(phone: str) -> list[str]:
        page = programme.ok(programme.api.post("/v1/messages/lookup", json={"phone": phone}))
        return [one["message_id"] for one in page["items"]]

    assert found(OLD) == found(NEW) == [sent["message_id"]]
    assert programme.api.post("/v1/erasures", json={"phone": OLD}).status_code == 202
    until(lambda: found(NEW), lambda messages: messages == [])
    assert found(OLD) == []
    assert found(OTHERS[0]) == [other["message_id"]]
    assert consent(programme, NEW)["source"] == "erasure"
