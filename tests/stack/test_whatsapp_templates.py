"""Templates, account and health over HTTP: from the submission to a campaign, and the effect of Meta's updates."""

from datetime import timedelta
from typing import Any

from tests.stack.programme import DELIVERED, Json, Programme
from tests.waiting import http, until

VACCINATION = {"template": {"name": "vaccination_card"}}


def with_account(programme: Programme, **changes: Any) -> str:
    """The organisation's own account at the simulated Meta."""
    account = f"9{programme.phone_number_id}"
    programme.put_whatsapp(business_account_id=account, **changes)
    return account


def control(programme: Programme, action: str, **body: Any) -> None:
    http().post(f"{programme.stack.control_url}/{action}", json=body).raise_for_status()


def whatsapp_status(programme: Programme, language: str = "fr") -> str | None:
    items = programme.ok(programme.api.get("/v1/templates"))["items"]
    wanted = ("whatsapp", "vaccination_card", language)
    return next((one["status"] for one in items if (one["channel"], one["name"], one["language"]) == wanted), None)


def submitted(programme: Programme) -> None:
    assert whatsapp_status(programme) == "not_submitted"
    answer = programme.api.post("/v1/templates/vaccination_card/submit")
    assert (answer.status_code, answer.json()) == (202, {"status": "pending"})
    until(
        lambda: {whatsapp_status(programme, language=language) for language in ("fr", "en")},
        lambda statuses: statuses == {"approved"},
    )


def campaign(programme: Programme, first: int, count: int = 3, **changes: Any) -> dict[str, Any]:
    recipients = [programme.recipient(first + number) for number in range(count)]
    answer = programme.distribute(channel="whatsapp", content=VACCINATION, recipients=recipients, **changes)
    return programme.ok(answer)


def later(programme: Programme) -> str:
    """A time until which nothing leaves during the test."""
    return (programme.stack.now() + timedelta(days=27)).isoformat()


def finding(health: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(check for check in health["checks"] if check["name"] == name)
    return found


def test_from_submission_to_a_campaign_that_meta_stops(programme: Programme) -> None:
    account = with_account(programme)
    refused = programme.distribute(channel="whatsapp", content=VACCINATION, recipients=[programme.recipient(DELIVERED)])
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["code"] == "template_not_submitted"
    submitted(programme)
    assert programme.api.post("/v1/templates/vaccination_card/submit").status_code == 202
    assert whatsapp_status(programme) == "approved"

    sent = campaign(programme, DELIVERED, confirm=True)
    assert sent["warnings"] == []
    until(
        lambda: programme.distribution(sent["distribution_id"])["counts"],
        lambda counts: counts["read"] == 3,
    )
    texts = [entry["text"] for entry in programme.ledger("meta")]
    assert all(text.startswith("Bonjour Aminata,") for text in texts)

    waiting = campaign(programme, DELIVERED + 10, confirm=True, schedule={"mode": "at", "at": later(programme)})
    named = {"business_account_id": account, "name": "vaccination_card", "language": "fr"}
    control(programme, "templates", **named, status="PAUSED")
    paused = until(lambda: programme.distribution(waiting["distribution_id"]), lambda one: one["status"] == "paused")
    assert paused["status_reason"] == "template_paused"
    assert whatsapp_status(programme) == "paused"
    again = programme.distribute(channel="whatsapp", content=VACCINATION, recipients=[programme.recipient(DELIVERED)])
    assert [error["code"] for error in again.json()["errors"]] == ["template_not_approved"]
    health = programme.ok(programme.api.get("/v1/integrations/whatsapp/health"))
    assert "vaccination_card (fr)" in finding(health, "templates")["detail"]

    control(programme, "templates", **named, status="APPROVED")
    until(lambda: whatsapp_status(programme), lambda status: status == "approved")
    freed = until(lambda: programme.distribution(waiting["distribution_id"]), lambda one: one["status"] == "scheduled")
    assert (freed["status_reason"], freed["holds"]) == (None, [])

    control(programme, "templates", **named, category="MARKETING")
    moved = until(lambda: programme.distribution(waiting["distribution_id"]), lambda one: one["status"] == "paused")
    assert moved["status_reason"] == "template_recategorised"


def health_of(programme: Programme) -> dict[str, Any]:
    return programme.ok(programme.api.get("/v1/integrations/whatsapp/health"))


def test_health_is_good_only_if_receipts_arrive(programme: Programme) -> None:
    account = with_account(programme)
    submitted(programme)
    health = health_of(programme)
    assert [check for check in health["checks"] if not check["ok"]] == []
    assert health["ok"] is True
    sent = programme.ok(programme.send(programme.recipient(DELIVERED), channel="whatsapp", content=VACCINATION))
    programme.settled(sent["message_id"], "read")

    url = f"{programme.stack.simulators_url}/meta/v25.0/{account}/subscribed_apps"
    http().delete(url, headers={"authorization": "Bearer access-token-of-a-test"}).raise_for_status()
    health = health_of(programme)
    assert (health["ok"], finding(health, "webhook")["ok"]) == (False, False)
    assert "subscribed_apps" in finding(health, "webhook")["remedy"]


def test_the_account_at_meta_is_no_phone_number(programme: Programme) -> None:
    """Some people enter the account's ID in place of the number's. This is Meta's answer to it."""
    account = with_account(programme)
    url = f"{programme.stack.simulators_url}/meta/v25.0/{account}"
    headers = {"authorization": "Bearer access-token-of-a-test"}
    assert http().get(url, headers=headers).json()["timezone_id"]
    refused = http().get(url, params={"fields": "display_phone_number"}, headers=headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, 100)


def test_the_list_comes_in_pages(programme: Programme) -> None:
    whole = programme.ok(programme.api.get("/v1/templates"))
    assert (len(whole["items"]), whole["next_cursor"]) == (12, None)
    paged: list[Json] = []
    place: dict[str, str | None] = {}
    for count in (5, 5, 2):
        page = programme.ok(programme.api.get("/v1/templates", params={"limit": 5, **place}))
        paged += page["items"]
        place = {"cursor": page["next_cursor"]}
        assert len(page["items"]) == count
    assert (paged, place["cursor"]) == (whole["items"], None)
    for wrong in ({"limit": "0"}, {"limit": ["1", "2"]}, {"cursor": "x"}, {"channel": "sms"}):
        assert programme.api.get("/v1/templates", params=wrong).status_code == 400, wrong


def test_a_submission_needs_a_known_template_and_a_working_account(programme: Programme) -> None:
    assert programme.api.post("/v1/templates/school_card/submit").status_code == 404
    missing = programme.api.post("/v1/templates/vaccination_card/submit", headers={"Accept-Language": "fr"})
    assert (missing.status_code, missing.json()["code"]) == (409, "integration_missing")
    assert "business_account_id" in missing.json()["detail"]
    with_account(programme, access_token="expired-token")
    refused = programme.api.post("/v1/templates/vaccination_card/submit")
    assert (refused.status_code, refused.json()["code"]) == (502, "provider_refused")
    assert "190" in refused.json()["detail"]


def test_an_own_positional_template_with_a_button(programme: Programme) -> None:
    account = with_account(programme)
    button = {
        "type": "URL",
        "text": "Voir",
        "url": "https://v.example.org/{{1}}",
        "example": ["https://v.example.org/x"],
    }
    own = {
        "name": "own_card",
        "language": "fr",
        "category": "UTILITY",
        "parameter_format": "POSITIONAL",
        "components": [
            {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::x"]}},
            {
                "type": "BODY",
                "text": "Bonjour {{1}}, voici la carte {{2}}.",
                "example": {"body_text": [["first_name", "card_code"]]},
            },
            {"type": "BUTTONS", "buttons": [button]},
        ],
    }
    control(programme, "templates", business_account_id=account, status="APPROVED", **own)
    items = programme.ok(programme.api.get("/v1/templates"))["items"]
    (found,) = [one for one in items if one["origin"] == "own"]
    assert (found["body"], found["variables"]) == (
        "Bonjour {first_name}, voici la carte {card_code}.",
        ["first_name", "card_code"],
    )
    content = {"template": {"name": "own_card"}}
    sent = programme.ok(programme.send(programme.recipient(DELIVERED + 40), channel="whatsapp", content=content))
    programme.settled(sent["message_id"], "read")
    (entry,) = programme.ledger("meta")
    assert entry["text"] == f"Bonjour Aminata, voici la carte DKR-VAC-{DELIVERED + 40:06d}."


def test_template_updates_count_with_either_spelling_of_the_language(programme: Programme) -> None:
    """Issue 14, line 5: `en-US` in a webhook is the template that a send and the list call `en_US`."""
    account = with_account(programme)
    named = {"business_account_id": account, "name": "own_words", "language": "en_US"}
    body = {"type": "BODY", "text": "Hello {{1}}!", "example": {"body_text": [["first_name"]]}}
    header = {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::x"]}}
    own = {"category": "UTILITY", "parameter_format": "POSITIONAL", "components": [header, body]}
    control(programme, "templates", **named, **own, status="APPROVED")

    def states() -> list[str]:
        items = programme.ok(programme.api.get("/v1/templates"))["items"]
        return [one["status"] for one in items if (one["name"], one["language"]) == ("own_words", "en_US")]

    assert states() == ["approved"]
    reported = {
        "event": "PAUSED",
        "message_template_id": 1,
        "message_template_name": "own_words",
        "message_template_language": "en-US",
    }
    field = "message_template_status_update"
    control(programme, "account", organisation=programme.organisation, field=field, value=reported)
    assert until(states, lambda found: found == ["paused"])


def test_health_shows_what_is_wrong_and_where_to_correct_it(programme: Programme) -> None:
    with_account(programme)
    first = programme.ok(programme.api.get("/v1/integrations/whatsapp/health"))
    assert first["ok"] is False
    assert {check["name"] for check in first["checks"] if not check["ok"]} == {"templates"}
    submitted(programme)
    well = programme.ok(programme.api.get("/v1/integrations/whatsapp/health"))
    assert (well["ok"], well["quality"], well["used_24h"]) == (True, "GREEN", 0)
    assert well["sender"] == "Programme de santé (simulateur)"
    assert {one["status"] for one in well["templates"] if one["name"] == "vaccination_card"} == {"approved"}

    tell = {"organisation": programme.organisation}
    capability = {"max_daily_conversations_per_business": "TIER_2K", "max_phone_numbers_per_waba": 25}
    control(programme, "account", **tell, field="business_capability_update", value=capability)
    campaign_of_one = campaign(
        programme, DELIVERED + 60, count=1, confirm=True, schedule={"mode": "at", "at": later(programme)}
    )
    restriction = {"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": 1800000000}
    value = {"event": "ACCOUNT_RESTRICTION", "restriction_info": [restriction]}
    control(programme, "account", **tell, field="account_update", value=value)
    paused = until(
        lambda: programme.distribution(campaign_of_one["distribution_id"]), lambda one: one["status"] == "paused"
    )
    assert paused["status_reason"] == "account_restricted"

    with_account(programme, access_token="expired-token")
    french = programme.ok(programme.api.get("/v1/integrations/whatsapp/health", headers={"Accept-Language": "fr"}))
    token = finding(french, "token")
    assert (french["ok"], token["ok"]) == (False, False)
    assert "190" in token["detail"]
    assert "Paramètres" in token["remedy"]


def test_health_of_sms(programme: Programme) -> None:
    health = programme.ok(programme.api.get("/v1/integrations/sms/health"))
    assert [check["name"] for check in health["checks"]] == [
        "token",
        "contracts",
        "sender_name",
        "sender_address",
        "receipts",
    ]
    assert (health["ok"], health["sender"]) == (True, "PNV")
    assert "SN" in {balance["country"] for balance in health["balances"]}
    programme.put_sms(client_id="revoked")
    refused = programme.ok(programme.api.get("/v1/integrations/sms/health"))
    assert (refused["ok"], finding(refused, "token")["ok"], refused["balances"]) == (False, False, None)
