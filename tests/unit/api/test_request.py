import pytest

from shared.api.request import Request, request_from
from shared.base.refusal import ProblemCode, Refusal
from tests.unit.api.events import event, request


def test_a_request_has_the_events_parts() -> None:
    read = request(
        "GET /v1/messages/{message_id}",
        headers={"Accept-Language": "fr-SN"},
        query="status=sent&status=read&campaign_id=a%20b,c&empty=",
        path={"message_id": "m1"},
        body=b"\xff\x00",
    )
    assert read.route_key == "GET /v1/messages/{message_id}"
    assert dict(read.query) == {"status": "read", "campaign_id": "a b,c", "empty": ""}
    assert read.repeated == {"status"}
    assert read.path_parameters["message_id"] == "m1"
    assert read.headers["accept-language"] == "fr-SN"
    assert (read.language, read.body, read.source_ip) == ("fr", b"\xff\x00", "192.0.2.7")
    assert read.base_url == "https://api.example.org"
    assert read.organisation == "demo"


def test_a_plain_http_url_is_kept() -> None:
    assert request(headers={"x-forwarded-proto": "http"}).base_url == "http://api.example.org"
    assert request(headers={"x-forwarded-proto": "gopher"}).base_url == "https://api.example.org"


def test_an_empty_event_is_read() -> None:
    read = request_from({})
    assert (read.route_key, read.body, read.caller, read.language) == ("", b"", None, "en")


def test_a_text_body_is_utf8() -> None:
    assert request_from({"body": "é", "isBase64Encoded": False}).body == "é".encode()


def test_a_body_that_is_not_the_base64_it_claims() -> None:
    with pytest.raises(Refusal) as refused:
        request_from({"body": "é!", "isBase64Encoded": True})
    assert refused.value.code is ProblemCode.BAD_REQUEST


@pytest.mark.parametrize(
    ("claims", "organisation", "scopes"),
    [
        ({"organisation_id": "demo", "scope": "messaging.read messaging.send"}, "demo", 2),
        ({"organisation_id": "demo", "scope": "[messaging.read messaging.send]"}, "demo", 2),
        ({"organisation_id": "demo"}, "demo", 0),
        ({"organisation_id": "a" * 64, "scope": "x"}, "a" * 64, 1),
        ({"organisation_id": "a" * 65, "scope": "x"}, None, 0),
        ({"organisation_id": "demo#other", "scope": "x"}, None, 0),
        ({"organisation_id": "demo\n", "scope": "x"}, None, 0),
        ({"organisation_id": "[demo]", "scope": "x"}, None, 0),
        ({"scope": "messaging.read"}, None, 0),
        ({}, None, 0),
    ],
)
def test_the_caller(claims: dict[str, str], organisation: str | None, scopes: int) -> None:
    caller = request(claims=claims).caller
    assert (caller.organisation if caller else None) == organisation
    assert len(caller.scopes if caller else ()) == scopes


def test_the_repr_of_a_request_shows_no_personal_data() -> None:
    read: Request = request_from(event(body=b"+221770000001", headers={"authorization": "Bearer invented"}))
    assert "770000001" not in repr(read)
    assert "invented" not in repr(read)
