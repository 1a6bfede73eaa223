import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.messages.errors import Kind
from shared.providers.answers import Call, Rule
from shared.providers.orange.errors import GATEWAY, OAUTH, ONE_API, STATUSES, error_from_response, read
from tests.unit.providers.test_whatsapp_errors import MESSAGE_REASONS, STATUS_REASONS

RETRY, THROTTLED, RECIPIENT, STOP, BUG, UNKNOWN = (
    Kind.RETRY, Kind.THROTTLED, Kind.RECIPIENT, Kind.STOP, Kind.BUG, Kind.UNKNOWN,
)  # fmt: skip

# reference/orange_sms.md, section 2, gateway catalogue.
CATALOGUE = [
    *[(400, code, RECIPIENT, "provider_rejected") for code in range(20, 29)],
    (401, 40, STOP, "token_invalid"), (401, 41, STOP, "token_invalid"), (401, 42, STOP, "token_invalid"),
    (403, 50, STOP, "country_not_subscribed"),
    (403, 51, STOP, "account_restricted"), (403, 52, STOP, "account_restricted"),
    (403, 53, THROTTLED, ""), (429, 53, THROTTLED, ""), (404, 60, STOP, "sender_name_not_approved"),
    (405, 61, STOP, "provider_down"), (406, 62, STOP, "provider_down"), (409, 69, STOP, "provider_down"),
    (411, 64, STOP, "provider_down"), (413, 66, STOP, "provider_down"), (414, 67, STOP, "provider_down"),
    (415, 68, STOP, "provider_down"), (408, 63, RETRY, ""), (500, 1, UNKNOWN, "outcome_unknown"),
    (502, 1, UNKNOWN, "outcome_unknown"), (503, 5, RETRY, ""), (503, 6, RETRY, ""),
    (504, 6, UNKNOWN, "outcome_unknown"),
]  # fmt: skip

# The same section, OneAPI codes.
EXCEPTIONS = [
    (400, "SVC0001", RECIPIENT, "provider_rejected"), (500, "SVC0001", UNKNOWN, "outcome_unknown"),
    (503, "SVC0001", RETRY, ""), (400, "SVC0002", RECIPIENT, "phone_invalid"),
    (400, "SVC0003", RECIPIENT, "phone_invalid"), (400, "SVC0004", RECIPIENT, "phone_invalid"),
    (404, "SVC0004", RECIPIENT, "phone_invalid"), (400, "SVC0280", RECIPIENT, "text_too_long"),
    (403, "POL0001", RECIPIENT, "provider_rejected"), (403, "POL1009", STOP, "country_not_subscribed"),
    (403, "POL1010", STOP, "account_restricted"),
]  # fmt: skip


def gateway(code: object, message: str = "Invented", description: str = "") -> bytes:
    return json.dumps({"code": code, "message": message, "description": description, "infoURL": "x"}).encode()


def exception(message_id: str, text: object = "Invented %1", **more: object) -> bytes:
    kind = "policyException" if message_id.startswith("POL") else "serviceException"
    return json.dumps({"requestError": {kind: {"messageId": message_id, "text": text, **more}}}).encode()


@pytest.mark.parametrize(("status", "code", "kind", "reason"), CATALOGUE)
def test_the_gateways_catalogue(status: int, code: int, kind: Kind, reason: str) -> None:
    for body in (gateway(code), gateway(str(code))):
        error = error_from_response(status, body)
        assert (error.kind, error.reason, error.code) == (kind, reason, f"{status}/{code}")


@pytest.mark.parametrize(("status", "code", "kind", "reason"), EXCEPTIONS)
@pytest.mark.parametrize("variables", [{}, {"variables": ["x"]}, {"variables": "x"}, {"variables": None}])
def test_the_oneapi_codes(status: int, code: str, kind: Kind, reason: str, variables: dict[str, object]) -> None:
    error = error_from_response(status, exception(code, **variables))
    assert (error.kind, error.reason, error.code) == (kind, reason, code)


def test_every_code_is_in_the_tables() -> None:
    assert {code for _, code, _, _ in CATALOGUE} == {*GATEWAY, 1, 5, 6}
    assert {code for _, code, _, _ in EXCEPTIONS} == set(ONE_API)


@pytest.mark.parametrize("rule", [*GATEWAY.values(), *ONE_API.values(), *OAUTH.values(), *STATUSES.values()])
def test_reasons_are_from_the_closed_list(rule: Rule) -> None:
    if rule.kind in (RETRY, THROTTLED):
        assert rule.reason == ""
    else:
        assert rule.reason in (STATUS_REASONS if rule.kind is STOP else MESSAGE_REASONS)


@pytest.mark.parametrize(
    ("status", "body", "long"),
    [
        (403, gateway(53, "Too many requests", "spike arrest limit reached"), False),
        (403, gateway(53, "Too many requests", "The global quota limit is reached"), True),
        (429, gateway(53), False),
        (429, b"", False),
        (429, b"<html>", False),
        (429, exception("POL0001", "Quota exceeded"), True),
        (429, gateway(42), False),
    ],
)
def test_the_rate_limit(status: int, body: bytes, *, long: bool) -> None:
    error = error_from_response(status, body)
    assert error.kind is THROTTLED
    assert error.retry_after is not None
    assert (error.retry_after >= 600) is long
    assert error.retry_after >= 1
    assert not read(status, body).needs_contracts


@pytest.mark.parametrize(
    "body",
    [
        exception("SVC0002", "Invalid input value for message part %1", variables=["senderName"]),
        exception("SVC0002", "Invalid input value for message part %1", variables="senderAddress"),
        exception("SVC0001", "The sender name is not approved"),
        exception("", "senderName not allowed"),
        gateway(24, "Invalid body field", "senderName"),
    ],
)
def test_a_sender_that_is_not_approved_stops(body: bytes) -> None:
    error = error_from_response(400, body)
    assert (error.kind, error.reason) == (STOP, "sender_name_not_approved")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": "invalid_client", "error_description": "The requested service needs credentials"}, STOP),
        ({"error": "invalid_request", "error_description": "Missing grant_type in body"}, BUG),
        ({"error": "something_new"}, BUG),
        ({"error": {"code": 1}}, BUG),
    ],
)
def test_oauths_shape(body: object, kind: Kind) -> None:
    assert error_from_response(400, json.dumps(body).encode()).kind is kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, BUG), (400, BUG), (401, STOP), (403, RECIPIENT), (404, STOP), (418, BUG), (429, THROTTLED),
        (500, UNKNOWN), (502, UNKNOWN), (503, RETRY), (504, UNKNOWN), (520, UNKNOWN),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "body",
    [b"", b"<html>502</html>", b'{"code":', b"[]", b'{"requestError":"text"}', b'{"requestError":{"policyExcep',
     b'{"code":9999}', b'{"code":null}', b'{"requestError":{"serviceException":[]}}', b"[" * 100_000, b"\xff\xfe"],
    ids=lambda body: body[:24],
)  # fmt: skip
def test_without_a_known_code_the_status_decides(status: int, kind: Kind, body: bytes) -> None:
    assert error_from_response(status, body).kind is kind
    assert error_from_response(status, body, Call.REPEATABLE).kind is (RETRY if kind is UNKNOWN else kind)


@pytest.mark.parametrize(
    ("status", "body", "needs_contracts"),
    [
        (403, b"", True),
        (403, gateway(50), True),
        (403, exception("POL0001"), True),
        (400, exception("POL0001"), True),
        (403, gateway(53), False),
        (400, exception("SVC0002"), False),
        (401, gateway(42), False),
    ],
)
def test_answers_that_need_the_contracts(status: int, body: bytes, *, needs_contracts: bool) -> None:
    assert read(status, body).needs_contracts is needs_contracts


def test_the_error_does_not_contain_the_providers_text() -> None:
    error = error_from_response(400, exception("SVC0002", "tel:+221770000001 is wrong", variables=["+221770000001"]))
    assert "+221" not in f"{error}{error.args}{error.code}"
    odd = error_from_response(400, exception("+221770000001"))
    assert "+221" not in odd.code


@given(st.integers(100, 599), st.binary(max_size=200))
def test_every_answer_is_mapped(status: int, body: bytes) -> None:
    assert error_from_response(status, body).kind in Kind
