"""The columns of each list, in the order in which an officer reads them: what became of whom, when, and why; then what
it belongs to; the identifiers at the end.

A column shows a field of the API's document of the row. `tests/unit/exports/test_columns.py` checks that no field of
the documents lacks a column.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property

from shared.exports.export import Kind
from shared.messages.message import Status

VIA = ("distribution", "single", "test", "fallback", "resend", "reply")
"""How a message was made, in api.md's words."""

SCOPES = ("country", "template", "cards", "account", "brake")
"""What a hold covers, in api.md's words."""


class Form(Enum):
    """How a value is written."""

    PLAIN = auto()
    DECIMAL = auto()
    """With the decimal sign of the language, so that a spreadsheet can add it up."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """`field`: "price.amount" is the field `amount` of the field `price`. `terms`: codes that are shown in the
    language's own terms."""

    field: str
    form: Form = Form.PLAIN
    terms: tuple[str, ...] = ()

    @cached_property
    def path(self) -> tuple[str, ...]:
        """The names of the field and of those around it."""
        return tuple(self.field.split("."))


def _plain(*fields: str) -> tuple[Column, ...]:
    return tuple(Column(field=field) for field in fields)


COLUMNS: Mapping[Kind, tuple[Column, ...]] = {
    Kind.MESSAGES: (
        *_plain("timestamp", "recipient", "country", "channel"),
        Column(field="status", terms=tuple(Status)),
        *_plain("reason_text", "sent_at", "delivered_at", "read_at", "failed_at"),
        *_plain("scheduled_for", "next_attempt_at", "hold.reason_text"),
        Column(field="hold.scope", terms=SCOPES),
        *_plain("hold.key", "campaign_id", "enrollment_id"),
        Column(field="via", terms=VIA),
        *_plain("template", "language", "segments"),
        Column(field="price.amount", form=Form.DECIMAL),
        *_plain("price.currency", "attempts", "created_by", "reason", "hold.reason"),
        *_plain("message_id", "distribution_id", "parent_message_id", "successor_message_id", "provider_message_id"),
    ),
    Kind.REJECTED_ROWS: _plain("row", "line", "recipient", "enrollment_id", "message", "field", "code"),
    Kind.DUPLICATES: _plain("row", "duplicate_of", "recipient", "enrollment_id"),
}
