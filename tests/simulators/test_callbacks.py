"""The simulators' calls to the product's webhooks, and what /_control can change about them."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from tests.simulators.world import NUMBER, START, World, play, png, sms, template


def test_statuses_come_at_their_own_times() -> None:
    async def scene(world: World) -> None:
        media = await world.media_id()
        world.clock.set(datetime(2026, 12, 1, tzinfo=UTC))
        await world.message(template(media=media))
        await world.clock.settle()
        assert world.product.reported() == ["sent", "delivered", "read"]
        start = int(datetime(2026, 12, 1, tzinfo=UTC).timestamp())
        assert [each["timestamp"] for each in world.product.statuses] == [str(start), str(start), str(start + 1)]
        assert world.clock.now() == datetime(2026, 12, 1, tzinfo=UTC) + timedelta(seconds=1.2)
        assert "pricing" not in world.product.statuses[2]

    play(scene)


def test_a_failed_call_to_the_webhook_is_repeated() -> None:
    async def scene(world: World) -> None:
        world.product.answers = [500, 503, 500]
        await world.message(template(to="+221770000602", media=await world.media_id()))
        await world.clock.settle()
        assert world.product.reported() == ["sent"]
        receipts = (await world.http.get("/_control/receipts?provider=meta")).json()["receipts"]
        assert [(each["attempt"], each["result"]) for each in receipts] == [
            (1, "200"),
            (1, "500"),
            (2, "503"),
            (3, "500"),
            (4, "200"),
        ]
        assert receipts[0]["statuses"] == ["verification"]

    play(scene)


def test_orange_gives_up_after_two_more_tries() -> None:
    async def scene(world: World) -> None:
        world.product.answers = [500] * 9
        await world.text(sms(), token=await world.token())
        await world.clock.settle()
        assert world.product.posts == 3
        assert world.product.receipts == []

    play(scene)


def test_a_webhook_that_fails_its_challenge_is_never_called() -> None:
    async def scene(world: World) -> None:
        world.product.verify_token = "another"
        await world.message(template(media=await world.media_id()))
        await world.clock.settle()
        assert world.product.posts == 0
        await world.control("settings", verify_webhook=False)
        await world.message(template(media=await world.media_id()))
        await world.clock.settle()
        assert world.product.reported() == ["sent", "delivered", "read"]

    play(scene)


def test_without_an_app_secret_there_is_no_webhook() -> None:
    async def scene(world: World) -> None:
        assert (await world.message(template(media=await world.media_id()))).status_code == 200
        await world.clock.settle()
        assert world.product.posts == 0
        assert (await world.ledger())[0]["organisation"] == "demo"

    play(scene, app_secret=None)


def test_an_unknown_token_is_accepted_but_no_webhook_is_called() -> None:
    async def scene(world: World) -> None:
        answer = await world.message(template(media=await world.media_id()), token="somebody-else")
        assert answer.status_code == 200
        await world.clock.settle()
        assert (await world.ledger())[0]["organisation"] is None
        assert world.product.posts == 0

    play(scene)


def test_statuses_leave_in_batches_when_they_pile_up() -> None:
    async def scene(world: World) -> None:
        media = await world.media_id()
        world.product.seconds = 0.25
        for place in range(60):
            await world.message(template(to=f"+22177000{2100 + place}", media=media))
        await world.clock.settle()
        assert len(world.product.statuses) == 180
        assert world.product.posts < 180

    play(scene)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"receipts": False}, []),
        ({"duplicate_receipts": True}, ["sent", "sent", "delivered", "delivered", "read", "read"]),
        ({"read_delay": 0.0}, ["sent", "delivered", "read"]),
    ],
)
def test_settings_of_receipts(change: dict[str, object], expected: list[str]) -> None:
    async def scene(world: World) -> None:
        await world.control("settings", **change)
        await world.message(template(media=await world.media_id()))
        await world.clock.settle()
        assert world.product.reported() == expected

    play(scene)


def test_a_picture_by_link_is_fetched() -> None:
    async def scene(world: World) -> None:
        world.product.pictures = {"/good.png": png(), "/bad.png": b"text"}
        for name, reported in (("good", ["sent", "delivered", "read"]), ("bad", ["failed"]), ("gone", ["failed"])):
            world.product.statuses.clear()
            body = template()
            image = {"link": f"http://pictures/{name}.png"}
            header = {"type": "header", "parameters": [{"type": "image", "image": image}]}
            body["template"] = {"name": "x", "language": {"code": "fr"}, "components": [header]}
            assert (await world.message(body)).status_code == 200
            await world.clock.settle()
            assert world.product.reported() == reported

    play(scene)


@pytest.mark.parametrize(
    "body",
    [{"nonsense": 1}, {"receipts": "yes"}, {"units": {"SN": "many"}}, {"messaging_limit": "TIER_7"}, {"senders": []}],
)
def test_invalid_settings_change_nothing(body: dict[str, object]) -> None:
    async def scene(world: World) -> None:
        before = (await world.http.get("/_control/settings")).json()
        answer = await world.http.post("/_control/settings", json={"sent_delay": 9, **body})
        assert answer.status_code == 400
        assert answer.json()["error"]
        assert (await world.http.get("/_control/settings")).json() == before

    play(scene)


def test_providers_can_be_down() -> None:
    async def scene(world: World) -> None:
        token = await world.token()
        await world.control("settings", meta_down=True, orange_down=True)
        assert (await world.message(template())).status_code == 503
        assert (await world.text(sms(), token=token)).status_code == 503
        await world.control("reset")
        assert (await world.message(template())).status_code == 400

    play(scene)


def test_clock_and_reset() -> None:
    async def scene(world: World) -> None:
        await world.control("clock", now="2026-12-01T08:00:00Z")
        assert world.clock.now() == datetime(2026, 12, 1, 8, tzinfo=UTC)
        assert (await world.http.post("/_control/clock", json={"now": "2026-12-01T08:00:00"})).status_code == 400
        assert (await world.http.post("/_control/clock", json={"now": "soon"})).status_code == 400
        await world.message(template(media=await world.media_id()))
        await world.control("reset")
        assert await world.ledger() == []
        await world.clock.settle()
        assert world.product.posts == 0
        assert world.clock.now() > START

    play(scene)


def test_the_ledger_counts_refusals() -> None:
    async def scene(world: World) -> None:
        await world.message(template(to="221770001234"))
        await world.text(sms(), token="x")
        body = (await world.http.get("/_control/ledger?provider=orange")).json()
        assert body["refused"] == {"meta": {"100": 1}, "orange": {"401/41": 1}}
        assert (body["count"], body["messages"]) == (0, [])

    play(scene)


def test_called_addresses_are_recorded_unchanged() -> None:
    async def scene(world: World) -> None:
        await world.message(template(), token="x")
        await world.http.get("/cards/DKR-VAC-1.png?seen=%2B221")
        await world.http.get("/nothing%20here/there")
        await world.http.get("/health")
        found = (await world.http.get("/_control/addresses")).json()
        assert found == {
            "addresses": [
                f"POST /meta/v25.0/{NUMBER}/messages",
                "GET /cards/DKR-VAC-1.png?seen=%2B221",
                "GET /nothing%20here/there",
            ],
            "count": 3,
        }
        await world.control("reset")
        assert (await world.http.get("/_control/addresses")).json()["count"] == 0

    play(scene)


def test_cards() -> None:
    async def scene(world: World) -> None:
        first = await world.http.get("/cards/DKR-VAC-9XQ7LM2A.png")
        again = await world.http.get("/cards/DKR-VAC-9XQ7LM2A.png")
        other = await world.http.get("/cards/DKR-VAC-9XQ7LM2B.png")
        assert first.content == again.content != other.content
        with Image.open(io.BytesIO(first.content)) as card:
            assert (card.format, card.mode, card.size) == ("PNG", "RGB", (600, 380))
        assert (await world.upload(first.content)).status_code == 200
        for name in ("broken", "truncated", "garbled", "palette", "grey16", "huge"):
            content = (await world.http.get(f"/cards/{name}.png")).content
            assert (await world.upload(content)).json()["error"]["code"] == 131053, name
        assert (await world.http.get("/cards/missing.png")).status_code == 404
        assert (await world.http.get("/cards/..%2Fsecret.png")).status_code == 404

    play(scene)


def test_a_failing_card_host() -> None:
    statuses = {"missing": 404, "gone": 410, "forbidden": 403, "redirect": 302, "page": 200, "down": 503}

    async def scene(world: World) -> None:
        for name, status in statuses.items():
            assert (await world.http.get(f"/cards/{name}.png")).status_code == status
            reported = await world.http.post("/_control/settings", json={"cards": {"127.1": name}})
            assert reported.status_code == 200
            broken = await world.http.get("/cards/VAC-1.png", headers={"Host": "127.1:9100"})
            assert (broken.status_code, broken.headers.get("content-type") == "image/png") == (status, False)
            assert (await world.http.get("/cards/VAC-1.png")).headers["content-type"] == "image/png"
        await world.http.post("/_control/settings", json={"cards": {"127.1": "ok"}})
        mended = await world.http.get("/cards/VAC-1.png", headers={"Host": "127.1:9100"})
        assert mended.headers["content-type"] == "image/png"
        refused = await world.http.post("/_control/settings", json={"cards": {"127.1": "teapot"}})
        assert refused.status_code == 400

    play(scene)
