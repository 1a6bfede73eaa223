import asyncio
import json
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from local.clock import StackClock
from local.cors import Cors
from local.gateway import Gateway, GatewayParts, LocalRoutes
from local.routes import JwtRule, Route, RouteTable
from local.tokens import AUDIENCE, TokenRequest, make_key, mint
from local.valve import Valve

KEY = make_key()
ISSUER = "http://gateway"
START = datetime(2026, 11, 23, 10, tzinfo=UTC)
RULE = JwtRule(issuer=ISSUER, audiences=(AUDIENCE,))
ROUTES = RouteTable(
    [
        Route(method="POST", path="/v1/things/{id}", function_name="Closed", jwt=RULE),
        Route(method="GET", path="/health", function_name="Open", jwt=None),
        Route(method="POST", path="/hook", function_name="Open", jwt=None),
        Route(method="GET", path="/admin", function_name="Closed", jwt=replace(RULE, scopes=("root",))),
    ]
)


@dataclass(slots=True)
class Invoked:
    """Stands in for the functions: keeps the events and gives the prepared answer."""

    answer: Callable[[Any], object] = lambda _event: {"statusCode": 200, "body": "done"}
    events: list[Any] = field(default_factory=list)

    def __call__(self, _function_name: str, event: object) -> Future[object]:
        self.events.append(event)
        outcome: Future[object] = Future()
        try:
            outcome.set_result(self.answer(event))
        except RuntimeError as error:
            outcome.set_exception(error)
        return outcome


def parts(invoke: Callable[[str, object], Future[object]], **changes: Any) -> GatewayParts:
    cors = Cors(origins=("http://front",), methods=("GET", "POST"), headers=("authorization",))
    clock = StackClock(START)
    local = LocalRoutes(jump=clock.advance_to, reset=lambda: None)
    made = GatewayParts(routes=ROUTES, cors=cors, key=KEY.public_key(), clock=clock, invoke=invoke, local=local)
    return replace(made, **changes)


def call(gateway_parts: GatewayParts, method: str, path: str, **request: Any) -> httpx2.Response:
    async def send() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=Gateway(gateway_parts))
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
            return await client.request(method, path, **request)

    return asyncio.run(send())


def token(at: datetime = START) -> dict[str, str]:
    return {"authorization": "Bearer " + mint(KEY, TokenRequest(issuer=ISSUER), at)}


def test_a_call_goes_through_with_its_claims() -> None:
    invoked = Invoked()
    response = call(parts(invoked), "POST", "/v1/things/x%20y?a=1", headers=token(), json={"b": 2})
    assert (response.status_code, response.text) == (200, "done")
    [event] = invoked.events
    assert event["pathParameters"] == {"id": "x y"}
    assert json.loads(event["body"]) == {"b": 2}
    assert event["requestContext"]["authorizer"]["jwt"]["claims"]["organisation_id"] == "demo"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "body"),
    [
        ("GET", "/nothing", {}, 404, '{"message":"Not Found"}'),
        ("GET", "/v1/things/x", {}, 404, '{"message":"Not Found"}'),  # the route comes before the token
        ("POST", "/v1/things/x", {}, 401, '{"message":"Unauthorized"}'),
        ("POST", "/v1/things/x", {"authorization": "Bearer x"}, 401, '{"message":"Unauthorized"}'),
        ("GET", "/admin", token(), 403, '{"message":"Forbidden"}'),
    ],
)
def test_the_gateways_own_answers(method: str, path: str, headers: dict[str, str], status: int, body: str) -> None:
    invoked = Invoked()
    response = call(parts(invoked), method, path, headers=headers)
    assert (response.status_code, response.text, invoked.events) == (status, body, [])
    assert response.headers["content-type"] == "application/json"
    assert ("www-authenticate" in response.headers) == (status in {401, 403})


def test_open_routes_need_no_token() -> None:
    invoked = Invoked()
    assert call(parts(invoked), "GET", "/health").status_code == 200
    assert "authorizer" not in invoked.events[0]["requestContext"]


def fail(_event: object) -> object:
    raise RuntimeError("broken")


@pytest.mark.parametrize("answer", [fail, lambda _event: {"statusCode": "x"}])
def test_an_error_in_the_function_is_500(answer: Callable[[object], object]) -> None:
    response = call(parts(Invoked(answer)), "GET", "/health")
    assert (response.status_code, response.text) == (500, '{"message":"Internal Server Error"}')


def test_a_function_that_takes_too_long_is_503() -> None:
    response = call(parts(lambda _name, _event: Future(), integration_seconds=0.01), "GET", "/health")
    assert (response.status_code, response.text) == (503, '{"message":"Service Unavailable"}')


@pytest.mark.parametrize(
    ("size", "content_type", "status"),
    [
        (5 << 20, "text/plain", 200),
        (6 << 20, "text/plain", 413),  # Lambda's event would be over 6 MB
        (5 << 20, "image/png", 413),  # as base64 it is a third longer
        ((10 << 20) + 1, "text/plain", 413),
    ],
)
def test_a_body_that_is_too_large_is_413(size: int, content_type: str, status: int) -> None:
    response = call(parts(Invoked()), "POST", "/hook", content=b"a" * size, headers={"content-type": content_type})
    assert response.status_code == status
    if status == 413:
        assert response.text == '{"message":"Request Entity Too Large"}'


def test_a_preflight_needs_neither_route_nor_token() -> None:
    headers = {"origin": "http://front", "access-control-request-method": "POST"}
    response = call(parts(Invoked()), "OPTIONS", "/v1/things/x", headers=headers)
    assert (response.status_code, response.headers["access-control-allow-origin"]) == (204, "http://front")
    assert call(parts(Invoked(), cors=None), "OPTIONS", "/v1/things/x", headers=headers).status_code == 404


def test_the_functions_own_cors_headers_are_replaced() -> None:
    headers = {"Access-Control-Allow-Origin": "*", "Content-Type": "text/csv"}
    invoked = Invoked(lambda _event: {"statusCode": 200, "headers": headers, "body": ""})
    response = call(parts(invoked), "GET", "/health", headers={"origin": "http://front"})
    assert response.headers["access-control-allow-origin"] == "http://front"
    assert response.headers["content-type"] == "text/csv"


def test_errors_have_cors_headers_too() -> None:
    response = call(parts(Invoked()), "POST", "/v1/things/x", headers={"origin": "http://front"})
    assert (response.status_code, response.headers["access-control-allow-origin"]) == (401, "http://front")


def test_the_clock_moves_forwards_and_tokens_expire() -> None:
    running = parts(Invoked())
    answer = call(running, "POST", "/_local/clock", json={"now": "2026-11-23T11:00:01Z"})
    assert (answer.status_code, answer.json()["now"][:19]) == (200, "2026-11-23T11:00:01")
    assert call(running, "POST", "/v1/things/x", headers=token()).status_code == 401
    assert call(running, "GET", "/_local/clock").json()["now"].startswith("2026-11-23T11:00:01")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"now": 5}', b'{"now": "2026-11-23T11:00:00"}', b'{"now": "2026-11-23T09:00:00Z"}']
)
def test_the_clock_refuses_the_past_and_nonsense(body: bytes) -> None:
    assert call(parts(Invoked()), "POST", "/_local/clock", content=body).status_code == 400


def test_the_clock_route_exists_only_if_it_is_enabled() -> None:
    closed = parts(Invoked(), local=None)
    assert call(closed, "POST", "/_local/clock", json={"now": "2026-11-23T11:00:00Z"}).status_code == 404


def test_the_log_names_the_route_and_never_the_path(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="local.gateway"):
        call(parts(Invoked()), "POST", "/v1/things/secret?key=secret", headers=token())
    [record] = caplog.records
    assert vars(record)["route"] == "POST /v1/things/{id}"
    assert "secret" not in str(vars(record))


def test_a_reset_needs_a_post_and_answers_when_it_is_done() -> None:
    done: list[str] = []
    gateway = parts(Invoked(), local=LocalRoutes(jump=lambda _: None, reset=lambda: done.append("reset")))
    assert call(gateway, "GET", "/_local/reset").status_code == 405
    assert done == []
    answer = call(gateway, "POST", "/_local/reset")
    assert (answer.status_code, answer.content, done) == (204, b"", ["reset"])
    assert call(parts(Invoked(), local=None), "POST", "/_local/reset").status_code == 404


def test_a_valve_is_set_by_the_name_of_its_queue() -> None:
    valve = Valve()
    local = LocalRoutes(jump=lambda _: None, reset=lambda: None, valves={"q": valve})
    gateway = parts(Invoked(), local=local)
    assert call(gateway, "POST", "/_local/valve", json={"queue": "q", "messages": 3}).status_code == 204
    assert valve.wait(10) == 3
    assert call(gateway, "POST", "/_local/valve", json={"queue": "q", "messages": None}).status_code == 204
    assert valve.wait(10) == 10
    for wrong in ({"queue": "other", "messages": 3}, {"queue": "q"}, {"queue": "q", "messages": -1}, ["q"]):
        assert call(gateway, "POST", "/_local/valve", json=wrong).status_code == 400
    assert call(gateway, "GET", "/_local/valve").status_code == 405
    assert call(parts(Invoked(), local=None), "POST", "/_local/valve").status_code == 404


def test_functions_are_unavailable_during_a_reset() -> None:
    resetting, asked = threading.Event(), threading.Event()

    def reset() -> None:
        resetting.set()
        asked.wait(10)

    invoked = Invoked()
    gateway = parts(invoked, local=LocalRoutes(jump=lambda _: None, reset=reset))

    async def both() -> list[int]:
        transport = httpx2.ASGITransport(app=Gateway(gateway))
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
            reset_call = asyncio.create_task(client.post("/_local/reset"))
            await asyncio.to_thread(resetting.wait, 10)
            other = await client.get("/health")
            second = await client.post("/_local/reset")
            asked.set()
            return [other.status_code, second.status_code, (await reset_call).status_code]

    assert asyncio.run(both()) == [503, 409, 204]
