"""Routes for exports. The fan-out function makes the files."""

from shared.api import bodies, documents, validation
from shared.api.request import Request, Scope
from shared.api.response import Response
from shared.api.router import Router
from shared.app.container.api import Api
from shared.base.json import JsonObject
from shared.exports.export import ExportOrder, Kind
from shared.messages.message import Status


def register(router: Router, app: Api) -> None:
    """Add the routes of this module."""

    @router.route("POST /v1/exports", scope=Scope.READ)
    async def ask(request: Request) -> Response:
        body = validation.body(request, "create_export")
        export = await app.exports.request(request.organisation, _order(request, body), request.subject)
        return Response(status=202, body={"export_id": export.export_id, "status": export.status})

    @router.route("GET /v1/exports/{export_id}", scope=Scope.READ)
    async def get(request: Request) -> Response:
        export, url = await app.exports.get(request.organisation, request.path_parameters["export_id"])
        return Response(status=200, body=documents.export(export, url))


def _order(request: Request, body: JsonObject) -> ExportOrder:
    status = bodies.text(body, "status")
    return ExportOrder(
        kind=Kind(str(body["kind"])),
        language="fr" if (bodies.text(body, "language") or request.language) == "fr" else "en",
        campaign_id=bodies.text(body, "campaign_id"),
        distribution_id=bodies.text(body, "distribution_id"),
        status=Status(status) if status else None,
        since=bodies.instant(body, "from"),
        until=bodies.instant(body, "to"),
    )
