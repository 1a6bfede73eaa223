"""Health: each finding has a text in both languages, for every answer of the provider."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.api import health as shown
from shared.api.health import FINDINGS
from shared.api.texts.sentences import Language, placeholders
from shared.integrations.balances import Balance
from shared.integrations.health import Health, SmsHealth, WhatsAppHealth, WhatsAppHealthDeps
from shared.integrations.integration import SmsIntegration, WhatsAppIntegration
from shared.messages.errors import Kind, SendError
from shared.pacing.daily_limit import DailyLimit, NumberFacts, NumberStatusUpdate
from shared.texts.templates import KnownTemplate
from shared.webhooks.updates import TemplateStatus
from tests.fakes.office import SMS, WHATSAPP
from tests.fakes.orange import FakeBalances
from tests.fakes.world import FakeClock
from tests.unit.integrations.test_templates import DOWN, NUMBER, SHAPE, AdapterRig

GOOD = NumberFacts(
    display_phone_number="+221 77 000 99 99",
    verified_name="Programme",
    name_status="APPROVED",
    is_verified=True,
    quality="GREEN",
    throughput="STANDARD",
    limit=DailyLimit(people=250),
    can_send="AVAILABLE",
)
NAMES = ["token", "number", "verified_name", "quality", "limit", "templates", "webhook", "account"]
EXPIRED = SendError(Kind.STOP, "190", "token_invalid")


class Clinic:
    def __init__(self, integration: WhatsAppIntegration = NUMBER) -> None:
        self.adapter = AdapterRig(integration)
        self.adapter.meta.facts = GOOD
        self.adapter.at_meta(TemplateStatus.APPROVED)
        self._health = WhatsAppHealth(
            WhatsAppHealthDeps(
                templates=self.adapter.templates,
                number=self.adapter.number,
                number_statuses=self.adapter.number_statuses,
                people=self.adapter.people_count,
                subscriptions=self.adapter.meta,
                clock=self.adapter.clock,
            )
        )

    def examine(self) -> Health:
        return asyncio.run(self._health.examine(self.adapter.integration))

    def codes(self) -> dict[str, str]:
        found = self.examine()
        for language in ("en", "fr"):
            reported(found, "fr" if language == "fr" else "en")
        return {check.name: check.code for check in found.checks if not check.ok}


def reported(health: Health, language: Language) -> list[tuple[str, str, str | None]]:
    document = shown.document(health, language, "orange" if health.quality is None else "meta")
    checks = document["checks"]
    assert isinstance(checks, list)
    lines = [(str(one["name"]), str(one["detail"]), one["remedy"]) for one in checks]
    for _, detail, remedy in lines:
        assert detail
        assert not re.search(r"\{\w*\}", f"{detail}{remedy}")
    assert all(check.ok or remedy for check, (_, _, remedy) in zip(health.checks, lines, strict=True))
    return [(name, detail, str(remedy) if remedy else None) for name, detail, remedy in lines]


def test_a_healthy_account_has_no_findings() -> None:
    clinic = Clinic()
    found = clinic.examine()
    assert found.ok
    assert [check.name for check in found.checks] == NAMES
    document = shown.document(found, "fr", "meta")
    assert (document["sender"], document["quality"], document["daily_limit"], document["used_24h"]) == (
        "Programme",
        "GREEN",
        250,
        0,
    )
    assert document["balances"] is None
    assert {"name": "vaccination_card", "language": "fr", "status": "approved"} in document["templates"]  # type: ignore[operator]
    assert ("token", "Les identifiants sont acceptés.", None) in reported(found, "fr")
    assert ("token", "The credentials are accepted.", None) in reported(found, "en")


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"is_verified": False}, {"number": "unverified"}),
        ({"verified_name": None}, {"verified_name": "absent"}),
        ({"name_status": "DECLINED"}, {"verified_name": "not_approved"}),
        ({"quality": "RED"}, {"quality": "red"}),
        ({"quality": "YELLOW"}, {}),
        ({"quality": None}, {}),
        ({"limit": None}, {}),
        ({"limit": DailyLimit(people=None)}, {}),
        ({"limit": DailyLimit(people=0)}, {"limit": "reached"}),
        ({"can_send": "BLOCKED", "problems": ("Unpaid. Pay.",)}, {"account": "blocked"}),
        ({"can_send": "LIMITED", "problems": ("Unverified.",)}, {}),
    ],
)
def test_the_numbers_facts_from_meta(changes: dict[str, object], wrong: dict[str, str]) -> None:
    clinic = Clinic()
    clinic.adapter.meta.facts = replace(GOOD, **changes)  # type: ignore[arg-type]  # by name
    assert clinic.codes() == wrong


def test_an_expired_token_is_named_and_the_other_checks_are_refused() -> None:
    clinic = Clinic()
    clinic.adapter.meta.error = EXPIRED
    codes = clinic.codes()
    assert codes.pop("token") == "token_invalid"
    assert set(codes.values()) == {"refused"}
    assert clinic.examine().ok is False


def test_if_meta_is_down_this_is_a_finding_and_known_facts_stay() -> None:
    clinic = Clinic()
    clinic.examine()
    clinic.adapter.meta.error = DOWN
    found = clinic.examine()
    assert (found.sender, found.quality, found.daily_limit) == ("Programme", "GREEN", 250)
    wrong = {check.name: check.code for check in found.checks if not check.ok}
    assert wrong == dict.fromkeys(["token", "number", "verified_name", "templates", "webhook", "account"], "unanswered")


def test_a_locked_account_is_a_finding_about_the_account() -> None:
    clinic = Clinic()
    clinic.adapter.meta.error = SendError(Kind.STOP, "131031", "account_restricted")
    codes = clinic.codes()
    assert "token" not in codes
    assert codes["account"] == "account_restricted"


def test_a_restriction_reported_by_webhook_is_a_finding() -> None:
    clinic = Clinic()
    clinic.adapter.meta.facts = replace(GOOD, can_send=None)
    adapter = clinic.adapter
    owner = (NUMBER.organisation, NUMBER.phone_number_id)
    asyncio.run(adapter.number_statuses.tell(*owner, NumberStatusUpdate(at=adapter.clock.now(), restricted=True)))
    assert clinic.codes() == {"account": "restricted"}


def test_incomplete_settings_are_findings() -> None:
    assert Clinic(replace(NUMBER, app_secret=None)).codes() == {"webhook": "app_secret_missing"}
    assert Clinic(WHATSAPP).codes() == {"webhook": "account_unnamed", "templates": "account_unnamed"}
    clinic = Clinic()
    clinic.adapter.meta.subscribed = False
    assert clinic.codes() == {"webhook": "not_subscribed"}


def test_templates() -> None:
    clinic = Clinic()
    clinic.adapter.at_meta(TemplateStatus.PENDING)
    assert clinic.codes() == {"templates": "none_approved"}
    clinic.adapter.at_meta(TemplateStatus.APPROVED, "nutrition_card")
    assert clinic.codes() == {"templates": "default_not_approved"}
    now = clinic.adapter.clock.now()
    paused = KnownTemplate(name="own", language="fr", status=TemplateStatus.PAUSED, reported_at=now, shape=SHAPE)
    clinic.adapter.meta.put(paused)
    assert clinic.codes() == {"templates": "stopped"}


# ----------------------------------------------------------------------------------------------------------------- SMS


class Balances(FakeBalances):
    """Balances with the given answer."""

    def __init__(self, *balances: Balance, error: SendError | None = None) -> None:
        super().__init__()
        self._reported, self._error = balances, error

    async def of(self, integration: SmsIntegration) -> tuple[Balance, ...]:
        if self._error is not None:
            raise self._error
        return self._reported


def sms_codes(*balances: Balance, error: SendError | None = None, integration: SmsIntegration = SMS) -> dict[str, str]:
    found = asyncio.run(SmsHealth(Balances(*balances, error=error), FakeClock()).examine(integration))
    for language in ("en", "fr"):
        reported(found, "fr" if language == "fr" else "en")
    assert [check.name for check in found.checks] == [
        "token",
        "contracts",
        "sender_name",
        "sender_address",
        "receipts",
    ]
    assert found.sender == integration.sender_name
    return {check.name: check.code for check in found.checks if not check.ok}


def test_sms_is_healthy_while_the_default_country_has_units() -> None:
    ends = FakeClock().now() + timedelta(days=30)
    assert sms_codes(Balance(country="SN", units=5, expires_at=ends)) == {}
    found = asyncio.run(SmsHealth(Balances(Balance(country="SN", units=5, expires_at=ends)), FakeClock()).examine(SMS))
    document = shown.document(found, "en", "orange")
    assert document["balances"] == [{"country": "SN", "units": 5, "expires_at": ends}]
    assert (document["templates"], document["quality"], document["daily_limit"]) == (None, None, None)
    narrow = replace(SMS, sender_name="SANTE-SN")
    assert sms_codes(Balance(country="SN", units=5), integration=narrow) == {}


@pytest.mark.parametrize(
    ("balances", "code"),
    [
        ((), "absent"),
        ((Balance(country="CI", units=9),), "absent"),
        ((Balance(country="SN", units=0),), "empty"),
        ((Balance(country="SN", units=0, ended=True),), "ended"),
    ],
)
def test_no_units_in_the_default_country(balances: tuple[Balance, ...], code: str) -> None:
    assert sms_codes(*balances) == {"contracts": code}


def test_a_default_country_without_a_sender_address_can_send_nothing() -> None:
    egypt, units = replace(SMS, default_country="EG", senders={}), Balance(country="EG", units=5)
    assert sms_codes(units, integration=egypt) == {"sender_address": "missing"}
    assert sms_codes(units, integration=replace(egypt, senders={"EG": "tel:+200000"})) == {}


def test_orange_refuses_or_does_not_answer() -> None:
    assert sms_codes(error=SendError(Kind.STOP, "401/42", "token_invalid")) == {
        "token": "token_invalid",
        "contracts": "refused",
    }
    assert sms_codes(error=DOWN) == {"token": "unanswered", "contracts": "unanswered"}


# --------------------------------------------------------------------------------------------------------------- texts


def test_both_languages_have_the_same_findings_and_facts() -> None:
    assert FINDINGS["fr"].keys() == FINDINGS["en"].keys()
    for code, (detail, remedy) in FINDINGS["fr"].items():
        other_detail, other_remedy = FINDINGS["en"][code]
        assert [placeholders(one) for one in detail] == [placeholders(one) for one in other_detail], code
        assert [placeholders(one) for one in remedy] == [placeholders(one) for one in other_remedy], code
        assert detail != other_detail, code
