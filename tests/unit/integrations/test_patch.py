"""PATCH of settings: JSON Merge Patch (RFC 7396) on what is stored. What is not named stays."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from shared.api import openapi
from shared.base.json import JsonObject, JsonValue
from shared.base.refusal import ProblemCode, Refusal
from shared.integrations.administration import Administration, AdministrationDeps, Saved
from shared.integrations.integration import (
    Dhis2Integration,
    Integration,
    SmsIntegration,
    UnitPrice,
    WhatsAppIntegration,
)
from shared.policy.hours import DEFAULT_PEAK_HOURS
from shared.recipients.number_key import NumberKey
from tests.fakes.office import DEMO, Office
from tests.fakes.orange import FakeTokenStore
from tests.fakes.rest import FakeIntegrations

SMS: JsonObject = {
    "client_id": "c",
    "client_secret": "s",
    "sender_name": "PNV",
    "default_country": "SN",
    "senders": {"SN": "tel:+2210000", "EG": "tel:+200000"},
    "unit_prices": {"SN": {"amount": "12.50", "currency": "XOF"}, "CI": {"amount": "9", "currency": "XOF"}},
    "rate_per_second": 7,
    "peak_hours": [["09:00", "10:00"]],
    "receipt_addresses": ["196.0.2.0/24"],
}
WHATSAPP: JsonObject = {
    "access_token": "t",
    "app_secret": "a",
    "phone_number_id": "1",
    "sender_number": "+221770009999",
    "business_account_id": "2",
    "default_template": "vaccination_card",
}
DHIS2: JsonObject = {"attributes": {"phone": "aPhone00001", "first_name": "aFirst00001"}, "program": "pVaccin0001"}
SENDERS = {"SN": "tel:+2210000", "EG": "tel:+200000"}
XOF_13 = UnitPrice(amount=Decimal(13), currency="XOF")
PRICES = {
    "SN": UnitPrice(amount=Decimal("12.50"), currency="XOF"),
    "CI": UnitPrice(amount=Decimal("9"), currency="XOF"),
}


class Raced(FakeIntegrations):
    """Settings that another request may change between the read and the write."""

    def __init__(self) -> None:
        super().__init__()
        self.between: Callable[[], Awaitable[object]] | None = None

    async def put(self, integration: Integration, *, replacing: str | None = None) -> bool:
        if self.between is not None:
            between, self.between = self.between, None
            await between()
        return await super().put(integration, replacing=replacing)


class Rig:
    """The settings of one organisation, with all three integrations."""

    def __init__(self) -> None:
        self.office = Office()
        self.integrations = Raced()
        self.drawn = 0
        self.administration = Administration(
            AdministrationDeps(
                integrations=self.integrations,
                templates=self.office.templates,
                tokens=FakeTokenStore(self.office.points),
                holding=self.office.holding,
                members=self.office.members,
                number_key=NumberKey(b"k" * 64),
                draw=self.draw,
                clock=self.office.clock,
            )
        )
        for name, body in (("sms", SMS), ("whatsapp", WHATSAPP), ("dhis2", DHIS2)):
            asyncio.run(self.administration.put(DEMO, name, body))
        self.office.clock.pass_by(seconds=1)

    def draw(self) -> str:
        self.drawn += 1
        return f"drawn-{self.drawn}"

    def patch(self, name: str, patch: JsonObject) -> Saved:
        return asyncio.run(self.administration.patch(DEMO, name, patch))

    def sms(self) -> SmsIntegration:
        kept = self.integrations.kept[DEMO, "sms"]
        assert isinstance(kept, SmsIntegration)
        return kept

    def whatsapp(self) -> WhatsAppIntegration:
        kept = self.integrations.kept[DEMO, "whatsapp"]
        assert isinstance(kept, WhatsAppIntegration)
        return kept


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.mark.parametrize(
    ("patch", "changed"),
    [
        ({}, {}),
        ({"sender_name": "PEV"}, {"sender_name": "PEV"}),
        ({"senders": {"EG": None}}, {"senders": {"SN": "tel:+2210000"}}),
        ({"senders": {"ML": "tel:+2230000"}}, {"senders": {**SENDERS, "ML": "tel:+2230000"}}),
        ({"senders": None}, {"senders": {}}),
        ({"unit_prices": {"SN": {"amount": "13"}}}, {"unit_prices": {**PRICES, "SN": XOF_13}}),
        ({"unit_prices": {"CI": None}}, {"unit_prices": {"SN": PRICES["SN"]}}),
        ({"rate_per_second": None}, {"rate_per_second": 5}),
        ({"peak_hours": None}, {"peak_hours": DEFAULT_PEAK_HOURS}),
        ({"peak_hours": []}, {"peak_hours": ()}),
        ({"receipt_addresses": None}, {"receipt_addresses": ()}),
    ],
)  # fmt: skip
def test_only_what_is_named_changes(rig: Rig, patch: JsonObject, changed: Mapping[str, object]) -> None:
    before = rig.sms()
    after = rig.patch("sms", patch).integration
    assert after == rig.sms()
    assert after == replace(before, version=after.version, **changed)  # type: ignore[arg-type]
    assert after.version > before.version


def test_a_named_secret_is_replaced_and_the_others_stay(rig: Rig) -> None:
    before = rig.whatsapp()
    rig.patch("whatsapp", {"app_secret": "b"})
    after = rig.whatsapp()
    assert (after.access_token, after.verify_token) == (before.access_token, before.verify_token)
    assert after.app_secret is not None
    assert after.app_secret.value == "b"
    assert after.previous_app_secret is not None
    assert (after.previous_app_secret.value, after.previous_app_secret.updated_at) == ("a", rig.office.clock.now())


def test_null_removes_what_can_be_removed(rig: Rig) -> None:
    rig.patch("whatsapp", {"app_secret": None, "business_account_id": None, "default_template": None})
    after = rig.whatsapp()
    assert (after.app_secret, after.business_account_id, after.default_template) == (None, None, None)
    assert after.access_token.value == "t"
    saved = rig.patch("whatsapp", {"verify_token": None})
    assert saved.made_verify_token
    assert rig.whatsapp().verify_token.value == "drawn-3"
    assert not rig.patch("whatsapp", {"rate_per_second": 20}).made_verify_token


def test_a_mapping_merges(rig: Rig) -> None:
    rig.patch("dhis2", {"attributes": {"last_name": "aLast000001", "first_name": None}, "program": None})
    kept = rig.integrations.kept[DEMO, "dhis2"]
    assert isinstance(kept, Dhis2Integration)
    assert kept.attributes == {"phone": "aPhone00001", "last_name": "aLast000001"}
    assert kept.program is None


@pytest.mark.parametrize(
    ("name", "patch", "field"),
    [
        ("sms", {"unit_prices": {"ML": {"amount": "13"}}}, "unit_prices.ML"),
        ("sms", {"peak_hours": [["10:00", "09:00"]], "sender_name": "far too long a name"}, "sender_name"),
        ("sms", {"receipt_addresses": ["nowhere"]}, "receipt_addresses"),
        ("whatsapp", {"sender_number": "12"}, "sender_number"),
        ("whatsapp", {"business_account_id": None, "default_template": "own"}, "default_template"),
        ("dhis2", {"attributes": {"phone": None}}, "attributes.phone"),
    ],
)
def test_the_whole_is_checked_as_a_put_is(rig: Rig, name: str, patch: JsonObject, field: str) -> None:
    before = dict(rig.integrations.kept)
    with pytest.raises(Refusal) as refused:
        rig.patch(name, patch)
    assert refused.value.code is ProblemCode.UNPROCESSABLE
    assert refused.value.field_errors[0].field == field
    assert rig.integrations.kept == before


@pytest.mark.parametrize("name", ["sms", "whatsapp", "dhis2"])
def test_there_is_nothing_to_change_without_settings(rig: Rig, name: str) -> None:
    asyncio.run(rig.administration.delete(DEMO, name))
    with pytest.raises(Refusal) as refused:
        rig.patch(name, {})
    assert refused.value.code is ProblemCode.NOT_FOUND
    assert (DEMO, name) not in rig.integrations.kept


def test_two_patches_at_once_lose_nothing(rig: Rig) -> None:
    rig.integrations.between = lambda: rig.administration.patch(DEMO, "sms", {"sender_name": "PEV"})
    rig.patch("sms", {"rate_per_second": 9})
    assert (rig.sms().sender_name, rig.sms().rate_per_second) == ("PEV", 9)


def test_a_put_at_the_same_time_is_not_undone(rig: Rig) -> None:
    rig.integrations.between = lambda: rig.administration.put(DEMO, "sms", {**SMS, "client_secret": "new"})
    rig.patch("sms", {"rate_per_second": 9})
    assert (rig.sms().client_secret.value, rig.sms().rate_per_second) == ("new", 9)


def test_settings_that_are_deleted_meanwhile_do_not_come_back(rig: Rig) -> None:
    rig.integrations.between = lambda: rig.administration.delete(DEMO, "sms")
    with pytest.raises(Refusal) as refused:
        rig.patch("sms", {"rate_per_second": 9})
    assert refused.value.code is ProblemCode.NOT_FOUND
    assert (DEMO, "sms") not in rig.integrations.kept


def test_settings_that_never_rest_are_refused_and_not_written(rig: Rig) -> None:
    async def again() -> None:
        await rig.administration.patch(DEMO, "sms", {})
        rig.integrations.between = again

    rig.integrations.between = again
    with pytest.raises(Refusal) as refused:
        rig.patch("sms", {"rate_per_second": 9})
    assert refused.value.code is ProblemCode.STATE_CONFLICT
    assert rig.sms().rate_per_second == 7


def test_versions_grow_within_a_millisecond(rig: Rig) -> None:
    first, second = (rig.patch("sms", {"sender_name": name}).integration.version for name in ("A", "B"))
    assert second > first
    rig.office.clock.pass_by(seconds=86_400)
    assert rig.patch("sms", {}).integration.version > second


def test_a_patch_has_the_fields_of_its_put() -> None:
    """The same rules for each value; only defaults are missing, and no field is required."""
    for name in ("whatsapp", "sms", "dhis2"):
        put = openapi.followed(openapi.body_schema(f"put_{name}_integration"))
        patch = openapi.followed(openapi.body_schema(f"patch_{name}_integration"))
        assert "required" not in patch
        of_put, of_patch = _rules(put), _rules(patch)
        assert of_put.keys() == of_patch.keys()
        different = {field for field in of_put if of_put[field] != of_patch[field]}
        assert different <= {"access_token", "client_secret", "unit_prices"}


def _rules(schema: JsonObject) -> Mapping[str, Mapping[str, JsonValue]]:
    shown = {"description", "default"}
    return {
        field: {rule: value for rule, value in openapi.as_object(one).items() if rule not in shown}
        for field, one in openapi.as_object(schema["properties"]).items()
    }
