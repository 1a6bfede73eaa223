"""Routes for templates: list the usable ones, and submit one to Meta for review."""

from shared.api import cursor, documents, validation
from shared.api.request import Request, Scope
from shared.api.response import Response, list_response
from shared.api.router import Router
from shared.app.container.api import Api
from shared.texts.templates import READY_ONLY


def register(router: Router, app: Api) -> None:
    """Add the routes of this module."""

    @router.route("GET /v1/templates", scope=Scope.READ)
    async def browse(request: Request) -> Response:
        query = validation.query(request, "list_templates")
        binding = cursor.Binding(request.organisation, "list_templates", query.filters)
        _, start = cursor.place_of(query.cursor, binding)
        integration = await app.adapters.integrations.whatsapp(request.organisation, uncached=True)
        catalogue = await app.templates.catalogue(integration) if integration else READY_ONLY
        items, end = documents.templates(catalogue), start + query.limit
        place = f"0.{end}" if end < len(items) else None
        return list_response(request, items[start:end], cursor.following(place, binding))

    @router.route("POST /v1/templates/{name}/submit", scope=Scope.ADMIN)
    async def submit(request: Request) -> Response:
        integration = await app.adapters.integrations.whatsapp(request.organisation, uncached=True)
        await app.templates.submit(integration, request.path_parameters["name"])
        return Response(status=202, body={"status": "pending"})
