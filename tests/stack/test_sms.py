"""SMS over HTTP: price, remaining units, and stops. The clients are those of docs/simulators.md."""

from datetime import timedelta
from typing import Any

import pytest

from tests.stack.programme import DELIVERED, Programme
from tests.stack.running import RunningStack
from tests.waiting import until

EMPHATIC = "Fête à l'école : ça coûte 0 € … « œuvre »"


def preview(programme: Programme, text: str, number: int = DELIVERED, **changes: Any) -> dict[str, Any]:
    recipient = programme.recipient(number, **changes)
    body = {"channel": "sms", "content": {"text": text}, "recipients": [recipient]}
    [item] = programme.ok(programme.api.post("/v1/preview", json=body))["items"]
    found: dict[str, Any] = item
    return found


def health(programme: Programme) -> dict[str, Any]:
    return programme.ok(programme.api.get("/v1/integrations/sms/health"))


def test_the_preview_shows_what_the_text_costs_before_and_after(programme: Programme) -> None:
    item = preview(programme, EMPHATIC * 2)
    assert (item["encoding"], item["segments"], item["price"]) == ("ucs2", 2, {"amount": "24", "currency": "XOF"})
    assert item["non_gsm_characters"] == ["ê", "ç", "û", "«", "œ", "»"]
    assert item["gsm7"]["segments"] == 1
    assert item["gsm7"]["price"] == {"amount": "12", "currency": "XOF"}
    assert ["œ", "oe"] in item["gsm7"]["replaced"]
    assert "ucs2" in [warning["code"] for warning in item["warnings"]]
    assert preview(programme, "a" * 152 + "€" + "a" * 152)["segments"] == 3


@pytest.mark.parametrize(
    ("phone", "code"),
    [
        ("07 07 07 07", "phone_invalid"),
        ("+225 07070707", "phone_obsolete"),
        ("+221338001234", "phone_not_mobile"),
        ("770008200 / 770008201", "phone_several"),
        ("+22790123456", "country_not_covered"),
    ],
)
def test_a_number_is_refused_with_its_reason(programme: Programme, phone: str, code: str) -> None:
    item = preview(programme, "Bonjour", phone=phone)
    assert (item["valid"], [error["code"] for error in item["errors"]]) == (False, [code])
    if code == "country_not_covered":
        assert all(name in item["errors"][0]["message"] for name in ("Senegal", "Egypt", "Madagascar"))


def test_health_shows_what_is_left_in_each_country(programme: Programme) -> None:
    reported = health(programme)
    assert reported["ok"] is True
    remaining = {balance["country"]: balance for balance in reported["balances"]}
    assert set(remaining) == {"SN", "CI", "ML", "BF", "GN", "CM", "MG", "TN", "EG"}
    assert remaining["SN"]["units"] > 0
    in_a_month = programme.stack.now() + timedelta(days=30)
    assert remaining["SN"]["expires_at"].startswith(f"{in_a_month:%Y-%m-%d}")


@pytest.mark.parametrize(
    ("client", "reason", "units"),
    [("no-balance", "balance_empty", 0), ("expired-contract", "contract_expired", 0), ("old-contracts", None, 1)],
)
def test_remaining_units_are_shown_at_planning_in_health_and_in_a_stop(
    stack: RunningStack, client: str, reason: str | None, units: int
) -> None:
    with Programme(stack, f"remaining-{client}") as programme:
        programme.put_sms(client_id=client)
        rows = [programme.recipient(DELIVERED + number) for number in range(3)]
        made = programme.distribute(recipients=rows, confirm=True).json()
        warned = [warning for warning in made["warnings"] if warning["code"] == "units_insufficient"]
        [senegal] = [balance for balance in health(programme)["balances"] if balance["country"] == "SN"]
        assert (senegal["units"] > 0) == bool(units)
        assert bool(warned) == (units == 0)
        done = until(
            lambda: programme.distribution(made["distribution_id"]),
            lambda found: found["status"] == "paused" or found["counts"]["delivered"] == 3,
        )
        assert done["status_reason"] == reason
        assert done["counts"]["pending"] == (3 if reason else 0)


def test_unreadable_contracts_cause_no_warning_and_no_stop(programme: Programme) -> None:
    programme.put_sms(client_id="unreadable-contracts")
    made = programme.distribute(recipients=[programme.recipient(DELIVERED)], confirm=True).json()
    assert made["warnings"] == []
    assert health(programme)["ok"] is False
    assert health(programme)["balances"] is None
    until(lambda: programme.distribution(made["distribution_id"]), lambda found: found["counts"]["delivered"] == 1)


def test_an_unapproved_sender_name_pauses_the_list_and_fails_no_row(programme: Programme) -> None:
    programme.put_sms(sender_name="UNAPPROVED")
    rows = [programme.recipient(DELIVERED + number) for number in range(3)]
    made = programme.distribute(recipients=rows, confirm=True).json()
    paused = until(lambda: programme.distribution(made["distribution_id"]), lambda found: found["status"] == "paused")
    assert (paused["status_reason"], paused["counts"]["pending"]) == ("sender_name_not_approved", 3)


def test_egypt_without_a_sender_address_is_refused_at_planning(programme: Programme) -> None:
    programme.put_sms(senders={})
    egyptian = programme.recipient(0, phone="+201000008200")
    refused = programme.distribute(recipients=[egyptian], confirm=True).json()
    assert (refused["status"], refused["errors"][0]["code"]) == ("rejected", "sender_missing")
    single = programme.send(egyptian)
    assert (single.status_code, single.json()["errors"][0]["code"]) == (422, "sender_missing")
    assert programme.ledger("orange") == []
    programme.put_sms()
    made = programme.distribute(recipients=[egyptian], confirm=True).json()
    until(lambda: programme.distribution(made["distribution_id"]), lambda found: found["counts"]["delivered"] == 1)


@pytest.mark.parametrize("number", [613, 614, 609])
def test_receipts_in_every_shape(programme: Programme, number: int) -> None:
    sent = programme.ok(programme.send(programme.recipient(number)))
    assert programme.settled(sent["message_id"], "delivered")["reason"] is None


def test_workers_share_one_token_which_is_deleted_with_the_integration(programme: Programme) -> None:
    sent = programme.ok(programme.send(programme.recipient(DELIVERED)))
    programme.settled(sent["message_id"], "delivered")
    secrets = programme.stack.aws("secretsmanager")
    name = f"{programme.stack.output('SecretsPrefix')}/{programme.organisation}/orange-token"
    shared = secrets.get_secret_value(SecretId=name)["SecretString"]
    assert "refresh_at" in shared
    programme.put_sms(client_secret="another")
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "{}"
    assert programme.api.delete("/v1/integrations/sms").status_code == 204
    stages = [secrets.get_secret_value(SecretId=name, VersionStage=stage) for stage in ("AWSCURRENT", "AWSPREVIOUS")]
    assert {one["SecretString"] for one in stages} == {"erased"}


def test_settings_that_are_deleted_can_be_saved_again_at_once(programme: Programme) -> None:
    """As an administrator does who starts again. Secrets Manager has not deleted the secret by then."""
    for turn in range(3):
        for name in ("sms", "whatsapp", "dhis2"):
            assert programme.api.delete(f"/v1/integrations/{name}").status_code == 204, (turn, name)
            assert programme.api.get(f"/v1/integrations/{name}").status_code == 404, (turn, name)
        programme.put_sms(client_secret=f"turn-{turn}")
        programme.put_whatsapp()
        mapping = {"attributes": {"phone": "aPhoneAttr1"}}
        assert programme.api.put("/v1/integrations/dhis2", json=mapping).status_code == 200, turn
    for name in ("sms", "whatsapp", "dhis2"):
        assert programme.api.get(f"/v1/integrations/{name}").status_code == 200, name
    sent = programme.ok(programme.send(programme.recipient(DELIVERED)))
    programme.settled(sent["message_id"], "delivered")
