import html
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from openapi_spec_validator import validate

from functions.api.public import docs_response, openapi_response
from shared.api import openapi, validation
from shared.api.problems import STATUS
from shared.api.request import Scope
from shared.api.texts.sentences import TextKind, known_codes, with_gaps
from shared.api.texts.values import VALUES
from shared.api.validation import violations
from shared.base.json import JsonObject, JsonValue
from shared.base.refusal import ProblemCode
from shared.policy.hours import DEFAULT_PEAK_HOURS
from tests.unit.api.events import request

READ, SEND, ADMIN, OPEN = "messaging.read", "messaging.send", "messaging.admin", None
ROUTES = {
    "PUT /v1/integrations/whatsapp": ADMIN,
    "PATCH /v1/integrations/whatsapp": ADMIN,
    "PATCH /v1/integrations/sms": ADMIN,
    "PATCH /v1/integrations/dhis2": ADMIN,
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
    "POST /v1/messages/{message_id}/cancel": SEND,
    "GET /v1/campaigns": READ,
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
    "POST /v1/distributions/{distribution_id}/retry": SEND,
    "POST /v1/distributions/{distribution_id}/confirm": SEND,
    "POST /v1/distributions/{distribution_id}/pause": SEND,
    "POST /v1/distributions/{distribution_id}/resume": SEND,
    "POST /v1/distributions/{distribution_id}/cancel": SEND,
    "POST /v1/exports": READ,
    "GET /v1/exports/{export_id}": READ,
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


def _bodies() -> Iterator[tuple[str, str, JsonObject]]:
    """(operation, "request" or the status, response or request body) of every body in the document."""
    for name, operation in openapi.operations().items():
        responses = openapi.as_object(operation["responses"])
        for place, one in {"request": operation.get("requestBody", {}), **responses}.items():
            if content := openapi.as_object(openapi.followed(openapi.as_object(one)).get("content", {})):
                yield name, place, content


def test_an_answer_has_one_content_type() -> None:
    """Otherwise a generated client answers with a union of unrelated types."""
    several = [(name, place) for name, place, content in _bodies() if place != "request" and len(content) > 1]
    assert several == []


def test_what_a_function_answers_is_a_problem_and_401_of_the_gateway_is_its_own() -> None:
    for name, place, content in _bodies():
        if place == "request" or place < "400":
            continue
        gateways_own = place == "401" and openapi.operations()[name]["security"] != []
        kind, schema = ("json", "GatewayMessage") if gateways_own else ("problem+json", "Problem")
        assert content == {f"application/{kind}": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}, (name, place)


def test_every_refusal_has_a_body() -> None:
    with_body = {(name, place) for name, place, _ in _bodies()}
    refusals = {
        (name, status)
        for name, operation in openapi.operations().items()
        for status in openapi.as_object(operation["responses"])
        if status >= "400"
    }
    assert refusals - with_body == set()


def _shown(schema: JsonObject) -> bool:
    """Whether a reader sees an example: of the schema, of each of its alternatives, or of a list's items."""
    schema = openapi.followed(schema)
    branches, fields = schema.get("oneOf"), openapi.as_object(schema.get("properties", {}))
    if "examples" in schema:
        return True
    if isinstance(branches, list):
        return all(_shown(openapi.as_object(branch)) for branch in branches)
    return "items" in fields and _shown(openapi.as_object(openapi.as_object(fields["items"]).get("items", {})))


def test_every_json_body_has_an_example() -> None:
    unshown = [
        (name, place, kind)
        for name, place, content in _bodies()
        for kind, media in content.items()
        if kind.endswith("json") and name != "openapi_document"
        if "example" not in openapi.as_object(media)
        if not _shown(openapi.as_object(openapi.as_object(media)["schema"]))
    ]
    assert unshown == []


def _schemas(node: JsonValue) -> Iterator[JsonObject]:
    for inner in node if isinstance(node, list) else node.values() if isinstance(node, dict) else ():
        yield from _schemas(inner)
    if isinstance(node, dict):
        yield node


def test_alternatives_are_whole_types() -> None:
    """A list of required fields as an alternative makes a type that no client can use; null stands in one place."""
    for schema in _schemas(openapi.document()["components"]):
        branches, kinds = schema.get("oneOf"), schema.get("type")
        for branch in branches if isinstance(branches, list) else []:
            assert openapi.as_object(branch).keys() & {"$ref", "type"}, schema
        assert not (isinstance(kinds, list) and "object" in kinds and "properties" in schema), schema


def test_each_operation_has_one_id() -> None:
    assert len(openapi.operations()) == len(openapi.routes())


@pytest.mark.parametrize(("schema", "country"), [("PreviewValid", "FR"), ("Balance", "COD")])
def test_countries_that_sms_does_not_cover_can_be_shown(schema: str, country: str) -> None:
    """WhatsApp goes to every country, and an organisation may have units for one that is not covered."""
    shown = openapi.as_object(openapi.followed({"$ref": f"#/components/schemas/{schema}"})["properties"])["country"]
    assert violations(openapi.as_object(shown), country) == []


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


def closed_sets() -> dict[str, list[str]]:
    schemas = openapi.as_object(openapi.as_object(openapi.document()["components"])["schemas"])
    named = {name: openapi.as_object(schema) for name, schema in schemas.items()}
    return {name: [str(one) for one in as_list(schema["enum"])] for name, schema in named.items() if "enum" in schema}


def as_list(value: JsonValue) -> list[JsonValue]:
    assert isinstance(value, list)
    return value


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_page_says_what_each_value_of_each_closed_set_means_in_both_languages(language: str) -> None:
    body = docs_response(request(headers={"accept-language": language})).to_event()["body"]
    page = _Page()
    page.feed(body)
    for name, values in closed_sets().items():
        anchors = {f"problem-{one}" if name == "ProblemCode" else f"{name}-{one}" for one in values}
        assert anchors <= page.ids, name
    for kind in (TextKind.FIELD, TextKind.REASON, TextKind.STATUS_REASON, TextKind.WARNING, TextKind.DEAD_LETTER):
        for code in known_codes(kind, "en"):
            for one in ("fr", "en"):
                last = list(with_gaps(kind, code, "fr" if one == "fr" else "en"))[-1]
                assert re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(last, quote=False)) in body, (code, one)


def test_each_value_of_a_closed_set_has_a_sentence_and_no_other_has_one() -> None:
    codes = {"ProblemCode", "FieldCode", "Reason", "StatusReason", "WarningCode", "DeadLetterReason"}
    sets = {name: set(values) for name, values in closed_sets().items() if name not in codes}
    assert {name: set(said) for name, said in VALUES.items()} == sets
    for said in VALUES.values():
        for one in said.values():
            assert all(text.endswith(".") for text in one.values())
            assert one.keys() == {"fr", "en"}
