"""Erasure. Its work is done by the fan-out function; the opt-out stands at once."""

from shared.api import validation
from shared.api.request import Request, Scope
from shared.api.response import Response
from shared.api.router import Router
from shared.app.container.api import Api


def register(router: Router, app: Api) -> None:
    """The routes of this module."""

    @router.route("POST /v1/erasures", scope=Scope.ADMIN)
    async def erase(request: Request) -> Response:
        body = validation.body(request, "erase_person")
        await app.erasures.accept(request.organisation, str(body["phone"]))
        return Response(status=202)
