"""Templates: what can be named, and what Meta is asked to review."""

from functions.api.deps import Deps
from shared.domain.catalogue import READY_ONLY
from shared.http import documents
from shared.http.request import Request, Scope
from shared.http.response import Response, list_response
from shared.http.router import Router


def register(router: Router, deps: Deps) -> None:
    """The routes of this module."""

    @router.route("GET /v1/templates", scope=Scope.READ)
    async def browse(request: Request) -> Response:
        integration = await deps.stores.integrations.whatsapp(request.organisation, fresh=True)
        catalogue = await deps.account.templates.catalogue(integration) if integration else READY_ONLY
        return list_response(request, documents.templates(catalogue), None)

    @router.route("POST /v1/templates/{name}/submit", scope=Scope.ADMIN)
    async def submit(request: Request) -> Response:
        integration = await deps.stores.integrations.whatsapp(request.organisation, fresh=True)
        await deps.account.templates.submit(integration, request.path_parameters["name"])
        return Response(status=202, body={"status": "pending"})
