"""An answer for API Gateway's HTTP API (payload format 2.0), and items as CSV (RFC 4180).

A CSV has fixed columns, flattened nested fields, and nothing that a spreadsheet would run. It has no byte order mark:
programs that find the first column by its name would fail. The front end adds one to the file that an officer saves.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import TypedDict
from urllib.parse import urlencode

from shared.api.request import Request
from shared.base.instants import rfc3339
from shared.base.json import Renderable, render

type Columns = tuple[str, ...]
"""Names of fields. "price.amount" is the field `amount` of the field `price`; its column is called price_amount."""

MESSAGE_COLUMNS: Columns = (
    "message_id",
    "timestamp",
    "channel",
    "status",
    "reason",
    "provider_message_id",
    "recipient",
    "campaign_id",
    "enrollment_id",
    "distribution_id",
    "parent_message_id",
    "segments",
    "price.amount",
    "price.currency",
    "scheduled_for",
    "sent_at",
    "delivered_at",
    "read_at",
    "failed_at",
    "attempts",
)

ERROR_COLUMNS: Columns = ("row", "field", "code", "message", "enrollment_id", "recipient", "line")

_RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

_MASKED_NUMBER = re.compile(r"\+\d{1,5}\*{3}\d{4}")


def csv_text(items: Iterable[Mapping[str, Renderable]], columns: Columns) -> str:
    """A header line and a line for each item. A null or absent value is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([column.replace(".", "_") for column in columns])
    writer.writerows([[_cell(_field(item, column)) for column in columns] for item in items])
    return out.getvalue()


def _field(item: Mapping[str, Renderable], column: str) -> Renderable:
    value: Renderable = item
    for name in column.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _cell(value: Renderable) -> str:
    match value:
        case None:
            return ""
        case str():
            return _harmless(value)
        case datetime():
            return rfc3339(value)
        case Decimal():
            return format(value, "f")
        case _:
            return render(value)


def _harmless(text: str) -> str:
    """A text that a spreadsheet would run as a formula gets an apostrophe. A masked number needs none, because it has
    ***."""
    if text.startswith(_RUN_BY_SPREADSHEETS) and not _MASKED_NUMBER.fullmatch(text):
        return "'" + text
    return text


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
