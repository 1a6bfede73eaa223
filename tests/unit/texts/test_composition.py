from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.base.refusal import ApiWarning
from shared.cards.references import SAMPLE_CARD, CardHost
from shared.integrations.integration import UnitPrice
from shared.messages.message import Price
from shared.messages.payload import MAX_CAPTION, MAX_SESSION_TEXT, Channel, Mode
from shared.policy.consent import Given
from shared.recipients.recipient import Recipient
from shared.texts.composition import (
    MAX_SEGMENTS,
    Composed,
    CompositionError,
    Setting,
    check_content,
    compose,
    legal_parameter,
)
from shared.texts.content import Content, SmsEncoding
from shared.texts.sms import Encoding
from shared.texts.templates import MAX_BODY, VARIABLES

VALUES: dict[str, str | None] = {
    "first_name": "Aminata",
    "last_name": "Diallo",
    "card_code": "DKR-VAC-9XQ7LM2A",
    "programme_name": "vaccination",
    "issue_date": "23/11/2026",
    "verification_url": "https://v.oomus.health/c/DKR-VAC-9XQ7LM2A",
}
AMINATA = Recipient(
    phone="77 000 00 01",
    values=VALUES,
    card_image="https://cards.example/{card_code}.png",
    card_generated_at=None,
    enrollment_id="eFirst00001",
    language=None,
    given=Given(granted=True),
)
SMS = Setting(
    organisation="pnv-sn",
    channel=Channel.SMS,
    default_country="SN",
    unit_prices={"SN": UnitPrice(amount=Decimal("12.5"), currency="XOF")},
    card_hosts=(CardHost(name="cards.example"),),
    card_buckets=frozenset({"cards"}),
)
WHATSAPP = replace(SMS, channel=Channel.WHATSAPP)
TEMPLATE = Content(template="vaccination_card")


def person(**values: str | None) -> Recipient:
    return replace(AMINATA, values=VALUES | values)


def sms(text: str, recipient: Recipient = AMINATA, encoding: SmsEncoding = SmsEncoding.EXACT) -> Composed:
    return compose(recipient, Content(text=text, sms_encoding=encoding), SMS)


def field_errors(recipient: Recipient, content: Content, setting: Setting) -> set[tuple[str, str]]:
    with pytest.raises(CompositionError) as caught:
        compose(recipient, content, setting)
    return {(field_error.field, field_error.code) for field_error in caught.value.field_errors}


# ---------------------------------------------------------------------------------------------------------------- SMS


def test_an_sms_is_sent_as_written() -> None:
    composed = sms("Bonjour {first_name}, fête le {issue_date}")
    assert composed.payload.text == "Bonjour Aminata, fête le 23/11/2026"
    assert (composed.payload.to, composed.payload.country, composed.payload.mode) == ("+221770000001", "SN", Mode.SMS)
    assert (composed.payload.template, composed.payload.card_image) == (None, None)
    assert composed.measured is not None
    assert (composed.measured.encoding, composed.measured.non_gsm_characters) == (Encoding.UCS2, ("ê",))
    assert [warning.code for warning in composed.warnings] == ["ucs2"]
    assert composed.gsm7 is not None
    assert composed.gsm7.text == "Bonjour Aminata, fete le 23/11/2026"
    assert composed.gsm7.replaced == (("ê", "e"),)
    assert (composed.gsm7.segments, composed.gsm7.price) == (1, Price(amount=Decimal("12.5"), currency="XOF"))


def test_an_sms_in_gsm7_is_measured_after_rewriting() -> None:
    composed = sms("fête " * 20, encoding=SmsEncoding.GSM7)
    assert composed.payload.text == "fete " * 20
    assert composed.measured is not None
    assert (composed.measured.encoding, composed.measured.segments) == (Encoding.GSM7, 1)
    assert composed.warnings == ()
    exact = sms("fête " * 20)
    assert exact.measured is not None
    assert exact.measured.segments == 2


def test_a_text_that_gsm7_cannot_hold_stays_unchanged() -> None:
    composed = sms("بطاقتك جاهزة يا {first_name}", encoding=SmsEncoding.GSM7)
    assert composed.payload.text == "بطاقتك جاهزة يا Aminata"
    assert [warning.code for warning in composed.warnings] == ["ucs2", "gsm7_not_possible"]
    assert composed.gsm7 is None
    assert [warning.code for warning in sms("بطاقتك جاهزة").warnings] == ["ucs2"]


@pytest.mark.parametrize("encoding", SmsEncoding)
def test_invisible_and_typographic_characters_are_always_rewritten(encoding: SmsEncoding) -> None:
    composed = sms("L’été\u00a0: “oui” – {first_name}…\u200b", encoding=encoding)
    assert composed.payload.text == 'L\'été : "oui" - Aminata...'
    assert composed.warnings == ()


@pytest.mark.parametrize(
    ("length", "segments", "amount"), [(160, 1, "12.5"), (161, 2, "25.0"), (306, 2, "25.0"), (307, 3, "37.5")]
)
def test_the_price_is_by_the_segment(length: int, segments: int, amount: str) -> None:
    composed = sms("x" * length)
    assert composed.measured is not None
    assert composed.measured.segments == segments
    assert composed.price == Price(amount=Decimal(amount), currency="XOF")


def test_without_the_contract_s_price_there_is_none() -> None:
    assert compose(AMINATA, Content(text="été ê"), replace(SMS, unit_prices={})).price is None
    ivorian = replace(AMINATA, phone="+2250700000001")
    composed = compose(ivorian, Content(text="été ê"), SMS)
    assert (composed.payload.country, composed.price) == ("CI", None)
    assert composed.gsm7 is not None
    assert composed.gsm7.price is None
    assert composed.warnings == (
        ApiWarning(code="ucs2"),
        ApiWarning(code="units_missing", facts={"unpriced": "CI"}),
    )


@pytest.mark.parametrize(
    ("language", "wished", "start"),
    [(None, None, "Bonjour Aminata"), ("en", None, "Hello Aminata"), ("en", "fr", "Bonjour Aminata")],
)
def test_an_sms_from_a_template(language: str | None, wished: str | None, start: str) -> None:
    recipient = replace(AMINATA, language=language, card_image=None)
    composed = compose(recipient, Content(template="vaccination_card", language=wished), SMS)
    assert composed.payload.text.startswith(start)
    assert composed.measured is not None
    assert composed.measured.segments == 1
    assert composed.payload.template is None


def test_at_most_ten_segments() -> None:
    assert sms("x" * 153 * MAX_SEGMENTS).measured is not None
    assert field_errors(AMINATA, Content(text="x" * (153 * MAX_SEGMENTS + 1)), SMS) == {
        ("content.text", "text_too_long")
    }


def test_a_text_of_invisible_characters() -> None:
    assert field_errors(person(first_name="\u200b"), Content(text="{first_name}"), SMS) == {
        ("content.text", "text_empty")
    }


# ----------------------------------------------------------------------------------------------------------- WhatsApp


def test_a_whatsapp_template() -> None:
    composed = compose(AMINATA, TEMPLATE, WHATSAPP)
    payload = composed.payload
    assert payload.mode is Mode.TEMPLATE
    assert payload.text.startswith("Bonjour Aminata,\n\nVoici votre carte vaccination.")
    assert payload.card_image == "https://cards.example/DKR-VAC-9XQ7LM2A.png"
    assert payload.template is not None
    assert (payload.template.name, payload.template.language) == ("vaccination_card", "fr")
    assert payload.template.parameters == (
        ("first_name", "Aminata"),
        ("programme_name", "vaccination"),
        ("last_name", "Diallo"),
        ("card_code", "DKR-VAC-9XQ7LM2A"),
        ("verification_url", "https://v.oomus.health/c/DKR-VAC-9XQ7LM2A"),
    )
    assert (composed.measured, composed.price, composed.gsm7) == (None, None, None)
    assert [warning.code for warning in composed.warnings] == ["template_status_unknown"]


def test_parameters_and_text_are_as_meta_takes_them() -> None:
    composed = compose(person(first_name="Awa\n\tMarie", last_name="de      la"), TEMPLATE, WHATSAPP)
    assert composed.payload.text.startswith("Bonjour Awa Marie,")
    assert "\nNom : de    la\n" in composed.payload.text
    assert composed.payload.template is not None
    assert composed.payload.template.parameters[0] == ("first_name", "Awa Marie")
    assert composed.payload.template.parameters[2] == ("last_name", "de    la")


@pytest.mark.parametrize(
    ("value", "legal"),
    [
        ("Aminata", "Aminata"),
        ("a\nb", "a b"),
        ("a\r\nb", "a b"),
        ("a\tb", "a b"),
        ("a    b", "a    b"),
        ("a     b", "a    b"),
        ("a  \n  \n  b", "a    b"),
        (" a\n", "a"),
        ("a\u2028b", "a b"),
        ("été œuf", "été œuf"),
    ],
)
def test_legal_parameters(value: str, legal: str) -> None:
    assert legal_parameter(value) == legal


@given(st.text(st.sampled_from("a \n\r\t\v\f\u2028\u00a0")))
def test_a_cleaned_parameter_has_nothing_that_meta_refuses(value: str) -> None:
    legal = legal_parameter(value)
    assert not set("\n\r\t") & set(legal)
    assert " " * 5 not in legal
    assert legal_parameter(legal) == legal


def test_a_filled_body_beyond_meta_s_limit() -> None:
    spare = MAX_BODY - len(compose(AMINATA, TEMPLATE, WHATSAPP).payload.text)
    fits = person(programme_name="vaccination" + "x" * spare)
    assert len(compose(fits, TEMPLATE, WHATSAPP).payload.text) == MAX_BODY
    beyond = person(programme_name="vaccination" + "x" * (spare + 1))
    assert field_errors(beyond, TEMPLATE, WHATSAPP) == {("content", "text_too_long")}


@pytest.mark.parametrize(
    ("card_image", "code"),
    [
        (None, "card_missing"),
        ("https://elsewhere.example/card.png", "card_host_not_allowed"),
        ("s3://private/pnv-sn/card.png", "card_host_not_allowed"),
        ("http://cards.example/card.png", "card_url_invalid"),
        ("card.png", "card_url_invalid"),
        (SAMPLE_CARD, "card_url_invalid"),
    ],
)
def test_invalid_cards(card_image: str | None, code: str) -> None:
    assert field_errors(replace(AMINATA, card_image=card_image), TEMPLATE, WHATSAPP) == {("card_image", code)}


@pytest.mark.parametrize(
    ("card_image", "filled"),
    [
        ("s3://cards/pnv-sn/{card_code}.png", "s3://cards/pnv-sn/DKR-VAC-9XQ7LM2A.png"),
        ("https://cards.example/a.png?code={card_code}", "https://cards.example/a.png?code=DKR-VAC-9XQ7LM2A"),
    ],
)
def test_valid_cards(card_image: str, filled: str) -> None:
    composed = compose(replace(AMINATA, card_image=card_image), TEMPLATE, WHATSAPP)
    assert composed.payload.card_image == filled


@pytest.mark.parametrize(
    ("card_image", "card_code"),
    [
        ("s3://cards/pnv-ci/{card_code}.png", "A1"),
        ("s3://cards/pnv-sn/{card_code}.png", "../pnv-ci/A1"),
        ("s3://cards/pnv-sn{card_code}.png", "-2/A1"),
        ("s3://cards/{card_code}.png", "pnv-ci/A1"),
        ("s3://cards/pnv-sn/{card_code}", "/pnv-ci/A1.png"),
        ("s3://cards/pnv-sn/{card_code}/pnv-ci/A1.png", ".."),
        ("s3://cards/pnv-sn/{card_code}/pnv-ci/A1.png", "%2e%2e"),
    ],
)
def test_a_card_of_another_organisation(card_image: str, card_code: str) -> None:
    recipient = replace(person(card_code=card_code), card_image=card_image)
    assert field_errors(recipient, TEMPLATE, WHATSAPP) == {("card_image", "card_host_not_allowed")}


def test_the_sample_card_is_allowed_where_it_is_trusted() -> None:
    setting = replace(WHATSAPP, trusted_card=SAMPLE_CARD)
    assert compose(replace(AMINATA, card_image=SAMPLE_CARD), TEMPLATE, setting).payload.card_image == SAMPLE_CARD


def test_an_sms_asks_for_no_card() -> None:
    assert compose(replace(AMINATA, card_image="ftp://nowhere"), TEMPLATE, SMS).payload.card_image is None


# -------------------------------------------------------------------------------------------------------------- errors

TEXT = Content(text="Bonjour {first_name}")


@pytest.mark.parametrize(
    ("recipient", "content", "setting", "reported"),
    [
        (replace(AMINATA, phone=""), TEXT, SMS, {("phone", "phone_missing")}),
        (replace(AMINATA, phone="N/A"), TEXT, SMS, {("phone", "phone_missing")}),
        (replace(AMINATA, phone="+2217700"), TEXT, SMS, {("phone", "phone_invalid")}),
        (replace(AMINATA, phone="+22507000001"), TEXT, SMS, {("phone", "phone_obsolete")}),
        (replace(AMINATA, phone="+221338000001"), TEXT, SMS, {("phone", "phone_not_mobile")}),
        (replace(AMINATA, phone="770000001 / 770000002"), TEXT, SMS, {("phone", "phone_several")}),
        (person(first_name=None), TEXT, SMS, {("content", "variable_missing")}),
        (AMINATA, Content(text="{prenom}"), SMS, {("content", "variable_unknown")}),
        (AMINATA, Content(template="school_card"), SMS, {("content.template.name", "template_unknown")}),
        (AMINATA, Content(template="school_card"), WHATSAPP, {("content.template.name", "template_unknown")}),
        (person(last_name=" "), TEMPLATE, WHATSAPP, {("content", "variable_missing")}),
        (
            person(card_code=None, verification_url="https://v.oomus.health/c/x"),
            TEMPLATE,
            WHATSAPP,
            {("card_image", "variable_missing"), ("content", "variable_missing")},
        ),
        (
            replace(person(first_name=None, last_name=None), phone="", card_image=None),
            TEMPLATE,
            WHATSAPP,
            {("phone", "phone_missing"), ("card_image", "card_missing"), ("content", "variable_missing")},
        ),
    ],
)
def test_each_error_of_a_row(
    recipient: Recipient, content: Content, setting: Setting, reported: set[tuple[str, str]]
) -> None:
    assert field_errors(recipient, content, setting) == reported


def test_every_missing_variable_is_named() -> None:
    empty = replace(AMINATA, values=dict.fromkeys(VARIABLES))
    with pytest.raises(CompositionError) as caught:
        compose(empty, Content(text="{first_name} {card_code} {verification_url} {x}"), SMS)
    assert [dict(field_error.facts) for field_error in caught.value.field_errors] == [
        {"name": name} for name in ("first_name", "card_code", "verification_url", "x")
    ]


def test_an_error_masks_the_recipient_and_holds_no_value() -> None:
    with pytest.raises(CompositionError) as caught:
        compose(AMINATA, Content(text="{first_name} {x}"), SMS)
    assert caught.value.masked == "+22177***0001"
    assert "Aminata" not in str(caught.value)
    with pytest.raises(CompositionError) as unread:
        compose(replace(AMINATA, phone="none"), Content(text="{first_name}"), SMS)
    assert unread.value.masked is None


def test_reprs_contain_nothing_personal() -> None:
    reported = repr(sms("Bonjour {first_name}, fête à {verification_url}")) + repr(compose(AMINATA, TEMPLATE, WHATSAPP))
    assert not [private for private in ("770000001", "Aminata", "9XQ7LM2A", "cards.example") if private in reported]


# ------------------------------------------------------------------------------------------------ the verification URL


def test_the_card_code_is_filled_into_the_url() -> None:
    recipient = person(verification_url="https://v.oomus.health/c/{card_code}", card_code="A/1")
    assert sms("{verification_url}", recipient).payload.text == "https://v.oomus.health/c/A%2F1"
    composed = compose(recipient, TEMPLATE, WHATSAPP)
    assert composed.payload.template is not None
    assert dict(composed.payload.template.parameters)["verification_url"] == "https://v.oomus.health/c/A%2F1"


def test_a_url_without_its_code_is_reported_once_and_only_if_it_is_shown() -> None:
    recipient = person(verification_url="https://v.oomus.health/c/{card_code}", card_code=None)
    with pytest.raises(CompositionError) as caught:
        sms("{verification_url} {last_name}", recipient)
    assert [
        (field_error.field, field_error.code, dict(field_error.facts)) for field_error in caught.value.field_errors
    ] == [("verification_url", "variable_missing", {"name": "card_code"})]
    assert sms("Bonjour {first_name}", recipient).payload.text == "Bonjour Aminata"


# ---------------------------------------------------------------------------------------------- one card or another


@pytest.mark.parametrize("setting", [SMS, WHATSAPP], ids=["sms", "whatsapp"])
def test_the_composed_message_has_the_cards_identifiers(setting: Setting) -> None:
    composed = compose(AMINATA, TEMPLATE, setting)
    assert (composed.card_code, composed.enrollment_id) == (AMINATA.values["card_code"], AMINATA.enrollment_id)


# --------------------------------------------------------------------------------------- the content, before any row


@pytest.mark.parametrize(
    ("channel", "content", "reported"),
    [
        (Channel.SMS, TEXT, []),
        (Channel.SMS, TEMPLATE, []),
        (Channel.WHATSAPP, TEMPLATE, []),
        (Channel.WHATSAPP, Content(template="vaccination_card", language="en"), []),
        (Channel.WHATSAPP, TEXT, []),
        (Channel.SMS, Content(text=""), [("content.text", "text_empty", {})]),
        (Channel.SMS, Content(text=" \n"), [("content.text", "text_empty", {})]),
        (
            Channel.SMS,
            Content(text="{prenom} {first_name} {}"),
            [
                ("content.text", "variable_unknown", {"name": "prenom"}),
            ],
        ),
    ],
)
def test_content_that_is_invalid_for_every_row(
    channel: Channel, content: Content, reported: list[tuple[str, str, dict[str, str]]]
) -> None:
    found = [
        (field_error.field, field_error.code, dict(field_error.facts))
        for field_error in check_content(channel, content)
    ]
    assert found == reported


# ----------------------------------------------------------------------------------------------------- inside a session


def in_session(text: str, recipient: Recipient = AMINATA, default: str | None = "vaccination_card") -> Composed:
    return compose(recipient, Content(text=text), replace(WHATSAPP, default_template=default))


def test_a_free_text_on_whatsapp_keeps_every_letter() -> None:
    composed = in_session("Bonjour {first_name},\n\n«\u00a0prêt\u00a0» 🎉 — {verification_url}")
    assert composed.payload.mode is Mode.SESSION
    assert composed.payload.text.startswith("Bonjour Aminata,\n\n«\u00a0prêt\u00a0» 🎉 — https://")
    assert composed.payload.card_image
    assert (composed.payload.template, composed.measured, composed.warnings) == (None, None, ())


@pytest.mark.parametrize(("length", "split"), [(MAX_CAPTION, False), (MAX_CAPTION + 1, True), (MAX_SESSION_TEXT, True)])
def test_a_text_too_long_for_a_caption_is_a_message_of_its_own(length: int, split: bool) -> None:
    assert in_session("é" * length).payload.is_split is split


@pytest.mark.parametrize(
    ("recipient", "text", "reported"),
    [
        (AMINATA, "é" * (MAX_SESSION_TEXT + 1), {("content.text", "text_too_long")}),
        (AMINATA, " \n", {("content.text", "text_empty")}),
        (AMINATA, "{prenom}", {("content", "variable_unknown")}),
        (person(first_name=None), "{first_name}", {("content", "variable_missing")}),
        (replace(AMINATA, card_image=None), "Bonjour", {("card_image", "card_missing")}),
    ],
)
def test_each_error_of_a_text_in_a_session(recipient: Recipient, text: str, reported: set[tuple[str, str]]) -> None:
    assert field_errors(recipient, Content(text=text), WHATSAPP) == reported


def test_the_default_template_is_the_fallback_if_this_persons_values_fill_it() -> None:
    fallback_template = in_session("Bonjour").payload.fallback_template
    assert fallback_template is not None
    assert (fallback_template.name, fallback_template.language) == ("vaccination_card", "fr")
    assert fallback_template == compose(AMINATA, TEMPLATE, WHATSAPP).payload.template
    english = in_session("Hello", replace(AMINATA, language="en")).payload.fallback_template
    assert english is not None
    assert english.language == "en"


@pytest.mark.parametrize(
    ("recipient", "default"),
    [(AMINATA, None), (AMINATA, "no_such_template"), (person(first_name=None), "vaccination_card")],
)
def test_a_text_without_a_usable_fallback_template_is_valid(recipient: Recipient, default: str | None) -> None:
    assert in_session("Bonjour", recipient, default).payload.fallback_template is None


# ------------------------------------------------------------------------------- characters that no message can carry


def test_removed_characters_are_reported() -> None:
    removed = replace(AMINATA, characters_removed=True)
    for setting, content in ((SMS, Content(text="Bonjour {first_name}")), (WHATSAPP, TEMPLATE)):
        assert [one.code for one in compose(removed, content, setting).warnings][-1:] == ["characters_removed"]
        assert "characters_removed" not in [one.code for one in compose(AMINATA, content, setting).warnings]


@pytest.mark.parametrize("setting", [SMS, WHATSAPP])
def test_such_characters_are_removed_from_a_text(setting: Setting) -> None:
    composed = compose(AMINATA, Content(text="Bon\uffffjour\x00 {first\ufffe_name}\x0b!"), setting)
    assert composed.payload.text == "Bonjour Aminata !"
    assert [one.code for one in composed.warnings] == ["characters_removed"]


def test_a_text_of_only_such_characters_is_empty() -> None:
    assert [one.code for one in check_content(Channel.SMS, Content(text="\uffff \x00"))] == ["text_empty"]
