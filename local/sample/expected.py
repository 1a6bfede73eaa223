"""What must happen to each row, so that the demo can check itself. An upload never contains it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class RowDecision(StrEnum):
    """What planning decides about a row."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The expected end of one row.

    `status` and `reason` are those of an accepted row's message. For a rejected row, `reason` is the row's error code.
    `number` is E.164, for the comparison with the simulators' ledger; it is None if the row has no number to send to.
    """

    row: int
    decision: RowDecision
    enrollment_id: str
    status: str | None = None
    reason: str | None = None
    number: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """One upload and how to send it."""

    campaign_id: str
    channel: str
    form: str
    """`csv` or `dhis2`: the `format` of POST /v1/uploads."""
    upload: bytes = field(repr=False)
    content: Mapping[str, object]
    defaults: Mapping[str, str]
    expected: tuple[Expected, ...]

    def count(self, decision: RowDecision) -> int:
        """How many rows have this decision."""
        return sum(1 for each in self.expected if each.decision is decision)
