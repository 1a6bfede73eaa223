"""An answer, as API Gateway's HTTP API takes it (payload format 2.0)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypedDict
from urllib.parse import urlencode

from shared.http import negotiation, table
from shared.http.jsontext import Renderable, render
from shared.http.request import Request

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
    """`body` None is no body at all, a text goes out as it is, all else as JSON. Header names in lower case."""

    status: int
    body: Renderable = field(default=None, repr=False)
    headers: Mapping[str, str] = _NO_HEADERS

    def to_event(self) -> GatewayResponse:
        """With a content type unless `headers` names one."""
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


def list_response(
    request: Request,
    items: Sequence[Mapping[str, Renderable]],
    next_cursor: str | None,
    columns: table.Columns | None = None,
) -> Response:
    """A page of a list: JSON, or CSV where the client prefers it and the list has `columns`.

    A CSV has no room for `next_cursor`: it goes out as `Link: <?…>; rel="next"` (RFC 8288), and so it does with JSON.
    """
    headers = {"vary": "accept"} if columns else {}
    if next_cursor is not None:
        headers["link"] = f'<?{urlencode({**request.query, "cursor": next_cursor})}>; rel="next"'
    if columns and negotiation.prefers_csv(request.headers.get("accept", "")):
        headers["content-type"] = "text/csv; charset=utf-8; header=present"
        return Response(status=200, body=table.csv_text(items, columns), headers=headers)
    return Response(status=200, body={"items": items, "next_cursor": next_cursor}, headers=headers)


def _text(body: Renderable) -> str:
    if body is None:
        return ""
    return body if isinstance(body, str) else render(body)
