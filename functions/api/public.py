"""Routes that need no token: health and the API's documents."""

from shared.api import openapi
from shared.api.request import Request
from shared.api.response import Response
from shared.api.router import Router
from shared.base.json import JsonObject

_CACHED = {"cache-control": "public, max-age=300"}


def register(router: Router, public_base_url: str) -> None:
    """Add the routes of this module."""

    @router.route("GET /health", scope=None)
    def health(_: Request) -> Response:
        return Response(status=200, body={"status": "ok"})

    @router.route("GET /openapi.json", scope=None)
    def document(request: Request) -> Response:
        return openapi_response(request, public_base_url)

    @router.route("GET /docs", scope=None)
    def docs(request: Request) -> Response:
        return docs_response(request)


def openapi_response(request: Request, public_base_url: str = "") -> Response:
    """Answer the document. Its server is `public_base_url`; if that is empty, the host of the request."""
    served: JsonObject = {**openapi.document(), "servers": [{"url": public_base_url.rstrip("/") or request.base_url}]}
    return Response(status=200, body=served, headers={**_CACHED, "access-control-allow-origin": "*"})


def docs_response(request: Request) -> Response:
    """Answer a page of HTML and CSS, without scripts. The texts of problems are in the reader's language."""
    from shared.api import page  # noqa: PLC0415 - few requests need it; a cold start does not

    headers = {
        **_CACHED,
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        "vary": "accept-language",
    }
    return Response(status=200, body=page.html(openapi.document(), request.language), headers=headers)
