from datetime import UTC, datetime

import pytest

from shared.base.json import JsonObject, JsonValue
from shared.integrations.integration import Dhis2Integration
from shared.policy.consent import Given
from shared.recipients.recipient import Recipient, RecipientError, parse_instant, read_recipient

PHONE, NAME, CONSENT = "aPhone00001", "aName000001", "aConsent001"
DHIS2 = Dhis2Integration(
    organisation="demo",
    attributes={"phone": PHONE, "first_name": NAME, "consent": CONSENT},
    program=None,
    version=1,
)
NUMBER = "+221770000001"
NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)


def entity(**values: JsonValue) -> JsonObject:
    uids = {"phone": PHONE, "first_name": NAME, "consent": CONSENT}
    attributes: list[JsonValue] = [{"attribute": uids[name], "value": value} for name, value in values.items()]
    return {"trackedEntity": "tEntity0001", "attributes": attributes}


def read(raw: JsonObject, defaults: JsonObject | None = None, dhis2: Dhis2Integration | None = DHIS2) -> Recipient:
    return read_recipient(raw, defaults or {}, dhis2, NOW)


def field_errors(
    raw: JsonObject, defaults: JsonObject | None = None, dhis2: Dhis2Integration | None = DHIS2
) -> list[str]:
    with pytest.raises(RecipientError) as caught:
        read(raw, defaults, dhis2)
    return [f"{field_error.field} {field_error.code}" for field_error in caught.value.field_errors]


def test_a_whole_recipient() -> None:
    recipient = read(
        {
            "phone": " 77 000 00 01 ",
            "first_name": " Aminata ",
            "last_name": "Diallo",
            "card_code": "DKR-VAC-9XQ7LM2A",
            "programme_name": "Vaccination",
            "issue_date": "23/11/2026",
            "verification_url": "https://v.oomus.health/c/{card_code}",
            "card_image": "s3://cards/{card_code}.png",
            "card_generated_at": "2026-11-23T10:00:00+02:00",
            "enrollment_id": "eFirst00001",
            "language": "FR",
            "consent": True,
        }
    )
    assert recipient == Recipient(
        phone="77 000 00 01",
        values={
            "first_name": "Aminata",
            "last_name": "Diallo",
            "card_code": "DKR-VAC-9XQ7LM2A",
            "programme_name": "Vaccination",
            "issue_date": "23/11/2026",
            "verification_url": "https://v.oomus.health/c/{card_code}",
        },
        card_image="s3://cards/{card_code}.png",
        card_generated_at=datetime(2026, 11, 23, 8, tzinfo=UTC),
        enrollment_id="eFirst00001",
        language="fr",
        given=Given(granted=True),
    )


def test_the_repr_of_a_recipient_contains_nothing_personal() -> None:
    recipient = read({"phone": NUMBER, "first_name": "Aminata", "card_image": "s3://cards/secret.png"})
    assert not [reported for reported in (NUMBER, "Aminata", "secret") if reported in repr(recipient)]


GIVEN: JsonObject = {"first_name": "Given"}
EMPTY: JsonObject = {"first_name": "  "}
NULL: JsonObject = {"first_name": None}
REGISTER: JsonObject = {"dhis2": entity(phone=NUMBER, first_name="Register")}
SILENT: JsonObject = {"dhis2": entity(phone=NUMBER, first_name=" ")}
DEFAULT: JsonObject = {"first_name": "Default"}


@pytest.mark.parametrize(
    ("raw", "defaults", "first_name"),
    [
        (GIVEN | REGISTER, DEFAULT, "Given"),
        (REGISTER, DEFAULT, "Register"),
        (EMPTY | REGISTER, DEFAULT, "Register"),
        (NULL | REGISTER, DEFAULT, "Register"),
        (SILENT, DEFAULT, "Default"),
        (EMPTY, DEFAULT, "Default"),
        (NULL, DEFAULT, "Default"),
        ({}, DEFAULT, "Default"),
        (EMPTY, {}, None),
        (SILENT, {}, None),
    ],
)
def test_a_given_value_wins_over_dhis2_and_dhis2_over_defaults(
    raw: JsonObject, defaults: JsonObject, first_name: str | None
) -> None:
    given: JsonObject = raw if "dhis2" in raw else raw | {"phone": NUMBER}
    assert read(given, defaults).values["first_name"] == first_name


def test_a_phone_that_dhis2_lacks() -> None:
    row: JsonObject = {"dhis2": entity(first_name="Aminata")}
    assert field_errors(row) == ["phone dhis2_attribute_missing"]
    given = read(row | {"phone": NUMBER})
    assert (given.phone, given.values["first_name"]) == (NUMBER, "Aminata")


def test_a_missing_attribute_is_named_by_its_uid() -> None:
    with pytest.raises(RecipientError) as caught:
        read({"dhis2": entity()})
    assert caught.value.field_errors[0].facts == {"attribute": PHONE}


@pytest.mark.parametrize(("its", "dhis2"), [(entity(phone=NUMBER), None), ("text", DHIS2), ([], DHIS2), (1, DHIS2)])
def test_dhis2_that_cannot_be_read(its: JsonValue, dhis2: Dhis2Integration | None) -> None:
    assert field_errors({"dhis2": its}, dhis2=dhis2) == ["dhis2 field_invalid"]


def test_inactive_dhis2_records_are_reported_with_their_enrollment() -> None:
    """Nothing else of such a record is reported, and other values in the row do not make it count."""
    gone: JsonObject = {"enrollment": "eGone000001", "status": "CANCELLED", "attributes": []}
    with pytest.raises(RecipientError) as caught:
        read_recipient({"dhis2": gone, "phone": NUMBER, "surname": "x"}, {}, DHIS2, NOW)
    assert [(field_error.field, field_error.code) for field_error in caught.value.field_errors] == [
        ("surname", "field_unknown"), ("dhis2", "dhis2_not_active"),
    ]  # fmt: skip
    assert caught.value.enrollment_id == "eGone000001"


YES, NO = Given(granted=True), Given(granted=False)


def dated(at: datetime) -> Given:
    return Given(granted=True, at=at, received_at=NOW)


@pytest.mark.parametrize(
    ("consent", "given"),
    [
        *((word, YES) for word in (True, "true", "TRUE", " yes ", "Oui", "1", 1, "VRAI", "vrai ")),
        *((word, NO) for word in (False, "false", "no", "NON", "0", 0, "FAUX", " Faux")),
        *((word, Given()) for word in (None, "", "  ")),
        (
            {"granted_at": "2026-11-01T09:00:00Z", "source": "register"},
            dated(datetime(2026, 11, 1, 9, tzinfo=UTC)),
        ),
        ({"granted_at": "2026-11-01T09:00:00+01:00"}, dated(datetime(2026, 11, 1, 8, tzinfo=UTC))),
        ({"granted_at": "2026-11-30T08:05:00Z"}, dated(NOW)),
    ],
)
def test_consent(consent: JsonValue, given: Given) -> None:
    assert read({"phone": NUMBER, "consent": consent}).given == given


@pytest.mark.parametrize(
    "consent",
    [
        *("maybe", "vraiment", 2, 0.5, [], ["yes"], {}, {"source": "register"}),
        *({"granted_at": at} for at in (None, True, "2026-11-01", "2026-11-01T09:00:00")),
        *(
            {"granted_at": at}
            for at in ("12/05/2026", "12-05-2026", "2026-05-12 9:00", "20260512T090000Z", "1778576400")
        ),
    ],
)
def test_consent_that_cannot_be_read(consent: JsonValue) -> None:
    assert field_errors({"phone": NUMBER, "consent": consent}) == ["consent field_invalid"]


@pytest.mark.parametrize("at", ["2026-11-30T08:05:01Z", "2026-12-05T09:00:00Z", "2027-05-12T09:00:00+00:00"])
def test_a_consent_with_a_future_date(at: str) -> None:
    assert field_errors({"phone": NUMBER, "consent": {"granted_at": at}}) == ["consent.granted_at field_invalid"]
    assert field_errors({"phone": NUMBER}, {"consent": {"granted_at": at}}) == ["consent.granted_at field_invalid"]


def test_an_explicit_no_in_the_row_wins_over_a_default_yes() -> None:
    assert read({"phone": NUMBER, "consent": "non"}, {"consent": True}).given == NO
    assert read({"phone": NUMBER, "consent": ""}, {"consent": True}).given == YES
    assert read({"dhis2": entity(phone=NUMBER, consent="false")}, {"consent": True}).given == NO


@pytest.mark.parametrize(
    ("raw", "reported"),
    [
        ({"phone": NUMBER, "phone2": "x"}, ["phone2 field_unknown"]),
        ({"phone": NUMBER, "Phone": NUMBER}, ["Phone field_unknown"]),
        ({"phone": 221770000001}, ["phone field_invalid"]),
        ({"phone": NUMBER, "first_name": ["Aminata"]}, ["first_name field_invalid"]),
        ({"phone": NUMBER, "card_code": True}, ["card_code field_invalid"]),
        ({"phone": NUMBER, "language": 5}, ["language field_invalid"]),
        ({"phone": NUMBER, "enrollment_id": "a b"}, ["enrollment_id field_invalid"]),
        ({"phone": NUMBER, "enrollment_id": "221770000001"}, ["enrollment_id field_invalid"]),
        ({"phone": NUMBER, "enrollment_id": "770000001"}, ["enrollment_id field_invalid"]),
        ({"phone": NUMBER, "enrollment_id": NUMBER}, ["enrollment_id field_invalid"]),
        ({"phone": NUMBER, "card_generated_at": "yesterday"}, ["card_generated_at field_invalid"]),
        ({"phone": NUMBER, "card_generated_at": 1_795_510_800}, ["card_generated_at field_invalid"]),
    ],
)
def test_each_error_of_a_field(raw: JsonObject, reported: list[str]) -> None:
    assert field_errors(raw) == reported


@pytest.mark.parametrize(
    ("written", "language"),
    [
        *(
            (one, "fr")
            for one in ("fr", "FR", "fr_FR", "fr-SN", "French", "français", "Français (Sénégal)", "FRANÇAIS")
        ),
        *((one, "en") for one in ("en", "EN", "en_GB", "English", "anglais", " Anglais ")),
    ],
)
def test_languages_as_registers_write_them(written: str, language: str) -> None:
    found = read({"phone": NUMBER, "language": written}, {"language": "en" if language == "fr" else "fr"})
    assert (found.language, found.language_fallback) == (language, False)


@pytest.mark.parametrize("written", ["wo", "Wolof", "العربية", "?", "franc"])
def test_another_language_falls_back_to_the_default(written: str) -> None:
    found = read({"phone": NUMBER, "language": written}, {"language": "en"})
    assert (found.language, found.language_fallback) == ("en", True)
    found = read({"phone": NUMBER, "language": written})
    assert (found.language, found.language_fallback) == (None, True)


def test_no_language_is_no_fallback() -> None:
    assert not read({"phone": NUMBER, "language": " "}, {"language": "en"}).language_fallback
    assert read({"phone": NUMBER}, {"language": "en"}).language == "en"


def test_all_errors_are_reported_at_once() -> None:
    row: JsonObject = {
        "x": 1,
        "phone": 1,
        "language": 5,
        "enrollment_id": "77-000-00-01",
        "card_generated_at": "2026",
        "consent": {"granted_at": "2026"},
        "dhis2": "text",
    }
    assert sorted(field_errors(row)) == [
        "card_generated_at field_invalid",
        "consent field_invalid",
        "dhis2 field_invalid",
        "enrollment_id field_invalid",
        "language field_invalid",
        "phone field_invalid",
        "x field_unknown",
    ]


def test_an_absent_phone_is_left_to_composing() -> None:
    assert read({}).phone == ""


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-23T10:00:00Z", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("2026-11-23t10:00:00z", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        (" 2026-11-23T10:00:00.250Z ", datetime(2026, 11, 23, 10, 0, 0, 250_000, tzinfo=UTC)),
        ("2026-11-23T00:30:00+03:00", datetime(2026, 11, 22, 21, 30, tzinfo=UTC)),
        ("2026-11-23T10:00:00", None),
        ("2026-11-23", None),
        ("20261123T100000Z", None),
        ("2026-W48-1T10:00:00Z", None),
        ("2026-02-30T10:00:00Z", None),
        ("2026-11-23T25:00:00Z", None),
        ("٢٠٢٦-11-23T10:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("", None),
        (None, None),
        (1, None),
    ],
)
def test_instants(text: JsonValue, instant: datetime | None) -> None:
    assert parse_instant(text) == instant


# ------------------------------------------------------------------------------- characters that no message can carry


@pytest.mark.parametrize("odd", ["\uffff", "\ufffe", "\x00", "\ud800", "\x1f", "\x9f", "\U0001ffff"])
def test_such_characters_are_removed_from_every_value(odd: str) -> None:
    raw: JsonObject = {"phone": f"+221{odd} 77 000 00 01", "first_name": f"A{odd}wa", "enrollment_id": f"e{odd}1"}
    raw |= {"consent": f"oui{odd}", "card_generated_at": f"2026-11-23T10:00:00Z{odd}", "language": f"{odd}fr"}
    found = read(raw, {"last_name": f"Diop{odd}"})
    assert (found.phone, found.values["first_name"], found.values["last_name"]) == ("+221 77 000 00 01", "Awa", "Diop")
    assert (found.enrollment_id, found.language, found.given.granted) == ("e1", "fr", True)
    assert found.card_generated_at is not None
    assert found.characters_removed
    assert read({"dhis2": entity(phone=NUMBER, first_name=f"{odd}Awa")}).values["first_name"] == "Awa"


def test_a_value_of_only_such_characters_is_empty() -> None:
    found = read({"phone": NUMBER, "first_name": "\uffff \x00", "last_name": "\uffff"}, {"last_name": "Default"})
    assert (found.values["first_name"], found.values["last_name"], found.characters_removed) == (None, "Default", False)


def test_a_value_without_such_characters_is_not_reported() -> None:
    assert not read({"phone": NUMBER, "first_name": "Aïssatou\n👩🏾‍⚕️", "consent": True}).characters_removed
