import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.api import openapi, problems, validation
from shared.base.json import JsonValue
from shared.base.refusal import FieldError, ProblemCode, Refusal
from tests.unit.api.events import request
from tests.unit.base.test_json import DOCUMENTS

PERSON: dict[str, object] = {"phone": "+221770000001", "first_name": "Aminata", "consent": True}
MESSAGE: dict[str, object] = {
    "channel": "sms",
    "campaign_id": "vaccination-2026",
    "recipient": PERSON,
    "content": {"text": "Hello {first_name}"},
}
BULK: dict[str, object] = {**{k: v for k, v in MESSAGE.items() if k != "recipient"}, "recipients": [PERSON, PERSON]}
WHATSAPP: dict[str, object] = {"phone_number_id": "100000000000001", "sender_number": "+221770000000"}
SMS: dict[str, object] = {"client_id": "invented", "sender_name": "SANTE-SN", "default_country": "SN"}
CONSENT: dict[str, object] = {"phone": "+221770000001", "granted": True, "source": "form"}


def _refused(operation: str, body: object, headers: Mapping[str, str] | None = None) -> Refusal:
    with pytest.raises(Refusal) as refused:
        validation.body(request(body=body, headers=headers), operation)
    return refused.value


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("send_message", MESSAGE),
        ("send_message", {**MESSAGE, "send_at": "2026-11-23T10:00:00+01:00"}),
        ("send_message", {**MESSAGE, "content": {"template": {"name": "card"}, "sms_encoding": "gsm7"}}),
        ("send_message", {**MESSAGE, "fallback": {"channel": "sms", "after_minutes": 60, "content": {"text": "x"}}}),
        ("send_message", {**MESSAGE, "recipient": {"dhis2": {"trackedEntity": "x", "attributes": [{"a": [1]}]}}}),
        (
            "send_message",
            {**MESSAGE, "recipient": {**PERSON, "consent": {"granted_at": "2026-11-01T00:00:00Z", "source": "form"}}},
        ),
        ("create_distribution", BULK),
        ("create_distribution", {**BULK, "schedule": {"mode": "at", "at": "2026-11-23T10:00:00Z"}, "confirm": True}),
        (
            "create_distribution",
            {"campaign_id": "c", "channel": "sms", "content": {"text": "x"}, "upload_id": "u", "defaults": {}},
        ),
        ("preview", {"channel": "sms", "content": {"text": "x"}, "recipients": [{}]}),
        ("put_whatsapp_integration", WHATSAPP),
        ("put_sms_integration", {**SMS, "peak_hours": [["08:00", "10:00"]], "receipt_addresses": ["196.0.2.0/24"]}),
        ("put_sms_integration", {**SMS, "unit_prices": {"SN": {"amount": "12", "currency": "XOF"}}}),
        ("put_dhis2_integration", {"attributes": {"phone": "aPhone00001"}, "program": "pVaccin0001"}),
        ("record_consents", CONSENT),
        ("record_consents", {"items": [CONSENT, {**CONSENT, "granted": False, "recorded_at": "2026-11-01T00:00:00Z"}]}),
        ("lookup_consent", {"phone": "+221770000001"}),
        ("create_upload", {"format": "csv", "bytes": 2_000_000_000}),
        ("test_whatsapp_integration", {"to": "+221770000001", "language": "fr"}),
    ],
)
def test_valid_bodies_are_returned_unchanged(operation: str, body: dict[str, object]) -> None:
    assert validation.body(request(body=body), operation) == body


@pytest.mark.parametrize(
    ("operation", "body", "expected"),
    [
        ("send_message", {**MESSAGE, "chanel": "sms"}, [("chanel", "field_unknown", None)]),
        (
            "send_message",
            {**MESSAGE, "recipient": {**PERSON, "phone": 221770000001}},
            [("recipient.phone", "field_invalid", None)],
        ),
        (
            "send_message",
            {**MESSAGE, "recipient": {**PERSON, "phnoe": "x"}},
            [("recipient.phnoe", "field_unknown", None)],
        ),
        ("send_message", {**MESSAGE, "recipient": [PERSON]}, [("recipient", "field_invalid", None)]),
        ("send_message", {**MESSAGE, "content": {}}, [("content.text", "field_invalid", None)]),
        (
            "send_message",
            {**MESSAGE, "content": {"text": "x", "template": {"name": "y"}}},
            [("content.text", "field_invalid", None)],
        ),
        ("send_message", {**MESSAGE, "content": {"text": 5}}, [("content.text", "field_invalid", None)]),
        (
            "send_message",
            {**MESSAGE, "content": {"template": {"name": "y", "lang": "fr"}}},
            [("content.template.lang", "field_unknown", None)],
        ),
        ("send_message", {**MESSAGE, "content": "Hello"}, [("content", "field_invalid", None)]),
        (
            "send_message",
            {"channel": "sms", "content": {"text": "x"}},
            [("campaign_id", "field_invalid", None), ("recipient", "field_invalid", None)],
        ),
        (
            "create_distribution",
            {**BULK, "recipients": [PERSON, {**PERSON, "first_name": 5}, {**PERSON, "nom": "x"}, "+221"]},
            [("first_name", "field_invalid", 2), ("nom", "field_unknown", 3), ("recipients", "field_invalid", 4)],
        ),
        ("create_distribution", {**BULK, "upload_id": "u"}, [("recipients", "field_invalid", None)]),
        (
            "create_distribution",
            {k: v for k, v in BULK.items() if k != "recipients"},
            [("recipients", "field_invalid", None)],
        ),
        ("create_distribution", {**BULK, "schedule": {"mode": "at"}}, [("schedule.at", "field_invalid", None)]),
        ("create_distribution", {**BULK, "confirm": "yes"}, [("confirm", "field_invalid", None)]),
        (
            "record_consents",
            {"items": [CONSENT, {"phone": "x"}]},
            [("granted", "field_invalid", 2), ("source", "field_invalid", 2)],
        ),
        ("put_sms_integration", {**SMS, "rate_per_second": "5"}, [("rate_per_second", "field_invalid", None)]),
        ("put_sms_integration", {**SMS, "rate_per_second": True}, [("rate_per_second", "field_invalid", None)]),
        ("put_sms_integration", {**SMS, "senders": {"FR": "tel:+33"}}, [("senders.FR", "field_unknown", None)]),
    ],
)
def test_wrong_shapes_are_bad_requests(
    operation: str, body: dict[str, object], expected: list[tuple[str, str, int | None]]
) -> None:
    refusal = _refused(operation, body)
    assert refusal.code is ProblemCode.BAD_REQUEST
    assert [(field_error.field, field_error.code, field_error.row) for field_error in refusal.field_errors] == expected
    for language in ("fr", "en"):
        problems.response(refusal, "fr" if language == "fr" else "en").to_event()


@pytest.mark.parametrize(
    ("operation", "body", "field"),
    [
        ("send_message", {**MESSAGE, "channel": "fax"}, "channel"),
        ("send_message", {**MESSAGE, "campaign_id": "221770000001"}, "campaign_id"),
        ("send_message", {**MESSAGE, "campaign_id": "a b"}, "campaign_id"),
        ("send_message", {**MESSAGE, "campaign_id": "a\n"}, "campaign_id"),
        ("send_message", {**MESSAGE, "send_at": "2026-11-23T10:00:00"}, "send_at"),
        ("send_message", {**MESSAGE, "send_at": "tomorrow"}, "send_at"),
        ("put_sms_integration", {**SMS, "default_country": "FR"}, "default_country"),
        ("put_sms_integration", {**SMS, "sender_name": "TOO-LONG-NAME"}, "sender_name"),
        ("put_sms_integration", {**SMS, "receipt_addresses": ["x"]}, "receipt_addresses.0"),
        ("put_whatsapp_integration", {**WHATSAPP, "access_token": "a\nb"}, "access_token"),
        ("put_sms_integration", {**SMS, "rate_per_second": 0}, "rate_per_second"),
        ("put_whatsapp_integration", {**WHATSAPP, "rate_per_second": 1001}, "rate_per_second"),
        ("create_distribution", {**BULK, "recipients": []}, "recipients"),
        ("preview", {"channel": "sms", "content": {"text": "x"}, "recipients": [{}] * 101}, "recipients"),
        ("record_consents", {"items": [CONSENT] * 1001}, "items"),
        ("create_upload", {"format": "csv", "bytes": 0}, "bytes"),
    ],
)
def test_a_value_that_cannot_be_accepted_is_unprocessable(operation: str, body: dict[str, object], field: str) -> None:
    refusal = _refused(operation, body)
    assert refusal.code is ProblemCode.UNPROCESSABLE
    assert [field_error.field for field_error in refusal.field_errors] == [field]


@pytest.mark.parametrize("operation", ["preview", "create_distribution"])
@pytest.mark.parametrize(
    "odd", [{"enrollment_id": "221770000001"}, {"language": "de"}, {"card_generated_at": "yesterday"}]
)
def test_values_of_a_row_are_left_to_planning(operation: str, odd: dict[str, object]) -> None:
    body: dict[str, object] = {**BULK, "recipients": [{**PERSON, **odd}]}
    if operation == "preview":
        del body["campaign_id"]
    assert validation.body(request(body=body), operation) == body


@pytest.mark.parametrize("raw", [b"", b"hello", b"[]", b'"x"', b"null", b'{"to": 1, "to": 2}', b'{"to": NaN}', b"\xff"])
def test_a_body_that_is_no_json_object(raw: bytes) -> None:
    refusal = _refused("test_sms_integration", raw)
    assert refusal.code is ProblemCode.BAD_REQUEST
    assert [(field_error.field, field_error.code) for field_error in refusal.field_errors] == [
        ("body", "field_invalid")
    ]


@pytest.mark.parametrize(
    ("content_type", "taken"),
    [
        ("application/json", True),
        ("Application/JSON; Charset=UTF-8", True),
        ('application/json; charset="utf-8"', True),
        ("", True),
        ("application/json; charset=latin1", False),
        ("text/plain", False),
        ("application/x-www-form-urlencoded", False),
        ("application/jsonp", False),
    ],
)
def test_content_types(content_type: str, taken: bool) -> None:
    headers = {"content-type": content_type}
    body: dict[str, object] = {"to": "+221770000001"}
    if taken:
        assert validation.body(request(body=body, headers=headers), "test_sms_integration") == body
    else:
        refusal = _refused("test_sms_integration", body, headers)
        assert refusal.code is ProblemCode.UNSUPPORTED_MEDIA_TYPE


def test_a_merge_patch_has_a_content_type_of_its_own_which_no_other_body_may_have() -> None:
    headers = {"content-type": "application/merge-patch+json"}
    assert validation.body(request(body={}, headers=headers), "patch_sms_integration") == {}
    refusal = _refused("test_sms_integration", {"to": "+221770000001"}, headers)
    assert refusal.code is ProblemCode.UNSUPPORTED_MEDIA_TYPE


def test_too_many_recipients_or_bytes_for_one_request() -> None:
    assert _refused("create_distribution", {**BULK, "recipients": [PERSON] * 5001}).code is ProblemCode.USE_UPLOAD
    padded = b'{"x": "' + b"a" * 4_000_000 + b'"}'
    assert _refused("create_distribution", padded).code is ProblemCode.USE_UPLOAD
    assert _refused("send_message", padded).code is ProblemCode.TOO_LARGE
    assert _refused("create_upload", {"format": "csv", "bytes": 2_000_000_001}).code is ProblemCode.TOO_LARGE


def test_five_thousand_recipients_are_read_with_little_work_each() -> None:
    """Counts calls of functions, because seconds depend on the machine. A row takes 157, among many rows too."""
    person: dict[str, object] = {
        **PERSON,
        "last_name": "Invented",
        "card_code": "DKR-VAC-0000001",
        "card_image": "https://cards.example.org/{card_code}.png",
        "verification_url": "https://v.example.org/c/{card_code}",
        "enrollment_id": "enrolment-1",
        "language": "fr",
        "consent": {"granted_at": "2026-11-01T00:00:00Z", "source": "form"},
    }
    _calls_to_validate([person])  # what only the first request does
    few, many = _calls_to_validate([person] * 50), _calls_to_validate([person] * 5000)
    assert few < 50 * 220
    assert many < 100 * few


def _calls_to_validate(recipients: list[dict[str, object]]) -> int:
    asked = request(body={**BULK, "recipients": recipients})
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        validation.body(asked, "create_distribution")
    finally:
        sys.setprofile(before)
    return calls


def test_all_of_five_thousand_wrong_rows_are_refused_with_the_first_hundred() -> None:
    refusal = _refused("create_distribution", {**BULK, "recipients": [{"phone": 1, "x": 2}] * 5000})
    assert len(refusal.field_errors) == 100


@given(document=DOCUMENTS, operation=st.sampled_from(sorted(openapi.operations())))
def test_any_json_is_accepted_or_refused(document: JsonValue, operation: str) -> None:
    if "requestBody" not in openapi.operations()[operation]:
        return
    try:
        validation.body(request(body=document), operation)
    except Refusal as refusal:
        problems.response(refusal, "fr").to_event()


def _swap(value: object, path: tuple[str, ...], new: object) -> object:
    if not path:
        return new
    assert isinstance(value, dict)
    return {**value, path[0]: _swap(value.get(path[0]), path[1:], new)}


PATHS = [
    ("recipient",),
    ("recipient", "phone"),
    ("recipient", "consent"),
    ("content",),
    ("content", "text"),
    ("fallback",),
]


@given(new=DOCUMENTS, path=st.sampled_from(PATHS))
def test_any_value_at_any_place_is_accepted_or_refused(new: JsonValue, path: tuple[str, ...]) -> None:
    reported: tuple[FieldError, ...] = ()
    try:
        validation.body(request(body=_swap(MESSAGE, path, new)), "send_message")
    except Refusal as refusal:
        reported = refusal.field_errors
    assert [field_error.field for field_error in reported if not field_error.field.startswith(path[0])] == []


def test_a_value_is_never_repeated_in_an_error() -> None:
    refusal = _refused("send_message", {**MESSAGE, "campaign_id": "221770000001", "send_at": "+221770000002"})
    answer = json.dumps(problems.document(refusal, "en"), default=str)
    assert "22177" not in answer


def test_a_query() -> None:
    asked = request(
        query="limit=20&cursor=abc&status=sent&from=2026-11-01T00:00:00%2B01:00&to=2026-11-02T00:00:00+00:00&channel="
    )
    found = validation.query(asked, "list_messages")
    assert (found.limit, found.cursor) == (20, "abc")
    assert found.time("from") == datetime(2026, 10, 31, 23, tzinfo=UTC)
    assert found.time("to") == datetime(2026, 11, 2, tzinfo=UTC)
    assert set(found.filters) == {"status", "from", "to"}


def test_an_empty_query() -> None:
    found = validation.query(request(), "list_messages")
    assert (found.limit, found.cursor, dict(found.filters), found.time("from")) == (50, None, {}, None)


def test_the_path_is_one_of_the_filters() -> None:
    found = validation.query(request(path={"campaign_id": "c1"}), "list_campaign_messages")
    assert found.filters == {"campaign_id": "c1"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=ten", "limit"),
        ("limit=1.5", "limit"),
        ("limit=-1", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("status=seen", "status"),
        ("channel=fax", "channel"),
        ("from=2026-11-01", "from"),
        ("to=2026-11-01T00:00:00", "to"),
        ("campaign_id=221770000001", "campaign_id"),
        ("enrollment_id=77-000-00-01", "enrollment_id"),
        ("phone=1", "phone"),
        ("phone=1&phone=2", "phone"),
        ("limit=1&limit=1", "limit"),
        ("status=sent&status=&status=read", "status"),
    ],
)
def test_queries_that_are_refused(query: str, field: str) -> None:
    with pytest.raises(Refusal) as refused:
        validation.query(request(query=query), "list_messages")
    assert refused.value.code is ProblemCode.BAD_REQUEST
    assert [field_error.field for field_error in refused.value.field_errors] == [field]


def test_an_empty_duplicate_of_a_query_parameter_is_ignored() -> None:
    assert validation.query(request(query="status=sent&status="), "list_messages").filters == {"status": "sent"}
    assert validation.query(request(query="status=&status=sent"), "list_messages").filters == {"status": "sent"}


def test_a_phone_number_in_the_path_is_refused() -> None:
    with pytest.raises(Refusal):
        validation.query(request(path={"campaign_id": "221770000001"}), "list_campaign_messages")


@pytest.mark.parametrize(
    "name",
    [
        "Deuxième tour – Dakar, Thiès & Kaolack (n° 3)",
        "«\u00a0Rappel\u00a0» : lot\u202f12",
        "حملة التلقيح 2",
        "2026-11-30 12:30 Rappel",
        "Liste du 30/11/2026, 12000 enfants",
        "Tour 2 du 30.11.2026",
        "1234567",
        "👩\u200d⚕️ Nutrition",
        "x" * 100,
    ],
)
def test_a_distribution_may_have_a_name_in_any_language(name: str) -> None:
    assert validation.body(request(body={**BULK, "name": name}), "create_distribution")["name"] == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "\u200e\u00a0",
        "Tour 2\nDakar",
        "Tour\t2",
        "Tour\u20282",
        "\u202eruoT",
        "x" * 101,
        "77 000 00 01",
        "Rappel de +221 77 000 00 01",
        "Awa (77)000-00-01",
        "Awa 77\u00a0000\u00a000\u00a001",
        "Awa ٧٧٠٠٠٠٠٠١",
        "Awa ７７０００００１２",
        "Mali 70000001",
    ],
)
def test_a_name_is_one_line_without_a_phone_number(name: str) -> None:
    refused = _refused("create_distribution", {**BULK, "name": name})
    assert refused.code is ProblemCode.UNPROCESSABLE
    [found] = refused.field_errors
    assert (found.field, found.code, found.row) == ("name", "field_invalid", None)


def test_a_name_is_a_text() -> None:
    refused = _refused("create_distribution", {**BULK, "name": 7})
    assert (refused.code, [one.field for one in refused.field_errors]) == (ProblemCode.BAD_REQUEST, ["name"])


@pytest.mark.parametrize(
    ("query", "refused"),
    [
        ("channel=email", "channel"),
        ("status=sent", "status"),
        ("from=yesterday", "from"),
        ("to=2026-11-23", "to"),
        ("campaign_id=%2B221770000001", "campaign_id"),
        ("channel=sms&channel=whatsapp", "channel"),
        ("name=x", "name"),
    ],
)
def test_each_filter_of_the_list_of_distributions_has_its_refusal(query: str, refused: str) -> None:
    with pytest.raises(Refusal) as found:
        validation.query(request(query=query), "list_distributions")
    assert found.value.code is ProblemCode.BAD_REQUEST
    assert [one.field for one in found.value.field_errors] == [refused]
