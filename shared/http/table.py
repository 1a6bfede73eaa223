"""Lists as CSV (RFC 4180): fixed columns, nested fields flattened, nothing that a spreadsheet would run.

No byte order mark: programs that read the first column by its name would trip over it, and what an officer saves from
the front end gets one there.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from shared.domain.instants import rfc3339
from shared.http.jsontext import Renderable, render

type Columns = tuple[str, ...]
"""Names of fields; "price.amount" is the field `amount` of the field `price` and heads its column as price_amount."""

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
    """A header line and a line for each item; what is null or absent is empty."""
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
    """A text that a spreadsheet would take for a formula gets an apostrophe. A masked number is none: it has ***."""
    if text.startswith(_RUN_BY_SPREADSHEETS) and not _MASKED_NUMBER.fullmatch(text):
        return "'" + text
    return text
