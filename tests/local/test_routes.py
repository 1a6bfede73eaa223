import pytest

from local.routes import JwtRule, Route, RouteTable, read_routes

URI = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:1:function:F/invocations"


def route(key: str) -> Route:
    method, path = key.split(" ")
    return Route(method=method, path=path, function_name="F", jwt=None)


TABLE = RouteTable(
    route(key)
    for key in (
        "ANY /v1/{proxy+}",
        "GET /v1/messages/{message_id}",
        "POST /v1/messages/lookup",
        "GET /v1/messages",
        "ANY /v1/messages",
        "POST /webhooks/orange/{organisation_id}/{token}",
    )
)


@pytest.mark.parametrize(
    ("method", "path", "key", "parameters"),
    [
        ("GET", "/v1/messages", "GET /v1/messages", {}),
        ("PUT", "/v1/messages", "ANY /v1/messages", {}),
        ("GET", "/v1/messages/m%2F1", "GET /v1/messages/{message_id}", {"message_id": "m/1"}),
        ("POST", "/v1/messages/lookup", "POST /v1/messages/lookup", {}),
        ("GET", "/v1/messages/lookup", "GET /v1/messages/{message_id}", {"message_id": "lookup"}),
        ("GET", "/v1/messages/", "ANY /v1/{proxy+}", {"proxy": "messages/"}),
        ("GET", "/v1/a/b%20c", "ANY /v1/{proxy+}", {"proxy": "a/b c"}),
        (
            "POST",
            "/webhooks/orange/demo/t0k%C3%A9n",
            "POST /webhooks/orange/{organisation_id}/{token}",
            {"organisation_id": "demo", "token": "t0kén"},
        ),
    ],
)
def test_the_most_specific_route_wins(method: str, path: str, key: str, parameters: dict[str, str]) -> None:
    matched = TABLE.find(method, path)
    assert matched is not None
    assert (matched.route.key, dict(matched.parameters)) == (key, parameters)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/v1"),
        ("GET", "/v1/"),
        ("GET", "/webhooks/orange/demo/t"),
        ("POST", "/webhooks/orange//t"),
    ],
)
def test_there_is_no_other_route(method: str, path: str) -> None:
    assert TABLE.find(method, path) is None


def test_routes_are_read_from_the_openapi_body() -> None:
    integration = {"uri": URI, "payloadFormatVersion": "2.0"}
    authorizer = {"jwtConfiguration": {"issuer": "http://i", "audience": ["a"]}}
    document = {
        "components": {"securitySchemes": {"Jwt": {"x-amazon-apigateway-authorizer": authorizer}}},
        "paths": {
            "/v1/a": {"get": {"x-amazon-apigateway-integration": integration, "security": [{"Jwt": ["s"]}]}},
            "/open": {"x-amazon-apigateway-any-method": {"x-amazon-apigateway-integration": integration}},
        },
    }
    rule = JwtRule(issuer="http://i", audiences=("a",), scopes=("s",))
    assert read_routes(document) == [
        Route(method="GET", path="/v1/a", function_name="F", jwt=rule),
        Route(method="ANY", path="/open", function_name="F", jwt=None),
    ]


def test_another_payload_format_is_refused() -> None:
    integration = {"uri": URI, "payloadFormatVersion": "1.0"}
    with pytest.raises(ValueError, match="only payload format"):
        read_routes({"paths": {"/a": {"get": {"x-amazon-apigateway-integration": integration}}}})
