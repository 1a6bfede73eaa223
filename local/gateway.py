"""The HTTP API as API Gateway serves it: it finds the route, checks the token and calls the function.

Errors of the gateway itself have API Gateway's own texts.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from local.clock import BackwardsError, StackClock
from local.cors import Cors
from local.http_event import Caller, HttpRequest, HttpResponse, MalformedResponseError, build_event, read_response
from local.routes import Matched, RouteTable
from local.tokens import ScopeMissingError, UnauthorizedError, authorize
from local.valve import Valve
from shared.base.instants import format_instant, from_rfc3339

log = logging.getLogger(__name__)

PAYLOAD_LIMIT = 10 * 1024 * 1024  # https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
EVENT_LIMIT = 6 * 1024 * 1024  # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
INTEGRATION_SECONDS = 30.0
CLOCK_PATH = "/_local/clock"
RESET_PATH = "/_local/reset"
VALVE_PATH = "/_local/valve"

type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
type Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
type Invoke = Callable[[str, object], Future[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalRoutes:
    """What the routes under /_local call.

    `jump` moves the clock and runs what is due on the way. `reset` brings the stack back to its start. Both return when
    they are done. `valves` has the valve of each queue that the stack polls, by the queue's name.
    """

    jump: Callable[[datetime], None]
    reset: Callable[[], None]
    valves: Mapping[str, Valve] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayParts:
    """What a gateway needs. `invoke` takes a function's name and an event. If `local` is None, /_local is closed."""

    routes: RouteTable
    cors: Cors | None
    key: rsa.RSAPublicKey
    clock: StackClock
    invoke: Invoke
    local: LocalRoutes | None = None
    integration_seconds: float = INTEGRATION_SECONDS


def message(status: int, text: str, **headers: str) -> HttpResponse:
    names = [
        ("content-type", "application/json"),
        *((name.replace("_", "-"), value) for name, value in headers.items()),
    ]
    return HttpResponse(
        status=status, headers=tuple(names), body=json.dumps({"message": text}, separators=(",", ":")).encode()
    )


class Gateway:
    """The gateway as an ASGI application."""

    def __init__(self, parts: GatewayParts) -> None:
        self._parts = parts
        self._resetting = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        started = time.monotonic()
        request, route_key, response = await self._receive(scope, receive)
        # The log has the route's key, never path or query: the path of Orange's webhook holds its secret token.
        took = round((time.monotonic() - started) * 1000)
        log.info("request", extra={"route": route_key, "status": response.status, "latency_ms": took})
        await _send_response(request.method, response, send)

    async def _receive(self, scope: Scope, receive: Receive) -> tuple[HttpRequest, str, HttpResponse]:
        head = _read_head(scope)
        body = await _read_body(receive)
        if body is None:
            return head, "-", message(413, "Request Entity Too Large")
        request = replace(head, body=body)
        if self._parts.local and request.raw_path == CLOCK_PATH:
            return request, CLOCK_PATH, await asyncio.to_thread(self._serve_clock, request, self._parts.local)
        if self._parts.local and request.raw_path == RESET_PATH:
            return request, RESET_PATH, await self._serve_reset(request, self._parts.local)
        if self._parts.local and request.raw_path == VALVE_PATH:
            return request, VALVE_PATH, _turn_valve(request, self._parts.local)
        matched = self._parts.routes.find(request.method, request.raw_path)
        response = await self._answer(request, matched)
        return request, matched.route.key if matched else "-", self._with_cors(request, response)

    async def _answer(self, request: HttpRequest, matched: Matched | None) -> HttpResponse:
        headers = request.joined_headers()
        if matched is None:
            is_preflight = request.method == "OPTIONS" and "access-control-request-method" in headers
            if is_preflight and self._parts.cors:
                return HttpResponse(status=204, headers=tuple(self._parts.cors.preflight_headers(headers).items()))
            return message(404, "Not Found")
        caller: Caller | None = None
        now = self._parts.clock.now()
        if matched.route.jwt is not None:
            try:
                caller = authorize(headers.get("authorization"), matched.route.jwt, self._parts.key, now)
            except UnauthorizedError:
                return message(401, "Unauthorized", www_authenticate="Bearer")
            except ScopeMissingError:
                return message(403, "Forbidden", www_authenticate='Bearer error="insufficient_scope"')
        event = build_event(request, matched, caller, now)
        if len(json.dumps(event)) > EVENT_LIMIT:
            return message(413, "Request Entity Too Large")
        return await self._integrate(matched.route.function_name, event)

    async def _integrate(self, function_name: str, event: Mapping[str, Any]) -> HttpResponse:
        if self._resetting:
            return message(503, "Service Unavailable")
        outcome = asyncio.wrap_future(self._parts.invoke(function_name, event))
        # After a time-out no request waits for the exception. It must be read, or asyncio logs it.
        outcome.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            async with asyncio.timeout(self._parts.integration_seconds):
                answer = await asyncio.shield(outcome)
        except TimeoutError:
            return message(503, "Service Unavailable")
        except Exception as error:  # noqa: BLE001,RUF100 - a function may raise anything; its environment has logged it
            log.warning("function error", extra={"function": function_name, "error": type(error).__name__})
            return message(500, "Internal Server Error")
        try:
            return read_response(answer)
        except MalformedResponseError as error:
            log.warning("malformed response: %s", error, extra={"function": function_name})
            return message(500, "Internal Server Error")

    def _with_cors(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        cors = self._parts.cors
        headers = request.joined_headers()
        if cors is None or "origin" not in headers or request.method == "OPTIONS":
            return response
        own = [(n, v) for n, v in response.headers if not n.startswith("access-control-")]
        return replace(response, headers=(*own, *cors.response_headers(headers).items()))

    async def _serve_reset(self, request: HttpRequest, local: LocalRoutes) -> HttpResponse:
        """Reset the stack. Until it is done, functions answer 503."""
        if request.method != "POST":
            return message(405, "Method Not Allowed")
        if self._resetting:
            return message(409, "Conflict")
        self._resetting = True
        try:
            await asyncio.to_thread(local.reset)
        finally:
            self._resetting = False
        return HttpResponse(status=204)

    def _serve_clock(self, request: HttpRequest, local: LocalRoutes) -> HttpResponse:
        if request.method == "POST":
            try:
                local.jump(from_rfc3339(json.loads(request.body)["now"]))
            except BackwardsError as error:
                return message(400, str(error))
            except (ValueError, TypeError, KeyError):
                return message(400, 'send {"now": "2026-11-23T10:00:00Z"}')
        elif request.method != "GET":
            return message(405, "Method Not Allowed")
        body = json.dumps({"now": format_instant(self._parts.clock.now())}).encode()
        return HttpResponse(status=200, headers=(("content-type", "application/json"),), body=body)


def _turn_valve(request: HttpRequest, local: LocalRoutes) -> HttpResponse:
    """Set how many more messages the stack takes off a queue; null means no limit."""
    if request.method != "POST":
        return message(405, "Method Not Allowed")
    try:
        asked = json.loads(request.body)
        valve, messages = local.valves[asked["queue"]], asked["messages"]
    except (ValueError, TypeError, KeyError):
        return message(400, f'send {{"queue": one of {sorted(local.valves)}, "messages": 50 or null}}')
    if messages is not None and not (isinstance(messages, int) and messages >= 0):
        return message(400, "messages must be a whole number from 0 up, or null")
    valve.allow(messages)
    return HttpResponse(status=204)


def _read_head(scope: Scope) -> HttpRequest:
    headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
    raw_path = scope.get("raw_path") or scope["path"].encode()
    return HttpRequest(
        method=scope["method"],
        raw_path=raw_path.decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=b"",
        source_ip=(scope.get("client") or ("127.0.0.1", 0))[0],
    )


async def _read_body(receive: Receive) -> bytes | None:
    """Read the whole body; None if it is larger than API Gateway accepts."""
    body = bytearray()
    while True:
        part = await receive()
        body += part.get("body", b"")
        if len(body) > PAYLOAD_LIMIT:
            return None
        if not part.get("more_body"):
            return bytes(body)


async def _send_response(method: str, response: HttpResponse, send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else response.body})
