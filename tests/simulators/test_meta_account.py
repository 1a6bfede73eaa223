"""Meta's simulator on templates and the account: reports, edits, and buttons whose address ends in a variable."""

import httpx2
import pytest

from tests.simulators.world import ACCOUNT, NUMBER, TOKEN, World, play, png, template

BODY: dict[str, object] = {
    "type": "BODY",
    "text": "Bonjour {{first_name}} !",
    "example": {"body_text_named_params": [{"param_name": "first_name", "example": "Awa"}]},
}
URL = {"type": "URL", "text": "Voir", "url": "https://v.example/c/{{1}}", "example": ["https://v.example/c/x"]}
BUTTONS: dict[str, object] = {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Stop"}, URL]}


def own(*components: dict[str, object]) -> dict[str, object]:
    return {
        "name": "own_card",
        "language": "fr",
        "category": "UTILITY",
        "parameter_format": "NAMED",
        "components": list(components),
    }


async def post(world: World, path: str, body: dict[str, object]) -> httpx2.Response:
    return await world.http.post(f"/meta/v25.0/{path}", json=body, headers={"Authorization": f"Bearer {TOKEN}"})


def test_the_review_of_a_new_template_is_reported_a_moment_later() -> None:
    async def scene(world: World) -> None:
        made = await post(world, f"{ACCOUNT}/message_templates", own(BODY))
        assert made.json()["status"] == "PENDING"
        assert world.product.values == []
        await world.clock.settle()
        (value,) = world.product.values
        assert value == {
            "event": "APPROVED",
            "message_template_id": int(made.json()["id"]),
            "message_template_name": "own_card",
            "message_template_language": "fr",
            "message_template_category": "UTILITY",
            "reason": "NONE",
        }

    play(scene)


def test_a_rejected_template_is_edited_and_reviewed_again() -> None:
    async def scene(world: World) -> None:
        await world.control("settings", template_verdict="REJECTED")
        made = (await post(world, f"{ACCOUNT}/message_templates", own(BODY))).json()
        await world.control("settings", template_verdict="APPROVED")
        assert (await post(world, made["id"], {"components": [BODY, BUTTONS]})).json() == {"success": True}
        await world.clock.settle()
        assert [value["event"] for value in world.product.values][-1] == "APPROVED"
        listed = (await world.get(f"/meta/v25.0/{ACCOUNT}/message_templates")).json()["data"]
        assert [(one["status"], len(one["components"])) for one in listed] == [("APPROVED", 2)]
        assert (await post(world, "999", {"components": [BODY]})).status_code == 400

    play(scene)


def test_control_changes_status_and_category_and_reports_it() -> None:
    async def scene(world: World) -> None:
        named = {"business_account_id": ACCOUNT, "name": "own_card", "language": "fr"}
        await world.control("templates", **{**own(BODY), **named, "status": "APPROVED"})
        await world.clock.settle()
        assert world.product.values == []
        await world.control("templates", **named, status="PAUSED")
        await world.control("templates", **named, category="MARKETING")
        await world.clock.settle()
        paused, moved = world.product.values
        assert (paused["event"], paused["other_info"]["title"]) == ("PAUSED", "FIRST_PAUSE")  # type: ignore[index]
        assert (moved["previous_category"], moved["new_category"]) == ("UTILITY", "MARKETING")
        await world.control("settings", template_webhooks=False)
        await world.control("templates", **named, status="APPROVED")
        await world.clock.settle()
        assert len(world.product.values) == 2

    play(scene)


def test_control_reports_account_updates_as_given() -> None:
    async def scene(world: World) -> None:
        value = {"event": "ACCOUNT_RESTRICTION", "restriction_info": [{"restriction_type": "x", "expiration": 1}]}
        await world.control("account", organisation="demo", field="account_update", value=value)
        await world.clock.settle()
        assert world.product.values == [value]
        await world.control("account", organisation="demo", account="901", field="account_update", value=value)
        await world.clock.settle()
        assert world.product.accounts == [ACCOUNT, "901"]
        for wrong in ({"field": "messages", "value": {}}, {"field": "account_update"}):
            refused = await world.http.post("/_control/account", json={"organisation": "demo", **wrong})
            assert refused.status_code == 400
        nobody = {"organisation": "nobody", "field": "account_update", "value": {}}
        assert (await world.http.post("/_control/account", json=nobody)).status_code == 400

    play(scene)


FIELDS_OF_A_NUMBER = "display_phone_number,verified_name,quality_rating"


def refusal(answer: httpx2.Response) -> tuple[int, int, str]:
    error = answer.json()["error"]
    return error["code"], error.get("error_subcode", 0), error["message"]


def test_an_account_is_another_kind_of_object_than_its_numbers() -> None:
    async def scene(world: World) -> None:
        shown = (await world.get(f"/meta/v25.0/{ACCOUNT}")).json()
        assert set(shown) == {"id", "name", "currency", "timezone_id", "message_template_namespace"}
        asked = (await world.get(f"/meta/v25.0/{ACCOUNT}?fields=account_review_status,health_status")).json()
        assert (asked["id"], asked["account_review_status"]) == (ACCOUNT, "APPROVED")
        assert [entity["entity_type"] for entity in asked["health_status"]["entities"]] == ["WABA"]
        as_a_number = await world.get(f"/meta/v25.0/{ACCOUNT}?fields={FIELDS_OF_A_NUMBER}")
        assert as_a_number.status_code == 400
        assert refusal(as_a_number)[0] == 100
        assert "(display_phone_number) on node type (WhatsAppBusinessAccount)" in refusal(as_a_number)[2]
        numbers = (await world.get(f"/meta/v25.0/{ACCOUNT}/phone_numbers?fields=display_phone_number")).json()["data"]
        assert numbers == [{"id": NUMBER, "display_phone_number": "+221770009999"}]

    play(scene)


def test_an_account_sends_nothing_and_a_number_has_no_templates() -> None:
    async def scene(world: World) -> None:
        for answer in (await world.message(template(), number=ACCOUNT), await world.upload(png(), number=ACCOUNT)):
            assert answer.status_code == 400
            assert refusal(answer)[:2] == (100, 33)
        for edge in ("message_templates", "subscribed_apps"):
            answer = await world.get(f"/meta/v25.0/{NUMBER}/{edge}")
            assert refusal(answer)[0] == 100
            assert f"({edge}) on node type (WhatsAppBusinessPhoneNumber)" in refusal(answer)[2]
        assert (await world.ledger()) == []
        assert (await world.get("/meta/v25.0/999999999999/message_templates")).json() == {"data": []}

    play(scene)


async def apps(world: World) -> list[object]:
    return list((await world.get(f"/meta/v25.0/{ACCOUNT}/subscribed_apps")).json()["data"])


def test_the_registered_organisation_has_subscribed_the_app_and_may_unsubscribe_it() -> None:
    async def scene(world: World) -> None:
        assert len(await apps(world)) == 1
        await world.message(template(media=await world.media_id()))
        await world.clock.settle()
        assert world.product.reported() == ["sent", "delivered", "read"]
        path, headers = f"/meta/v25.0/{ACCOUNT}/subscribed_apps", {"Authorization": f"Bearer {TOKEN}"}
        assert (await world.http.delete(path, headers=headers)).json() == {"success": True}
        assert await apps(world) == []
        await world.message(template(media=await world.media_id()))
        await world.clock.settle()
        assert len(world.product.reported()) == 3  # as at Meta: without an app there is no webhook
        assert (await world.http.post(path, headers=headers)).json() == {"success": True}
        assert len(await apps(world)) == 1
        await world.message(template(media=await world.media_id()))
        await world.clock.settle()
        assert len(world.product.reported()) == 6

    play(scene)


def test_without_a_webhook_no_app_is_subscribed() -> None:
    async def scene(world: World) -> None:
        assert await apps(world) == []

    play(scene, app_secret=None)


def button(index: int) -> dict[str, object]:
    return {"type": "button", "sub_type": "url", "index": str(index), "parameters": [{"type": "text", "text": "C-1"}]}


@pytest.mark.parametrize(
    ("buttons", "code"),
    [([button(1)], None), ([], 131008), ([button(0), button(1)], None)],
)
def test_an_address_that_ends_in_a_variable_needs_its_parameter(buttons: list[object], code: int | None) -> None:
    async def scene(world: World) -> None:
        await world.control("templates", **{**own(BODY, BUTTONS), "business_account_id": ACCOUNT, "status": "APPROVED"})
        said = {"type": "body", "parameters": [{"type": "text", "parameter_name": "first_name", "text": "Awa"}]}
        call = {"name": "own_card", "language": {"code": "fr"}, "components": [said, *buttons]}
        answer = await world.message(template(template=call))
        assert answer.json().get("error", {}).get("code") == code

    play(scene)
