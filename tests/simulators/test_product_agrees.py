"""The product's own senders against the simulators. Both follow the same reference pages."""

import asyncio
from datetime import UTC, datetime

import httpx2
import pytest

from local.simulators.orange.countries import COUNTRIES
from local.simulators.outcomes import META, ORANGE
from shared.integrations.integration import Secret, SmsIntegration, WhatsAppIntegration
from shared.messages.errors import Kind, SendError
from shared.messages.payload import Mode, Payload, TemplateCall
from shared.providers.meta.client import WhatsAppSender
from shared.providers.orange.client import OrangeSender
from shared.recipients.countries import COVERED
from shared.sending.channel import Taken
from tests.fakes.orange import FakeTokenStore
from tests.fakes.world import Points
from tests.simulators.world import ACCOUNT, CLIENT, NUMBER, TOKEN, World, play, png

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def secret(value: str) -> Secret:
    return Secret(value=value, updated_at=LONG_AGO)


WHATSAPP = WhatsAppIntegration(
    organisation="demo",
    phone_number_id=NUMBER,
    sender_number="+221770009999",
    access_token=secret(TOKEN),
    app_secret=secret("app-secret"),
    previous_app_secret=None,
    verify_token=secret("verify"),
    business_account_id=ACCOUNT,
    rate_per_second=80,
    default_template=None,
    version=1,
)
SMS = SmsIntegration(
    organisation="demo",
    client_id=CLIENT,
    client_secret=secret("secret"),
    sender_name="SANTE-SN",
    default_country="SN",
    senders={},
    rate_per_second=5,
    unit_prices={},
    peak_hours=(),
    receipt_addresses=(),
    receipt_token=secret("receipt-token"),
    version=1,
)


def test_both_know_the_same_countries() -> None:
    simulated = [(each.code, each.calling, each.iso3, each.sender) for each in COUNTRIES.values()]
    assert simulated == [(each.code, each.calling_code, each.iso3, each.sender_address) for each in COVERED.values()]


class Cards:
    async def fetch(self, reference: str, organisation: str) -> bytes:
        return png()


class NoCache:
    async def media_id(
        self, organisation: str, phone_number_id: str, content: str, *, after: datetime | None = None
    ) -> str | None:
        return None

    async def remember(
        self, organisation: str, phone_number_id: str, content: str, media_id: str, uploaded_at: datetime
    ) -> None:
        return None

    async def forget(self, organisation: str, phone_number_id: str, content: str, media_id: str) -> None:
        return None


def payload(digits: str, mode: Mode) -> Payload:
    call = TemplateCall(name="vaccination_card", language="fr", parameters=(("first_name", "Aïssata"),))
    return Payload(
        to=f"+22177000{digits}",
        country="SN",
        mode=mode,
        text="Bonjour Aïssata",
        template=call if mode is Mode.TEMPLATE else None,
        card_image="s3://cards/a.png" if mode is Mode.TEMPLATE else None,
    )


async def by_whatsapp(world: World, digits: str) -> Taken:
    http = httpx2.AsyncClient(transport=world.transport)
    sender = WhatsAppSender(http, "http://simulators/meta", Cards(), NoCache(), world.clock.now)
    message = payload(digits, Mode.TEMPLATE)
    prepared = await sender.prepare(WHATSAPP, message)
    return await sender.send(WHATSAPP, message, prepared, key="6f0e7b9a-0000-4000-8000-000000000000.1")


async def by_sms(world: World, digits: str) -> Taken:
    http = httpx2.AsyncClient(transport=world.transport)
    sender = OrangeSender(http, "http://simulators/orange", world.clock.now, FakeTokenStore(Points()))
    message = payload(digits, Mode.SMS)
    return await sender.send(SMS, message, await sender.prepare(SMS, message), key="")


async def decision(world: World, channel: str, digits: str) -> Kind | None:
    """The kind of the send's error; None if the message was taken."""
    task = asyncio.ensure_future((by_whatsapp if channel == "whatsapp" else by_sms)(world, digits))
    while not task.done():
        await world.clock.settle()
    try:
        assert await task
    except SendError as error:
        return error.kind
    return None


META_KINDS = {
    "0429": Kind.THROTTLED,
    "0430": Kind.THROTTLED,
    "0503": Kind.RETRY,
    "0100": Kind.BUG,
    "0190": Kind.STOP,
    "1000": Kind.UNKNOWN,
    "1016": Kind.UNKNOWN,
    "1031": Kind.STOP,
    "1042": Kind.STOP,
    "1048": Kind.STOP,
    "1053": Kind.BUG,
    "1153": Kind.BUG,
    "1056": Kind.THROTTLED,
    "1057": Kind.THROTTLED,
    "2001": Kind.STOP,
    "2015": Kind.STOP,
    "2016": Kind.STOP,
}
ORANGE_KINDS = {
    "0429": Kind.THROTTLED,
    "0430": Kind.THROTTLED,
    "0503": Kind.RETRY,
    "0504": Kind.UNKNOWN,
    "4350": Kind.STOP,
    "4141": Kind.STOP,
    "4142": None,
    "0431": Kind.THROTTLED,
    "0505": Kind.RETRY,
    "0408": Kind.RETRY,
    "0501": Kind.UNKNOWN,
    "0522": Kind.UNKNOWN,
    **dict.fromkeys(("4102", "4140", "4351", "4352", "4309", "4310"), Kind.STOP),
    **dict.fromkeys(("4460", "4461", "4462", "4464", "4466", "4467", "4468", "4469"), Kind.STOP),
}
"""Special number → the kind of error in the product; every other refusal is of kind recipient."""


@pytest.mark.parametrize("digits", META)
def test_whatsapp(digits: str) -> None:
    async def scene(world: World) -> None:
        outcome = META[digits]
        plain = Kind.UNKNOWN if outcome.cut else Kind.RECIPIENT if outcome.refusal else None
        assert await decision(world, "whatsapp", digits) == META_KINDS.get(digits, plain)

    play(scene)


@pytest.mark.parametrize("digits", ORANGE)
def test_sms(digits: str) -> None:
    async def scene(world: World) -> None:
        outcome = ORANGE[digits]
        plain = Kind.UNKNOWN if outcome.cut else Kind.RECIPIENT if outcome.refusal else None
        assert await decision(world, "sms", digits) == ORANGE_KINDS.get(digits, plain)

    play(scene)
