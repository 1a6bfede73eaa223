"""Kapso's Python client against the simulator of Meta. Only its base URL is changed.

It calls Graph directly, as it does without a Kapso key. https://github.com/gokapso/whatsapp-cloud-api-python
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest
from kapso_whatsapp import WhatsAppClient
from kapso_whatsapp.builders import build_template_definition, build_template_send_payload
from kapso_whatsapp.exceptions import (
    AuthenticationError,
    AuthorizationError,
    ErrorCategory,
    NotFoundError,
    RateLimitError,
    ValidationError,
    WhatsAppAPIError,
)
from kapso_whatsapp.types import SendMessageResponse
from kapso_whatsapp.webhooks import NormalizedWebhookResult, normalize_webhook, verify_signature

from tests.simulators.served import Served, served
from tests.simulators.world import ACCOUNT, NUMBER, TOKEN, png

pytestmark = pytest.mark.stack

PERSON = "+221770001234"

type Scene = Callable[[WhatsAppClient], Awaitable[None]]


@pytest.fixture(scope="module")
def running() -> Iterator[Served]:
    with served() as simulators:
        yield simulators


@pytest.fixture
def meta(running: Served) -> Served:
    running.start_anew()
    return running


def play(meta: Served, scene: Scene, token: str = TOKEN, retries: int = 0) -> None:
    async def run() -> None:
        async with WhatsAppClient(
            access_token=token,
            base_url=meta.base,
            graph_version="v25.0",
            max_retries=retries,
            retry_backoff=0.1,
        ) as client:
            await scene(client)

    asyncio.run(run())


async def send_card(client: WhatsAppClient, to: str = PERSON, name: str = "vaccination_card") -> SendMessageResponse:
    media = await client.media.upload(phone_number_id=NUMBER, file=png(), type="image/png", filename="card.png")
    return await client.messages.send_template(
        phone_number_id=NUMBER,
        to=to,
        template=build_template_send_payload(
            name=name,
            language="fr",
            header=[{"type": "image", "image": {"id": media.id}}],
            body=[
                {"type": "text", "text": "Awa", "parameter_name": "first_name"},
                {"type": "text", "text": "DKR-VAC-1", "parameter_name": "card_code"},
            ],
            buttons=[{"sub_type": "url", "index": 0, "parameters": [{"type": "text", "text": "abc"}]}],
        ),
        biz_opaque_callback_data="key.1",
    )


def test_a_card_by_template(meta: Served) -> None:
    async def scene(client: WhatsAppClient) -> None:
        sent = await send_card(client)
        assert sent.messages[0].message_status == "accepted"
        assert (sent.contacts[0].input, sent.contacts[0].wa_id) == (PERSON, PERSON.lstrip("+"))
        (entry,) = meta.ledger()
        assert entry["provider_message_id"] == sent.message_id
        assert entry["key"] == "key.1"
        assert entry["parameters"] == {"first_name": "Awa", "card_code": "DKR-VAC-1"}
        held = await send_card(client, "+221770000700")
        assert held.messages[0].message_status == "held_for_quality_assessment"

    play(meta, scene)


def test_text_and_picture_in_a_session(meta: Served) -> None:
    async def scene(client: WhatsAppClient) -> None:
        with pytest.raises(ValidationError) as refused:
            await client.messages.send_text(phone_number_id=NUMBER, to=PERSON, body="Bonjour")
        assert refused.value.error_code == 131047
        meta.person_writes(PERSON)
        text = await client.messages.send_text(phone_number_id=NUMBER, to=PERSON, body="Bonjour")
        assert text.messages[0].message_status is None
        media = await client.media.upload(phone_number_id=NUMBER, file=png(), type="image/png")
        image = {"id": media.id, "caption": "Votre carte"}
        await client.messages.send_image(phone_number_id=NUMBER, to=PERSON, image=image)
        assert [(each["kind"], each["text"]) for each in meta.ledger()] == [
            ("text", "Bonjour"),
            ("image", "Votre carte"),
        ]

    play(meta, scene)


def test_media_is_found_read_and_deleted(meta: Served) -> None:
    async def scene(client: WhatsAppClient) -> None:
        media = await client.media.upload(phone_number_id=NUMBER, file=png(), type="image/png")
        with pytest.raises(ValidationError):
            await client.media.get(media_id=media.id, phone_number_id="999")
        found = await client.media.get(media_id=media.id, phone_number_id=NUMBER)
        assert (found.id, found.mime_type, found.file_size) == (media.id, "image/png", len(png()))
        assert await client.media.download(media_id=media.id) == png()
        assert await client.media.delete(media_id=media.id, phone_number_id=NUMBER) == {"success": True}
        with pytest.raises(ValidationError) as refused:
            await client.media.get(media_id=media.id)
        assert (refused.value.error_code, refused.value.error_subcode) == (100, 33)

    play(meta, scene)


def test_a_template_from_creation_to_sending(meta: Served) -> None:
    async def scene(client: WhatsAppClient) -> None:
        picture = png()
        opened = await client.request(
            "POST", "1/uploads", params={"file_name": "card.png", "file_length": len(picture), "file_type": "image/png"}
        )
        url = f"{meta.base}/v25.0/{opened['id']}"
        handle = (await client.fetch(url, method="POST", headers={"file_offset": "0"}, content=picture)).json()["h"]
        definition = build_template_definition(
            name="vaccination_card",
            category="UTILITY",
            language="fr",
            parameter_format="NAMED",
            components=[
                {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": [handle]}},
                {
                    "type": "BODY",
                    "text": "Bonjour {{first_name}}, votre carte {{card_code}} est prête.",
                    "example": {
                        "body_text_named_params": [
                            {"param_name": "first_name", "example": "Awa"},
                            {"param_name": "card_code", "example": "A-1"},
                        ]
                    },
                },
            ],
        )
        created = await client.templates.create(business_account_id=ACCOUNT, **definition)
        assert (created["status"], created["category"]) == ("PENDING", "UTILITY")
        listed = await client.templates.list(business_account_id=ACCOUNT, status="APPROVED", category="UTILITY")
        assert [(each["name"], each["status"]) for each in listed["data"]] == [("vaccination_card", "APPROVED")]
        shown = await client.templates.get(template_id=created["id"])
        assert shown["components"] == definition["components"]
        health = await client.request("GET", created["id"], params={"fields": "status,health_status"})
        assert health["health_status"]["can_send_message"] == "AVAILABLE"
        await send_card(client)
        assert meta.ledger()[0]["text"] == "Bonjour Awa, votre carte DKR-VAC-1 est prête."

    play(meta, scene)


def test_the_phone_number_and_its_health(meta: Served) -> None:
    async def scene(client: WhatsAppClient) -> None:
        fields = "quality_rating,whatsapp_business_manager_messaging_limit,health_status"
        number = await client.request("GET", NUMBER, params={"fields": fields})
        assert number["whatsapp_business_manager_messaging_limit"] == "TIER_UNLIMITED"
        assert number["health_status"]["can_send_message"] == "AVAILABLE"

    play(meta, scene)


NUMBERS = [
    ("0190", 190, AuthenticationError, ErrorCategory.AUTHENTICATION),
    (
        "0429",
        130429,
        ValidationError,
        ErrorCategory.VALIDATION,
    ),  # The client looks only at the HTTP status: 400 here, 429 below.
    ("0430", 130429, RateLimitError, ErrorCategory.RATE_LIMIT),
    ("1000", 131000, WhatsAppAPIError, ErrorCategory.SERVER_ERROR),
    ("1026", 131026, ValidationError, ErrorCategory.VALIDATION),
    ("1031", 131031, AuthorizationError, ErrorCategory.AUTHORIZATION),
    ("2001", 132001, NotFoundError, ErrorCategory.NOT_FOUND),
    ("2015", 132015, ValidationError, ErrorCategory.VALIDATION),
]


@pytest.mark.parametrize(("digits", "code", "kind", "category"), NUMBERS, ids=[row[0] for row in NUMBERS])
def test_refusals_raise_the_documented_errors(
    meta: Served, digits: str, code: int, kind: type[WhatsAppAPIError], category: ErrorCategory
) -> None:
    async def scene(client: WhatsAppClient) -> None:
        with pytest.raises(kind) as refused:
            await send_card(client, f"+22177000{digits}")
        assert (refused.value.error_code, refused.value.category) == (code, category)
        assert refused.value.message.startswith(f"(#{code})")

    play(meta, scene)


def test_it_tries_again_if_the_simulator_says_so(meta: Served) -> None:
    async def scene(client: WhatsAppClient) -> None:
        await send_card(client, "+221770000503")
        assert len(meta.ledger()) == 1

    play(meta, scene, retries=1)


@pytest.mark.parametrize(
    ("token", "kind"),
    [("expired-token", AuthenticationError), ("no-access", AuthorizationError), ("app-limited", ValidationError)],
)
def test_refused_tokens(meta: Served, token: str, kind: type[WhatsAppAPIError]) -> None:
    async def scene(client: WhatsAppClient) -> None:
        with pytest.raises(kind):
            await send_card(client)

    play(meta, scene, token=token)


def received(update: tuple[bytes, str]) -> NormalizedWebhookResult:
    """How the client reads one call to the webhook."""
    body, signature = update
    assert verify_signature(app_secret="app-secret", raw_body=body, signature_header=signature)
    assert not verify_signature(app_secret="app-secret", raw_body=body + b" ", signature_header=signature)
    return normalize_webhook(body.decode())


def test_receipts(meta: Served) -> None:
    async def scene(client: WhatsAppClient) -> None:
        sent = await send_card(client)
        results = [received(meta.update()) for _ in range(3)]
        statuses = {status.status: status for each in results for status in each.statuses}
        assert set(statuses) == {"sent", "delivered", "read"}
        for each in statuses.values():
            assert (each.id, each.recipient_id) == (sent.message_id, PERSON.lstrip("+"))
            assert each.timestamp == str(int(meta.world.clock.now().timestamp()))
            assert each.extra["bizOpaqueCallbackData"] == "key.1"
        assert {each.phone_number_id for each in results} == {NUMBER}
        assert all(each.contacts[0]["waId"] == PERSON.lstrip("+") for each in results)
        assert statuses["sent"].pricing is not None
        assert statuses["sent"].pricing["category"] == "utility"

    play(meta, scene)


@pytest.mark.parametrize("contacts", [False, True])
def test_a_failure_that_comes_later(meta: Served, contacts: bool) -> None:
    meta.do("settings", contacts_on_failed=contacts)

    async def scene(client: WhatsAppClient) -> None:
        await send_card(client, "+221770009026")
        result = received(meta.update())
        (status,) = result.statuses
        assert status.status == "failed"
        assert status.errors is not None
        assert [each["code"] for each in status.errors] == [131026]
        assert result.contacts == ([{"waId": "221770009026"}] if contacts else [])

    play(meta, scene)


def test_a_person_writes(meta: Served) -> None:
    meta.person_writes(PERSON, "Merci beaucoup, à bientôt")
    result = received(meta.update())
    (message,) = result.messages
    assert message["text"] == {"body": "Merci beaucoup, à bientôt"}
    assert message["from"] == PERSON.lstrip("+")
    assert result.display_phone_number == "221770009999"
