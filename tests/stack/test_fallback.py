"""An SMS in place of a WhatsApp message, over HTTP: at once or after its time, at most one, and never after an
arrival."""

from collections import Counter
from datetime import timedelta

import pytest

from tests.stack.programme import DELIVERED, Json, Programme
from tests.stack.running import RunningStack
from tests.waiting import until

NOT_ON_WHATSAPP, FAILS_LATER, SENT_ONLY, NO_RECEIPT = 1026, 9126, 602, 603
FALLBACK = {"channel": "sms", "after_minutes": 90, "content": {"text": "SMS pour {first_name} : {verification_url}"}}


@pytest.fixture(scope="module")
def running(fresh_stack: RunningStack) -> RunningStack:
    """The tests move its clock."""
    return fresh_stack


def _sent(programme: Programme, number: int) -> Json:
    content = {"template": {"name": "vaccination_card"}}
    answer = programme.send(programme.recipient(number), channel="whatsapp", content=content, fallback=FALLBACK)
    assert answer.status_code == 202, answer.text
    made: Json = answer.json()
    return made


def _sms_of(programme: Programme, parent: Json) -> list[Json]:
    found = programme.messages(channel="sms")
    return [one for one in found if one["parent_message_id"] == parent["message_id"]]


def _warnings(programme: Programme, identity: str) -> Json:
    """Code → count."""
    return {one["code"]: one.get("count") for one in programme.distribution(identity)["warnings"]}


def test_a_fallback_starts_at_once_after_its_time_or_never(running: RunningStack) -> None:
    with Programme(running, "fallbacks") as programme:
        gone, later = _sent(programme, NOT_ON_WHATSAPP), _sent(programme, FAILS_LATER)
        waiting, arrived = _sent(programme, SENT_ONLY), _sent(programme, DELIVERED)
        for parent in (gone, later):
            [sms] = until(lambda one=parent: _sms_of(programme, one), bool)  # type: ignore[misc]
            assert (sms["channel"], sms["distribution_id"], sms["campaign_id"]) == ("sms", None, "single")
            arrived_sms = programme.settled(sms["message_id"], "delivered")
            assert (arrived_sms["segments"], arrived_sms["price"]) == (1, {"amount": "12", "currency": "XOF"})
            assert programme.message(parent["message_id"])["reason"] == "not_on_whatsapp"
            assert programme.api.post(f"/v1/messages/{parent['message_id']}/resend").status_code == 409
        programme.settled(waiting["message_id"], "sent")
        programme.settled(arrived["message_id"], "read")
        programme.move_to(running.now() + timedelta(minutes=80))
        assert _sms_of(programme, waiting) == []
        programme.move_to(running.now() + timedelta(minutes=15))
        [sms] = until(lambda: _sms_of(programme, waiting), bool)
        programme.settled(sms["message_id"], "sent")
        programme.move_to(running.now() + timedelta(hours=3))
        assert _sms_of(programme, arrived) == []
        assert len(programme.ledger("orange")) == 3
        assert programme.message(waiting["message_id"])["status"] == "sent"


def test_while_meta_is_silent_no_person_gets_both_messages(running: RunningStack) -> None:
    """For 12 minutes a campaign has no reports; then Meta reports on a later message. A single message waits a day."""
    with Programme(running, "silent") as programme:
        running.set_simulators(receipts=False)
        try:
            recipients = [programme.recipient(DELIVERED + number) for number in range(5)]
            answer = programme.distribute(
                recipients=recipients,
                channel="whatsapp",
                content={"template": {"name": "vaccination_card"}},
                fallback={"channel": "sms", "after_minutes": 10},
                confirm=True,
            )
            made = programme.ok(answer)
            identity = made["distribution_id"]
            until(lambda: programme.distribution(identity)["counts"]["sent"], lambda sent: sent == 5)
            programme.move_to(running.now() + timedelta(minutes=12))
            programme.move_to(running.now() + timedelta(minutes=1))
            assert programme.ledger("orange") == []
            assert _warnings(programme, identity)["receipts_missing"] == 5
        finally:
            running.set_simulators(receipts=True)
        content = {"template": {"name": "vaccination_card"}}
        later = programme.send(programme.recipient(DELIVERED + 9), channel="whatsapp", content=content).json()
        programme.settled(later["message_id"], "read")
        programme.move_to(running.now() + timedelta(minutes=15))
        assert len(until(lambda: programme.ledger("orange"), lambda found: len(found) == 5)) == 5
        assert programme.distribution(identity)["counts"]["sent"] == 5


def test_a_single_message_without_reports_has_its_fallback_after_a_day(running: RunningStack) -> None:
    with Programme(running, "alone") as programme:
        alone = _sent(programme, NO_RECEIPT)
        programme.settled(alone["message_id"], "sent")
        programme.move_to(running.now() + timedelta(hours=23))
        assert _sms_of(programme, alone) == []
        programme.move_to(running.now() + timedelta(hours=1, minutes=2))
        until(lambda: _sms_of(programme, alone), bool)


def test_repeated_webhooks_start_one_fallback(running: RunningStack) -> None:
    running.set_simulators(duplicate_receipts=True)
    try:
        with Programme(running, "repeated") as programme:
            parent = _sent(programme, FAILS_LATER)
            [sms] = until(lambda: _sms_of(programme, parent), bool)
            programme.settled(sms["message_id"], "delivered")
            programme.move_to(running.now() + timedelta(hours=2))
            assert len(programme.ledger("orange")) == 1
    finally:
        running.set_simulators(duplicate_receipts=False)


def test_a_distribution_counts_its_rows_and_not_their_fallbacks(running: RunningStack) -> None:
    with Programme(running, "many") as programme:
        numbers = [NOT_ON_WHATSAPP, FAILS_LATER, DELIVERED]
        recipients = [programme.recipient(number) for number in numbers]
        recipients.append(programme.recipient(DELIVERED + 1, phone="+33612345678"))
        answer = programme.distribute(
            recipients=recipients,
            channel="whatsapp",
            content={"template": {"name": "vaccination_card"}},
            fallback={"channel": "sms", "after_minutes": 5},
            confirm=True,
        )
        assert answer.status_code == 201, answer.text
        made = answer.json()
        assert {one["code"]: one.get("count") for one in made["warnings"]}["fallback_invalid"] == 1
        ledger = until(lambda: programme.ledger("orange"), lambda found: len(found) == 2)
        assert {entry["recipient"][-4:] for entry in ledger} == {"1026", "9126"}
        identity = made["distribution_id"]
        counts = until(lambda: programme.distribution(identity)["counts"], lambda found: found["failed"] == 2)
        assert sum(counts.values()) == made["accepted"] == 4
        assert (made["fallback"]["segments"], sum(made["fallback"]["counts"].values())) == (3, 0)
        assert [(one["country"], one["amount"]) for one in made["fallback"]["prices"]] == [("SN", "36")]
        assert (made["segments"], made["prices"]) == (None, [])
        fallback = until(
            lambda: programme.distribution(identity)["fallback"], lambda found: found["counts"]["delivered"] == 2
        )
        assert sum(fallback["counts"].values()) == 2
        assert until(lambda: programme.distribution(identity)["reached"], lambda found: found == 4)
        assert fallback["prices"] == made["fallback"]["prices"]
        listed = programme.messages(distribution_id=identity)
        assert Counter((one["channel"], one["via"]) for one in listed) == {
            ("whatsapp", "distribution"): 4,
            ("sms", "fallback"): 2,
        }
        assert {one["distribution_id"] for one in listed} == {identity}
        assert {(one["via"], one["created_by"]) for one in listed} == {
            ("distribution", "an-officer"),
            ("fallback", "system"),
        }


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"fallback": FALLBACK | {"after_minutes": 0}}, 422, "fallback_invalid"),
        ({"fallback": FALLBACK | {"after_minutes": 10_081}}, 422, "fallback_invalid"),
        ({"fallback": FALLBACK | {"channel": "whatsapp"}}, 422, "fallback_invalid"),
        ({"fallback": FALLBACK | {"content": {"text": "{issue_date}"}}}, 422, "variable_missing"),
        ({"fallback": FALLBACK | {"minutes": 1}}, 400, "field_unknown"),
        ({"fallback": {"channel": "sms"}}, 400, "field_invalid"),
        ({"channel": "sms"}, 422, "fallback_invalid"),
    ],
)
def test_an_invalid_fallback_is_refused(running: RunningStack, changes: Json, status: int, code: str) -> None:
    with Programme(running, "refused") as programme:
        content = {"template": {"name": "vaccination_card"}}
        wish: Json = {"channel": "whatsapp", "content": content, "fallback": FALLBACK} | changes
        answer = programme.send(programme.recipient(DELIVERED), **wish)
        assert answer.status_code == status, answer.text
        assert [field_error["code"] for field_error in answer.json()["errors"]] == [code]
