"""GET /openapi.json and GET /docs: the document, and the same as one page that loads nothing from anywhere."""

from shared.api import openapi
from shared.api.request import Request
from shared.api.response import Response
from shared.base.json import JsonObject

_CACHED = {"cache-control": "public, max-age=300"}


def openapi_response(request: Request, public_base_url: str = "") -> Response:
    """The document with the server that the client used, or `public_base_url` where that is set."""
    served: JsonObject = {**openapi.document(), "servers": [{"url": public_base_url.rstrip("/") or request.base_url}]}
    return Response(status=200, body=served, headers={**_CACHED, "access-control-allow-origin": "*"})


def docs_response(request: Request) -> Response:
    """A page of HTML and CSS, without scripts; the texts of problems in the reader's language."""
    from shared.api import page  # noqa: PLC0415 - for the few who read it, not at a cold start

    headers = {
        **_CACHED,
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        "vary": "accept-language",
    }
    return Response(status=200, body=page.html(openapi.document(), request.language), headers=headers)
