import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.base.json import JsonValue
from shared.messages.errors import Kind, Scope
from shared.providers.answers import Call, Rule
from shared.providers.meta.errors import CODES, RANGES, STALE_MEDIA, error_from_code, error_from_response

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MESSAGE_REASONS = {
    "undeliverable", "not_on_whatsapp", "experiment_withheld", "country_not_covered", "template_required", "opted_out",
    "text_too_long", "provider_rejected", "outcome_unknown", "phone_invalid", "card_not_a_picture",
}  # fmt: skip
STATUS_REASONS = {
    "token_invalid", "permission_missing", "account_restricted", "payment_required", "balance_empty",
    "contract_expired", "sender_name_not_approved", "template_paused", "template_disabled", "template_recategorised",
    "daily_limit", "provider_down", "country_not_subscribed",
}  # fmt: skip

# reference/whatsapp.md, section 4: code, HTTP status if the page gives one, and the page's action as kinds.
RETRY, THROTTLED, RECIPIENT, STOP, BUG, UNKNOWN = (
    Kind.RETRY, Kind.THROTTLED, Kind.RECIPIENT, Kind.STOP, Kind.BUG, Kind.UNKNOWN,
)  # fmt: skip
TABLE = [
    (0, 401, STOP), (1, 400, RETRY), (2, 503, RETRY), (3, 500, STOP), (4, 400, THROTTLED), (10, 403, STOP),
    (33, 400, STOP), (100, 400, BUG), (104, 401, STOP), (190, 401, STOP), (200, 403, STOP), (299, 403, STOP),
    (368, 403, STOP), (80007, 400, THROTTLED), (130403, 400, RECIPIENT), (130429, 400, THROTTLED),
    (130429, 429, THROTTLED), (130472, 400, RECIPIENT), (130497, 403, STOP), (130501, 400, BUG),
    (131000, 500, UNKNOWN), (131005, 403, STOP), (131008, 400, BUG), (131009, 400, BUG), (131014, 400, RETRY),
    (131016, 500, UNKNOWN), (131016, 503, RETRY), (131021, 400, RECIPIENT), (131026, 400, RECIPIENT),
    (131030, 400, RECIPIENT), (131031, 403, STOP), (131037, 400, STOP), (131042, 400, STOP), (131044, 400, STOP),
    (131045, 500, STOP), (131047, 400, RECIPIENT), (131048, 400, STOP), (131049, 400, RECIPIENT),
    (131050, 400, RECIPIENT), (131051, 400, BUG), (131052, 400, BUG), (131053, 400, BUG), (131055, 400, BUG),
    (134100, 400, BUG), (131056, 400, THROTTLED), (131057, 500, THROTTLED), (131059, 400, BUG), (131062, 400, BUG),
    (131063, 400, STOP), (131064, 400, STOP), (132000, 400, STOP), (132001, 404, STOP), (132005, 400, RECIPIENT),
    (132007, 400, STOP), (132008, 400, RECIPIENT), (132012, 400, RECIPIENT), (132018, 400, RECIPIENT),
    (132015, 400, STOP), (132016, 400, STOP), (132068, 400, STOP), (132069, 400, STOP), (133000, 500, STOP),
    (133005, 400, STOP), (133006, 400, STOP), (133008, 400, STOP), (133009, 400, STOP), (133015, 400, STOP),
    (133004, 503, RETRY), (133010, 400, STOP), (133016, 400, STOP), (134011, 400, STOP), (134101, 400, RETRY),
    (134102, 500, STOP), (135000, 400, BUG), (137000, 400, RECIPIENT), (2388019, 400, BUG), (2388299, 400, BUG),
    (2494100, 400, THROTTLED),
]  # fmt: skip


def answer(code: object, message: str = "(#1) Invented", **more: object) -> bytes:
    return json.dumps({"error": {"message": message, "type": "OAuthException", "code": code, **more}}).encode()


@pytest.mark.parametrize(("code", "status", "kind"), TABLE)
def test_the_reference_table(code: int, status: int, kind: Kind) -> None:
    error = error_from_response(status, answer(code))
    assert (error.kind, error.code) == (kind, str(code))
    assert error_from_response(status, answer(str(code))).kind is kind, "some samples quote the code"


def test_every_code_is_in_the_table() -> None:
    assert {code for code, _, _ in TABLE} >= set(CODES)
    assert all(any(code in codes for code, _, _ in TABLE) for codes in RANGES)


@pytest.mark.parametrize("rule", [*CODES.values(), *RANGES.values()])
def test_reasons_are_from_the_closed_list(rule: Rule) -> None:
    error = rule.error("x")
    if error.kind in (RETRY, THROTTLED):
        assert error.reason == ""
    else:
        assert error.reason in (STATUS_REASONS if error.kind is STOP else MESSAGE_REASONS)
    assert error.kind is not THROTTLED or (error.retry_after or 0) >= 1


def test_refusals_that_count_against_the_template_once_they_repeat() -> None:
    """The page's "R if data-dependent, T if repeated"."""
    repeated = {code: rule.if_repeated for code, rule in CODES.items() if rule.if_repeated}
    assert repeated == dict.fromkeys((132008, 132012, 132018), "template_disabled")


def test_codes_with_few_attempts_and_codes_that_rest() -> None:
    """The page's "few tries, then F" and "once, then F". 131049 rests for a day, in an answer and in a status."""
    assert {code: rule.most_attempts for code, rule in CODES.items() if rule.most_attempts} == {1: 5, 131014: 2}
    for error in (error_from_response(400, answer(131049)), error_from_code(131049)):
        assert error.rests_until(NOON) == NOON + timedelta(hours=24)
    others = [rule.error("x") for code, rule in CODES.items() if code != 131049]
    assert all(error.rests_until(NOON) is None for error in others)


TEMPLATE_REASONS = {"template_paused", "template_disabled", "template_recategorised"}
"""These stop the use of the template; every other stop error is the account's."""


def test_reasons_that_stop_a_template_alone() -> None:
    assert {rule.reason for rule in CODES.values() if rule.reason.startswith("template_") and rule.kind is STOP} == (
        TEMPLATE_REASONS
    )


@pytest.mark.parametrize(("code", "status", "kind"), TABLE)
def test_a_stop_error_has_a_scope(code: int, status: int, kind: Kind) -> None:
    """The page's T means the template, its S the account, in an answer and in a status."""
    for error in (error_from_response(status, answer(code)), error_from_code(code)):
        if error.kind is not STOP:
            continue
        if error.reason in TEMPLATE_REASONS:
            assert error.scope is Scope.TEMPLATE
        else:
            assert error.scope is (Scope.COUNTRY if code == 130497 else Scope.ACCOUNT)


def test_answers_without_a_code_stop_the_account() -> None:
    assert error_from_response(401, b"").scope is error_from_response(403, b"").scope is Scope.ACCOUNT


def test_the_pair_limit_slows_one_person() -> None:
    error = error_from_response(400, answer(131056))
    assert (error.kind, error.person_only) == (THROTTLED, True)
    assert not error_from_response(400, answer(130429)).person_only


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (301, BUG, "provider_rejected"),
        (400, BUG, "provider_rejected"),
        (401, STOP, "token_invalid"),
        (403, STOP, "permission_missing"),
        (404, BUG, "provider_rejected"),
        (408, RETRY, ""),
        (429, THROTTLED, ""),
        (500, UNKNOWN, "outcome_unknown"),
        (502, UNKNOWN, "outcome_unknown"),
        (503, RETRY, ""),
        (504, UNKNOWN, "outcome_unknown"),
        (599, UNKNOWN, "outcome_unknown"),
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>502 Bad Gateway</body></html>",
        b'{"error":{"message":"cut',
        b'{"error":"text"}',
        b'{"error":{"message":"no code"}}',
        b'{"error":{"code":null}}',
        b'{"error":{"code":"much"}}',
        b'{"error":{"code":987654}}',
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"error":{"code":1e999}}',
    ],
    ids=lambda body: body[:24],
)
def test_without_a_known_code_the_status_decides(status: int, kind: Kind, reason: str, body: bytes) -> None:
    error = error_from_response(status, body)
    assert (error.kind, error.reason) == (kind, reason)
    repeated = error_from_response(status, body, Call.REPEATABLE)
    assert repeated.kind is (RETRY if kind is UNKNOWN else kind)


def test_429_throttles_with_every_code() -> None:
    for code in (131048, 190, 131000, 5):
        assert error_from_response(429, answer(code)).kind is THROTTLED
    assert error_from_response(429, answer(131056)).person_only


@pytest.mark.parametrize("status", [500, 502, 504])
@pytest.mark.parametrize("code", [1, 2, 131000, 131016, 133004])
def test_a_server_error_is_unknown_unless_documented_as_rejected(code: int, status: int) -> None:
    assert error_from_response(status, answer(code)).kind is UNKNOWN
    assert error_from_response(status, answer(code), Call.REPEATABLE).kind is RETRY


STALE = "Param image['id'] is not a valid whatsapp business account media attachment ID"


@pytest.mark.parametrize(
    "body",
    [
        answer(100, f"(#100) {STALE}"),
        answer("100", "(#100) Invalid parameter", error_data={"details": STALE}),
        answer(100, "(#100) Invalid parameter", error_data=STALE),
    ],
)
def test_a_stale_media_id_has_a_code_of_its_own(body: bytes) -> None:
    error = error_from_response(400, body)
    assert (error.kind, error.code) == (BUG, STALE_MEDIA)


@pytest.mark.parametrize("code", [100, 131009])
@pytest.mark.parametrize(
    "said", ["The parameter to is required.", "Param 'to' is not a phone number", "Recipient phone number not valid"]
)
def test_a_wrong_addressee_is_of_kind_recipient(code: int, said: str) -> None:
    error = error_from_response(400, answer(code, error_data={"details": said}))
    assert (error.kind, error.reason) == (RECIPIENT, "phone_invalid")


def test_a_wrong_phone_number_id_stops() -> None:
    said = "Unsupported post request. Object with ID '1' does not exist, cannot be loaded due to missing permissions"
    error = error_from_response(400, answer(100, said, error_subcode=33))
    assert (error.kind, error.reason) == (STOP, "permission_missing")


def test_the_error_does_not_contain_the_providers_text() -> None:
    error = error_from_response(400, answer(131009, "to +221770000001 is wrong"))
    assert "+221" not in f"{error}{error.args}{error.code}"


@pytest.mark.parametrize(("code", "_status", "kind"), TABLE)
def test_a_failed_status_is_never_unknown(code: int, _status: int, kind: Kind) -> None:
    expected = RETRY if code in (131000, 131016) else kind
    for given_code in (code, str(code)):
        assert (error_from_code(given_code).kind, error_from_code(given_code).code) == (expected, str(code))


@pytest.mark.parametrize("code", [None, "", "abc", {}, [], True, 987654, float("nan")])
def test_an_unknown_code_in_a_status_is_of_kind_recipient(code: JsonValue) -> None:
    error = error_from_code(code)
    assert (error.kind, error.reason) == (RECIPIENT, "undeliverable")


@given(st.integers(100, 599), st.binary(max_size=200))
def test_every_answer_is_mapped(status: int, body: bytes) -> None:
    assert error_from_response(status, body).kind in Kind
