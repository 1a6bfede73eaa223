import pytest

from local.cors import Cors

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


def test_a_star_is_given_as_a_star() -> None:
    assert Cors(origins=("*",)).response_headers({"origin": "http://x"}) == {"access-control-allow-origin": "*"}


def test_it_is_read_from_the_api() -> None:
    settings = {"allowOrigins": ["http://a"], "allowMethods": ["GET"], "allowHeaders": ["X-A"], "maxAge": "9"}
    expected = Cors(origins=("http://a",), methods=("GET",), headers=("x-a",), max_age=9)
    assert Cors.read({"x-amazon-apigateway-cors": settings}) == expected
    assert Cors.read({}) is None


def test_a_list_in_the_place_of_the_settings_is_no_cors() -> None:
    # what SAM makes of `AllowOrigins: !Ref AList`
    assert Cors.read({"x-amazon-apigateway-cors": ["http://a"]}) is None
