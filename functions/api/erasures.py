"""Erasure. Its work is done by the fan-out function; the opt-out stands at once."""

from functions.api.deps import Deps
from shared.api import validation
from shared.api.request import Request, Scope
from shared.api.response import Response
from shared.api.router import Router


def register(router: Router, deps: Deps) -> None:
    """The routes of this module."""

    @router.route("POST /v1/erasures", scope=Scope.ADMIN)
    async def erase(request: Request) -> Response:
        body = validation.body(request, "erase_person")
        await deps.erasures.accept(request.organisation, str(body["phone"]))
        return Response(status=202)
