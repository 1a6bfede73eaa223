"""Refusals as RFC 9457 documents. Only this module knows a code's HTTP status."""

from collections.abc import Mapping
from typing import Final

from shared.api.response import Response
from shared.api.texts.sentences import Language, TextKind, known_codes, text
from shared.base.json import Renderable
from shared.base.refusal import ApiWarning, FieldError, ProblemCode, Refusal

STATUS: Final[Mapping[ProblemCode, int]] = {
    ProblemCode.BAD_REQUEST: 400,
    ProblemCode.FORBIDDEN: 403,
    ProblemCode.NOT_FOUND: 404,
    ProblemCode.IDEMPOTENCY_KEY_MISSING: 400,
    ProblemCode.IDEMPOTENCY_KEY_REUSED: 422,
    ProblemCode.IDEMPOTENCY_IN_PROGRESS: 409,
    ProblemCode.INTEGRATION_MISSING: 409,
    ProblemCode.TEMPLATE_MISSING: 409,
    ProblemCode.QUIET_HOURS: 409,
    ProblemCode.UPLOAD_MISSING: 409,
    ProblemCode.USE_UPLOAD: 413,
    ProblemCode.STATE_CONFLICT: 409,
    ProblemCode.PROVIDER_REFUSED: 502,
    ProblemCode.TOO_LARGE: 413,
    ProblemCode.UNSUPPORTED_MEDIA_TYPE: 415,
    ProblemCode.UNPROCESSABLE: 422,
    ProblemCode.RATE_LIMITED: 429,
}

_UNEXPECTED: Final[Mapping[Language, tuple[str, str]]] = {
    "en": ("Something went wrong here", "It is an error on our side, and we have logged it. Try again in a minute."),
    "fr": ("Une erreur s’est produite chez nous", "Elle a été enregistrée. Réessayez dans une minute."),
}

_NOT_VERIFIED: Final[Mapping[Language, tuple[str, str]]] = {
    "en": ("The sender is not verified", "The signature, the token or the address is wrong. Nothing was taken."),
    "fr": ("L’expéditeur n’est pas vérifié", "La signature, le jeton ou l’adresse est faux. Rien n’a été pris."),
}


def document(refusal: Refusal, language: Language) -> dict[str, Renderable]:
    """The problem document. `type` links to the code's line in /docs. `errors` is there only if there are field
    errors."""
    facts = _with_advice(refusal.facts, language)
    problem: dict[str, Renderable] = {
        "type": f"/docs#problem-{refusal.code}",
        "title": text(TextKind.PROBLEM_TITLE, refusal.code, language, facts),
        "status": STATUS[refusal.code],
        "detail": text(TextKind.PROBLEM_DETAIL, refusal.code, language, facts),
        "code": refusal.code,
    }
    if refusal.field_errors:
        problem["errors"] = [field_error_document(field_error, language) for field_error in refusal.field_errors]
    return problem


def response(refusal: Refusal, language: Language) -> Response:
    """The whole answer to a refused request. `retry-after` is there if the time is known."""
    headers = {"retry-after": seconds} if (seconds := refusal.facts.get("retry_after")) else {}
    return _problem(STATUS[refusal.code], document(refusal, language), language, headers)


def unexpected(language: Language) -> Response:
    """For an error of ours: 500 without details."""
    return _without_code(500, _UNEXPECTED[language], language)


def not_verified(language: Language) -> Response:
    """For a webhook whose sender is not proved: 401."""
    return _without_code(401, _NOT_VERIFIED[language], language)


def _without_code(status: int, texts: tuple[str, str], language: Language) -> Response:
    """A problem for which api.md's closed list has no code. `texts`: title and detail."""
    title, detail = texts
    return _problem(status, {"type": "about:blank", "title": title, "status": status, "detail": detail}, language)


def field_error_document(field_error: FieldError, language: Language) -> dict[str, Renderable]:
    """One of `errors`. `row`, `line`, `enrollment_id` and `recipient` are there only if they are known."""
    entry: dict[str, Renderable] = {} if field_error.row is None else {"row": field_error.row}
    entry |= {
        "field": field_error.field,
        "code": field_error.code,
        "message": text(TextKind.FIELD, field_error.code, language, field_error.facts),
    }
    optional = {
        "enrollment_id": field_error.enrollment_id,
        "recipient": field_error.recipient,
        "line": field_error.line,
    }
    return entry | {name: value for name, value in optional.items() if value is not None}


def warning_document(warning: ApiWarning, language: Language) -> dict[str, Renderable]:
    """One of `warnings`."""
    count = {} if warning.count is None else {"count": str(warning.count)}
    message = text(TextKind.WARNING, warning.code, language, {**count, **warning.facts})
    entry: dict[str, Renderable] = {"code": warning.code, "message": message}
    return entry if warning.count is None else entry | {"count": warning.count}


def _problem(
    status: int, body: dict[str, Renderable], language: Language, more: Mapping[str, str] | None = None
) -> Response:
    headers = {"content-type": "application/problem+json", "content-language": language}
    return Response(status=status, body=body, headers=headers | dict(more or {}))


def _with_advice(facts: Mapping[str, str], language: Language) -> Mapping[str, str]:
    """Adds the advice for a provider's refusal: the text of our reason for it."""
    reason = facts.get("reason", "")
    for kind in (TextKind.STATUS_REASON, TextKind.REASON, TextKind.FIELD):
        if reason in known_codes(kind, language):
            return {**facts, "advice": text(kind, reason, language, {"provider": facts.get("provider", "")})}
    return facts
