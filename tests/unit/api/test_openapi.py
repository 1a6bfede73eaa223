import json
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from openapi_spec_validator import validate

from functions.api.public import docs_response, openapi_response
from shared.api import openapi, validation
from shared.api.problems import STATUS
from shared.api.request import Scope
from shared.api.validation import violations
from shared.base.json import JsonValue
from shared.base.refusal import ProblemCode
from shared.policy.hours import DEFAULT_PEAK_HOURS
from tests.unit.api.events import request

READ, SEND, ADMIN, OPEN = "messaging.read", "messaging.send", "messaging.admin", None
ROUTES = {
    "PUT /v1/integrations/whatsapp": ADMIN,
    "GET /v1/integrations/whatsapp": ADMIN,
    "DELETE /v1/integrations/whatsapp": ADMIN,
    "PUT /v1/integrations/sms": ADMIN,
    "GET /v1/integrations/sms": ADMIN,
    "DELETE /v1/integrations/sms": ADMIN,
    "PUT /v1/integrations/dhis2": ADMIN,
    "GET /v1/integrations/dhis2": ADMIN,
    "DELETE /v1/integrations/dhis2": ADMIN,
    "POST /v1/integrations/whatsapp/test": ADMIN,
    "POST /v1/integrations/sms/test": ADMIN,
    "POST /v1/preview": READ,
    "POST /v1/messages": SEND,
    "GET /v1/messages": READ,
    "GET /v1/messages/{message_id}": READ,
    "POST /v1/messages/lookup": READ,
    "POST /v1/messages/{message_id}/resend": SEND,
    "GET /v1/campaigns/{campaign_id}/messages": READ,
    "GET /v1/campaigns/{campaign_id}/statistics": READ,
    "GET /v1/statistics": READ,
    "POST /v1/uploads": SEND,
    "POST /v1/distributions": SEND,
    "GET /v1/distributions": READ,
    "GET /v1/distributions/{distribution_id}": READ,
    "GET /v1/distributions/{distribution_id}/samples": READ,
    "GET /v1/distributions/{distribution_id}/errors": READ,
    "GET /v1/distributions/{distribution_id}/duplicates": READ,
    "POST /v1/distributions/{distribution_id}/confirm": SEND,
    "POST /v1/distributions/{distribution_id}/pause": SEND,
    "POST /v1/distributions/{distribution_id}/resume": SEND,
    "POST /v1/distributions/{distribution_id}/cancel": SEND,
    "POST /v1/consents": SEND,
    "POST /v1/consents/lookup": READ,
    "POST /v1/erasures": ADMIN,
    "GET /v1/dead-letters": ADMIN,
    "POST /v1/dead-letters/redrive": ADMIN,
    "GET /v1/templates": READ,
    "POST /v1/templates/{name}/submit": ADMIN,
    "GET /v1/integrations/whatsapp/health": ADMIN,
    "GET /v1/integrations/sms/health": ADMIN,
    "GET /webhooks/whatsapp/{organisation_id}": OPEN,
    "POST /webhooks/whatsapp/{organisation_id}": OPEN,
    "POST /webhooks/orange/{organisation_id}/{token}": OPEN,
    "GET /health": OPEN,
    "GET /openapi.json": OPEN,
    "GET /docs": OPEN,
}


def test_the_document_is_valid_openapi() -> None:
    validate(openapi.document())


def test_it_has_every_route_with_its_scope() -> None:
    scopes = {key: operation["security"] for key, operation in openapi.routes().items()}
    assert scopes == {key: [{"bearer": [scope]}] if scope else [] for key, scope in ROUTES.items()}
    assert {scope for scope in ROUTES.values() if scope} == set(Scope)


def test_every_problem_code_is_described_in_a_response() -> None:
    assert openapi.followed({"$ref": "#/components/schemas/ProblemCode"})["enum"] == list(ProblemCode)
    responses = openapi.as_object(openapi.as_object(openapi.document()["components"])["responses"])
    described = " ".join(str(openapi.as_object(one)["description"]) for one in responses.values())
    assert [code for code in STATUS if code not in described] == []


def test_reusable_parts_are_used() -> None:
    written = json.dumps(openapi.document())
    components = openapi.as_object(openapi.document()["components"])
    for kind in ("schemas", "parameters", "responses"):
        unused = [n for n in openapi.as_object(components[kind]) if f'"#/components/{kind}/{n}"' not in written]
        assert unused == []


def _examples() -> Iterator[tuple[str, JsonValue]]:
    schemas = openapi.as_object(openapi.as_object(openapi.document()["components"])["schemas"])
    for name, schema in schemas.items():
        examples = openapi.as_object(schema).get("examples", [])
        for example in examples if isinstance(examples, list) else []:
            yield name, example


@pytest.mark.parametrize(("name", "example"), list(_examples()))
def test_examples_match_their_schemas(name: str, example: JsonValue) -> None:
    assert violations({"$ref": f"#/components/schemas/{name}"}, example) == []


@pytest.mark.parametrize("operation", [o for o, body in openapi.operations().items() if "requestBody" in body])
def test_every_body_has_a_schema_that_compiles(operation: str) -> None:
    violations(openapi.body_schema(operation), {})


@pytest.mark.parametrize("operation", sorted(openapi.operations()))
def test_only_lists_take_a_limit(operation: str) -> None:
    names = {str(parameter["name"]) for parameter in openapi.parameters(operation)}
    assert ("limit" in names) == operation.startswith("list_")
    if operation.startswith("list_"):
        path = {"campaign_id": "c", "distribution_id": "d"} if names & {"distribution_id", "campaign_id"} else {}
        given = {name: value for name, value in path.items() if name in names}
        assert validation.query(request(path=given, query="limit=1"), operation).limit == 1


def test_it_is_served_with_the_client_s_own_address() -> None:
    served = json.loads(openapi_response(request()).to_event()["body"])
    assert served["servers"] == [{"url": "https://api.example.org"}]
    assert served["paths"] == openapi.document()["paths"]
    public = json.loads(openapi_response(request(), "https://messages.example.org/").to_event()["body"])
    assert public["servers"] == [{"url": "https://messages.example.org"}]


def test_the_default_peak_hours_are_those_that_the_code_uses() -> None:
    settings = openapi.followed(openapi.body_schema("put_sms_integration"))
    peak_hours = openapi.as_object(openapi.as_object(settings["properties"])["peak_hours"])
    assert peak_hours["default"] == [list(window) for window in DEFAULT_PEAK_HOURS]


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.open: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids.add(values.get("id") or "")
        self.links.add(values.get("href") or "")
        if values.get("src") or tag in {"script", "link", "img", "iframe"}:
            self.loads.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_complete_and_loads_no_other_file() -> None:
    answer = docs_response(request(headers={"accept-language": "fr"})).to_event()
    assert answer["headers"]["content-type"] == "text/html; charset=utf-8"
    page = _Page()
    page.feed(answer["body"])
    assert page.open == []
    assert page.loads == []
    assert {link[1:] for link in page.links if link.startswith("#")} <= page.ids
    assert {f"problem-{code}" for code in ProblemCode} <= page.ids
    assert set(openapi.operations()) <= page.ids
    assert "Heures de silence" in answer["body"]
