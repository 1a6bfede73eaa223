"""pywa against the simulator of Meta. Only its base URL is changed.

If pywa cannot read an answer, the simulator is wrong. https://github.com/david-lev/pywa
"""

import asyncio
import io
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from pywa import errors
from pywa.client import WhatsApp
from pywa.handlers import MessageHandler, MessageStatusHandler, RawUpdateHandler
from pywa.types.base_update import RawUpdate
from pywa.types.callback import Button
from pywa.types.message import Message
from pywa.types.message_status import MessageStatus, MessageStatusType
from pywa.types.others import Pagination
from pywa.types.sent_update import SentTemplate, SentTemplateStatus
from pywa.types.templates import (
    BaseParams,
    BodyText,
    Buttons,
    HeaderImage,
    ParamFormat,
    QuickReplyButton,
    Template,
    TemplateCategory,
    TemplateLanguage,
    TemplateStatus,
    URLButton,
)
from pywa_async.client import WhatsApp as AsyncWhatsApp

from tests.simulators.served import Served, served
from tests.simulators.world import ACCOUNT, NUMBER, TOKEN, png
from tests.waiting import PATIENCE

pytestmark = pytest.mark.stack

PERSON = "+221770001234"
VERSION = 25.0


@pytest.fixture(scope="module")
def running() -> Iterator[Served]:
    with served() as simulators:
        yield simulators


@pytest.fixture
def meta(running: Served) -> Served:
    running.start_anew()
    return running


def connected(meta: Served, session: httpx.Client, token: str = TOKEN) -> WhatsApp:
    """pywa writes Meta's address into the session that it gets; the test replaces it with the simulator's."""
    client = WhatsApp(
        phone_id=NUMBER,
        token=token,
        session=session,
        waba_id=ACCOUNT,
        app_id=1,
        app_secret="app-secret",
        verify_token="verify",
        api_version=VERSION,
        continue_handling=True,
    )
    session.base_url = f"{meta.base}/v{VERSION}"
    return client


@pytest.fixture
def session() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=PATIENCE) as client:
        yield client


@pytest.fixture
def whatsapp(meta: Served, session: httpx.Client) -> WhatsApp:
    return connected(meta, session)


CARD = Template(
    name="vaccination_card",
    category=TemplateCategory.UTILITY,
    language=TemplateLanguage.FRENCH,
    parameter_format=ParamFormat.NAMED,
    components=[
        HeaderImage(example=png(), mime_type="image/png"),
        BodyText("Bonjour {{first_name}}, votre carte {{card_code}} est prête.", first_name="Awa", card_code="A-1"),
        Buttons(
            buttons=[
                URLButton(text="Voir", url="https://cards.example/{{1}}", example="https://cards.example/abc"),
                QuickReplyButton(text="Stop"),
            ]
        ),
    ],
)


def parameters(media_id: str) -> list[BaseParams]:
    return [
        HeaderImage.params(image=media_id),
        BodyText.params(first_name="Awa", card_code="DKR-VAC-1"),
        URLButton.params(url_variable="abc", index=0),
    ]


def send_card(client: WhatsApp, to: str = PERSON, name: str = "vaccination_card") -> SentTemplate:
    media = client.upload_media(png(), mime_type="image/png", filename="card.png")
    return client.send_template(to, name, TemplateLanguage.FRENCH, parameters(media.id), tracker="key.1")


def test_a_card_by_template(meta: Served, whatsapp: WhatsApp) -> None:
    sent = send_card(whatsapp)
    assert sent.id.startswith("wamid.")
    assert sent.status is SentTemplateStatus.ACCEPTED
    assert (sent.input, sent.to) == (PERSON, PERSON.lstrip("+"))
    (entry,) = meta.ledger()
    assert entry["provider_message_id"] == sent.id
    assert entry["key"] == "key.1"
    assert entry["parameters"] == {"first_name": "Awa", "card_code": "DKR-VAC-1"}


def test_held_for_quality_assessment(whatsapp: WhatsApp) -> None:
    assert send_card(whatsapp, "+221770000700").status is SentTemplateStatus.HELD_FOR_QUALITY_ASSESSMENT


def test_text_and_picture_in_a_session(meta: Served, whatsapp: WhatsApp) -> None:
    with pytest.raises(errors.ReEngagementMessage):
        whatsapp.send_message(PERSON, "Bonjour")
    meta.person_writes(PERSON)
    assert whatsapp.send_message(PERSON, "Voir https://cards.example/abc", preview_url=True).id.startswith("wamid.")
    assert whatsapp.send_image(PERSON, png(), caption="Votre carte", mime_type="image/png").id.startswith("wamid.")
    assert [(each["kind"], each["text"]) for each in meta.ledger()] == [
        ("text", "Voir https://cards.example/abc"),
        ("image", "Votre carte"),
    ]


def test_a_text_with_a_reply_button(meta: Served, whatsapp: WhatsApp) -> None:
    meta.person_writes(PERSON)
    buttons = [Button(title="Arrêter", callback_data="STOP")]
    assert whatsapp.send_message(PERSON, "Arrêter ?", buttons=buttons).id.startswith("wamid.")
    assert [(each["kind"], each["text"]) for each in meta.ledger()] == [("interactive", "Arrêter ?")]
    twice = [Button(title="Arrêter", callback_data="a"), Button(title="Arrêter", callback_data="b")]
    with pytest.raises(errors.InvalidParameter):
        whatsapp.send_message(PERSON, "Arrêter ?", buttons=twice)


def test_media_is_found_read_and_deleted(whatsapp: WhatsApp) -> None:
    media = whatsapp.upload_media(io.BytesIO(png()), mime_type="image/png", filename="card.png")
    found = whatsapp.get_media_url(media.id)
    assert (found.id, found.mime_type, found.file_size) == (media.id, "image/png", len(png()))
    assert whatsapp.get_media_bytes(found.url) == png()
    with pytest.raises(errors.WhatsAppError):
        whatsapp.delete_media(media.id, phone_id="999")
    assert whatsapp.delete_media(media.id, phone_id=NUMBER)
    with pytest.raises(errors.WhatsAppError) as refused:
        whatsapp.send_template(PERSON, "vaccination_card", TemplateLanguage.FRENCH, parameters(media.id))
    assert refused.value.code == 100
    assert "media attachment ID" in refused.value.message


def test_a_template_from_creation_to_sending(meta: Served, whatsapp: WhatsApp) -> None:
    created = whatsapp.create_template(CARD)
    assert (created.status, created.category) == (TemplateStatus.PENDING, TemplateCategory.UTILITY)
    details = created.get()
    assert (details.status, details.parameter_format) == (TemplateStatus.APPROVED, ParamFormat.NAMED)
    assert details.quality_score is not None
    assert details.quality_score.date == meta.world.clock.now()
    (body,) = [each for each in details.components if isinstance(each, BodyText)]
    assert body.param_names == ("first_name", "card_code")
    send_card(whatsapp)
    assert meta.ledger()[0]["text"] == "Bonjour Awa, votre carte DKR-VAC-1 est prête."


def test_templates_are_listed_page_by_page(meta: Served, whatsapp: WhatsApp) -> None:
    for place, status in enumerate(("APPROVED", "PAUSED", "PENDING")):
        meta.do(
            "templates",
            business_account_id=ACCOUNT,
            name=f"notice_{place}",
            language="fr",
            category="UTILITY",
            status=status,
            components=[{"type": "BODY", "text": "Bonjour."}],
        )
    first = whatsapp.get_templates(pagination=Pagination(limit=2))
    assert (first.total_count, first.message_template_count, first.message_template_limit) == (3, 3, 250)
    assert [each.name for each in first] == ["notice_0", "notice_1"]
    assert first.has_next
    second = whatsapp.get_templates(pagination=Pagination(limit=2, after=first.after))
    assert ([each.name for each in second], second.has_next) == (["notice_2"], False)
    chosen = whatsapp.get_templates(statuses=[TemplateStatus.APPROVED, TemplateStatus.PAUSED])
    assert [each.status for each in chosen] == [TemplateStatus.APPROVED, TemplateStatus.PAUSED]
    assert [each.name for each in whatsapp.get_templates(name="notice_2")] == ["notice_2"]
    assert list(whatsapp.get_templates(categories=[TemplateCategory.MARKETING])) == []


def test_the_phone_number_and_its_health(meta: Served, whatsapp: WhatsApp) -> None:
    meta.do("settings", messaging_limit="TIER_2K", quality_rating="YELLOW")
    number = whatsapp.get_business_phone_number()
    assert (number.id, number.display_phone_number) == (NUMBER, "+221770009999")
    assert (number.quality_rating, number.whatsapp_business_manager_messaging_limit) == ("YELLOW", "TIER_2K")
    assert number.throughput == {"level": "STANDARD"}
    assert number.health_status is not None
    assert number.health_status["can_send_message"] == "AVAILABLE"


def test_the_account_its_numbers_and_its_app(meta: Served, whatsapp: WhatsApp) -> None:
    account = whatsapp.get_business_account()
    assert (account.id, account.account_review_status, account.currency) == (ACCOUNT, "APPROVED", "USD")
    assert account.subscribed_apps is not None
    assert [app.id for app in account.subscribed_apps] == ["1"]
    assert [number.id for number in whatsapp.get_business_phone_numbers()] == [NUMBER]


NUMBERS = [
    ("0190", errors.ExpiredAccessToken, errors.AuthorizationError),
    ("0429", errors.RateLimitHit, errors.ThrottlingError),
    ("0430", errors.RateLimitHit, errors.ThrottlingError),
    ("0472", errors.UserIsInExperimentGroup, errors.SendMessageError),
    ("1000", errors.UnknownError, errors.SendMessageError),
    ("1016", errors.ServiceUnavailable, errors.SendMessageError),
    ("1026", errors.MessageUndeliverable, errors.SendMessageError),
    ("1031", errors.AccountLocked, errors.IntegrityError),
    ("1042", errors.BusinessPaymentIssue, errors.SendMessageError),
    ("1047", errors.ReEngagementMessage, errors.SendMessageError),
    ("1048", errors.SpamRateLimitHit, errors.ThrottlingError),
    ("1049", errors.MessageUndeliverableDueToHealthyEcosystemEngagement, errors.SendMessageError),
    ("1050", errors.UserStoppedMarketingMessages, errors.SendMessageError),
    ("1056", errors.TooManyMessages, errors.ThrottlingError),
    ("1057", errors.AccountInMaintenanceMode, errors.SendMessageError),
    ("2001", errors.TemplateNotExists, errors.SendMessageError),
    ("2015", errors.TemplatePaused, errors.SendMessageError),
    ("2016", errors.TemplateDisabled, errors.SendMessageError),
]


@pytest.mark.parametrize(("digits", "kind", "family"), NUMBERS, ids=[row[0] for row in NUMBERS])
def test_refusals_raise_the_documented_errors(
    whatsapp: WhatsApp, digits: str, kind: type[errors.WhatsAppError], family: type[errors.WhatsAppError]
) -> None:
    with pytest.raises(family) as refused:
        send_card(whatsapp, f"+22177000{digits}")
    assert type(refused.value) is kind
    assert refused.value.type == "OAuthException"
    assert refused.value.fbtrace_id
    assert refused.value.details
    assert refused.value.status_code == refused.value.raw_response.status_code  # type: ignore[union-attr]  # from a call


TOKENS = [
    ("expired-token", errors.ExpiredAccessToken),
    ("app-removed", errors.AuthException),
    ("no-permission", errors.PermissionDenied),
    ("no-access", errors.APIPermission),
    ("app-limited", errors.ToManyAPICalls),
    ("account-locked", errors.AccountLocked),
    ("payment-due", errors.BusinessPaymentIssue),
]


@pytest.mark.parametrize(("token", "kind"), TOKENS, ids=[row[0] for row in TOKENS])
def test_refused_tokens(meta: Served, session: httpx.Client, token: str, kind: type[errors.WhatsAppError]) -> None:
    with pytest.raises(kind):
        connected(meta, session, token=token).send_message(PERSON, "Bonjour")


def test_templates_that_cannot_be_sent(meta: Served, whatsapp: WhatsApp) -> None:
    meta.do("settings", known_templates_only=True)
    with pytest.raises(errors.TemplateNotExists):
        send_card(whatsapp, name="unheard_of")
    whatsapp.create_template(CARD)
    media = whatsapp.upload_media(png(), mime_type="image/png", filename="card.png").id
    for params, kind in (
        ([HeaderImage.params(image=media), BodyText.params(first_name="Awa")], errors.TemplateParamCountMismatch),
        ([HeaderImage.params(image=media), BodyText.params(first_name="a", x="b")], errors.TemplateParamFormatMismatch),
    ):
        with pytest.raises(kind):
            whatsapp.send_template(PERSON, "vaccination_card", TemplateLanguage.FRENCH, params)


def test_a_bad_picture(whatsapp: WhatsApp) -> None:
    with pytest.raises(errors.MediaUploadError):
        whatsapp.upload_media(png("P"), mime_type="image/png", filename="card.png")


@dataclass
class ReceivedUpdates:
    """The webhook calls, as pywa's own validator, parser and handlers read them."""

    client: WhatsApp
    statuses: list[MessageStatus[str]] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client.add_handlers(MessageStatusHandler(self._status), MessageHandler(self._message))

    def _status(self, _: WhatsApp, status: MessageStatus[str]) -> None:
        self.statuses.append(status)

    def _message(self, _: WhatsApp, message: Message) -> None:
        self.messages.append(message)

    def receive(self, body: bytes, signature: str) -> None:
        assert self.client.webhook_update_validator(body, signature) is None
        assert self.client.webhook_update_handler(body) == ("ok", 200)


def test_receipts(meta: Served, whatsapp: WhatsApp) -> None:
    received, sent = ReceivedUpdates(whatsapp), send_card(whatsapp)
    for _ in range(3):
        received.receive(*meta.update())
    by_status = {each.status: each for each in received.statuses}
    assert set(by_status) == {MessageStatusType.SENT, MessageStatusType.DELIVERED, MessageStatusType.READ}
    for each in received.statuses:
        assert (each.id, each.tracker, each.waba_id) == (sent.id, "key.1", ACCOUNT)
        assert each.metadata.phone_number_id == NUMBER
        assert each.from_user.wa_id == PERSON.lstrip("+")
        assert each.timestamp == meta.world.clock.now()
        assert each.error is None
    pricing = by_status[MessageStatusType.SENT].pricing
    assert pricing is not None
    assert (pricing.model, pricing.category) == ("PMP", "utility")


def test_a_failure_that_comes_later(meta: Served, whatsapp: WhatsApp) -> None:
    """pywa 4.5 needs `contacts` on every status. Without them it keeps the update raw and decodes only the error."""
    meta.do("settings", contacts_on_failed=True)
    received, sent = ReceivedUpdates(whatsapp), send_card(whatsapp, "+221770009026")
    received.receive(*meta.update())
    (status,) = received.statuses
    assert (status.id, status.status) == (sent.id, MessageStatusType.FAILED)
    assert isinstance(status.error, errors.MessageUndeliverable)
    assert status.error.href


def test_a_failure_as_documented_without_contacts(meta: Served, whatsapp: WhatsApp) -> None:
    raw: list[RawUpdate] = []
    whatsapp.add_handlers(RawUpdateHandler(lambda _, update: raw.append(update)))
    send_card(whatsapp, "+221770009049")
    body, signature = meta.update()
    assert whatsapp.webhook_update_validator(body, signature) is None
    assert whatsapp.webhook_update_handler(body) == ("ok", 200)
    value = raw[0]["entry"][0]["changes"][0]["value"]
    assert "contacts" not in value
    error = errors.WhatsAppError.from_dict(value["statuses"][0]["errors"][0])
    assert isinstance(error, errors.MessageUndeliverableDueToHealthyEcosystemEngagement)


def test_a_person_writes(meta: Served, whatsapp: WhatsApp) -> None:
    received = ReceivedUpdates(whatsapp)
    meta.person_writes(PERSON, "Merci beaucoup, à bientôt")
    received.receive(*meta.update())
    (message,) = received.messages
    assert message.text == "Merci beaucoup, à bientôt"
    assert message.from_user.wa_id == PERSON.lstrip("+")
    assert message.metadata.display_phone_number == "221770009999"


def test_a_signature_of_something_else(meta: Served, whatsapp: WhatsApp) -> None:
    meta.person_writes(PERSON)
    body, signature = meta.update()
    assert whatsapp.webhook_update_validator(body + b" ", signature) == ("Forbidden", 403)


def test_the_asynchronous_client(meta: Served) -> None:
    async def scene() -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as session:
            client = AsyncWhatsApp(
                phone_id=NUMBER,
                token=TOKEN,
                session=session,
                waba_id=ACCOUNT,
                app_id=1,
                app_secret="app-secret",
                verify_token="verify",
                api_version=VERSION,
            )
            session.base_url = httpx.URL(f"{meta.base}/v{VERSION}")
            created = await client.create_template(CARD)
            media = await client.upload_media(png(), mime_type="image/png", filename="card.png")
            sent = await client.send_template(
                PERSON, "vaccination_card", TemplateLanguage.FRENCH, parameters(media.id), tracker="key.1"
            )
            assert sent.status is SentTemplateStatus.ACCEPTED
            assert (await client.get_template(created.id)).status is TemplateStatus.APPROVED
            assert (await client.get_business_phone_number()).health_status
            with pytest.raises(errors.ReEngagementMessage):
                await client.send_message(PERSON, "Bonjour")
            meta.person_writes(PERSON)
            await client.send_message(PERSON, "Bonjour")
            meta.person_writes("+221770001026")
            with pytest.raises(errors.MessageUndeliverable):
                await client.send_message("+221770001026", "Bonjour")
            assert await client.delete_media(media.id)

    asyncio.run(scene())
