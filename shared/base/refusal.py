"""What the API answers to a request that it refuses: codes of api.md, and the facts that their texts show. The texts
themselves are in `shared/api`.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One error in one field, with a code of api.md, "Fields and rows".

    `facts` fill its text ({"name": "first_nmae"}, {"hosts": "…"}); they never hold a person's number, name, code or
    text. `row` counts from 1 if the request has rows. `line` is the file's line where the row begins. `recipient` is
    masked.
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
    """A warning: the request goes on. `code` is one of api.md's "Warnings"."""

    code: str
    count: int | None = None
    facts: Mapping[str, str] = dataclasses.field(default_factory=dict)


class ProblemCode(StrEnum):
    """The codes of api.md, "Codes", Problems. `shared/api` knows each one's HTTP status and texts."""

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


class Refusal(Exception):  # noqa: N818 - it is an answer to the caller, not a failure
    """The request is not carried out; nothing was stored or sent. `facts`: as in `FieldError`."""

    def __init__(self, code: ProblemCode, field_errors: tuple[FieldError, ...] = (), **facts: str) -> None:
        super().__init__(code)
        self.code = code
        self.field_errors = field_errors
        self.facts = facts
