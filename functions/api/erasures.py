"""The route for erasures. The opt-out takes effect at once; the fan-out function does the rest."""

from shared.api import validation
from shared.api.request import Request, Scope
from shared.api.response import Response
from shared.api.router import Router
from shared.app.container.api import Api


def register(router: Router, app: Api) -> None:
    """Add the routes of this module."""

    @router.route("POST /v1/erasures", scope=Scope.ADMIN)
    async def erase(request: Request) -> Response:
        body = validation.body(request, "erase_person")
        await app.erasures.accept(request.organisation, str(body["phone"]))
        return Response(status=202)
