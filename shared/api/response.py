"""An answer for API Gateway's HTTP API (payload format 2.0)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypedDict
from urllib.parse import urlencode

from shared.api.request import Request
from shared.base.json import Renderable, render

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})

_ALWAYS = {
    "cache-control": "no-store",  # answers hold settings and logs of one organisation
    "x-content-type-options": "nosniff",
}


class GatewayResponse(TypedDict):
    """What a function returns to the gateway."""

    statusCode: int
    headers: dict[str, str]
    body: str
    isBase64Encoded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """`body` None: no body; a text is sent as it is; all else as JSON. Header names are in lower case."""

    status: int
    body: Renderable = field(default=None, repr=False)
    headers: Mapping[str, str] = _NO_HEADERS

    def to_event(self) -> GatewayResponse:
        """The answer for the gateway. It gets a content type unless `headers` has one."""
        headers = dict(_ALWAYS)
        if isinstance(self.body, str):
            headers["content-type"] = "text/plain; charset=utf-8"
        elif self.body is not None:
            headers["content-type"] = "application/json"
        return GatewayResponse(
            statusCode=self.status,
            headers=headers | dict(self.headers),
            body=_text(self.body),
            isBase64Encoded=False,
        )


def list_response(request: Request, items: Sequence[Mapping[str, Renderable]], next_cursor: str | None) -> Response:
    """A page of a list. It is always JSON: whole files come from exports (api.md, Lists).

    The next page is also in the header `Link: <?…>; rel="next"` (RFC 8288).
    """
    headers = {}
    if next_cursor is not None:
        headers["link"] = f'<?{urlencode({**request.query, "cursor": next_cursor})}>; rel="next"'
    return Response(status=200, body={"items": items, "next_cursor": next_cursor}, headers=headers)


def _text(body: Renderable) -> str:
    if body is None:
        return ""
    return body if isinstance(body, str) else render(body)
