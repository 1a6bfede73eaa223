import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from shared.api import problems
from shared.api.response import Response, list_response
from shared.api.texts.sentences import Language
from shared.base.json import Renderable
from shared.base.refusal import ApiWarning, FieldError, ProblemCode, Refusal
from tests.unit.api.events import request

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MESSAGE: dict[str, Renderable] = {
    "message_id": "m1",
    "timestamp": NOON,
    "channel": "sms",
    "recipient": "+22177***0001",
    "price": {"amount": Decimal("12"), "currency": "XOF"},
    "segments": 2,
    "reason": None,
}


def test_json() -> None:
    answer = Response(status=202, body={"name": "Fatou-inventée", "at": NOON}, headers={"location": "/x"}).to_event()
    assert answer["statusCode"] == 202
    assert answer["body"] == '{"name":"Fatou-inventée","at":"2026-11-23T12:00:00Z"}'
    assert answer["headers"]["content-type"] == "application/json"
    assert answer["headers"]["location"] == "/x"
    assert answer["headers"]["cache-control"] == "no-store"


def test_a_text_body_and_an_empty_body() -> None:
    assert Response(status=200, body="123").to_event()["headers"]["content-type"].startswith("text/plain")
    empty = Response(status=204).to_event()
    assert empty["body"] == ""
    assert "content-type" not in empty["headers"]


def test_a_list_as_json_has_the_next_cursor() -> None:
    answer = list_response(request(query="status=sent&cursor=old"), [MESSAGE], "next").to_event()
    document = json.loads(answer["body"])
    assert document["next_cursor"] == "next"
    assert document["items"][0]["price"] == {"amount": "12", "currency": "XOF"}
    assert answer["headers"]["link"] == '<?status=sent&cursor=next>; rel="next"'


def test_a_list_is_always_json() -> None:
    answer = list_response(request(headers={"accept": "text/csv"}), [MESSAGE], None).to_event()
    assert answer["headers"]["content-type"] == "application/json"
    assert answer["headers"].keys() & {"link", "vary"} == set()


STATUSES = {
    400: {"bad_request", "idempotency_key_missing"},
    403: {"forbidden"},
    404: {"not_found"},
    409: {
        "idempotency_in_progress",
        "integration_missing",
        "template_missing",
        "quiet_hours",
        "upload_missing",
        "state_conflict",
    },
    413: {"use_upload", "too_large"},
    415: {"unsupported_media_type"},
    422: {"idempotency_key_reused", "unprocessable"},
    429: {"rate_limited"},
    502: {"provider_refused"},
}


@pytest.mark.parametrize("code", list(ProblemCode))
@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_problem(code: ProblemCode, language: Language) -> None:
    problem = problems.document(Refusal(code), language)
    assert problem["code"] == code
    assert code in STATUSES[problems.STATUS[code]]
    assert problem["status"] == problems.STATUS[code]
    assert problem["type"] == f"/docs#problem-{code}"
    assert problem["title"]
    assert problem["detail"]
    assert "errors" not in problem


def test_a_field_error_shows_only_known_parts() -> None:
    row = FieldError(field="phone", code="phone_invalid", row=3, enrollment_id="e1", recipient="+22177***0001")
    assert problems.field_error_document(row, "en") == {
        "row": 3,
        "field": "phone",
        "code": "phone_invalid",
        "message": "This cannot be a phone number. Check the digits, or write it with +country code.",
        "enrollment_id": "e1",
        "recipient": "+22177***0001",
    }
    assert problems.field_error_document(FieldError(field="text", code="text_empty"), "en").keys() == {
        "field",
        "code",
        "message",
    }


def test_a_refusal_of_the_provider_says_what_to_do() -> None:
    refusal = Refusal(ProblemCode.PROVIDER_REFUSED, reason="token_invalid", provider_code="190")
    detail = problems.document(refusal, "en")["detail"]
    assert isinstance(detail, str)
    assert "Enter new ones under Settings" in detail
    assert "190" in detail
    bare = problems.document(Refusal(ProblemCode.PROVIDER_REFUSED, reason="", provider_code=""), "en")["detail"]
    assert bare == "The provider refused the request."


def test_warnings() -> None:
    assert problems.warning_document(ApiWarning(code="ucs2", count=4), "en") == {
        "code": "ucs2",
        "message": "Some characters make an SMS hold 70 characters instead of 160, so it costs more. "
        'Messages concerned: 4. Replace them, or choose "gsm7".',
        "count": 4,
    }
    assert problems.warning_document(ApiWarning(code="peak_hours"), "fr").keys() == {"code", "message"}
