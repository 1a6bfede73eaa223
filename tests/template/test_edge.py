from pathlib import Path

from local.template import translate
from tests.template.reading import ROOT, Node, at, concurrency, events, mapping, number, of_type, properties, text

PUBLIC = {"GET /health", "GET /openapi.json", "GET /docs"}
WEBHOOKS = {
    "GET /webhooks/whatsapp/{organisation_id}",
    "POST /webhooks/whatsapp/{organisation_id}",
    "POST /webhooks/orange/{organisation_id}/{token}",
}
API = {
    "PUT /v1/integrations/{name}",
    "PATCH /v1/integrations/{name}",
    "GET /v1/integrations/{name}",
    "DELETE /v1/integrations/{name}",
    "POST /v1/integrations/{name}/test",
    "POST /v1/preview",
    "POST /v1/messages",
    "GET /v1/messages",
    "GET /v1/messages/{message_id}",
    "POST /v1/messages/lookup",
    "POST /v1/messages/{message_id}/resend",
    "POST /v1/messages/{message_id}/cancel",
    "GET /v1/campaigns",
    "GET /v1/campaigns/{campaign_id}/messages",
    "GET /v1/campaigns/{campaign_id}/statistics",
    "GET /v1/statistics",
    "POST /v1/uploads",
    "GET /v1/distributions",
    "GET /v1/distributions/{distribution_id}",
    "GET /v1/distributions/{distribution_id}/samples",
    "GET /v1/distributions/{distribution_id}/errors",
    "GET /v1/distributions/{distribution_id}/duplicates",
    "POST /v1/distributions/{distribution_id}/confirm",
    "POST /v1/distributions/{distribution_id}/pause",
    "POST /v1/distributions/{distribution_id}/resume",
    "POST /v1/distributions/{distribution_id}/cancel",
    "POST /v1/exports",
    "GET /v1/exports/{export_id}",
    "POST /v1/consents",
    "POST /v1/consents/lookup",
    "POST /v1/erasures",
    "GET /v1/dead-letters",
    "POST /v1/dead-letters/redrive",
    "GET /v1/templates",
    "POST /v1/templates/{name}/submit",
    "GET /v1/integrations/{name}/health",
}
ROUTES = {
    "ApiFunction": API | PUBLIC,
    "BulkFanoutFunction": {"POST /v1/distributions", "POST /v1/distributions/{distribution_id}/retry"},
    "WebhookFunction": WEBHOOKS,
}
BROWSER_HEADERS = {"Authorization", "Content-Type", "Idempotency-Key", "Accept-Language", "Accept"}


def route_key(event: Node) -> str:
    return f"{text(event, 'Method')} {text(event, 'Path')}"


def test_each_route_is_written_out_and_goes_to_its_function(template: Node) -> None:
    found: dict[str, set[str]] = {}
    for function, event in events(template, "HttpApi"):
        assert event["ApiId"] == {"Ref": "HttpApi"}
        found.setdefault(function, set()).add(route_key(event))
    assert found == ROUTES
    assert not [key for keys in found.values() for key in keys if "+}" in key or "$default" in key or "ANY " in key]


def test_every_route_except_webhooks_and_public_ones_needs_a_token(template: Node) -> None:
    assert at(template, "Resources", "HttpApi", "Properties", "Auth", "DefaultAuthorizer") == "Jwt"
    opened = {route_key(event) for _, event in events(template, "HttpApi") if "Auth" in event}
    assert opened == PUBLIC | WEBHOOKS


def test_every_route_without_a_token_has_a_throttle_of_its_own(template: Node) -> None:
    """All callers of a route share its throttle. Together the throttles leave most of the 10,000 requests a second that
    an account has in a region."""
    settings = mapping(properties(template, "HttpApi"), "RouteSettings")
    assert set(settings) == PUBLIC | WEBHOOKS
    for route, its in settings.items():
        assert 0 < number(its, "ThrottlingRateLimit") <= number(its, "ThrottlingBurstLimit"), route
        assert at(its, "DetailedMetricsEnabled") is True, f"{route}: its alarms would see nothing"
    assert sum(number(its, "ThrottlingRateLimit") for its in settings.values()) < 2_500


def test_the_webhooks_throttles_take_all_statuses_of_our_own_messages(template: Node) -> None:
    """Twenty WhatsApp environments send 390 a second at most (docs/scale.md), and Meta sends three statuses for each.
    Ten SMS environments hold ten messages each for at least half a second, and Orange sends two receipts for each."""
    settings = mapping(properties(template, "HttpApi"), "RouteSettings")
    meta = number(settings["POST /webhooks/whatsapp/{organisation_id}"], "ThrottlingRateLimit")
    orange = number(settings["POST /webhooks/orange/{organisation_id}/{token}"], "ThrottlingRateLimit")
    by_queue = {str(at(its, "Queue", "Fn::GetAtt")): concurrency(template, its) for _, its in events(template, "SQS")}
    assert by_queue["WhatsAppQueue.Arn"] * 10 / 0.51 * 3 <= meta
    assert by_queue["SmsQueue.Arn"] * 10 / 0.5 * 2 <= orange


def test_sam_passes_the_throttles_on(tmp_path: Path) -> None:
    document = translate(ROOT / "template.yaml", tmp_path)
    [stage] = [one for one in document["Resources"].values() if one["Type"] == "AWS::ApiGatewayV2::Stage"]
    assert set(stage["Properties"]["RouteSettings"]) == PUBLIC | WEBHOOKS


def _cors(template: Node) -> Node:
    """The configuration with front-end origins. SAM drops it if only `AllowOrigins` is an intrinsic function."""
    chosen = at(properties(template, "HttpApi"), "CorsConfiguration", "Fn::If")
    assert at(chosen, 0) == "HasFrontEnd"
    assert at(chosen, 2) == {"Ref": "AWS::NoValue"}
    return at(chosen, 1)


def test_issuer_audience_and_origins_are_parameters_without_a_default(template: Node) -> None:
    api = properties(template, "HttpApi")
    jwt = mapping(api, "Auth", "Authorizers", "Jwt", "JwtConfiguration")
    assert jwt == {"issuer": {"Ref": "JwtIssuer"}, "audience": [{"Ref": "JwtAudience"}]}
    assert at(_cors(template), "AllowOrigins") == {"Ref": "FrontEndOrigins"}
    for parameter in ("JwtIssuer", "JwtAudience", "FrontEndOrigins"):
        assert "Default" not in mapping(template, "Parameters", parameter)


def test_a_browser_may_send_what_the_contract_names(template: Node) -> None:
    cors = _cors(template)
    headers = at(cors, "AllowHeaders")
    assert isinstance(headers, list)
    assert set(map(str, headers)) >= BROWSER_HEADERS
    methods = at(cors, "AllowMethods")
    assert isinstance(methods, list)
    assert set(map(str, methods)) == {text(event, "Method") for _, event in events(template, "HttpApi")}


def test_access_logs_hold_the_route_and_never_the_path_or_the_query(template: Node) -> None:
    [api] = of_type(template, "AWS::Serverless::HttpApi").values()
    line = text(api, "AccessLogSettings", "Format")
    assert "$context.routeKey" in line
    for leak in ("$context.path", "$context.domain", "query", "sourceIp", "userAgent", "rawPath", "$input"):
        assert leak not in line
