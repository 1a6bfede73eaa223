import pytest

from local.bucket_cors import CorsRefusedError, Rule, preflight, response_headers
from local.cors import Cors, fits

CORS = Cors(
    origins=("http://a", "http://b"),
    methods=("GET", "PUT"),
    headers=("authorization",),
    exposed=("Retry-After",),
    max_age=60,
)


def asked(**headers: str) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def test_a_preflight_is_answered_for_an_allowed_origin() -> None:
    request = asked(
        origin="http://b", access_control_request_method="PUT", access_control_request_headers="Authorization"
    )
    assert CORS.preflight_headers(request) == {
        "access-control-allow-origin": "http://b",
        "vary": "Origin",
        "access-control-allow-methods": "GET,PUT",
        "access-control-allow-headers": "authorization",
        "access-control-max-age": "60",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": "http://evil"},
        {"access-control-request-method": "DELETE"},
        {"access-control-request-headers": "authorization, x-other"},
    ],
)
def test_any_other_preflight_gets_no_headers(changes: dict[str, str]) -> None:
    request = {"origin": "http://a", "access-control-request-method": "GET", **changes}
    assert CORS.preflight_headers(request) == {}


def test_responses_name_the_origin_and_what_is_exposed() -> None:
    assert CORS.response_headers({"origin": "http://a"}) == {
        "access-control-allow-origin": "http://a",
        "vary": "Origin",
        "access-control-expose-headers": "Retry-After",
    }
    assert CORS.response_headers({"origin": "http://evil"}) == {}


def test_a_star_is_answered_with_a_star() -> None:
    assert Cors(origins=("*",)).response_headers({"origin": "http://x"}) == {"access-control-allow-origin": "*"}


def test_the_settings_are_read_from_the_api() -> None:
    settings = {"allowOrigins": ["http://a"], "allowMethods": ["GET"], "allowHeaders": ["X-A"], "maxAge": "9"}
    expected = Cors(origins=("http://a",), methods=("GET",), headers=("x-a",), max_age=9)
    assert Cors.read({"x-amazon-apigateway-cors": settings}) == expected
    assert Cors.read({}) is None


def test_a_list_in_the_place_of_the_settings_is_no_cors() -> None:
    # SAM makes this of `AllowOrigins: !Ref AList`.
    assert Cors.read({"x-amazon-apigateway-cors": ["http://a"]}) is None


@pytest.mark.parametrize(
    ("pattern", "text", "does"),
    [
        ("http://localhost:*", "http://localhost:3000", True),
        ("http://localhost:*", "http://localhost", False),
        ("http://[::1]:*", "http://[::1]:80", True),
        ("http://localhost:*", "http://localhost.evil.example:80", False),
        ("http://a.b", "http://aXb", False),
        ("*", "https://x", True),
    ],
)
def test_only_the_star_of_a_pattern_is_special(pattern: str, text: str, does: bool) -> None:
    assert fits(pattern, text) is does


RULES = (
    Rule(origins=("http://a",), methods=("PUT",), headers=("Content-Type", "x-amz-*"), exposed=("ETag",), max_age="60"),
    Rule(origins=("*",), methods=("GET",)),
)


def test_a_bucket_answers_by_its_first_matching_rule_with_the_requested_headers() -> None:
    request = asked(
        origin="http://a", access_control_request_method="PUT", access_control_request_headers="Content-Type, x-amz-acl"
    )
    assert preflight(RULES, request) == {
        "Access-Control-Allow-Origin": "http://a",
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": "PUT",
        "Access-Control-Allow-Headers": "content-type, x-amz-acl",
        "Access-Control-Expose-Headers": "ETag",
        "Access-Control-Max-Age": "60",
        "Vary": "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
    }
    read = preflight(RULES, asked(origin="http://a", access_control_request_method="GET"))
    assert read["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"origin": "http://b"}, 403),
        ({"access-control-request-method": "DELETE"}, 403),
        ({"access-control-request-headers": "content-type, x-other"}, 403),
        ({"origin": ""}, 400),
        ({"access-control-request-method": ""}, 400),
    ],
)
def test_a_bucket_refuses_any_other_preflight(changes: dict[str, str], status: int) -> None:
    request = {"origin": "http://a", "access-control-request-method": "PUT", **changes}
    with pytest.raises(CorsRefusedError) as refused:
        preflight(RULES, request)
    assert refused.value.status == status


def test_a_bucket_without_rules_refuses_every_preflight() -> None:
    with pytest.raises(CorsRefusedError, match="not enabled"):
        preflight((), {"origin": "http://a", "access-control-request-method": "PUT"})


def test_a_buckets_answer_has_cors_headers_if_a_rule_matches() -> None:
    assert response_headers(RULES, "PUT", {"origin": "http://a"})["Access-Control-Allow-Origin"] == "http://a"
    assert response_headers(RULES, "PUT", {"origin": "http://b"}) == {}
    assert response_headers(RULES, "PUT", {}) == {}
