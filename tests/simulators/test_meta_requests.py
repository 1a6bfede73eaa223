"""The requests that Meta refuses, with their codes."""

import copy
from collections.abc import Callable
from datetime import timedelta

import pytest

from local.simulators.meta.access import REFUSED_NUMBERS, REFUSED_TOKENS
from local.simulators.meta.errors import BAD_MEDIA, PARAM_TEXT
from tests.simulators.world import ACCOUNT, NUMBER, START, TOKEN, World, play, png, template

type Json = dict[str, object]


def changed(path: str, value: object) -> Callable[[Json], Json]:
    """A function that copies a message and sets `path` (dots; numbers for places in lists) to `value`; `...` deletes
    it."""

    def change(body: Json) -> Json:
        body = copy.deepcopy(body)
        spot: object = body
        *parents, last = [int(each) if each.isdigit() else each for each in path.split(".")]
        for name in parents:
            spot = spot[name]  # type: ignore[index]  # walking JSON of a shape that this file wrote
        if value is ...:
            del spot[last]  # type: ignore[attr-defined]  # as above
        else:
            spot[last] = value  # type: ignore[index]  # as above
        return body

    return change


HEADER = "template.components.0.parameters.0"
PARAMETER = "template.components.1.parameters.0"

REFUSALS = [
    ("unknown field", changed("urgent", True), 100),
    ("a field of another type", changed("text", {"body": "x"}), 100),
    ("unknown inner field", changed("template.namespace", "x"), 100),
    ("no messaging_product", changed("messaging_product", ...), 131008),
    ("wrong messaging_product", changed("messaging_product", "sms"), 100),
    ("recipient_type", changed("recipient_type", "group"), 100),
    ("no to", changed("to", ...), 131008),
    ("to without +", changed("to", "221770001234"), 100),
    ("to of letters", changed("to", "+22177000abcd"), 131009),
    ("to too short", changed("to", "+22177"), 131009),
    ("to is the sender", changed("to", "+221770009999"), 131021),
    ("unsupported type", changed("type", "sticker"), 131051),
    ("callback data too long", changed("biz_opaque_callback_data", "k" * 513), 100),
    ("template name", changed("template.name", "Carte"), 100),
    ("language as a string", changed("template.language", "fr"), 100),
    ("no language", changed("template.language", ...), 131008),
    ("language code", changed("template.language.code", "français"), 100),
    ("components no array", changed("template.components", {}), 100),
    ("unknown component", changed("template.components.0.type", "footer"), 100),
    ("two bodies", changed("template.components.0", {"type": "body", "parameters": []}), 100),
    ("header of text", changed(HEADER, {"type": "text", "text": "x"}), 100),
    ("id and link", changed(f"{HEADER}.image.link", "https://x.example/c.png"), 100),
    ("neither id nor link", changed(f"{HEADER}.image", {}), 100),
    ("unknown media", changed(f"{HEADER}.image.id", "999"), 100),
    ("no parameter name", changed(f"{PARAMETER}.parameter_name", ...), 100),
    ("parameter name", changed(f"{PARAMETER}.parameter_name", "First"), 100),
    ("same name twice", changed(f"{PARAMETER}.parameter_name", "card_code"), 100),
    ("empty text", changed(f"{PARAMETER}.text", ""), 131008),
    ("no text", changed(f"{PARAMETER}.text", ...), 131008),
    ("text is a number", changed(f"{PARAMETER}.text", 7), 100),
    ("new line", changed(f"{PARAMETER}.text", "a\nb"), 132018),
    ("tab", changed(f"{PARAMETER}.text", "a\tb"), 132018),
    ("five spaces", changed(f"{PARAMETER}.text", "a     b"), 132018),
    ("too long", changed(f"{PARAMETER}.text", "a" * 1025), 132005),
    ("missing template", changed("template.name", "missing_template"), 132001),
    ("paused template", changed("template.name", "paused_template"), 132015),
    ("disabled template", changed("template.name", "disabled_template"), 132016),
]


@pytest.mark.parametrize(("change", "code"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
def test_an_invalid_message_is_refused(change: Callable[[Json], Json], code: int) -> None:
    async def scene(world: World) -> None:
        good = template(media=await world.media_id())
        answer = await world.message(change(good))
        error = answer.json()["error"]
        assert (error["code"], error["type"]) == (code, "OAuthException"), error
        assert error["message"].startswith(f"(#{code})")
        assert error["error_data"]["messaging_product"] == "whatsapp"
        assert answer.status_code in {400, 404}
        assert await world.ledger() == []
        await world.clock.settle()
        assert world.product.posts == 0

    play(scene)


@pytest.mark.parametrize("text", ["a    b", "x" * 1000, "Aïssata", "d'Ivoire"])
def test_four_spaces_and_accents_pass(text: str) -> None:
    async def scene(world: World) -> None:
        body = changed(f"{PARAMETER}.text", text)(template(media=await world.media_id()))
        assert (await world.message(body)).status_code == 200

    play(scene)


@pytest.mark.parametrize("to", ["+221770001234", "+221 77 000-12-34", "+(221)770001234"])
def test_an_accepted_message(to: str) -> None:
    async def scene(world: World) -> None:
        answer = await world.message(template(to=to, media=await world.media_id()))
        body = answer.json()
        assert answer.status_code == 200
        assert body["contacts"] == [{"input": to, "wa_id": "221770001234"}]
        assert body["messages"][0]["id"].startswith("wamid.HBg")
        assert body["messages"][0]["message_status"] == "accepted"
        (entry,) = await world.ledger()
        assert entry["recipient"] == "+221770001234"
        assert entry["organisation"] == "demo"
        assert entry["key"] == "key.1"
        assert entry["parameters"] == {"first_name": "Awa", "card_code": "DKR-VAC-1"}
        assert entry["media_sha256"]

    play(scene)


@pytest.mark.parametrize(("token", "code"), [(name, code) for name, (code, _) in REFUSED_TOKENS.items()])
def test_named_tokens(token: str, code: int) -> None:
    async def scene(world: World) -> None:
        answer = await world.message(template(), token=token)
        assert answer.json()["error"]["code"] == code

    play(scene)


@pytest.mark.parametrize(("number", "code"), [(name, code) for name, (code, _) in REFUSED_NUMBERS.items()])
def test_named_numbers(number: str, code: int) -> None:
    async def scene(world: World) -> None:
        assert (await world.message(template(), number=number)).json()["error"]["code"] == code

    play(scene)


def test_no_token_no_json_no_path() -> None:
    async def scene(world: World) -> None:
        url = f"/meta/v25.0/{NUMBER}/messages"
        bare = await world.http.post(url, json=template())
        assert (bare.status_code, bare.json()["error"]["code"]) == (401, 104)
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        assert (await world.http.post(url, content=b"{", headers=headers)).json()["error"]["code"] == 100
        assert (await world.get("/meta/v19.0/1/messages")).json()["error"]["code"] == 2500

    play(scene)


PICTURES = [
    ("text", b"not a picture", "image/png", 131053),
    ("JPEG's name on a PNG", png(), "image/jpeg", 131053),
    ("palette", png("P"), "image/png", 131053),
    ("16 bit", png("I;16"), "image/png", 131053),
    ("truncated", png()[:60], "image/png", 131053),
    ("over 5 MB", png() + b"\0" * 5_242_880, "image/png", 131053),
    ("PDF", b"%PDF-1.7", "application/pdf", 100),
]


@pytest.mark.parametrize(("content", "kind", "code"), [row[1:] for row in PICTURES], ids=[row[0] for row in PICTURES])
def test_an_invalid_picture_is_refused(content: bytes, kind: str, code: int) -> None:
    async def scene(world: World) -> None:
        answer = await world.upload(content, kind=kind)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)

    play(scene)


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "image/png"},
        {"messaging_product": "whatsapp"},
        {"messaging_product": "whatsapp", "type": "image/jpeg"},
        {"messaging_product": "whatsapp", "type": "image/png", "name": "x"},
    ],
)
def test_an_invalid_upload_is_refused(fields: dict[str, str]) -> None:
    async def scene(world: World) -> None:
        answer = await world.upload(png(), fields=fields)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, 100)

    play(scene)


def test_media_belongs_to_its_number_and_lives_thirty_days() -> None:
    async def scene(world: World) -> None:
        media = await world.media_id()
        shown = (await world.get(f"/meta/v25.0/{media}")).json()
        assert (shown["mime_type"], shown["file_size"], shown["id"]) == ("image/png", len(png()), media)
        assert (await world.get(shown["url"])).content == png()
        other = await world.message(template(media=media), number="999")
        assert other.json()["error"]["message"] == f"(#100) {BAD_MEDIA}"
        world.clock.set(START + timedelta(days=30, seconds=-1))
        assert (await world.message(template(media=media))).status_code == 200
        world.clock.set(START + timedelta(days=30))
        assert BAD_MEDIA in (await world.message(template(media=media))).text

    play(scene)


def test_free_form_needs_a_session() -> None:
    async def scene(world: World) -> None:
        text = template(type="text", template=None, text={"body": "Bonjour"})
        assert (await world.message(text)).json()["error"]["code"] == 131047
        await world.control("inbound", organisation="demo", **{"from": "+221770001234"}, text="Salut")
        assert (await world.message(text)).status_code == 200
        image = {"id": await world.media_id(), "caption": "c" * 1025}
        answer = await world.message(template(type="image", template=None, image=image))
        assert answer.json()["error"]["code"] == 100
        answer = await world.message(template(type="text", template=None, text={"body": "b" * 4097}))
        assert answer.json()["error"]["code"] == 100
        world.clock.set(START + timedelta(hours=24))
        assert (await world.message(text)).json()["error"]["code"] == 131047
        await world.clock.settle()
        assert world.product.values[0]["messages"][0]["text"] == {"body": "Salut"}  # type: ignore[index]  # JSON

    play(scene)


def test_a_message_must_match_the_definition_of_its_template() -> None:
    async def scene(world: World) -> None:
        body = {
            "name": "vaccination_card",
            "language": "fr",
            "category": "UTILITY",
            "parameter_format": "NAMED",
            "components": [
                {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::aW"]}},
                {
                    "type": "BODY",
                    "text": "Bonjour {{first_name}}, code {{card_code}}.",
                    "example": {
                        "body_text_named_params": [
                            {"param_name": "first_name", "example": "Awa"},
                            {"param_name": "card_code", "example": "A-1"},
                        ]
                    },
                },
            ],
        }
        url, headers = f"/meta/v25.0/{ACCOUNT}/message_templates", {"Authorization": f"Bearer {TOKEN}"}
        created = await world.http.post(url, json=body, headers=headers)
        assert created.json()["status"] == "PENDING"
        again = await world.http.post(url, json=body, headers=headers)
        assert again.json()["error"]["error_subcode"] == 2388024
        (listed,) = (await world.get(f"{url}?fields=name,status&status=approved&limit=100")).json()["data"]
        assert listed == {"id": created.json()["id"], "name": "vaccination_card", "status": "APPROVED"}
        good = template(media=await world.media_id())
        assert (await world.message(good)).status_code == 200
        assert (await world.ledger())[0]["text"] == "Bonjour Awa, code DKR-VAC-1."
        for change, code in (
            (changed("template.components.1.parameters.1", ...), 132000),
            (changed(f"{PARAMETER}.parameter_name", "last_name"), 132012),
            (changed("template.components.0", ...), 132012),
        ):
            assert (await world.message(change(good))).json()["error"]["code"] == code
        for status, code in (("PAUSED", 132015), ("DISABLED", 132016), ("PENDING", 132001)):
            await world.control(
                "templates", business_account_id=ACCOUNT, name="vaccination_card", language="fr", status=status
            )
            assert (await world.message(good)).json()["error"]["code"] == code
        await world.control("settings", known_templates_only=True)
        unknown = changed("template.name", "unheard_of")(good)
        answer = await world.message(unknown)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, 132001)

    play(scene)


def test_phone_number_fields() -> None:
    async def scene(world: World) -> None:
        await world.control("settings", messaging_limit="TIER_2K", quality_rating="YELLOW")
        fields = "verified_name,quality_rating,throughput,whatsapp_business_manager_messaging_limit,health_status"
        answer = (await world.get(f"/meta/v25.0/{NUMBER}?fields={fields}")).json()
        assert answer["whatsapp_business_manager_messaging_limit"] == "TIER_2K"
        assert answer["quality_rating"] == "YELLOW"
        assert answer["throughput"] == {"level": "STANDARD"}
        assert answer["health_status"]["can_send_message"] == "AVAILABLE"
        assert (await world.get(f"/meta/v25.0/{NUMBER}?fields=shoe_size")).json()["error"]["code"] == 100

    play(scene)


def test_throughput_pair_and_daily_limits() -> None:
    async def scene(world: World) -> None:
        media = await world.media_id()
        codes = [
            (await world.message(template(to=f"+22177001{place:04}", media=media))).json().get("error", {}).get("code")
            for place in range(2100, 2181)
        ]
        assert codes == [None] * 80 + [130429]
        world.clock.set(START + timedelta(seconds=1))
        pair = [(await world.message(template(media=media))).json() for _ in range(46)]
        assert [each.get("error", {}).get("code") for each in pair] == [None] * 45 + [131056]
        world.clock.set(START + timedelta(seconds=7))
        assert (await world.message(template(media=media))).status_code == 200
        await world.control("settings", messaging_limit="TIER_250", meta_rate_per_second=1000)
        world.clock.set(START + timedelta(seconds=60))
        more = [await world.message(template(to=f"+22177002{place:04}", media=media)) for place in range(2100, 2300)]
        assert sum(answer.status_code == 200 for answer in more) == 250 - 81
        assert more[-1].json()["error"]["code"] == 131048

    play(scene)


def test_the_documented_texts() -> None:
    assert "4 consecutive spaces" in PARAM_TEXT
    assert BAD_MEDIA.endswith("attachment ID")
