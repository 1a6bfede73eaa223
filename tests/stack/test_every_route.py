"""Every route of the contract over HTTP: accepted with its scope, refused without, and closed to other
organisations."""

import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations

import httpx2
import pytest

from shared.api import openapi
from shared.base.instants import format_instant
from tests.stack.programme import DELIVERED, WHATSAPP_SECRET, Json, Programme
from tests.stack.running import RunningStack
from tests.waiting import until

ROUTES = """
    PUT     /v1/integrations/whatsapp                               200
    PUT     /v1/integrations/sms                                    200
    PUT     /v1/integrations/dhis2                                  200
    PATCH   /v1/integrations/whatsapp                               200
    PATCH   /v1/integrations/sms                                    200
    PATCH   /v1/integrations/dhis2                                  200
    GET     /v1/integrations/whatsapp                               200
    GET     /v1/integrations/sms                                    200
    GET     /v1/integrations/dhis2                                  200
    POST    /v1/integrations/whatsapp/test                          200
    POST    /v1/integrations/sms/test                               200
    GET     /v1/integrations/whatsapp/health                        200
    GET     /v1/integrations/sms/health                             200
    POST    /v1/preview                                             200
    POST    /v1/messages                                            202
    POST    /v1/messages/{message_id}/resend                        202
    POST    /v1/messages/{message_id}/cancel                        200
    POST    /v1/uploads                                             201
    POST    /v1/distributions                                       201
    GET     /v1/distributions                                       200
    GET     /v1/distributions/{distribution_id}                     200
    GET     /v1/distributions/{distribution_id}/samples             200
    GET     /v1/distributions/{distribution_id}/errors              200
    GET     /v1/distributions/{distribution_id}/duplicates          200
    POST    /v1/distributions/{distribution_id}/retry               202
    POST    /v1/distributions/{distribution_id}/confirm             200
    POST    /v1/distributions/{distribution_id}/pause               200
    POST    /v1/distributions/{distribution_id}/resume              200
    POST    /v1/distributions/{distribution_id}/cancel              200
    GET     /v1/messages                                            200
    GET     /v1/campaigns                                           200
    GET     /v1/campaigns/{campaign_id}/messages                    200
    GET     /v1/messages/{message_id}                               200
    POST    /v1/messages/lookup                                     200
    GET     /v1/statistics                                          200
    GET     /v1/campaigns/{campaign_id}/statistics                  200
    POST    /v1/exports                                             202
    GET     /v1/exports/{export_id}                                 200
    POST    /v1/consents                                            204
    POST    /v1/consents/lookup                                     200
    POST    /v1/erasures                                            202
    GET     /v1/templates                                           200
    POST    /v1/templates/{name}/submit                             202
    GET     /v1/dead-letters                                        200
    POST    /v1/dead-letters/redrive                                202
    GET     /webhooks/whatsapp/{organisation_id}                    200
    POST    /webhooks/whatsapp/{organisation_id}                    200
    POST    /webhooks/orange/{organisation_id}/{token}              200
    GET     /health                                                 200
    GET     /openapi.json                                           200
    GET     /docs                                                   200
    DELETE  /v1/integrations/whatsapp                               204
    DELETE  /v1/integrations/sms                                    204
    DELETE  /v1/integrations/dhis2                                  204
"""
"""api.md's routes and their statuses on success, in an order in which each finds what it needs.
tests/unit/api/test_openapi.py compares their scopes with api.md."""
UNDELIVERABLE = 610
"""docs/simulators.md: Orange takes the message and reports DeliveryImpossible."""
SCOPES = ("messaging.read", "messaging.send", "messaging.admin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One line of the table, with its entry in the OpenAPI document."""

    method: str
    path: str
    answers: int
    scope: str | None
    takes_body: bool
    lists: bool

    @property
    def key(self) -> str:
        return f"{self.method} {self.path}"


def read_table() -> Iterator[Route]:
    """The lines of the routes that are served."""
    for line in ROUTES.strip().splitlines():
        method, path, answers = line.split()
        described = openapi.routes().get(f"{method} {path}")
        if described is not None:
            scopes = re.findall(r"messaging\.\w+", str(described["security"]))
            yield Route(
                method=method,
                path=path,
                answers=int(answers),
                scope=scopes[0] if scopes else None,
                takes_body="requestBody" in described,
                lists=str(described["operationId"]).startswith("list_"),
            )


TABLE = list(read_table())
GUARDED = [route for route in TABLE if route.scope]
BY_KEY = {route.key: route for route in TABLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """An organisation with something to call every route with."""

    programme: Programme
    places: dict[str, str]
    failed_list: str
    """A distribution with a failed message; nothing of the one in `places` has been sent."""
    later: Json
    waiting: str
    """The ID of a scheduled message."""

    def url(self, route: Route) -> str:
        places = dict(self.places)
        if route.key == "POST /v1/messages/{message_id}/cancel":
            places["message_id"] = self.waiting
        if route.path.endswith("/retry"):
            places["distribution_id"] = self.failed_list
        return re.sub(r"\{(\w+)\}", lambda match: places[match[1]], route.path)

    def call(self, route: Route, api: httpx2.Client) -> httpx2.Response:
        headers = {"Idempotency-Key": "walk"} if route.key in KEYED else {}
        return api.request(route.method, self.url(route), headers=headers, json=self.body(route))

    def body(self, route: Route) -> Json | None:
        recipient = self.programme.recipient(DELIVERED + 10)
        phone = {"phone": recipient["phone"]}
        text = {"channel": "sms", "content": {"text": "Bonjour {first_name}"}}
        number = {"phone_number_id": self.programme.phone_number_id, "sender_number": "+221770009999"}
        client = {"client_id": "client-of-a-walk", "client_secret": "client-secret-of-a-test"}
        bodies: dict[str, Json] = {
            "PUT /v1/integrations/whatsapp": {"access_token": "another", "default_template": "vaccination_card"}
            | number,
            "PUT /v1/integrations/sms": {"sender_name": "PNV", "default_country": "SN"} | client,
            "PUT /v1/integrations/dhis2": {"attributes": {"phone": "aPhoneAttr1"}},
            "PATCH /v1/integrations/whatsapp": {"rate_per_second": 79},
            "PATCH /v1/integrations/sms": {"rate_per_second": 6},
            "PATCH /v1/integrations/dhis2": {"attributes": {"first_name": "aFirstName1"}},
            "POST /v1/integrations/whatsapp/test": {"to": "+221770008290"},
            "POST /v1/integrations/sms/test": {"to": "+221770008290"},
            "POST /v1/preview": text | {"recipients": [recipient]},
            "POST /v1/messages": text | {"campaign_id": "walk", "recipient": recipient},
            "POST /v1/messages/lookup": phone,
            "POST /v1/uploads": {"format": "csv", "bytes": 10},
            "POST /v1/distributions": text | {"campaign_id": "walk", "recipients": [recipient], "schedule": self.later},
            "POST /v1/exports": {"kind": "messages"},
            "POST /v1/distributions/{distribution_id}/retry": {"reasons": ["undeliverable"]},
            "POST /v1/consents": phone | {"granted": True, "source": "register"},
            "POST /v1/consents/lookup": phone,
            "POST /v1/erasures": {"phone": "+221770008299"},
            "POST /v1/dead-letters/redrive": {"all": True},
        }
        return bodies.get(route.key)


KEYED = ("POST /v1/messages", "POST /v1/distributions", "POST /v1/distributions/{distribution_id}/retry")
WITH_BODY = [route for route in GUARDED if route.takes_body]
OF_AN_ORGANISATION = [
    route
    for route in GUARDED
    if re.search(r"\{(message|distribution|export)_id\}", route.path) or "/integrations" in route.path
]


@pytest.fixture(scope="module")
def world(stack: RunningStack) -> Iterator[World]:
    with Programme(stack, "on-a-walk") as programme:
        yield settled(programme)


def settled(programme: Programme) -> World:
    failed = programme.ok(programme.send(programme.recipient(UNDELIVERABLE)))["message_id"]
    programme.settled(failed, "failed")
    later = {"mode": "at", "at": format_instant(programme.stack.now() + timedelta(days=1))}
    waiting = programme.ok(programme.send(programme.recipient(DELIVERED), send_at=later["at"]))["message_id"]
    rows = [programme.recipient(DELIVERED), programme.recipient(1, phone="N/A")]
    planned = programme.ok(programme.distribute(recipients=rows, schedule=later))
    exported = programme.ok(programme.api.post("/v1/exports", json={"kind": "messages", "status": "failed"}))
    sent = programme.ok(programme.distribute(recipients=[programme.recipient(UNDELIVERABLE)], confirm=True))
    failed_list = sent["distribution_id"]
    until(lambda: programme.distribution(failed_list), lambda found: found["counts"]["failed"] == 1)
    webhook = programme.ok(programme.api.get("/v1/integrations/sms"))["webhook_url"]
    return World(
        programme=programme,
        failed_list=failed_list,
        later=later,
        waiting=waiting,
        places={
            "message_id": failed,
            "distribution_id": planned["distribution_id"],
            "export_id": exported["export_id"],
            "campaign_id": "campaign",
            "name": "vaccination_card",
            "organisation_id": programme.organisation,
            "token": webhook.rpartition("/")[2],
        },
    )


def test_the_table_has_every_route_that_the_product_serves() -> None:
    assert set(BY_KEY) == set(openapi.routes())


def test_each_route_needs_a_token_its_scope_and_an_organisation(world: World, stack: RunningStack) -> None:
    own = world.programme.organisation
    with httpx2.Client(base_url=stack.base_url) as anonymous, stack.api(None) as homeless:
        expired = httpx2.Client(
            base_url=stack.base_url, headers={"authorization": f"Bearer {stack.token(own, expires=-60)}"}
        )
        for route in GUARDED:
            for client in (anonymous, expired):
                answer = world.call(route, client)
                assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"}), route.key
            answer = world.call(route, homeless)
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), route.key
        expired.close()
    for scopes in combinations(SCOPES, 2):
        with stack.api(own, scopes) as wanting:
            for route in GUARDED:
                if route.scope not in scopes:
                    answer = world.call(route, wanting)
                    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), (route.key, scopes)


def test_a_thing_of_another_organisation_is_404(world: World, stack: RunningStack) -> None:
    with stack.api("a-stranger-on-a-walk") as stranger:
        for route in OF_AN_ORGANISATION:
            if route.method != "PUT" and not route.path.endswith(("/health", "/test")):
                answer = world.call(route, stranger)
                if route.method == "DELETE":
                    assert answer.status_code == 204, route.key
                else:
                    assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), route.key
        for route in GUARDED:
            if route.lists and "distribution_id" not in route.path and "templates" not in route.path:
                assert world.call(route, stranger).json()["items"] == [], route.key
    assert world.programme.ok(world.programme.api.get("/v1/integrations/sms"))["sender_name"] == "PNV"


def test_each_body_is_validated_first(world: World) -> None:
    api = world.programme.api
    for route in WITH_BODY:
        headers = {"Idempotency-Key": "never-used", "Content-Type": "application/json"}
        url, body = world.url(route), world.body(route) or {}
        found = api.request(route.method, url, headers=headers, content=b"{")
        assert (found.status_code, found.json()["code"]) == (400, "bad_request"), route.key
        found = api.request(route.method, url, headers=headers, json=body | {"surprise": 1})
        assert (found.status_code, found.json()["code"]) == (400, "bad_request"), route.key
        assert [field_error["field"] for field_error in found.json()["errors"]] == ["surprise"], route.key
        found = api.request(route.method, url, headers=headers | {"Content-Type": "text/plain"}, content=b"x")
        assert (found.status_code, found.json()["code"]) == (415, "unsupported_media_type"), route.key
        assert found.headers["content-type"] == "application/problem+json"
    for key in KEYED:
        found = api.request("POST", world.url(BY_KEY[key]), json=world.body(BY_KEY[key]))
        assert (found.status_code, found.json()["code"]) == (400, "idempotency_key_missing"), key


def test_each_route_is_accepted_with_only_its_own_scope(world: World, stack: RunningStack) -> None:
    """From the first setting to the last deletion, by three people with one scope each."""
    own = world.programme.organisation
    clients = {scope: stack.api(own, [scope]) for scope in SCOPES}
    webhooks = httpx2.Client(base_url=stack.base_url, headers={"content-type": "application/json"})
    for route in TABLE:
        if route.key == "POST /v1/templates/{name}/submit":
            world.programme.put_whatsapp(business_account_id="200000000000777")
        if route.scope:
            answer = world.call(route, clients[route.scope])
        else:
            answer = webhooks.request(route.method, world.url(route), **_as_a_provider(route))
        assert answer.status_code == route.answers, (route.key, answer.text)
        if route.answers == 204:
            assert answer.content == b""
        if route.lists:
            assert isinstance(answer.json()["items"], list), route.key
    for client in (*clients.values(), webhooks):
        client.close()


def _as_a_provider(route: Route) -> Json:
    if route.key == "GET /webhooks/whatsapp/{organisation_id}":
        asked = {"hub.mode": "subscribe", "hub.verify_token": "verify-token-of-a-test", "hub.challenge": "7"}
        return {"params": asked}
    body = b'{"object": "whatsapp_business_account", "entry": []}'
    signature = hmac.new(WHATSAPP_SECRET.encode(), body, hashlib.sha256).hexdigest()
    signed = {"content": body, "headers": {"x-hub-signature-256": f"sha256={signature}"}}
    return signed if route.method == "POST" else {}
