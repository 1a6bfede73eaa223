"""A stored message is composed again, for a retry: its content stays, and what may have changed since is checked."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from shared.integrations.integration import UnitPrice
from shared.messages.message import Price
from shared.messages.payload import Fallback, Payload
from shared.texts.composition import Composed, CompositionError, Setting, compose, compose_again
from shared.texts.templates import Catalogue, KnownTemplate
from shared.webhooks.updates import TemplateStatus
from tests.unit.texts.test_composition import AMINATA, SMS, TEMPLATE, WHATSAPP

TEXT = "Votre carte — « prête »"


def stored(setting: Setting) -> Payload:
    return replace(compose(AMINATA, TEMPLATE, setting).payload, resend_of="5a1e0000-0000-5000-8000-000000000001")


def again(payload: Payload, setting: Setting) -> Composed:
    return compose_again(payload, AMINATA.enrollment_id, setting)


def refused(payload: Payload, setting: Setting) -> list[tuple[str, str]]:
    with pytest.raises(CompositionError) as caught:
        again(payload, setting)
    assert caught.value.masked == "+22177***0001"
    return [(one.field, one.code) for one in caught.value.field_errors]


def known(language: str, status: TemplateStatus) -> KnownTemplate:
    at = datetime(2026, 11, 23, 10, tzinfo=UTC)
    return KnownTemplate(name="vaccination_card", language=language, status=status, reported_at=at, category="UTILITY")


@pytest.mark.parametrize("setting", [SMS, WHATSAPP], ids=["sms", "whatsapp"])
def test_the_content_stays_and_is_measured_as_before(setting: Setting) -> None:
    first, payload = compose(AMINATA, TEMPLATE, setting), stored(setting)
    second = again(payload, setting)
    assert second.payload == payload
    kept = ("phone", "enrollment_id", "card_generated_at", "measured", "price", "warnings", "fallback_errors")
    assert [getattr(second, name) for name in kept] == [getattr(first, name) for name in kept]


def test_the_price_is_today_s() -> None:
    dearer = replace(SMS, unit_prices={"SN": UnitPrice(amount=Decimal(20), currency="XOF")})
    composed = again(stored(SMS), dearer)
    assert composed.measured is not None
    assert composed.price == Price(amount=Decimal(20) * composed.measured.segments, currency="XOF")


def test_a_country_without_a_sender_is_refused() -> None:
    assert refused(stored(SMS), replace(SMS, without_sender=frozenset({"SN"}))) == [("phone", "sender_missing")]


def test_a_card_host_that_is_no_longer_allowed_is_refused() -> None:
    assert refused(stored(WHATSAPP), replace(WHATSAPP, card_hosts=())) == [("card_image", "card_host_not_allowed")]


@pytest.mark.parametrize(
    ("status", "code"),
    [(TemplateStatus.PAUSED, "template_not_approved"), (TemplateStatus.NOT_SUBMITTED, "template_not_submitted")],
)
def test_a_template_that_meta_refuses_now_is_refused(status: TemplateStatus, code: str) -> None:
    setting = replace(WHATSAPP, catalogue=Catalogue([known("fr", status)], is_sure=True))
    assert refused(stored(WHATSAPP), setting) == [("content.template.name", code)]


def test_the_message_s_own_language_counts() -> None:
    """Another language of the template may be paused."""
    payload = stored(WHATSAPP)
    assert payload.template is not None
    both = [known(payload.template.language, TemplateStatus.APPROVED), known("en", TemplateStatus.PAUSED)]
    assert again(payload, replace(WHATSAPP, catalogue=Catalogue(both, is_sure=True))).warnings == ()


def test_a_fallback_is_measured_at_today_s_price() -> None:
    payload = replace(stored(WHATSAPP), fallback=Fallback(text=TEXT, after_minutes=90))
    composed = again(payload, WHATSAPP)
    assert (composed.payload.fallback, composed.fallback_segments) == (payload.fallback, 1)
    assert composed.fallback_price == Price(amount=Decimal("12.5"), currency="XOF")


def test_a_fallback_that_sms_cannot_bring_any_more_is_left_out_with_a_warning() -> None:
    payload = replace(stored(WHATSAPP), fallback=Fallback(text=TEXT, after_minutes=90))
    composed = again(payload, replace(WHATSAPP, without_sender=frozenset({"SN"})))
    assert composed.payload == replace(payload, fallback=None)
    assert [one.code for one in composed.warnings if one.code == "fallback_invalid"] == ["fallback_invalid"]
    assert [one.code for one in composed.fallback_errors] == ["sender_missing"]
