"""What is told to the person who asked: codes of api.md and the facts their texts name. The texts live at the edge."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One thing that is wrong with one field, in a code of api.md's "Fields and rows".

    `facts` are what its text names ({"name": "first_nmae"}, {"hosts": "…"}): never a number, a name, a code or a text
    of a person. `row` counts from 1 where there are rows, `line` is where it begins in the file; `recipient` is masked.
    """

    field: str
    code: str
    facts: Mapping[str, str] = dataclasses.field(default_factory=dict)
    row: int | None = None
    enrollment_id: str | None = None
    recipient: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiWarning:
    """What does not stop a request but should be known: a code of api.md's "Warnings"."""

    code: str
    count: int | None = None
    facts: Mapping[str, str] = dataclasses.field(default_factory=dict)


class ProblemCode(StrEnum):
    """api.md, "Codes", Problems. The edge knows each one's HTTP status and texts."""

    BAD_REQUEST = "bad_request"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    IDEMPOTENCY_KEY_MISSING = "idempotency_key_missing"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    IDEMPOTENCY_IN_PROGRESS = "idempotency_in_progress"
    INTEGRATION_MISSING = "integration_missing"
    TEMPLATE_MISSING = "template_missing"
    QUIET_HOURS = "quiet_hours"
    UPLOAD_MISSING = "upload_missing"
    USE_UPLOAD = "use_upload"
    STATE_CONFLICT = "state_conflict"
    PROVIDER_REFUSED = "provider_refused"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    UNPROCESSABLE = "unprocessable"
    RATE_LIMITED = "rate_limited"


class Refusal(Exception):  # noqa: N818 - not an error of ours: an answer
    """A request that is not carried out. Nothing was stored or sent. `facts` as in `FieldError`."""

    def __init__(self, code: ProblemCode, field_errors: tuple[FieldError, ...] = (), **facts: str) -> None:
        super().__init__(code)
        self.code = code
        self.field_errors = field_errors
        self.facts = facts
