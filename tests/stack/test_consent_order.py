"""Whether a grant or a revocation counts depends on its own date and on the time of its receipt."""

from datetime import datetime, timedelta

import pytest

from shared.base.instants import format_instant
from tests.stack.programme import DELIVERED, Json, Programme
from tests.stack.test_whatsapp_inbound import acts, consent
from tests.waiting import until

PHONE = f"+22177000{DELIVERED:04d}"


def dated(programme: Programme, ahead: timedelta) -> Json:
    return {"granted_at": format_instant(programme.stack.now() + ahead), "source": "register"}


def records(programme: Programme, at: datetime, *, granted: bool) -> None:
    said = {"phone": PHONE, "granted": granted, "source": "register", "recorded_at": format_instant(at)}
    assert programme.api.post("/v1/consents", json=said).status_code == 204


def stops(programme: Programme) -> None:
    acts(programme, "inbound", text="STOP")
    until(lambda: consent(programme), lambda found: found["state"] == "revoked")


@pytest.mark.parametrize("ahead", [timedelta(minutes=6), timedelta(days=180)])
def test_after_a_stop_a_consent_dated_ahead_sends_nothing(programme: Programme, ahead: timedelta) -> None:
    """For example, 12 May was read as 5 December."""
    stops(programme)
    row = programme.recipient(DELIVERED, consent=dated(programme, ahead))
    refused = programme.send(row)
    reported = [(field_error["field"], field_error["code"]) for field_error in refused.json()["errors"]]
    assert (refused.status_code, reported) == (422, [("consent.granted_at", "field_invalid")])
    planned = programme.ok(programme.distribute(recipients=[row], confirm=True))
    assert (planned["status"], planned["errors"][0]["code"]) == ("rejected", "field_invalid")
    by_default = programme.distribute(
        recipients=[programme.recipient(DELIVERED, consent=None)], defaults={"consent": row["consent"]}
    )
    assert programme.ok(by_default)["rejected"] == 1
    said = {"phone": PHONE, "granted": True, "source": "register", "recorded_at": row["consent"]["granted_at"]}
    for body, number in ((said, None), ({"items": [said]}, 1)):
        answer = programme.api.post("/v1/consents", json=body, headers={"accept-language": "fr"})
        [field_error] = answer.json()["errors"]
        assert (answer.status_code, field_error["field"], field_error["code"]) == (422, "recorded_at", "field_invalid")
        assert (field_error.get("row"), "dans le futur" in field_error["message"]) == (number, True)
    assert consent(programme)["state"] == "revoked"
    assert programme.ledger("orange") == []


def test_a_later_grant_from_a_fast_clock_is_accepted(programme: Programme) -> None:
    stops(programme)
    row = programme.recipient(DELIVERED, consent=dated(programme, timedelta(minutes=4)))
    sent = programme.ok(programme.send(row))
    assert programme.settled(sent["message_id"], "delivered")["status"] == "delivered"


@pytest.mark.parametrize("ahead", [timedelta(days=-1), timedelta(minutes=4)])
def test_a_grant_in_a_plan_does_not_outlive_a_stop(programme: Programme, ahead: timedelta) -> None:
    """Plan, STOP, confirm. The revocation counts even with an earlier date."""
    row = programme.recipient(DELIVERED, consent=dated(programme, ahead))
    planned = programme.ok(programme.distribute(recipients=[row]))
    records(programme, programme.stack.now() - timedelta(days=2), granted=False)
    assert programme.act(planned, "confirm").status_code == 200
    done = until(
        lambda: programme.distribution(planned["distribution_id"]), lambda found: found["counts"]["failed"] == 1
    )
    assert (done["by_reason"], programme.ledger("orange")) == ({"opted_out": 1}, [])


def test_a_revocation_received_after_a_grant_ends_it_with_any_dates(programme: Programme) -> None:
    morning, noon = (programme.stack.now() - timedelta(hours=hours) for hours in (6, 2))
    records(programme, noon, granted=True)
    records(programme, morning, granted=False)
    assert consent(programme)["state"] == "revoked"
    bare = programme.send(programme.recipient(DELIVERED, consent=True))
    assert bare.json()["errors"][0]["code"] == "opted_out"
    records(programme, noon, granted=True)
    assert consent(programme)["state"] == "revoked"  # the repeated grant is no new one
    records(programme, noon + timedelta(hours=1), granted=True)
    records(programme, morning, granted=False)
    assert consent(programme)["state"] == "granted"  # and this revocation is no new one
    records(programme, morning - timedelta(minutes=1), granted=False)
    assert consent(programme)["state"] == "revoked"
