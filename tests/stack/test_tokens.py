"""Tokens at the running stack: what the gateway accepts, and what the functions check, on every route."""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx2
import pytest

from local.tokens import ALL_SCOPES, load_key
from shared.api.openapi import document
from tests.local.bad_tokens import BAD, Issuer
from tests.stack.running import RunningStack
from tests.waiting import http

UNKNOWN_ID = "00000000-0000-5000-8000-000000000000"


def routes() -> Iterator[tuple[str, str, str]]:
    """(method, path, required scope) of every route that needs a token."""
    paths: Any = document()["paths"]
    for path, operations in paths.items():
        filled = path.replace("{distribution_id}", UNKNOWN_ID).replace("{message_id}", UNKNOWN_ID)
        filled = filled.replace("{campaign_id}", "c-1").replace("{name}", "vaccination_card")
        for method, operation in operations.items():
            if isinstance(operation, dict) and operation.get("security"):
                [scope] = operation["security"][0]["bearer"]
                yield (
                    method.upper(),
                    filled.replace("{campaign_id}", "c-1").replace("{name}", "vaccination_card"),
                    scope,
                )


ROUTES = list(routes())
DOORS = [  # routes of the two functions that need a token
    one
    for one in ROUTES
    if one[:2] in {("GET", "/v1/messages"), ("POST", "/v1/distributions"), ("PUT", "/v1/integrations/sms")}
]


def issuer(stack: RunningStack) -> Issuer:
    return Issuer(key=load_key(stack.directory / "key.pem"), name=stack.base_url, now=stack.now())


def signed(stack: RunningStack, **changes: Any) -> Mapping[str, str]:
    return {"Authorization": issuer(stack).signed(**changes)}


def ask(stack: RunningStack, route: tuple[str, str, str], headers: Mapping[str, str]) -> httpx2.Response:
    """Without a body, so that the request changes nothing."""
    return http().request(route[0], f"{stack.base_url}{route[1]}", headers=headers, timeout=35)


def test_no_route_is_open_by_mistake(stack: RunningStack) -> None:
    assert len(ROUTES) >= 30
    for headers in ({}, {"Authorization": str(BAD["another key"](issuer(stack)))}):
        answers = {route: ask(stack, route, headers) for route in ROUTES}
        assert {answer.status_code for answer in answers.values()} == {401}
        assert {answer.text for answer in answers.values()} == {'{"message":"Unauthorized"}'}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_token_reaches_no_function(stack: RunningStack, case: str) -> None:
    bad = BAD[case](issuer(stack))
    for route in DOORS:
        # On the wire no header ends in a space.
        answer = ask(stack, route, {} if bad is None else {"Authorization": bad.rstrip()})
        assert (answer.status_code, answer.text) == (401, '{"message":"Unauthorized"}'), route


def test_a_token_with_good_claims_and_signature_reaches_the_function(stack: RunningStack) -> None:
    for route in DOORS:
        assert ask(stack, route, signed(stack)).status_code in {200, 400, 422}, route


def test_every_route_needs_its_own_scope(stack: RunningStack) -> None:
    for scope in {route[2] for route in ROUTES}:
        others = signed(stack, scope=" ".join({*ALL_SCOPES} - {scope}))
        for route in (one for one in ROUTES if one[2] == scope):
            answer = ask(stack, route, others)
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), route


@pytest.mark.parametrize(
    "changes",
    [
        {"scope": None},
        {"scope": ""},
        {"scope": "messaging.*"},
        {"scope": "messaging"},
        {"scope": "messaging.read,messaging.send,messaging.admin"},
        {"scope": "MESSAGING.READ MESSAGING.SEND MESSAGING.ADMIN"},
        {"scope": {"messaging.read": True, "messaging.send": True, "messaging.admin": True}},
        {"scope": None, "scp": " ".join(ALL_SCOPES)},
        {"organisation_id": None},
        {"organisation_id": ""},
        {"organisation_id": ["demo"]},
        {"organisation_id": ["demo", "other"]},
        {"organisation_id": {"demo": 1}},
        {"organisation_id": "demo/../other"},
        {"organisation_id": "demo#other"},
        {"organisation_id": "demo*"},
        {"organisation_id": " demo"},
        {"organisation_id": "a" * 65},
        {"organisation_id": None, "organization_id": "demo"},
    ],
    ids=str,
)
def test_a_good_signature_is_not_enough(stack: RunningStack, changes: dict[str, Any]) -> None:
    headers = signed(stack, **changes)
    for route in ROUTES[:: len(ROUTES) // 5]:
        answer = ask(stack, route, headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), route


def test_the_organisation_comes_only_from_the_token(stack: RunningStack) -> None:
    headers = {**signed(stack, organisation_id="somebody-else"), "Organisation-Id": "demo", "X-Organisation-Id": "demo"}
    with httpx2.Client(base_url=stack.base_url, headers=headers) as client:
        assert client.get("/v1/messages", params={"organisation_id": "demo"}).status_code == 400
        assert client.get("/v1/integrations/sms").status_code == 404
