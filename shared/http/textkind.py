"""What the two language files have in common."""

from enum import StrEnum

type Sentences = tuple[str, ...]


class TextKind(StrEnum):
    """The closed lists of api.md, "Codes". A code may stand in several with different texts (`expired`)."""

    PROBLEM_TITLE = "problem_title"
    PROBLEM_DETAIL = "problem_detail"
    FIELD = "field"
    REASON = "reason"
    """Of a message: the field codes count too."""
    DEAD_LETTER = "dead_letter"
    """Why a message was given up."""
    STATUS_REASON = "status_reason"
    WARNING = "warning"
