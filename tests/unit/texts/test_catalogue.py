"""Which template a request gets, and the effect of Meta's status."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from shared.api.texts.sentences import TextKind, text
from shared.cards.references import SAMPLE_CARD
from shared.integrations.integration import UnitPrice
from shared.messages.payload import ButtonCall, Channel, TemplateCall
from shared.policy.consent import Given
from shared.recipients.recipient import Recipient
from shared.texts.composition import Composed, CompositionError, Setting, check_template, compose
from shared.texts.content import Content
from shared.texts.templates import EXAMPLES, READY_ONLY, Catalogue, KnownTemplate, Shape, UrlButton
from shared.webhooks.updates import TemplateStatus

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
APPROVED, PAUSED, PENDING = TemplateStatus.APPROVED, TemplateStatus.PAUSED, TemplateStatus.PENDING
OWN = Shape(body="Carte {card_code} de {first_name}.", parameters=("card_code", "first_name"))


def known(
    name: str = "own_card",
    language: str = "fr",
    status: TemplateStatus | None = APPROVED,
    shape: Shape | None = OWN,
) -> KnownTemplate:
    return KnownTemplate(name=name, language=language, status=status, reported_at=NOON, category="UTILITY", shape=shape)


def setting(*templates: KnownTemplate, channel: Channel = Channel.WHATSAPP, is_sure: bool = True) -> Setting:
    return Setting(
        organisation="pnv-sn",
        channel=channel,
        default_country="SN",
        unit_prices={"SN": UnitPrice(amount=Decimal(12), currency="XOF")},
        card_hosts=(),
        card_buckets=frozenset(),
        trusted_card=SAMPLE_CARD,
        catalogue=Catalogue(templates, is_sure=is_sure),
    )


def person(language: str | None = None, card: str | None = SAMPLE_CARD, **values: str | None) -> Recipient:
    return Recipient(
        phone="+221770000001",
        values={**EXAMPLES, **values},
        card_image=card,
        card_generated_at=None,
        enrollment_id=None,
        language=language,
        given=Given(granted=True),
    )


def call_of(shape: Shape, **values: str | None) -> TemplateCall:
    composed = compose(person(**values), Content(template="own_card"), setting(known(shape=shape)))
    assert composed.payload.template is not None
    return composed.payload.template


def field_errors(recipient: Recipient, content: Content, its: Setting) -> list[tuple[str, str]]:
    with pytest.raises(CompositionError) as caught:
        compose(recipient, content, its)
    return [(field_error.field, field_error.code) for field_error in caught.value.field_errors]


def warnings(composed: Composed) -> list[str]:
    return [warning.code for warning in composed.warnings]


@pytest.mark.parametrize(
    ("language", "recipients", "found"),
    [
        (None, None, "fr"),
        (None, "en", "en"),
        ("fr", "en", "fr"),
        ("", "en", "en"),
        ("en", None, "en"),
        ("pt", None, None),
        (None, "pt", "fr"),
    ],
)
def test_language_of_content_then_of_recipient_then_french(
    language: str | None, recipients: str | None, found: str | None
) -> None:
    template = READY_ONLY.find("nutrition_card", language, recipients)
    assert (template.language if template else None) == found


@pytest.mark.parametrize(
    ("languages", "wished", "found"),
    [
        (["en_US"], "en", "en_US"),
        (["en", "en_US"], "en", "en"),
        (["en_US"], None, "en_US"),
        (["pt_BR", "fr_FR"], None, "fr_FR"),
        (["en_US"], "fr", None),
    ],
)
def test_a_language_includes_its_regional_forms(languages: Sequence[str], wished: str | None, found: str) -> None:
    catalogue = Catalogue([known(language=one) for one in languages])
    template = catalogue.find("own_card", wished)
    assert (template.language if template else None) == found


def test_without_metas_list_a_status_is_unknown_and_with_it_a_missing_template_is_not_submitted() -> None:
    assert {one.status for one in READY_ONLY.items} == {None}
    assert {one.status for one in Catalogue(is_sure=True).items} == {TemplateStatus.NOT_SUBMITTED}
    catalogue = Catalogue([known("vaccination_card", "fr", PAUSED, None)], is_sure=True)
    template = catalogue.find("vaccination_card")
    assert template is not None
    assert (template.status, template.shape.parameters[0]) == (PAUSED, "first_name")


def test_an_own_template_counts_once_its_shape_is_known() -> None:
    catalogue = Catalogue([known("read", shape=OWN), known("only_webhook_events", shape=None)])
    assert [one.name for one in catalogue.items if one.origin == "own"] == ["read"]


@pytest.mark.parametrize("status", [one for one in TemplateStatus if one is not APPROVED])
@pytest.mark.parametrize("is_sure", [True, False])
def test_a_template_known_as_not_approved_is_refused(status: TemplateStatus, is_sure: bool) -> None:
    its = setting(known(status=status), is_sure=is_sure)
    content = Content(template="own_card")
    code = "template_not_submitted" if status is TemplateStatus.NOT_SUBMITTED else "template_not_approved"
    assert [field_error.code for field_error in check_template(its, content)] == [code]
    assert field_errors(person(), content, its) == [("content.template.name", code)]


@pytest.mark.parametrize(
    ("status", "english", "french"),
    [
        (TemplateStatus.NOT_SUBMITTED, "never submitted", "jamais été soumis"),
        (PENDING, "wait for the approval", "attendez l’approbation"),
        (PAUSED, "Meta has paused it", "Meta l’a suspendu"),
        (TemplateStatus.REJECTED, "Meta has rejected it", "Meta l’a rejeté"),
        (TemplateStatus.DISABLED, "Meta has disabled it", "Meta l’a désactivé"),
    ],
)
def test_the_error_text_says_who_has_to_act(status: TemplateStatus, english: str, french: str) -> None:
    """Waiting helps only while Meta reviews the template."""
    [field_error] = check_template(setting(known(status=status)), Content(template="own_card"))
    reported = {
        language: text(TextKind.FIELD, field_error.code, language, field_error.facts) for language in ("en", "fr")
    }
    assert english in reported["en"]
    assert french in reported["fr"]
    assert ("wait for" in reported["en"]) == ("attendez" in reported["fr"]) == (status is PENDING)


def test_a_template_approved_in_one_language_is_checked_row_by_row() -> None:
    its = setting(known("vaccination_card", "fr", APPROVED), known("vaccination_card", "en", PENDING))
    content = Content(template="vaccination_card")
    assert check_template(its, content) == ()
    assert check_template(its, replace(content, language="en"))[0].code == "template_not_approved"
    assert warnings(compose(person("fr"), content, its)) == []
    assert field_errors(person("en"), content, its) == [("content.template.name", "template_not_approved")]


@pytest.mark.parametrize(
    ("templates", "is_sure"), [((), False), ((known("vaccination_card", status=APPROVED, shape=None),), False)]
)
def test_an_unreadable_status_warns_and_does_not_stop(templates: Sequence[KnownTemplate], is_sure: bool) -> None:
    its = setting(*templates, is_sure=is_sure)
    content = Content(template="vaccination_card")
    assert check_template(its, content) == ()
    assert warnings(compose(person(), content, its)) == ["template_status_unknown"]


def test_sms_needs_no_approval_and_has_the_ready_made_templates() -> None:
    its = setting(known("vaccination_card", status=PAUSED, shape=None), known(), channel=Channel.SMS)
    assert check_template(its, Content(template="vaccination_card")) == ()
    assert warnings(compose(person(card=None), Content(template="vaccination_card"), its)) == []
    assert [field_error.code for field_error in check_template(its, Content(template="own_card"))] == [
        "template_unknown"
    ]
    assert [field_error.code for field_error in check_template(its, Content(template="no_such"))] == [
        "template_unknown"
    ]


def test_a_named_template_is_filled_in_by_name_and_a_positional_one_in_order() -> None:
    named = call_of(OWN, first_name="Awa\nMarie")
    assert (named.positional, named.parameters[1]) == (False, ("first_name", "Awa Marie"))
    twice = Shape(body="{first_name}, {card_code}, {first_name}.", parameters=("first_name", "card_code", "first_name"))
    positional = call_of(replace(twice, positional=True), card_code="C-1")
    assert positional.positional
    assert [value for _, value in positional.parameters] == ["Aminata", "C-1", "Aminata"]


def test_a_template_without_a_picture_needs_no_card() -> None:
    plain = setting(known(shape=replace(OWN, has_picture=False)))
    composed = compose(person(card=None), Content(template="own_card"), plain)
    assert composed.payload.card_image is None
    assert field_errors(person(card=None), Content(template="own_card"), setting(known())) == [
        ("card_image", "card_missing")
    ]


@pytest.mark.parametrize(
    ("prefix", "values", "suffix"),
    [
        ("https://v.oomus.health/c/", {}, "DKR-VAC-9XQ7LM2A"),
        ("https://v.oomus.health/", {}, "c/DKR-VAC-9XQ7LM2A"),
        ("https://v.oomus.health/", {"verification_url": "https://v.oomus.health/c/{card_code}"}, "c/DKR-VAC-9XQ7LM2A"),
        ("https://other.example/", {}, "DKR-VAC-9XQ7LM2A"),
        ("https://other.example/", {"card_code": "A 7/é"}, "A%207%2F%C3%A9"),
        ("https://v.oomus.health/c/", {"verification_url": None}, "DKR-VAC-9XQ7LM2A"),
        ("https://v.oomus.health/c/", {"verification_url": "https://v.oomus.health/c/"}, "DKR-VAC-9XQ7LM2A"),
        ("https://v.oomus.health/c/", {"card_code": None}, "DKR-VAC-9XQ7LM2A"),
    ],
)
def test_a_button_is_completed_by_the_url_or_else_by_the_code(
    prefix: str, values: dict[str, str | None], suffix: str
) -> None:
    shape = Shape(body="Bonjour {first_name} !", parameters=("first_name",), button=UrlButton(index=1, prefix=prefix))
    assert call_of(shape, **values).button == ButtonCall(index=1, suffix=suffix)


def test_a_button_without_a_value_is_an_error() -> None:
    shape = Shape(
        body="Bonjour {first_name} !", parameters=("first_name",), button=UrlButton(index=0, prefix="https://x/")
    )
    empty = person(verification_url=None, card_code=None)
    assert field_errors(empty, Content(template="own_card"), setting(known(shape=shape))) == [
        ("content", "variable_missing")
    ]


def test_a_filled_in_body_may_have_1024_characters() -> None:
    shape = Shape(body="Bonjour {first_name}" + "." * 900, parameters=("first_name",))
    assert field_errors(person(first_name="x" * 200), Content(template="own_card"), setting(known(shape=shape))) == [
        ("content", "text_too_long")
    ]
