from enum import StrEnum


class ProblemCode(StrEnum):
    BAD_REQUEST = "bad_request"
    FORBIDDEN = "forbidden"
    IDEMPOTENCY_IN_PROGRESS = "idempotency_in_progress"
    IDEMPOTENCY_KEY_MISSING = "idempotency_key_missing"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    INTEGRATION_MISSING = "integration_missing"
    NOT_FOUND = "not_found"
    PROVIDER_REFUSED = "provider_refused"
    QUIET_HOURS = "quiet_hours"
    RATE_LIMITED = "rate_limited"
    STATE_CONFLICT = "state_conflict"
    TEMPLATE_MISSING = "template_missing"
    TOO_LARGE = "too_large"
    UNPROCESSABLE = "unprocessable"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    UPLOAD_MISSING = "upload_missing"
    USE_UPLOAD = "use_upload"

    def __str__(self) -> str:
        return str(self.value)
