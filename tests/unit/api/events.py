"""Events of API Gateway's HTTP API, payload format 2.0, with only the parts that the tests need."""

import base64
import json
from collections.abc import Mapping
from typing import TypedDict, Unpack

from shared.api.request import Event, Request, request_from

ALL_SCOPES = "messaging.read messaging.send messaging.admin"


def event(
    route_key: str = "POST /v1/messages",
    *,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    query: str = "",
    path: Mapping[str, str] | None = None,
    claims: Mapping[str, str] | None = None,
) -> Event:
    """The event of a request. `body` is in base64, as the gateway sends a type that it does not know as text. A body
    other than bytes becomes JSON."""
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return {
        "version": "2.0",
        "routeKey": route_key,
        "rawQueryString": query,
        "headers": {"content-type": "application/json", "x-forwarded-proto": "https", **(headers or {})},
        "pathParameters": path or {},
        "requestContext": {
            "authorizer": {
                "jwt": {
                    "claims": {"organisation_id": "demo", "scope": ALL_SCOPES} if claims is None else claims,
                    "scopes": None,
                }
            },
            "domainName": "api.example.org",
            "http": {"sourceIp": "192.0.2.7"},
        },
        "body": base64.b64encode(raw).decode(),
        "isBase64Encoded": True,
    }


class Parts(TypedDict, total=False):
    """The keywords of `event`."""

    body: object
    headers: Mapping[str, str] | None
    query: str
    path: Mapping[str, str] | None
    claims: Mapping[str, str] | None


def request(route_key: str = "POST /v1/messages", **parts: Unpack[Parts]) -> Request:
    """The request that the API reads from such an event."""
    return request_from(event(route_key, **parts))
