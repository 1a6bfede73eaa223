import asyncio
import json
from collections.abc import Mapping

import pytest

from shared.api.request import Event, Request, Scope
from shared.api.response import GatewayResponse, Response
from shared.api.router import Router
from shared.base.refusal import FieldError, ProblemCode, Refusal
from tests.unit.api.events import event

SEEN: list[tuple[str, str]] = []


def _router() -> Router:
    SEEN.clear()
    router = Router(on_error=lambda error, route_key: SEEN.append((type(error).__name__, route_key)))

    @router.route("GET /v1/messages", scope=Scope.READ)
    def messages(request: Request) -> Response:
        return Response(status=200, body={"organisation": request.organisation})

    @router.route("POST /v1/messages", scope=Scope.SEND)
    async def send(request: Request) -> Response:
        await asyncio.sleep(0)
        raise Refusal(ProblemCode.UNPROCESSABLE, (FieldError(field="recipient.phone", code="phone_invalid"),))

    def broken(request: Request) -> Response:
        raise RuntimeError("the number is +221770000001")

    router.add("GET /health", lambda _: Response(status=200, body={"status": "ok"}), scope=None)
    router.add("GET /broken", broken, scope=None)
    return router


def _dispatch(sent: Event) -> GatewayResponse:
    return asyncio.run(_router().dispatch(sent))


def test_sync_handler_behind_a_scope() -> None:
    answer = _dispatch(event("GET /v1/messages"))
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {"organisation": "demo"}


def test_async_handler_that_refuses_in_french() -> None:
    answer = _dispatch(event("POST /v1/messages", headers={"accept-language": "fr"}))
    assert answer["statusCode"] == 422
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert answer["headers"]["content-language"] == "fr"
    problem = json.loads(answer["body"])
    assert problem["code"] == "unprocessable"
    assert problem["errors"][0]["message"].startswith("Cela ne peut pas être")
    assert "Cela ne peut pas être" in answer["body"]  # not escaped


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"scope": "messaging.read"},
        {"organisation_id": "demo"},
        {"organisation_id": "demo", "scope": "messaging.send messaging.admin"},
        {"organisation_id": "demo", "scope": "messaging.reader"},
        {"organisation_id": "de mo", "scope": "messaging.read"},
    ],
)
def test_without_scope_or_organisation(claims: Mapping[str, str]) -> None:
    answer = _dispatch(event("GET /v1/messages", claims=claims))
    assert answer["statusCode"] == 403
    assert json.loads(answer["body"])["code"] == "forbidden"


def test_a_route_without_a_scope_is_public() -> None:
    assert _dispatch(event("GET /health", claims={}))["statusCode"] == 200


def test_an_unknown_route_answers_as_the_gateway_does() -> None:
    answer = _dispatch(event("GET /v1/nothing"))
    assert (answer["statusCode"], json.loads(answer["body"])) == (404, {"message": "Not Found"})
    assert _dispatch({})["statusCode"] == 404


def test_an_unexpected_error_is_reported_and_hidden_from_the_client() -> None:
    answer = _dispatch(event("GET /broken"))
    assert answer["statusCode"] == 500
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert "770000001" not in answer["body"]
    assert SEEN == [("RuntimeError", "GET /broken")]


def test_an_answer_that_cannot_be_serialised_is_an_unexpected_error() -> None:
    router = Router(on_error=lambda error, _: SEEN.append((type(error).__name__, "")))
    router.add("GET /health", lambda _: Response(status=200, body=[float("nan")]), scope=None)
    assert asyncio.run(router.dispatch(event("GET /health")))["statusCode"] == 500


def test_a_refusal_with_a_code_without_text_is_an_unexpected_error() -> None:
    def refuse(request: Request) -> Response:
        raise Refusal(ProblemCode.UNPROCESSABLE, (FieldError(field="phone", code="phone_purple"),))

    router = Router(on_error=lambda error, _: None)
    router.add("GET /health", refuse, scope=None)
    assert asyncio.run(router.dispatch(event("GET /health")))["statusCode"] == 500


def test_a_route_can_be_added_only_once() -> None:
    router = _router()
    with pytest.raises(ValueError, match="GET /health"):
        router.add("GET /health", lambda _: Response(status=200), scope=None)
    assert "GET /broken" in router.route_keys
