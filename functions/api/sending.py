"""Routes for previews and single sends."""

from shared.api import bodies, documents, validation
from shared.api.request import Request, Scope, body_hash, idempotency_key
from shared.api.response import Response
from shared.api.router import Router
from shared.app.container.api import Api
from shared.messages.message import Message
from shared.messages.payload import Channel
from shared.messages.single import NewMessage
from shared.policy.eligibility import Row
from shared.policy.setting import check, check_with


def register(router: Router, app: Api) -> None:
    """Add the routes of this module."""

    @router.route("POST /v1/preview", scope=Scope.READ)
    async def preview(request: Request) -> Response:
        body = validation.body(request, "preview")
        channel, content = Channel(str(body["channel"])), bodies.content(body)
        check(channel, content)
        recipients = bodies.objects(body, "recipients") or []
        settings = await app.setting_reader.read(
            request.organisation, channel, needs_dhis2=any("dhis2" in one for one in recipients)
        )
        check_with(settings, content)
        frame = settings.frame(content, bodies.obj(body, "defaults"))
        rows = [Row(number=number, raw=raw) for number, raw in enumerate(recipients, start=1)]
        row_results = await app.eligibility.check_rows(request.organisation, rows, frame, app.adapters.clock.now())
        items = [documents.preview(row_result, request.language) for row_result in row_results]
        return Response(status=200, body={"items": list(items)})

    @router.route("POST /v1/messages", scope=Scope.SEND)
    async def send(request: Request) -> Response:
        key = idempotency_key(request)
        body = validation.body(request, "send_message")
        message = await app.single_sends.create(
            NewMessage(
                organisation=request.organisation,
                key=key,
                request_hash=body_hash(body, secret=app.adapters.number_key_bytes),
                channel=Channel(str(body["channel"])),
                campaign_id=str(body["campaign_id"]),
                recipient=bodies.obj(body, "recipient"),
                content=bodies.content(body),
                send_at=bodies.instant(body, "send_at"),
                fallback=bodies.fallback(body),
                created_by=request.caller_name,
            )
        )
        return _accepted(message)

    @router.route("POST /v1/messages/{message_id}/resend", scope=Scope.SEND)
    async def resend(request: Request) -> Response:
        message_id = request.path_parameters["message_id"]
        return _accepted(await app.resends.resend(request.organisation, message_id, request.caller_name))

    @router.route("POST /v1/messages/{message_id}/cancel", scope=Scope.SEND)
    async def cancel(request: Request) -> Response:
        await app.message_cancels.cancel(request.organisation, request.path_parameters["message_id"])
        view = await app.browse.message(request.organisation, request.path_parameters["message_id"])
        document = documents.message(view, app.adapters.clock.now(), request.language)
        return Response(status=200, body=document)


def _accepted(message: Message) -> Response:
    """Return the same answer for every repetition of a request. The log shows what has happened since."""
    answer: documents.Document = {
        "message_id": message.message_id,
        "status": "pending",
        "scheduled_for": message.scheduled_for,
    }
    return Response(status=202, body=answer)
