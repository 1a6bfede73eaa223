"""Meta's account updates over HTTP (issue 14, lines 1 and 2). Updates of another account change nothing. Of our own,
only those that are known to stop campaigns stop one."""

import hashlib
import hmac
import json
from datetime import timedelta

import pytest

from tests.stack.programme import DELIVERED, WHATSAPP_SECRET, Json, Programme
from tests.stack.running import RunningStack
from tests.waiting import http, until

VACCINATION = {"template": {"name": "vaccination_card"}}
ANOTHER = "900000000000901"
MESSAGING = "RESTRICTED_BIZ_INITIATED_MESSAGING"
MINUTE = timedelta(minutes=1)
OTHER_RESTRICTIONS = (
    "RESTRICTED_ADD_PHONE_NUMBER_ACTION",
    "RESTRICTED_BIZ_INITIATED_AND_USER_INITIATED_CALLING",
    "RESTRICTED_BUSINESS_INITIATED_CALLING",
    "RESTRICTED_CUSTOMER_INITIATED_MESSAGING",
    "RESTRICTED_DIRECT_SEND_UTILITY_TEMPLATES",
    "RESTRICTED_USER_INITIATED_CALLING",
    "RESTRICTED_USER_INITIATED_CALLING_CALL_BUTTON_HIDDEN",
    "RESTRICTED_UTILITY_TEMPLATES",
)


@pytest.fixture(scope="module")
def running(fresh_stack: RunningStack) -> RunningStack:
    """The tests move its clock and block all of Meta's accounts for a while."""
    return fresh_stack


def tell(programme: Programme, field: str, value: Json, account: str | None = None) -> None:
    """Meta's way: signed with the app's secret, for any of its accounts."""
    about = account or f"9{programme.phone_number_id}"
    now = int(programme.stack.now().timestamp())
    entry = {"id": about, "time": now, "changes": [{"field": field, "value": value}]}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    signature = hmac.new(WHATSAPP_SECRET.encode(), body, hashlib.sha256).hexdigest()
    url = f"{programme.stack.base_url}/webhooks/whatsapp/{programme.organisation}"
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"}
    assert http().post(url, content=body, headers=headers).status_code == 200


def template(event: str, language: str = "fr") -> Json:
    names = {"message_template_name": "vaccination_card", "message_template_language": language}
    return {"event": event, "message_template_id": 1, **names}


def restriction(*kinds: str) -> Json:
    return {
        "event": "ACCOUNT_RESTRICTION",
        "restriction_info": [{"restriction_type": kind, "expiration": 1_900_000_000} for kind in kinds],
    }


def warnings(programme: Programme) -> list[tuple[str, Json]]:
    """Every account update that would stop or slow a campaign."""
    number = {"display_phone_number": "221770009999"}
    return [
        ("message_template_status_update", template("PAUSED")),
        ("message_template_status_update", template("DISABLED", "en")),
        ("template_category_update", template("") | {"new_category": "MARKETING"}),
        ("account_update", restriction(MESSAGING)),
        ("account_update", {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}}),
        ("account_update", {"event": "ACCOUNT_DELETED"}),
        ("business_capability_update", {"max_daily_conversations_per_business": 1}),
        ("phone_number_quality_update", number | {"event": "FLAGGED", "current_limit": "TIER_250"}),
    ]


def planned(programme: Programme, first: int) -> str:
    """A distribution in two languages, for a later day."""
    at = (programme.stack.now() + timedelta(days=27)).isoformat()
    rows = [programme.recipient(first + number, language=language) for number, language in enumerate(("fr", "en"))]
    schedule = {"mode": "at", "at": at}
    made = programme.distribute(
        recipients=rows, channel="whatsapp", content=VACCINATION, schedule=schedule, confirm=True
    )
    document = programme.ok(made)
    assert (document["status"], document["accepted"]) == ("scheduled", 2), document
    return str(document["distribution_id"])


def stored(programme: Programme, identity: str) -> tuple[str, str | None, list[str]]:
    found = programme.distribution(identity)
    return found["status"], found["status_reason"], [hold["reason"] for hold in found.get("holds", ())]


def approved(programme: Programme) -> set[str]:
    items = programme.ok(programme.api.get("/v1/templates"))["items"]
    return {one["status"] for one in items if (one["name"], one["channel"]) == ("vaccination_card", "whatsapp")}


def health(programme: Programme, language: str = "en") -> Json:
    return programme.ok(programme.api.get("/v1/integrations/whatsapp/health", headers={"Accept-Language": language}))


def finding(found: Json, name: str) -> Json:
    one: Json = next(check for check in found["checks"] if check["name"] == name)
    return one


def received(programme: Programme) -> None:
    """Waits until all earlier updates are handled: the opt-out that comes last is recorded."""
    phone = f"+22177000{DELIVERED + 99}"
    reported: Json = {"organisation": programme.organisation, "from": phone, "value": "stop"}
    http().post(f"{programme.stack.control_url}/preferences", json=reported).raise_for_status()
    look_up = lambda: programme.ok(programme.api.post("/v1/consents/lookup", json={"phone": phone}))  # noqa: E731
    until(look_up, lambda found: found["state"] == "revoked")


def test_another_accounts_updates_change_nothing(running: RunningStack) -> None:
    with Programme(running, "anothers-warnings") as programme:
        account = f"9{programme.phone_number_id}"
        programme.put_whatsapp(business_account_id=account)
        assert programme.api.post("/v1/templates/vaccination_card/submit").status_code == 202
        until(lambda: approved(programme), lambda found: found == {"approved"})
        identity = planned(programme, DELIVERED)
        before = [health(programme)[name] for name in ("quality", "daily_limit")]
        for field, value in warnings(programme):
            tell(programme, field, value, ANOTHER)
        received(programme)
        assert stored(programme, identity) == ("scheduled", None, [])
        assert approved(programme) == {"approved"}
        found = health(programme)
        assert [found[name] for name in ("quality", "daily_limit")] == before
        assert finding(found, "account")["ok"]
        tell(programme, "message_template_status_update", template("PAUSED"))
        until(lambda: approved(programme), lambda found: found == {"approved", "paused"})
        tell(programme, "message_template_status_update", template("APPROVED"), ANOTHER)
        received(programme)
        assert approved(programme) == {"approved", "paused"}
        held = until(lambda: stored(programme, identity), lambda found: found[2] != [])
        assert held == ("scheduled", None, ["template_paused"])


def test_without_the_accounts_id_updates_change_nothing_and_health_names_it(running: RunningStack) -> None:
    with Programme(running, "no-account") as programme:
        identity = planned(programme, DELIVERED + 10)
        for account in (f"9{programme.phone_number_id}", ANOTHER):
            for field, value in warnings(programme):
                tell(programme, field, value, account)
        received(programme)
        assert stored(programme, identity) == ("scheduled", None, [])
        for language, ignored in (("en", "we ignore them"), ("fr", "nous les ignorons")):
            check = finding(health(programme, language), "webhook")
            assert not check["ok"]
            assert ignored in check["detail"]
            assert "business_account_id" in check["remedy"]


def test_only_updates_that_stop_campaigns_stop_one(running: RunningStack) -> None:
    with Programme(running, "calls") as programme:
        programme.put_whatsapp(business_account_id=f"9{programme.phone_number_id}")
        assert programme.api.post("/v1/templates/vaccination_card/submit").status_code == 202
        until(lambda: approved(programme), lambda found: found == {"approved"})
        identity = planned(programme, DELIVERED + 20)
        others: list[Json] = [restriction(kind) for kind in OTHER_RESTRICTIONS]
        others.append({"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "LOW_PICKUP_RATE"}})
        others.append({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "SCHEDULE_FOR_DISABLE"}})
        for value in others:
            tell(programme, "account_update", value)
        received(programme)
        assert stored(programme, identity) == ("scheduled", None, [])
        until(lambda: examined(running, programme), lambda found: len(found) == len(others))
        assert stored(programme, identity) == ("scheduled", None, [])
        running.set_simulators(can_send="BLOCKED")
        tell(programme, "account_update", restriction(OTHER_RESTRICTIONS[-1]))
        until(lambda: stored(programme, identity), lambda found: found[:2] == ("paused", "account_restricted"))
        running.set_simulators(can_send="AVAILABLE")
        programme.move_to(running.now() + 2 * MINUTE)
        until(lambda: stored(programme, identity), lambda found: found == ("scheduled", None, []))
        tell(programme, "account_update", restriction(MESSAGING, OTHER_RESTRICTIONS[1]))
        until(lambda: stored(programme, identity), lambda found: found[:2] == ("paused", "account_restricted"))


def examined(running: RunningStack, programme: Programme) -> list[str]:
    """The log lines about Meta being asked whether the account may send."""
    return [
        line for line in running.log().splitlines() if "account_examined" in line and programme.organisation in line
    ]
