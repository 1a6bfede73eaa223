"""What must become of each row, so that the demo can check itself. Never part of an upload."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class RowDecision(StrEnum):
    """What planning says of a row."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """`status` and `reason` are the message's, of an accepted row; of a rejected one `reason` is the row's code.

    `number` is E.164, for comparing with the simulators' ledger; None where the row holds none.
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
    """`csv` or `dhis2`, as POST /v1/uploads has it."""
    upload: bytes = field(repr=False)
    content: Mapping[str, object]
    defaults: Mapping[str, str]
    expected: tuple[Expected, ...]

    def count(self, decision: RowDecision) -> int:
        """How many rows end so."""
        return sum(1 for each in self.expected if each.decision is decision)
