"""Turns an HTTP request into a Lambda event, and a function's answer into an HTTP response.

The format is API Gateway's payload format 2.0:
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import binascii
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from local.routes import Matched

# API Gateway sends only these types (and text/*) as text. It encodes every other body in base64, also form data and a
# body without a type (observed on AWS).
_TEXT_TYPES = frozenset({"application/json", "application/xml", "application/javascript"})
_JSON_OBJECT = dict[str, Any]


class MalformedResponseError(ValueError):
    """The function's answer has a shape that the gateway cannot send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """An HTTP request as it arrived.

    `headers` keep their order and their duplicates; the names are in lower case. `raw_path` is still percent-encoded.
    """

    method: str
    raw_path: str
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    source_ip: str = "127.0.0.1"

    def joined_headers(self) -> dict[str, str]:
        joined: dict[str, str] = {}
        for name, value in self.headers:
            joined[name] = f"{joined[name]},{value}" if name in joined else value
        return joined


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    status: int
    headers: Sequence[tuple[str, str]] = field(default_factory=tuple)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What the authorizer read in the token. `scopes` is None if the route asks for none."""

    claims: Mapping[str, str]
    scopes: list[str] | None


def build_event(request: HttpRequest, matched: Matched, caller: Caller | None, now: datetime) -> _JSON_OBJECT:
    headers = request.joined_headers()
    cookies = [c.strip() for name, value in request.headers if name == "cookie" for c in value.split(";")]
    headers.pop("cookie", None)
    host = headers.get("host", "localhost")
    headers.setdefault("x-forwarded-for", request.source_ip)
    headers.setdefault("x-forwarded-port", host.rpartition(":")[2] if ":" in host else "80")
    headers["x-forwarded-proto"] = "http"
    body, is_base64 = _encode_body(request.body, headers.get("content-type", ""))
    optional = {
        "cookies": cookies,
        "queryStringParameters": _query_parameters(request.query),
        "pathParameters": dict(matched.parameters),
        "body": body,
    }
    return {
        "version": "2.0",
        "routeKey": matched.route.key,
        "rawPath": unquote(request.raw_path),
        "rawQueryString": request.query,
        "headers": headers,
        **{name: value for name, value in optional.items() if value},
        "requestContext": _context(request, matched, caller, now),
        "isBase64Encoded": is_base64,
    }


def _context(request: HttpRequest, matched: Matched, caller: Caller | None, now: datetime) -> _JSON_OBJECT:
    headers = request.joined_headers()
    context: _JSON_OBJECT = {
        "accountId": "123456789012",
        "apiId": "local",
        "domainName": headers.get("host", "localhost"),
        "domainPrefix": "local",
        "http": {
            "method": request.method,
            "path": unquote(request.raw_path),
            "protocol": "HTTP/1.1",
            "sourceIp": request.source_ip,
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": uuid.uuid4().hex[:15] + "=",
        "routeKey": matched.route.key,
        "stage": "$default",
        "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(now.timestamp() * 1000),
    }
    if caller is not None:
        context["authorizer"] = {"jwt": {"claims": dict(caller.claims), "scopes": caller.scopes}}
    return context


def _query_parameters(query: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    return parameters


def _encode_body(body: bytes, content_type: str) -> tuple[str, bool]:
    if not body:
        return "", False
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type.startswith("text/") or media_type in _TEXT_TYPES:
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass  # the bytes are not the text that the header announces: send them as base64
    return base64.b64encode(body).decode(), True


def read_response(answer: object) -> HttpResponse:
    """Read a function's answer. An answer without `statusCode` is the body of a 200.

    Raises MalformedResponseError.
    """
    if not isinstance(answer, dict) or "statusCode" not in answer:
        body = answer if isinstance(answer, str) else json.dumps(answer)
        return HttpResponse(status=200, headers=(("content-type", "application/json"),), body=body.encode())
    try:
        status = int(answer["statusCode"])
    except (TypeError, ValueError) as error:
        raise MalformedResponseError("statusCode is not a number") from error
    headers = [(str(name).lower(), str(value)) for name, value in (answer.get("headers") or {}).items()]
    headers += [("set-cookie", str(cookie)) for cookie in answer.get("cookies") or ()]
    if not any(name == "content-type" for name, _ in headers):
        headers.append(("content-type", "text/plain; charset=utf-8"))
    return HttpResponse(status=status, headers=tuple(headers), body=_response_body(answer))


def _response_body(answer: _JSON_OBJECT) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedResponseError("body is not a string")
    if not answer.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise MalformedResponseError("body is not base64") from error
