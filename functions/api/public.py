"""Routes that need no token: health and the API's documents."""

from shared.api import docs
from shared.api.request import Request
from shared.api.response import Response
from shared.api.router import Router


def register(router: Router, public_base_url: str) -> None:
    """Add the routes of this module."""

    @router.route("GET /health", scope=None)
    def health(_: Request) -> Response:
        return Response(status=200, body={"status": "ok"})

    @router.route("GET /openapi.json", scope=None)
    def openapi(request: Request) -> Response:
        return docs.openapi_response(request, public_base_url)

    @router.route("GET /docs", scope=None)
    def pages(request: Request) -> Response:
        return docs.docs_response(request)
