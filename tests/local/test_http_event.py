import base64
from datetime import UTC, datetime

import pytest

from local.http_event import Caller, HttpRequest, MalformedResponseError, build_event, read_response
from local.routes import Matched, Route

NOW = datetime(2026, 11, 23, 10, 0, 1, tzinfo=UTC)
ROUTE = Route(method="POST", path="/v1/a/{id}", function_name="F", jwt=None)


def event(
    caller: Caller | None = None, parameters: dict[str, str] | None = None, **request: object
) -> dict[str, object]:
    fields: dict[str, object] = {"method": "POST", "raw_path": "/v1/a/x", "query": "", "headers": [], "body": b""}
    matched = Matched(route=ROUTE, parameters=parameters or {})
    return build_event(HttpRequest(**{**fields, **request}), matched, caller, NOW)  # type: ignore[arg-type]


def test_the_path_is_decoded_and_the_query_kept_and_joined() -> None:
    built = event(raw_path="/v1/a/%C3%A9", query="a=1&b=&a=%2B2", parameters={"id": "é"})
    assert built["rawPath"] == "/v1/a/é"
    assert built["rawQueryString"] == "a=1&b=&a=%2B2"
    assert built["queryStringParameters"] == {"a": "1,+2", "b": ""}
    assert built["pathParameters"] == {"id": "é"}
    assert built["routeKey"] == "POST /v1/a/{id}"


def test_a_missing_part_has_no_key() -> None:
    built = event()
    assert not {"cookies", "queryStringParameters", "pathParameters", "body"} & built.keys()
    assert built["isBase64Encoded"] is False


def test_headers_are_joined_and_cookies_taken_out() -> None:
    headers = [("x-a", "1"), ("x-a", "2"), ("cookie", "c=1; d=2"), ("host", "127.0.0.1:8000")]
    built = event(headers=headers)
    assert built["cookies"] == ["c=1", "d=2"]
    assert built["headers"] == {
        "x-a": "1,2",
        "host": "127.0.0.1:8000",
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-port": "8000",
        "x-forwarded-proto": "http",
    }


@pytest.mark.parametrize(
    ("content_type", "body", "is_base64"),
    [
        ("application/json", b'{"a": "\xc3\xa9"}', False),
        ("application/json; charset=utf-8", b"{}", False),
        ("text/csv", b"a;b", False),
        ("application/json", b"\xff", True),
        ("application/x-www-form-urlencoded", b"a=1", True),
        ("application/problem+json", b"{}", True),
        ("image/png", b"\x89PNG", True),
        (None, b"{}", True),
    ],
)
def test_only_text_types_arrive_as_text(content_type: str | None, body: bytes, is_base64: bool) -> None:
    built = event(body=body, headers=[("content-type", content_type)] if content_type else [])
    expected = base64.b64encode(body).decode() if is_base64 else body.decode()
    assert (built["body"], built["isBase64Encoded"]) == (expected, is_base64)


def test_the_request_context_carries_time_and_claims() -> None:
    context = event(caller=Caller(claims={"sub": "s"}, scopes=None))["requestContext"]
    assert isinstance(context, dict)
    assert context["time"] == "23/Nov/2026:10:00:01 +0000"
    assert context["timeEpoch"] == 1_795_428_001_000
    assert context["authorizer"] == {"jwt": {"claims": {"sub": "s"}, "scopes": None}}
    assert context["http"]["method"] == "POST"


@pytest.mark.parametrize(
    ("answer", "status", "body", "content_type"),
    [
        ({"statusCode": 204}, 204, b"", "text/plain; charset=utf-8"),
        ({"statusCode": "201", "body": "é"}, 201, "é".encode(), "text/plain; charset=utf-8"),
        ({"statusCode": 200, "body": "iVA=", "isBase64Encoded": True}, 200, b"\x89P", "text/plain; charset=utf-8"),
        ({"statusCode": 200, "headers": {"Content-Type": "text/csv"}, "body": "a"}, 200, b"a", "text/csv"),
        ({"a": 1}, 200, b'{"a": 1}', "application/json"),
        ("hello", 200, b"hello", "application/json"),
        (None, 200, b"null", "application/json"),
    ],
)
def test_answers(answer: object, status: int, body: bytes, content_type: str) -> None:
    response = read_response(answer)
    assert (response.status, response.body) == (status, body)
    assert dict(response.headers)["content-type"] == content_type


def test_cookies_become_headers() -> None:
    headers = read_response({"statusCode": 200, "cookies": ["a=1", "b=2"]}).headers
    assert [value for name, value in headers if name == "set-cookie"] == ["a=1", "b=2"]


@pytest.mark.parametrize(
    "answer",
    [
        {"statusCode": "ok"},
        {"statusCode": None},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "body": "*", "isBase64Encoded": True},
    ],
)
def test_malformed_answers(answer: object) -> None:
    with pytest.raises(MalformedResponseError):
        read_response(answer)
