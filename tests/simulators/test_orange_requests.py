"""The requests that Orange refuses, and the three shapes of its refusals."""

from datetime import timedelta

import httpx2
import pytest

from local.simulators.orange.segments import units
from tests.simulators.world import START, World, play, sms

TOKEN_URL = "/orange/oauth/v3/token"
GRANT = {"grant_type": "client_credentials"}


def shape(answer: httpx2.Response) -> str:
    """Status and code of a refusal in any of the shapes."""
    body = answer.json()
    if "requestError" in body:
        ((family, inner),) = body["requestError"].items()
        assert set(inner) == {"messageId", "text", "variables"}
        return f"{answer.status_code} {family} {inner['messageId']} {','.join(inner['variables'])}"
    return f"{answer.status_code}/{body['code']}" if "code" in body else f"{answer.status_code} {body['error']}"


def inner(**changes: object) -> dict[str, object]:
    return sms(**changes)  # type: ignore[arg-type]  # the table below gives each field its own type


REFUSALS = [
    ("unknown outer field", {**sms(), "clientCorrelator": "x"}, "400/24"),
    ("receiptRequest", inner(receiptRequest={"notifyURL": "https://x.example"}), "400/24"),
    ("clientCorrelator", inner(clientCorrelator="x"), "400/24"),
    ("field in the message", inner(outboundSMSTextMessage={"message": "x", "encoding": "y"}), "400/24"),
    ("no outer object", {}, "400/23"),
    ("no address", inner(address=None), "400/23"),
    ("address as a list", inner(address=["tel:+221770001234"]), "400/24"),
    ("no message", inner(outboundSMSTextMessage=None), "400/23"),
    ("empty message", inner(outboundSMSTextMessage={"message": " "}), "400 serviceException SVC0002 message"),
    ("huge message", inner(outboundSMSTextMessage={"message": "x" * 1601}), "400 serviceException SVC0280 1600"),
    ("another sender in the body", inner(sender="tel:+2250000"), "400 serviceException SVC0002 senderAddress"),
    ("address without tel:", inner(address="+221770001234"), "400 serviceException SVC0002 address"),
    ("address without +", inner(address="tel:221770001234"), "400 serviceException SVC0002 address"),
    ("address abroad", inner(address="tel:+2250700000123"), "400 serviceException SVC0004 address"),
    ("address that cannot be", inner(address="tel:+221110001234"), "400 serviceException SVC0004 address"),
    ("name of 12", inner(senderName="ABCDEFGHIJKL"), "400 serviceException SVC0002 senderName"),
    ("name with an accent", inner(senderName="SANTÉ"), "400 serviceException SVC0002 senderName"),
    ("name not approved", inner(senderName="UNAPPROVED"), "400 serviceException SVC0002 senderName"),
]


@pytest.mark.parametrize(("body", "expected"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
def test_an_invalid_text_is_refused(body: object, expected: str) -> None:
    async def scene(world: World) -> None:
        answer = await world.text(body, token=await world.token())
        assert shape(answer) == expected
        assert answer.headers["X-OAPI-Request-Id"]
        assert await world.ledger() == []

    play(scene)


@pytest.mark.parametrize("sender", ["tel:+2210000", "tel%3A2210000", "%2B2210000", "tel%3A%2b2210000x"])
def test_the_sender_is_encoded_in_the_path(sender: str) -> None:
    async def scene(world: World) -> None:
        answer = await world.text(sms(), token=await world.token(), sender=sender)
        assert answer.status_code in {400, 404}

    play(scene)


def test_an_accepted_text() -> None:
    async def scene(world: World) -> None:
        answer = await world.text(sms(), token=await world.token())
        body = answer.json()["outboundSMSMessageRequest"]
        assert answer.status_code == 201
        assert body["address"] == ["tel:+221770001234"]
        assert body["resourceURL"].startswith("https://api.orange.com/smsmessaging/v1/outbound/tel:+2210000/requests/")
        (entry,) = await world.ledger()
        assert entry["provider_message_id"] == body["resourceURL"].rsplit("/", 1)[1]
        assert (entry["organisation"], entry["text"], entry["units"]) == ("demo", "Bonjour", 1)
        await world.clock.settle()
        assert world.product.receipts == [(entry["provider_message_id"], "DeliveredToTerminal")]

    play(scene)


ADDRESSES = [
    ("tel%3A%2B2250000", "tel:+2250000", "tel:+2250700000123"),
    ("tel%3A%2B2230000", "tel:+2230000", "tel:+22370000123"),
    ("tel%3A%2B200000", "tel:+200000", "tel:+201000000123"),
]


@pytest.mark.parametrize(("path", "sender", "address"), ADDRESSES)
def test_each_country_has_its_sender(path: str, sender: str, address: str) -> None:
    async def scene(world: World) -> None:
        answer = await world.text(sms(address, sender), token=await world.token(), sender=path)
        assert answer.status_code == 201, answer.text

    play(scene)


def test_a_landline_is_accepted_and_cannot_be_reached() -> None:
    async def scene(world: World) -> None:
        await world.text(sms("tel:+221338001234"), token=await world.token())
        await world.clock.settle()
        assert [status for _, status in world.product.receipts] == ["DeliveryImpossible"]

    play(scene)


def test_token_requests() -> None:
    async def scene(world: World) -> None:
        good = await world.http.post(TOKEN_URL, data=GRANT, auth=("any", "thing"))
        assert good.json()["expires_in"] == "3600"
        assert good.json()["token_type"] == "Bearer"
        assert shape(await world.http.post(TOKEN_URL, data=GRANT)) == "401/40"
        assert shape(await world.http.post(TOKEN_URL, data=GRANT, auth=("revoked", "x"))) == "401/41"
        assert shape(await world.http.post(TOKEN_URL, data=GRANT, auth=("x", "wrong-secret"))) == "401 invalid_client"
        assert shape(await world.http.post(TOKEN_URL, data={"x": "y"}, auth=("a", "b"))) == "400 invalid_request"
        other = await world.http.post(TOKEN_URL, data={"grant_type": "password"}, auth=("a", "b"))
        assert shape(other) == "400 unsupported_grant_type"
        html = await world.http.post(TOKEN_URL, data=GRANT, auth=("a", "b"), headers={"Accept": "text/html"})
        assert shape(html) == "406/62"
        assert shape(await world.http.post(TOKEN_URL, json=GRANT, auth=("a", "b"))) == "415/68"

    play(scene)


def test_reported_variants_of_tokens_and_contracts() -> None:
    async def contracts(world: World, client: str) -> httpx2.Response:
        return await world.get("/orange/sms/admin/v1/contracts", token=await world.token(client))

    async def scene(world: World) -> None:
        number = await world.http.post(TOKEN_URL, data=GRANT, auth=("numeric-expiry", "x"))
        assert number.json()["expires_in"] == 3600
        short = await world.http.post(TOKEN_URL, data=GRANT, auth=("short-token", "x"))
        assert short.json()["expires_in"] == "120"
        world.clock.set(START + timedelta(seconds=120))
        assert shape(await world.text(sms(), token=short.json()["access_token"])) == "401/42"
        old = (await contracts(world, "old-contracts")).json()["partnerContracts"]["contracts"][0]["serviceContracts"]
        assert (old[0]["country"], old[0]["availableUnits"]) == ("SEN", 1_000_000)
        assert old[0]["expires"] == (START + timedelta(days=30, seconds=120)).strftime("%Y-%m-%dT%H:%M:%S")
        assert (await contracts(world, "unreadable-contracts")).text.startswith("<html>")

    play(scene)


@pytest.mark.parametrize(
    ("digits", "info"),
    [
        ("0613", [{"address": "tel:+221770000613", "deliveryStatus": "DeliveredToTerminal"}]),
        ("0614", {"address": "tel:+221770000614", "delivery": {"deliveryStatus": "DeliveredToTerminal"}}),
        ("0615", {"deliveryStatus": "DeliveredToTerminal"}),
    ],
)
def test_receipts_in_other_shapes(digits: str, info: object) -> None:
    async def scene(world: World) -> None:
        await world.text(sms(f"tel:+22177000{digits}"), token=await world.token())
        await world.clock.settle()
        assert world.product.infos == [info]

    play(scene)


@pytest.mark.parametrize(
    ("digits", "variables"), [("4001", None), ("4003", "address"), ("4102", ["senderName"]), ("4309", None)]
)
def test_variables_are_a_list_or_a_string_or_absent(digits: str, variables: object) -> None:
    async def scene(world: World) -> None:
        answer = await world.text(sms(f"tel:+22177000{digits}"), token=await world.token())
        [exception] = answer.json()["requestError"].values()
        assert exception.get("variables") == variables

    play(scene)


def test_a_used_up_quota_is_named_in_the_description() -> None:
    async def scene(world: World) -> None:
        answer = await world.text(sms("tel:+221770000431"), token=await world.token())
        assert "quota" in answer.json()["description"]

    play(scene)


def test_tokens_end_by_the_clock() -> None:
    async def scene(world: World) -> None:
        token = await world.token()
        assert shape(await world.text(sms(), token="never issued")) == "401/41"
        world.clock.set(START + timedelta(seconds=3599))
        assert (await world.text(sms(), token=token)).status_code == 201
        world.clock.set(START + timedelta(seconds=3600))
        assert shape(await world.text(sms(), token=token)) == "401/42"
        assert shape(await world.text(sms(), token=await world.token("expired-token"))) == "401/42"

    play(scene)


def test_one_token_at_a_time_if_the_setting_says_so() -> None:
    async def scene(world: World) -> None:
        first = await world.token()
        await world.token()
        assert (await world.text(sms(), token=first)).status_code == 201
        await world.control("settings", orange_single_token=True)
        await world.token()
        assert shape(await world.text(sms(), token=first)) == "401/41"

    play(scene)


CLIENTS = [
    ("blocked", "403/51"),
    ("not-subscribed", "403/50"),
    ("no-balance", "403 policyException POL0001 insufficient balance"),
    ("expired-contract", "403 policyException POL0001 contract expired"),
]


@pytest.mark.parametrize(("client", "expected"), CLIENTS)
def test_named_clients(client: str, expected: str) -> None:
    async def scene(world: World) -> None:
        assert shape(await world.text(sms(), token=await world.token(client))) == expected

    play(scene)


def test_five_a_second_over_all_countries() -> None:
    async def scene(world: World) -> None:
        token = await world.token()
        answers = [await world.text(sms(f"tel:+22177000{place}"), token=token) for place in range(1101, 1106)]
        assert [each.status_code for each in answers] == [201] * 5
        abroad = sms("tel:+2250700000123", "tel:+2250000")
        assert shape(await world.text(abroad, token=token, sender="tel%3A%2B2250000")) == "403/53"
        await world.control("settings", orange_throttle_status=429)
        assert shape(await world.text(sms(), token=token)) == "429/53"
        world.clock.set(START + timedelta(seconds=1))
        assert (await world.text(sms(), token=token)).status_code == 201
        other = await world.token("client-2")
        assert (await world.text(sms(), token=other)).status_code == 201

    play(scene)


def test_the_gateway_counts_every_call() -> None:
    async def scene(world: World) -> None:
        token = await world.token()
        answers = [await world.get("/orange/sms/admin/v1/contracts", token) for _ in range(25)]
        assert [each.status_code for each in answers] == [200] * 24 + [403]

    play(scene)


def test_contracts_count_down() -> None:
    async def scene(world: World) -> None:
        await world.control("settings", units={"SN": 2})
        token = await world.token()
        long = sms(outboundSMSTextMessage={"message": "é" * 161})
        assert (await world.text(long, token=token)).status_code == 201
        (row,) = (await world.get("/orange/sms/admin/v1/contracts?country=SEN", token)).json()
        assert (row["country"], row["availableUnits"], row["status"]) == ("SEN", 0, "ACTIVE")
        assert row["expirationDate"] == "2026-12-23T10:00:00.000Z"
        assert len((await world.get("/orange/sms/admin/v1/contracts", token)).json()) == 9
        assert shape(await world.text(sms(), token=token)).startswith("403 policyException POL0001")

    play(scene)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 151, 2),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("ê" * 70, 1),
        ("ê" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_units(text: str, expected: int) -> None:
    assert units(text) == expected
