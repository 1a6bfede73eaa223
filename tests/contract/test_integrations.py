"""Settings are stored whole and per organisation. A reader gets at least the version that the message asks for."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.base.caches import MANY
from shared.integrations.integration import Dhis2Integration, Secret, SmsIntegration, UnitPrice, WhatsAppIntegration
from shared.storage.aws import Aws
from shared.storage.secrets import SecretIntegrations
from tests.contract.making import NOON, ORGANISATION
from tests.contract.world import World
from tests.fakes.world import FakeClock


def secret(value: str) -> Secret:
    return Secret(value=value, updated_at=NOON)


WHATSAPP = WhatsAppIntegration(
    organisation=ORGANISATION,
    phone_number_id="1",
    sender_number="+221770009999",
    access_token=secret('t"é'),
    app_secret=secret("a"),
    previous_app_secret=None,
    verify_token=secret("v"),
    business_account_id="2",
    rate_per_second=80,
    default_template=None,
    version=1,
)
SMS = SmsIntegration(
    organisation=ORGANISATION,
    client_id="client",
    client_secret=secret("s"),
    sender_name="PNV",
    default_country="SN",
    senders={"EG": "tel:+200000"},
    rate_per_second=5,
    unit_prices={"SN": UnitPrice(amount=Decimal("12.50"), currency="XOF")},
    peak_hours=(("08:00", "10:00"),),
    receipt_addresses=("192.0.2.0/24",),
    receipt_token=secret("r"),
    version=1,
)
DHIS2 = Dhis2Integration(organisation=ORGANISATION, attributes={"phone": "aBcDeFgHiJk"}, program=None, version=1)


async def test_every_field_comes_back(world: World) -> None:
    for kept in (WHATSAPP, SMS, DHIS2):
        await world.integrations.put(kept)
    for integrations in (world.integrations, world.another().integrations):
        assert await integrations.whatsapp(ORGANISATION) == WHATSAPP
        assert await integrations.sms(ORGANISATION) == SMS
        assert await integrations.dhis2(ORGANISATION) == DHIS2


async def test_settings_are_none_until_they_are_saved(world: World) -> None:
    other = world.another().integrations
    for integrations in (world.integrations, other):
        assert await integrations.whatsapp(ORGANISATION) is None
        assert await integrations.sms(ORGANISATION, version=1) is None
        assert await integrations.dhis2(ORGANISATION) is None
    await world.integrations.put(SMS)
    assert await other.sms(ORGANISATION) == SMS
    assert await other.whatsapp(ORGANISATION) is None


async def test_putting_it_again_replaces_it(world: World) -> None:
    await world.integrations.put(SMS)
    assert await world.integrations.sms(ORGANISATION) == SMS
    mended = replace(SMS, sender_name="PEV", version=2)
    await world.integrations.put(mended)
    assert await world.integrations.sms(ORGANISATION) == mended


async def test_a_newer_version_or_an_uncached_read_finds_settings_of_another_environment(world: World) -> None:
    await world.integrations.put(SMS)
    await world.integrations.put(WHATSAPP)
    asking, looking = world.another().integrations, world.another().integrations
    for integrations in (asking, looking):
        await integrations.sms(ORGANISATION)
        await integrations.whatsapp(ORGANISATION)
    await world.integrations.put(replace(SMS, version=2))
    await world.integrations.put(replace(WHATSAPP, version=2))
    assert await asking.sms(ORGANISATION, version=2) == replace(SMS, version=2)
    assert await asking.whatsapp(ORGANISATION, version=2) == replace(WHATSAPP, version=2)
    assert await looking.sms(ORGANISATION, uncached=True) == replace(SMS, version=2)
    assert await looking.whatsapp(ORGANISATION, uncached=True) == replace(WHATSAPP, version=2)


async def test_deleting_removes_one_of_them(world: World) -> None:
    for kept in (WHATSAPP, SMS, DHIS2):
        await world.integrations.put(kept)
    assert [await world.integrations.delete(ORGANISATION, "sms") for _ in range(2)] == [True, False]
    assert await world.integrations.sms(ORGANISATION) is None
    assert await world.another().integrations.sms(ORGANISATION) is None
    assert await world.integrations.whatsapp(ORGANISATION) == WHATSAPP
    await world.integrations.put(SMS)
    assert await world.integrations.sms(ORGANISATION) == SMS


async def test_deleted_settings_can_be_saved_and_deleted_again_at_once(world: World) -> None:
    """Secrets Manager deletes a secret some time later, and until then refuses a new one with its name."""
    for turn in range(3):
        for kept in (WHATSAPP, SMS, DHIS2):
            await world.integrations.put(replace(kept, version=turn + 1))
        for name in ("whatsapp", "sms", "dhis2"):
            assert await world.integrations.delete(ORGANISATION, name), (turn, name)
        other = world.another().integrations
        assert await other.whatsapp(ORGANISATION, uncached=True) is None
        assert await other.sms(ORGANISATION, uncached=True) is None
        assert await other.dhis2(ORGANISATION) is None
    await world.integrations.put(SMS)
    assert await world.another().integrations.sms(ORGANISATION) == SMS


async def test_organisations_are_apart(world: World) -> None:
    theirs = replace(SMS, organisation="other", client_id="theirs")
    await world.integrations.put(SMS)
    await world.integrations.put(theirs)
    assert await world.integrations.sms(ORGANISATION) == SMS
    assert await world.integrations.sms("other") == theirs
    assert await world.integrations.delete("other", "sms")
    assert await world.integrations.sms(ORGANISATION, uncached=True) == SMS
    assert await world.integrations.sms("other", uncached=True) is None


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def remembering(aws: Aws, clock: FakeClock, prefix: str, *, patient: bool = False) -> SecretIntegrations:
    return SecretIntegrations(aws, prefix, clock, patient=patient)


async def changed_behind(aws: Aws, clock: FakeClock, reader: SecretIntegrations, prefix: str) -> SmsIntegration:
    """The reader has version 1 in its cache when another environment saves version 2."""
    writer = remembering(aws, clock, prefix)
    await writer.put(SMS)
    assert await reader.sms(ORGANISATION) == SMS
    mended = replace(SMS, version=2)
    await writer.put(mended)
    return mended


async def test_settings_are_cached_for_five_minutes(aws: Aws, clock: FakeClock) -> None:
    reader = remembering(aws, clock, "five")
    mended = await changed_behind(aws, clock, reader, "five")
    clock.pass_by(minutes=5)
    assert await reader.sms(ORGANISATION, version=1) == SMS
    clock.pass_by(seconds=1)
    assert await reader.sms(ORGANISATION, version=1) == mended


async def test_a_patient_reader_looks_again_every_five_seconds_at_most(aws: Aws, clock: FakeClock) -> None:
    reader = remembering(aws, clock, "patient", patient=True)
    mended = await changed_behind(aws, clock, reader, "patient")
    clock.pass_by(seconds=4)
    assert await reader.sms(ORGANISATION, uncached=True) == SMS
    clock.pass_by(seconds=1)
    assert await reader.sms(ORGANISATION, uncached=True) == mended


async def test_a_patient_reader_looks_for_missing_settings_every_five_seconds_at_most(
    aws: Aws, clock: FakeClock
) -> None:
    reader = remembering(aws, clock, "stranger", patient=True)
    assert await reader.sms(ORGANISATION) is None
    await remembering(aws, clock, "stranger").put(SMS)
    clock.pass_by(seconds=4)
    assert await reader.sms(ORGANISATION, uncached=True) is None
    clock.instant += timedelta(seconds=1)
    assert await reader.sms(ORGANISATION, uncached=True) == SMS


@contextmanager
def counted(aws: Aws) -> Iterator[list[str]]:
    """The names of the secrets that were read."""
    asked: list[str] = []
    event = "before-parameter-build.secrets-manager.GetSecretValue"
    note = lambda params, **_: asked.append(params["SecretId"])  # noqa: E731 - a handler of botocore's
    aws.secrets.meta.events.register(event, note)
    try:
        yield asked
    finally:
        aws.secrets.meta.events.unregister(event, note)


def entries(reader: SecretIntegrations) -> int:
    """The number of entries in its caches."""
    found = [getattr(reader, name) for name in vars(reader)]
    return sum(len(one) for one in found if isinstance(one, Mapping))


async def test_invented_names_cost_few_reads_and_little_room(aws: Aws, clock: FakeClock) -> None:
    """Issue 14, line 12. Meanwhile the reader always finds the organisation that it knows."""
    await remembering(aws, clock, "forged").put(SMS)
    reader = remembering(aws, clock, "forged", patient=True)
    assert await reader.sms(ORGANISATION) == SMS
    with counted(aws) as asked:
        for number in range(5_000):
            assert await reader.sms(f"invented-{number}") is None
            assert await reader.sms(f"invented-{number}", uncached=True) is None
    assert len(asked) == len(set(asked)) <= 50
    assert entries(reader) < 100
    clock.pass_by(minutes=6)
    for number in range(100):
        assert await reader.sms(f"again-{number}") is None
    with counted(aws) as asked:
        assert await reader.sms(ORGANISATION) == SMS
    assert len(asked) == 1, "its copy was too old"


async def test_unknown_names_that_come_slowly_are_forgotten_too(aws: Aws, clock: FakeClock) -> None:
    reader = remembering(aws, clock, "slowly", patient=True)
    for number in range(1_500):
        clock.pass_by(seconds=1)
        assert await reader.sms(f"invented-{number}") is None
    assert entries(reader) <= MANY + 100


async def test_a_new_organisation_is_found_soon_after_a_flood(aws: Aws, clock: FakeClock) -> None:
    """A flood of names of one kind of settings does not limit the other kind."""
    await remembering(aws, clock, "flood").put(SMS)
    await remembering(aws, clock, "flood").put(WHATSAPP)
    reader = remembering(aws, clock, "flood", patient=True)
    for number in range(60):
        assert await reader.sms(f"invented-{number}") is None
    assert await reader.sms(ORGANISATION) is None
    assert await reader.whatsapp(ORGANISATION) == WHATSAPP
    clock.pass_by(seconds=10)
    assert await reader.sms(ORGANISATION) == SMS


async def test_reads_for_signed_in_callers_are_not_limited(aws: Aws, clock: FakeClock) -> None:
    reader = remembering(aws, clock, "signed-in")
    for number in range(60):
        assert await reader.sms(f"organisation-{number}") is None
    await remembering(aws, clock, "signed-in").put(SMS)
    assert await reader.sms(ORGANISATION) == SMS


async def test_a_conditional_write_replaces_only_what_was_read(world: World) -> None:
    one, two = world.integrations, world.another().integrations
    nothing = await one.stored(ORGANISATION, "sms")
    assert (nothing.integration, nothing.version) == (None, "")
    assert await one.put(SMS, replacing=nothing.version)
    assert not await two.put(replace(SMS, sender_name="late"), replacing=nothing.version)
    read = await two.stored(ORGANISATION, "sms")
    assert read.integration == SMS
    mended = replace(SMS, sender_name="PEV", version=2)
    assert await two.put(mended, replacing=read.version)
    assert not await one.put(replace(SMS, sender_name="late", version=3), replacing=read.version)
    assert (await one.stored(ORGANISATION, "sms")).integration == mended


async def test_a_deletion_is_a_state_of_its_own(world: World) -> None:
    await world.integrations.put(SMS)
    before = await world.integrations.stored(ORGANISATION, "sms")
    assert await world.integrations.delete(ORGANISATION, "sms")
    assert not await world.integrations.put(replace(SMS, version=2), replacing=before.version)
    assert await world.another().integrations.sms(ORGANISATION) is None
    after = await world.integrations.stored(ORGANISATION, "sms")
    assert after.integration is None
    assert await world.integrations.put(replace(SMS, version=3), replacing=after.version)
    assert await world.another().integrations.sms(ORGANISATION) == replace(SMS, version=3)


async def test_a_write_can_follow_a_conditional_one(world: World) -> None:
    await world.integrations.put(SMS)
    read = await world.integrations.stored(ORGANISATION, "sms")
    assert await world.integrations.put(replace(SMS, version=2), replacing=read.version)
    assert await world.integrations.put(replace(SMS, version=3))
    again = await world.another().integrations.stored(ORGANISATION, "sms")
    assert again.integration == replace(SMS, version=3)
    assert again.version != read.version
