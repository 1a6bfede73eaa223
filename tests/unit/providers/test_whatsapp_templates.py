"""Templates at Meta: listing, creating, the example picture, and which templates we can fill in."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace

import httpx2
import pytest

from shared.base.json import JsonObject, JsonValue
from shared.cards.references import sample_picture
from shared.messages.errors import Kind, SendError
from shared.messages.payload import ButtonCall, TemplateCall
from shared.providers.http import client
from shared.providers.meta.client import body_of
from shared.providers.meta.graph import NUMBER_FIELDS, PLAIN_FIELDS, Graph, MetaTemplates, shape_of
from shared.texts.templates import READY_MADE, Shape, UrlButton
from shared.webhooks.updates import TemplateStatus
from tests.unit.providers.making import NOON, TOKEN, card_message, ok, whatsapp

OURS = replace(whatsapp(), business_account_id="900")
HEADER: JsonObject = {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["https://x"]}}
VACCINATION = READY_MADE["vaccination_card", "fr"]

type Asked = list[httpx2.Request]


def served(answer: Callable[[httpx2.Request], httpx2.Response]) -> tuple[Graph, Asked]:
    asked: Asked = []

    def handle(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return answer(request)

    return Graph(client(httpx2.MockTransport(handle)), "https://graph.example/"), asked


def refusal(code: int, subcode: int | None = None, status: int = 400) -> httpx2.Response:
    error: dict[str, object] = {"message": f"(#{code}) no", "code": code}
    return ok({"error": error | ({"error_subcode": subcode} if subcode else {})}, status)


def body_component(text: str, **example: JsonValue) -> JsonObject:
    return {"type": "BODY", "text": text, **({"example": dict(example)} if example else {})}


def template(*components: JsonValue, **changes: JsonValue) -> JsonObject:
    listed: JsonObject = {
        "id": "77",
        "name": "own_card",
        "language": "fr",
        "status": "APPROVED",
        "category": "UTILITY",
        "parameter_format": "NAMED",
        "components": list(components),
    }
    return listed | changes


def test_a_named_template_with_a_picture() -> None:
    found = shape_of(template(HEADER, body_component("Bonjour {{first_name}}, code {{ card_code }} {ok}.")))
    body = "Bonjour {first_name}, code {card_code} {{ok}}."
    assert found == Shape(body=body, parameters=("first_name", "card_code"), positional=False, has_picture=True)


@pytest.mark.parametrize("stated", ["POSITIONAL", None])
def test_a_positional_template_with_our_variables_as_examples(stated: str | None) -> None:
    wording = body_component("{{2}} : {{1}}, {{2}}.", body_text=[["first_name", " {card_code} "]])
    found = shape_of(template(wording, parameter_format=stated))
    body = "{card_code} : {first_name}, {card_code}."
    assert found == Shape(body=body, parameters=("first_name", "card_code"), positional=True, has_picture=False)


def buttons(*items: JsonObject) -> JsonObject:
    return {"type": "BUTTONS", "buttons": list(items)}


SAID = body_component("Bonjour {{first_name}} !")
QUICK: JsonObject = {"type": "QUICK_REPLY", "text": "Stop"}
VARIABLE_URL: JsonObject = {"type": "URL", "text": "Voir", "url": "https://v.example/c/{{1}}", "example": ["x"]}


@pytest.mark.parametrize(
    ("component", "button"),
    [
        (buttons(QUICK), None),
        (
            buttons({"type": "URL", "text": "x", "url": "https://x"}, {"type": "PHONE_NUMBER", "phone_number": "+1"}),
            None,
        ),
        (buttons(QUICK, VARIABLE_URL), UrlButton(index=1, prefix="https://v.example/c/")),
        ({"type": "FOOTER", "text": "Oomus"}, None),
        ({"type": "HEADER", "format": "TEXT", "text": "Carte"}, None),
    ],
)
def test_other_components_of_a_template(component: JsonObject, button: UrlButton | None) -> None:
    found = shape_of(template(SAID, component))
    assert found is not None
    assert (found.button, found.has_picture) == (button, False)


@pytest.mark.parametrize(
    "listed",
    [
        template(HEADER),
        template(),
        template(SAID, SAID),
        template(body_component("Bonjour {{prenom}} !")),
        template(body_component("Bonjour {{1}} !"), parameter_format="POSITIONAL"),
        template(body_component("Bonjour {{1}} !", body_text=[["Aminata"]]), parameter_format="POSITIONAL"),
        template(
            body_component("{{1}} et {{3}} !", body_text=[["first_name", "x", "card_code"]]), parameter_format=None
        ),
        template(SAID, {"type": "HEADER", "format": "VIDEO"}),
        template(SAID, {"type": "HEADER", "format": "DOCUMENT"}),
        template(SAID, {"type": "HEADER", "format": "LOCATION"}),
        template(SAID, {"type": "HEADER", "format": "TEXT", "text": "Carte de {{1}}"}),
        template(SAID, {"type": "CAROUSEL", "cards": []}),
        template(SAID, {"type": "LIMITED_TIME_OFFER"}),
        template(SAID, buttons(VARIABLE_URL, VARIABLE_URL)),
        template(SAID, buttons({"type": "URL", "url": "https://{{1}}.example/x"})),
        template(SAID, buttons({"type": "FLOW", "text": "Go"})),
        template(SAID, buttons({"type": "COPY_CODE", "example": "x"})),
        template(SAID, buttons({"type": "OTP"})),
        template(SAID, components="broken"),
        {},
    ],
)
def test_a_template_that_we_cannot_fill_in_does_not_count(listed: JsonObject) -> None:
    assert shape_of(listed) is None


def test_both_forms_are_called_as_documented() -> None:
    call = TemplateCall(
        name="own_card",
        language="en_US",
        parameters=(("first_name", "Ana"), ("card_code", "C-1")),
        positional=True,
        button=ButtonCall(index=2, suffix="c/C-1"),
    )
    sent = body_of(replace(card_message(), template=call, card_image=None), "", "key")
    assert sent["template"] == {
        "name": "own_card",
        "language": {"code": "en_US"},
        "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "Ana"}, {"type": "text", "text": "C-1"}]},
            {
                "type": "button",
                "sub_type": "url",
                "index": "2",
                "parameters": [{"type": "text", "text": "c/C-1"}],
            },
        ],
    }


def page(items: list[JsonObject], after: str | None = None) -> httpx2.Response:
    paging: dict[str, object] = {"cursors": {"before": "b", "after": after or "end"}}
    return ok({"data": items, "paging": paging | ({"next": "https://graph.example/?access_token=x"} if after else {})})


def test_a_listing_is_read_to_its_last_page() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if "after" in request.url.params:
            return page([template(SAID, name="second", status="PAUSED"), template(HEADER, name="unfit")])
        return page([template(SAID), template(name="vaccination_card", status="FLAGGED")], after="one")

    graph, asked = served(answer)
    found = asyncio.run(MetaTemplates(graph).listed(OURS, "900", NOON))
    reported = [(one.name, one.status, one.shape is not None, one.reported_at) for one in found]
    assert reported == [
        ("own_card", TemplateStatus.APPROVED, True, NOON),
        ("vaccination_card", None, False, NOON),
        ("second", TemplateStatus.PAUSED, True, NOON),
    ]
    assert [request.url.path for request in asked] == ["/v25.0/900/message_templates"] * 2
    assert all(request.headers["authorization"] == f"Bearer {TOKEN}" for request in asked)
    assert all("access_token" not in request.url.params for request in asked)


def test_a_cursor_that_meta_forgot_restarts_the_listing() -> None:
    answers = [page([template(SAID)], after="one"), refusal(131059), page([template(SAID)])]
    graph, asked = served(lambda _: answers[len(asked) - 1])
    assert len(asyncio.run(MetaTemplates(graph).listed(OURS, "900", NOON))) == 1
    assert ["after" in request.url.params for request in asked] == [False, True, False]


def test_a_cursor_that_always_fails_is_an_error() -> None:
    graph, asked = served(lambda _: refusal(131059))
    with pytest.raises(SendError, match="131059"):
        asyncio.run(MetaTemplates(graph).listed(OURS, "900", NOON))
    assert len(asked) == 3


def test_a_template_is_created_as_documented() -> None:
    graph, asked = served(lambda _: ok({"id": "77", "status": "PENDING", "category": "UTILITY"}))
    made = asyncio.run(MetaTemplates(graph).create(OURS, "900", VACCINATION, "4::h", NOON))
    assert made is not None
    assert (made.status, made.template_id, made.category) == (TemplateStatus.PENDING, "77", "UTILITY")
    sent = json.loads(asked[0].content)
    assert asked[0].url.path == "/v25.0/900/message_templates"
    assert (sent["name"], sent["language"], sent["category"]) == ("vaccination_card", "fr", "UTILITY")
    assert sent["parameter_format"] == "NAMED"
    header, body = sent["components"]
    assert header == {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::h"]}}
    assert "{{verification_url}}" in body["text"]
    names = [one["param_name"] for one in body["example"]["body_text_named_params"]]
    assert names == list(VACCINATION.shape.parameters)
    assert shape_of({**sent, "components": sent["components"]}) == VACCINATION.shape


@pytest.mark.parametrize("subcode", [2388023, 2388024])
def test_an_existing_template_is_no_error(subcode: int) -> None:
    graph, _ = served(lambda _: refusal(100, subcode))
    assert asyncio.run(MetaTemplates(graph).create(OURS, "900", VACCINATION, "4::h", NOON)) is None


def test_any_other_refusal_keeps_its_subcode() -> None:
    graph, _ = served(lambda _: refusal(100, 2388019))
    with pytest.raises(SendError) as caught:
        asyncio.run(MetaTemplates(graph).create(OURS, "900", VACCINATION, "4::h", NOON))
    assert (caught.value.kind, caught.value.code) == (Kind.BUG, "100/2388019")


def test_a_rejected_template_is_revised_under_its_id() -> None:
    graph, asked = served(lambda _: ok({"success": True}))
    asyncio.run(MetaTemplates(graph).revise(OURS, VACCINATION, "77", "4::h"))
    assert asked[0].url.path == "/v25.0/77"
    assert {"name", "language"}.isdisjoint(json.loads(asked[0].content))


def test_the_example_picture_is_uploaded_in_one_part() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        return ok({"id": "upload:MTph?sig=ARZ"} if request.url.path.endswith("/uploads") else {"h": "4::aW"})

    graph, asked = served(answer)
    assert asyncio.run(MetaTemplates(graph).example(OURS)) == "4::aW"
    opened, uploaded = asked
    assert opened.url.path == "/v25.0/app/uploads"
    assert dict(opened.url.params) == {
        "file_name": "card.png",
        "file_length": str(len(sample_picture())),
        "file_type": "image/png",
    }
    assert (uploaded.url.path, dict(uploaded.url.params)) == ("/v25.0/upload:MTph", {"sig": "ARZ"})
    assert uploaded.headers["authorization"] == f"OAuth {TOKEN}"
    assert uploaded.headers["file_offset"] == "0"
    assert uploaded.content == sample_picture()


def test_an_upload_without_a_handle_is_an_error() -> None:
    graph, _ = served(lambda _: ok({"id": "upload:1"}))
    with pytest.raises(SendError, match="uploaded_without_handle"):
        asyncio.run(MetaTemplates(graph).example(OURS))


FACTS = {
    "id": "1060001",
    "display_phone_number": "+221 33 000 00 00",
    "verified_name": "Programme",
    "name_status": "APPROVED",
    "code_verification_status": "VERIFIED",
    "quality_rating": "GREEN",
    "throughput": {"level": "STANDARD"},
    "whatsapp_business_manager_messaging_limit": "TIER_2K",
    "health_status": {
        "can_send_message": "LIMITED",
        "entities": [
            {"entity_type": "WABA", "errors": [{"error_description": "Unverified.", "possible_solution": "Verify it."}]}
        ],
    },
}


def test_the_numbers_facts_from_meta() -> None:
    graph, asked = served(lambda _: ok(FACTS))
    facts = asyncio.run(graph.number(OURS))
    assert asked[0].url.path == "/v25.0/1060001"
    assert asked[0].url.params["fields"].split(",") == list(NUMBER_FIELDS)
    assert (facts.verified_name, facts.quality, facts.throughput, facts.is_verified) == (
        "Programme",
        "GREEN",
        "STANDARD",
        True,
    )
    assert facts.limit is not None
    assert facts.limit.people == 2000
    assert (facts.can_send, facts.problems) == ("LIMITED", ("Unverified. Verify it.",))


@pytest.mark.parametrize(
    ("limit", "people"),
    [
        ("TIER_250", 250),
        ("TIER_10K", 10_000),
        ("TIER_100K", 100_000),
        ("TIER_UNLIMITED", None),
        (2000, 2000),
        (-1, None),
    ],
)
def test_limits_as_tiers_and_as_numbers(limit: object, people: int | None) -> None:
    graph, _ = served(lambda _: ok(FACTS | {"whatsapp_business_manager_messaging_limit": limit}))
    found = asyncio.run(graph.number(OURS)).limit
    assert found is not None
    assert found.people == people


@pytest.mark.parametrize("odd", [{}, {"health_status": "x", "throughput": [], "quality_rating": 3}, {"id": None}])
def test_missing_facts_are_unknown(odd: dict[str, object]) -> None:
    graph, _ = served(lambda _: ok(odd))
    facts = asyncio.run(graph.number(OURS))
    assert (facts.limit, facts.quality, facts.can_send, facts.is_verified) == (None, None, None, None)


def test_an_unknown_field_loses_only_the_optional_fields() -> None:
    graph, asked = served(lambda _: refusal(100) if len(asked) == 1 else ok(FACTS))
    assert asyncio.run(graph.number(OURS)).verified_name == "Programme"
    assert asked[1].url.params["fields"].split(",") == list(PLAIN_FIELDS)


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (refusal(190, 463, 401), Kind.STOP, "190/463"),
        (refusal(100, 33), Kind.STOP, "100/33"),
        (httpx2.Response(502, content=b"<html>"), Kind.RETRY, "HTTP 502"),
        (httpx2.Response(200, content=b"[]"), Kind.RETRY, "answer_unreadable"),
        (httpx2.Response(200, content=b""), Kind.RETRY, "answer_unreadable"),
        (httpx2.Response(404, content=b"not found"), Kind.BUG, "HTTP 404"),
    ],
)
def test_every_answer_is_a_decision(answer: httpx2.Response, kind: Kind, code: str) -> None:
    graph, _ = served(lambda _: httpx2.Response(answer.status_code, content=answer.content))
    with pytest.raises(SendError) as caught:
        asyncio.run(graph.number(OURS))
    assert (caught.value.kind, caught.value.code) == (kind, code)


@pytest.mark.parametrize(("data", "subscribed"), [([{"whatsapp_business_api_data": {}}], True), ([], False)])
def test_whether_an_app_receives_the_webhooks(data: list[object], subscribed: bool) -> None:
    graph, asked = served(lambda _: ok({"data": data}))
    assert asyncio.run(graph.is_subscribed(OURS, "900")) is subscribed
    assert asked[0].url.path == "/v25.0/900/subscribed_apps"
