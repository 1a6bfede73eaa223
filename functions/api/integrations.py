"""Routes for Settings > Integrations, and for test sends."""

from uuid import uuid4

from shared.api import documents, health, validation
from shared.api.request import Request, Scope
from shared.api.response import Response
from shared.api.router import Router
from shared.app.container.api import Api
from shared.base.refusal import ProblemCode, Refusal
from shared.integrations.administration import Saved, warnings_of
from shared.integrations.integration import SmsIntegration, WhatsAppIntegration
from shared.messages.payload import Channel
from shared.sending.channel import settings_of
from shared.sending.test_send import NewTestSend

_NAMES = ("whatsapp", "sms", "dhis2")


def register(router: Router, app: Api, public_base_url: str) -> None:
    """Add the routes of this module."""

    @router.route("PUT /v1/integrations/{name}", scope=Scope.ADMIN)
    async def put(request: Request) -> Response:
        name = _name(request, _NAMES)
        body = validation.body(request, f"put_{name}_integration")
        saved = await app.administration.put(request.organisation, name, body)
        return Response(status=200, body=_document(public_base_url or request.base_url, request, saved))

    @router.route("PATCH /v1/integrations/{name}", scope=Scope.ADMIN)
    async def patch(request: Request) -> Response:
        name = _name(request, _NAMES)
        body = validation.body(request, f"patch_{name}_integration")
        saved = await app.administration.patch(request.organisation, name, body)
        return Response(status=200, body=_document(public_base_url or request.base_url, request, saved))

    @router.route("GET /v1/integrations/{name}", scope=Scope.ADMIN)
    async def get(request: Request) -> Response:
        found = await app.administration.get(request.organisation, _name(request, _NAMES))
        unchanged = Saved(integration=found)
        return Response(status=200, body=_document(public_base_url or request.base_url, request, unchanged))

    @router.route("DELETE /v1/integrations/{name}", scope=Scope.ADMIN)
    async def delete(request: Request) -> Response:
        await app.administration.delete(request.organisation, _name(request, _NAMES))
        return Response(status=204)

    @router.route("GET /v1/integrations/{name}/health", scope=Scope.ADMIN)
    async def examine(request: Request) -> Response:
        name = _name(request, ("whatsapp", "sms"))
        integration = await settings_of(app.adapters.integrations, request.organisation, Channel(name), uncached=True)
        if integration is None:
            raise Refusal(ProblemCode.INTEGRATION_MISSING, integration=name)
        if isinstance(integration, WhatsAppIntegration):
            found = await app.whatsapp_health.examine(integration)
        else:
            found = await app.sms_health.examine(integration)
        return Response(status=200, body=health.document(found, request.language, integration.provider))

    @router.route("POST /v1/integrations/{name}/test", scope=Scope.ADMIN)
    async def test(request: Request) -> Response:
        channel = Channel(_name(request, ("whatsapp", "sms")))
        body = validation.body(request, f"test_{channel}_integration")
        settings = await app.setting_reader.read(request.organisation, channel)
        new = NewTestSend(
            to=str(body["to"]),
            language=str(body.get("language") or request.language),
            message_id=str(uuid4()),
            created_by=request.caller_name,
        )
        if channel is Channel.SMS:
            sent = await app.send_test.send(app.sms_test_step, settings, new)
        else:
            sent = await app.send_test.send(app.whatsapp_test_step, settings, new)
        return Response(
            status=200,
            body={
                "message_id": sent.message_id,
                "provider_message_id": sent.provider_message_id,
                "status": "sent",
            },
        )


def _name(request: Request, names: tuple[str, ...]) -> str:
    name = request.path_parameters.get("name", "")
    if name not in names:
        raise Refusal(ProblemCode.NOT_FOUND)
    return name


def _document(base_url: str, request: Request, saved: Saved) -> documents.Document:
    found = saved.integration
    if isinstance(found, WhatsAppIntegration):
        shown = found.verify_token.value if saved.made_verify_token else None
        document = documents.whatsapp(found, base_url, shown_once=shown)
    elif isinstance(found, SmsIntegration):
        document = documents.sms(found, base_url)
    else:
        document = documents.dhis2(found)
    return document | {"warnings": documents.warning_documents(warnings_of(found), request.language)}
