"""A stop error holds exactly its cause's scope (api.md, Holds), over HTTP: a country, a language, an account, or the
daily limit. A stop may be reported later, and a person's pause is independent of all holds."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from tests.stack.programme import DELIVERED, Json, Programme
from tests.stack.running import RunningStack
from tests.waiting import http, until

MINUTE = timedelta(minutes=1)
FALLBACK = {"channel": "sms", "after_minutes": 10, "content": {"text": "SMS pour {first_name} : {verification_url}"}}
MALI, CAMEROON, GUINEA, EGYPT = "+2237000{:04d}", "+23767000{:04d}", "+2246200{:05d}", "+2010000{:05d}"
NOT_SUBSCRIBED, SENDER_REFUSED, PAYMENT_LATER = 4350, 4102, 9042


@pytest.fixture(scope="module")
def running(fresh_stack: RunningStack) -> RunningStack:
    """The tests move its clock."""
    return fresh_stack


def _people(programme: Programme, first: int, count: int, **changes: object) -> list[Json]:
    return [programme.recipient(first + number, **changes) for number in range(count)]


def _holds(distribution: Json) -> dict[tuple[str, str | None], tuple[str, int]]:
    return {(one["scope"], one["key"]): (one["reason"], one["messages"]) for one in distribution["holds"]}


def _sent(programme: Programme, recipients: Sequence[Json], **changes: Any) -> str:
    answer = programme.distribute(recipients=list(recipients), confirm=True, **changes)
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    assert made["accepted"] + made["rejected"] == len(recipients), made
    return str(made["distribution_id"])


def _waits_until(programme: Programme, identity: str, *, delivered: int) -> Json:
    return until(
        lambda: programme.distribution(identity),
        lambda found: found["counts"]["delivered"] + found["counts"]["read"] == delivered,
    )


def test_stops_of_other_countries_do_not_hold_messages_to_senegal(running: RunningStack) -> None:
    """The foreign rows come first; each has a problem of its own country."""
    running.set_simulators(units={"ML": 0})
    with Programme(running, "countries") as programme:
        programme.put_sms(senders={}, rate_per_second=50)
        foreign = [
            programme.recipient(1, phone=MALI.format(DELIVERED)),
            programme.recipient(2, phone=CAMEROON.format(NOT_SUBSCRIBED)),
            programme.recipient(3, phone=GUINEA.format(SENDER_REFUSED)),
            programme.recipient(4, phone=EGYPT.format(DELIVERED)),
        ]
        identity = _sent(programme, [*foreign, *_people(programme, DELIVERED, 30)])
        found = programme.distribution(identity)
        assert [(error["row"], error["code"]) for error in found["errors"]] == [(4, "sender_missing")]
        _waits_until(programme, identity, delivered=30)
        running.move_to(running.now() + MINUTE)
        held = until(lambda: programme.distribution(identity), lambda one: one["status"] == "paused")
        assert _holds(held) == {
            ("country", "ML"): ("balance_empty", 1),
            ("country", "CM"): ("country_not_subscribed", 1),
            ("country", "GN"): ("sender_name_not_approved", 1),
        }
        assert all(one["reason_text"] for one in held["holds"])
        assert held["counts"] == {"pending": 3, "sent": 0, "delivered": 30, "read": 0, "failed": 0}
        resumed = programme.ok(programme.act(held, "resume"))
        assert resumed["status"] == "sending"
        calls = programme.ledger("orange")
        assert len(calls) == 30
        running.set_simulators(units={"ML": 1000})
        for _ in range(3):
            running.move_to(running.now() + MINUTE)
        _waits_until(programme, identity, delivered=31)
        until(lambda: _holds(programme.distribution(identity)), lambda holds: ("country", "ML") not in holds)


def test_a_single_message_shows_its_hold_and_goes_once_it_has_ended(running: RunningStack) -> None:
    running.set_simulators(units={"ML": 0})
    with Programme(running, "single-held") as programme:
        made = programme.ok(programme.send(programme.recipient(1, phone=MALI.format(DELIVERED))))
        held = until(lambda: programme.message(made["message_id"]), lambda one: one["hold"] is not None)
        assert held["status"] == "pending"
        assert (held["hold"]["scope"], held["hold"]["key"]) == ("country", "ML")
        assert held["hold"]["reason"] == "balance_empty"
        french = programme.api.get(f"/v1/messages/{made['message_id']}", headers={"Accept-Language": "fr"}).json()
        assert "Orange" in french["hold"]["reason_text"]
        fine = programme.ok(programme.send(programme.recipient(DELIVERED)))
        programme.settled(fine["message_id"], "delivered")
        running.move_to(running.now() + 2 * MINUTE)
        assert programme.message(made["message_id"])["status"] == "pending"
        running.set_simulators(units={"ML": 1000})
        running.move_to(running.now() + 2 * MINUTE)
        assert programme.settled(made["message_id"], "delivered")["hold"] is None


def test_a_paused_language_stops_no_other(running: RunningStack) -> None:
    """25 French rows beside one English row, and a French distribution of the same template."""
    with Programme(running, "languages") as programme:
        account = "900100200300"
        programme.put_whatsapp(business_account_id=account)
        _submitted(running, programme)
        rows = [programme.recipient(1, language="en"), *_people(programme, DELIVERED, 25, language="fr")]
        content = {"template": {"name": "vaccination_card"}}
        _template(running, account, "en", "PAUSED", tells=True)
        _knows(programme, en="paused", fr="approved")
        identity = _sent(programme, rows[1:], channel="whatsapp", content=content)
        _waits_until(programme, identity, delivered=25)
        both = programme.distribute(recipients=rows, channel="whatsapp", content=content).json()
        assert [error["row"] for error in both["errors"]] == [1], "planning knows that the English one is paused"
        _template(running, account, "en", "APPROVED", tells=True)
        _knows(programme, en="approved", fr="approved")
        mixed = _sent(programme, [rows[0] | {"phone": "+221770007001"}], channel="whatsapp", content=content)
        _waits_until(programme, mixed, delivered=1)


def _submitted(running: RunningStack, programme: Programme) -> None:
    running.set_simulators(template_webhooks=True)
    assert programme.api.post("/v1/templates/vaccination_card/submit").status_code == 202

    _knows(programme, en="approved", fr="approved")


def _knows(programme: Programme, **wanted: str) -> None:
    """Waits until the API shows these statuses of the template, by language."""

    def statuses() -> dict[str, str]:
        items = programme.ok(programme.api.get("/v1/templates"))["items"]
        own = [one for one in items if (one["name"], one["channel"]) == ("vaccination_card", "whatsapp")]
        return {str(one["language"]): str(one["status"]) for one in own}

    until(statuses, lambda found: found == wanted)


def _template(running: RunningStack, account: str, language: str, status: str, *, tells: bool = False) -> None:
    running.set_simulators(template_webhooks=tells)
    body = {"business_account_id": account, "name": "vaccination_card", "language": language, "status": status}
    http().post(f"{running.control_url}/templates", json=body).raise_for_status()


def test_a_template_paused_under_way_holds_its_language_until_it_is_approved(running: RunningStack) -> None:
    """Meta pauses the English template after planning."""
    with Programme(running, "under-way") as programme:
        account = "900100200301"
        programme.put_whatsapp(business_account_id=account)
        _submitted(running, programme)
        content = {"template": {"name": "vaccination_card"}}
        rows = [programme.recipient(1, language="en"), *_people(programme, DELIVERED, 25, language="fr")]
        made = programme.distribute(recipients=rows, channel="whatsapp", content=content).json()
        assert made["accepted"] == 26, made
        _template(running, account, "en", "PAUSED")
        programme.ok(programme.act(made, "confirm"))
        identity = made["distribution_id"]
        _waits_until(programme, identity, delivered=25)
        held = until(lambda: programme.distribution(identity), lambda one: bool(one["holds"]))
        assert _holds(held) == {("template", "vaccination_card/en"): ("template_paused", 1)}
        _template(running, account, "en", "APPROVED", tells=True)
        running.move_to(running.now() + MINUTE)
        _waits_until(programme, identity, delivered=26)


def test_a_stop_that_meta_reports_later_holds_and_starts_no_fallback(running: RunningStack) -> None:
    """Meta takes the messages and reports 131042 for each later."""
    with Programme(running, "reported-later") as programme:
        content = {"template": {"name": "vaccination_card"}}
        row = programme.recipient(PAYMENT_LATER)
        identity = _sent(programme, [row], channel="whatsapp", content=content, fallback=FALLBACK)
        held = until(lambda: programme.distribution(identity), lambda one: bool(one["holds"]))
        assert held["holds"][0]["scope"] == "account"
        assert held["holds"][0]["reason"] == "payment_required"
        others = [
            programme.recipient(10, phone=f"+22507000{PAYMENT_LATER:05d}"),
            programme.recipient(11, phone=f"+26132000{PAYMENT_LATER:04d}"),
        ]
        later = _sent(programme, others, channel="whatsapp", content=content)
        running.move_to(running.now() + 20 * MINUTE)
        assert programme.distribution(identity)["counts"]["failed"] == 0
        assert programme.messages(channel="sms") == []
        stopped = until(lambda: programme.distribution(later), lambda one: one["status"] == "paused")
        assert stopped["status_reason"] == "payment_required"
        running.set_simulators(special_numbers=False)
        try:
            programme.ok(programme.act(stopped, "resume"))
            running.move_to(running.now() + MINUTE)
            _waits_until(programme, later, delivered=2)
            running.move_to(running.now() + 2 * MINUTE)
            _waits_until(programme, identity, delivered=1)
        finally:
            running.set_simulators(special_numbers=True)
        assert programme.messages(channel="sms") == []


@pytest.mark.parametrize("order", ["pause-end-resume", "pause-resume-end", "end-pause-resume", "pause-cancel"])
def test_a_person_s_pause_beside_a_hold(running: RunningStack, order: str) -> None:
    """A person's decision and a hold are independent."""
    running.set_simulators(units={"ML": 0})
    with Programme(running, f"person-{order}") as programme:
        identity = _sent(programme, [programme.recipient(1, phone=MALI.format(DELIVERED))])
        held = until(lambda: programme.distribution(identity), lambda one: one["status"] == "paused")
        assert held["status_reason"] == "balance_empty"
        for step in order.split("-"):
            if step == "end":
                running.set_simulators(units={"ML": 1000})
                running.move_to(running.now() + 2 * MINUTE)
            else:
                acted = programme.ok(programme.act(held, step))
                if step == "pause":
                    assert (acted["status"], acted["status_reason"]) == ("paused", "paused_by_user")
                elif step == "resume":
                    assert acted["status"] == "sending"
        if order == "pause-end-resume":
            assert len(programme.ledger("orange")) in (0, 1)
        if order == "pause-cancel":
            done = until(lambda: programme.distribution(identity), lambda one: one["counts"]["pending"] == 0)
            assert (done["status"], done["by_reason"]) == ("cancelled", {"cancelled": 1})
            assert programme.ledger("orange") == []
            return
        running.move_to(running.now() + 2 * MINUTE)
        _waits_until(programme, identity, delivered=1)
        assert len(programme.ledger("orange")) == 1


def test_a_pause_of_a_held_distribution_stays_after_the_hold_ends(running: RunningStack) -> None:
    running.set_simulators(units={"ML": 0})
    with Programme(running, "pause-stands") as programme:
        identity = _sent(programme, [programme.recipient(1, phone=MALI.format(DELIVERED))])
        held = until(lambda: programme.distribution(identity), lambda one: one["status"] == "paused")
        programme.ok(programme.act(held, "pause"))
        running.set_simulators(units={"ML": 1000})
        running.move_to(running.now() + 5 * MINUTE)
        found = programme.distribution(identity)
        assert (found["status"], found["status_reason"]) == ("paused", "paused_by_user")
        assert programme.ledger("orange") == []


def test_saved_settings_probe_the_account_at_once(running: RunningStack) -> None:
    with Programme(running, "token") as programme:
        programme.put_sms(client_id="revoked")
        identity = _sent(programme, _people(programme, DELIVERED, 3))
        held = until(lambda: programme.distribution(identity), lambda one: one["status"] == "paused")
        assert _holds(held) == {("account", None): ("token_invalid", 3)}
        programme.ok(programme.api.patch("/v1/integrations/sms", json={"client_id": "mended", "rate_per_second": 50}))
        _waits_until(programme, identity, delivered=3)


def test_a_raised_limit_ends_its_hold_within_a_minute(running: RunningStack) -> None:
    """Meta allows 250 people in a day, and then 2,000. They share a card, which is fetched once."""
    running.set_simulators(messaging_limit="TIER_250", meta_rate_per_second=1000)
    with Programme(running, "limit") as programme:
        content = {"template": {"name": "vaccination_card"}}
        programme.put_whatsapp(rate_per_second=200)
        health = programme.ok(programme.api.get("/v1/integrations/whatsapp/health"))
        assert health["daily_limit"] == 250
        card = f"{running.simulators_url}/cards/shared.png"
        people = _people(programme, DELIVERED, 270, card_image=card)
        identity = _sent(programme, people, channel="whatsapp", content=content)
        found = until(
            lambda: programme.distribution(identity),
            lambda one: one["counts"]["delivered"] + one["counts"]["read"] == 250 and bool(one["holds"]),
        )
        assert (found["status"], found["status_reason"]) == ("sending", "daily_limit")
        assert _holds(found) == {("account", None): ("daily_limit", 20)}
        running.set_simulators(messaging_limit="TIER_2K")
        running.move_to(running.now() + MINUTE)
        _waits_until(programme, identity, delivered=270)
    running.set_simulators(messaging_limit="TIER_UNLIMITED", meta_rate_per_second=80)
