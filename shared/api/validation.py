"""Request bodies and queries against the OpenAPI document.

Not JSON, wrong types, unknown and missing fields and ill-formed values are bad_request. A number outside its limits, or
a list or text too long or too short, is unprocessable: it was understood, its content cannot be accepted. In a query
everything is bad_request.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.api import openapi
from shared.api.jsontext import parse
from shared.api.request import Request
from shared.api.schema import Breach, Violation, violations, without_nulls
from shared.base.instants import from_rfc3339
from shared.base.json import JsonObject, JsonValue
from shared.base.refusal import FieldError, ProblemCode, Refusal
from shared.texts.characters import carriable_document

MAX_BODY_BYTES = 4_000_000

MAX_INLINE_RECIPIENTS = 5_000

MAX_UPLOAD_BYTES = 2_000_000_000

_MAX_FIELD_ERRORS = 100

_DISTRIBUTION = "create_distribution"

_UPLOAD = "create_upload"

_OF_A_MESSAGE = frozenset({"recipient", "recipients", "defaults", "content", "fallback"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A list's query. `filters` are as they were given, without limit and cursor, with the path's parameters: what a
    cursor is bound to."""

    limit: int
    cursor: str | None
    filters: Mapping[str, str]

    def time(self, name: str) -> datetime | None:
        """In UTC."""
        return from_rfc3339(_with_plus(self.filters[name])) if name in self.filters else None

    def unspaced(self, name: str) -> str | None:
        """A value that never holds blanks: a + that stood unescaped is put back."""
        return _with_plus(self.filters[name]) if name in self.filters else None


def body(request: Request, operation: str) -> JsonObject:
    """The JSON object, sound by the schema of `operation` (an operationId). Refusal otherwise.

    Fields that are null are left out of it.

    unsupported_media_type, too_large, use_upload (a distribution's body over 4 MB or 5,000 recipients), bad_request,
    unprocessable. A missing Content-Type passes for JSON. Characters that no message can carry are removed, but not
    from the values and texts of messages: those who compose them remove them there, with a warning.
    """
    _refuse_other_media(request)
    if len(request.body) > MAX_BODY_BYTES:
        raise _too_large(operation)
    schema = openapi.body_schema(operation)
    found = openapi.as_object(without_nulls(schema, _parsed(request.body)))
    _refuse_too_many(found, operation)
    plain = _carriable(found)
    _refuse([one for one in violations(schema, plain) if not _checked_by_planning(one)])
    return plain | {name: found[name] for name in found.keys() & _OF_A_MESSAGE}


def query(request: Request, operation: str) -> Query:
    """The query and the path's parameters, sound by the document. Refusal (bad_request) otherwise.

    An empty value counts as absent: forms send those. Whoever gives two values means one that we cannot know.
    """
    declared = {str(p["name"]): p for p in openapi.parameters(operation) if p["in"] in {"query", "path"}}
    if twice := sorted(request.repeated & declared.keys()):
        raise Refusal(ProblemCode.BAD_REQUEST, tuple(map(_given_twice, twice)))
    given = {name: value for name, value in {**request.query, **request.path_parameters}.items() if value != ""}
    typed: JsonObject = {name: _typed(declared.get(name), value) for name, value in given.items()}
    schema: JsonObject = {
        "type": "object",
        "properties": {name: parameter["schema"] for name, parameter in declared.items()},
        "additionalProperties": False,
    }
    if found := violations(schema, typed):
        raise Refusal(ProblemCode.BAD_REQUEST, _field_errors(found))
    limit = typed.pop("limit", 50)
    return Query(
        limit=limit if isinstance(limit, int) else 50,
        cursor=given.get("cursor"),
        filters={name: value for name, value in sorted(given.items()) if name not in {"limit", "cursor"}},
    )


def _given_twice(name: str) -> FieldError:
    return FieldError(field=name, code="field_invalid", facts={"only_one_of": f"{name} / {name}"})


def _typed(parameter: JsonObject | None, value: str) -> JsonValue:
    """A whole number where the document asks for one; a + that stood unescaped where no blank may be is put back."""
    schema = openapi.as_object(parameter["schema"]) if parameter else {}
    if schema.get("type") == "integer" and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return _with_plus(value) if schema.get("format") in {"date-time", "provider-message-id"} else value


def _with_plus(value: str) -> str:
    return value.replace(" ", "+")


def _refuse_other_media(request: Request) -> None:
    media_type, *parameters = (part.strip() for part in request.headers.get("content-type", "").lower().split(";"))
    charsets = [p.partition("=")[2].strip('"') for p in parameters if p.startswith("charset=")]
    if media_type not in {"", "application/json"} or not set(charsets) <= {"utf-8", "utf8"}:
        raise Refusal(ProblemCode.UNSUPPORTED_MEDIA_TYPE)


def _parsed(raw: bytes) -> JsonObject:
    try:
        found = parse(raw)
    except ValueError as error:
        raise _unreadable() from error
    if not isinstance(found, dict):
        raise _unreadable()
    return found


def _carriable(found: JsonObject) -> JsonObject:
    try:
        return {name: carriable_document(one) for name, one in found.items()}
    except RecursionError as error:
        raise _unreadable() from error


def _unreadable() -> Refusal:
    field_error = FieldError(field="body", code="field_invalid", facts={"format": "json"})
    return Refusal(ProblemCode.BAD_REQUEST, (field_error,))


def _refuse_too_many(found: JsonObject, operation: str) -> None:
    """Before the schema: these have answers of their own in api.md."""
    recipients, size = found.get("recipients"), found.get("bytes")
    if operation == _DISTRIBUTION and isinstance(recipients, list) and len(recipients) > MAX_INLINE_RECIPIENTS:
        raise Refusal(ProblemCode.USE_UPLOAD)
    if operation == _UPLOAD and isinstance(size, int) and size > MAX_UPLOAD_BYTES:
        raise Refusal(ProblemCode.TOO_LARGE, limit="2 GB")


def _too_large(operation: str) -> Refusal:
    if operation == _DISTRIBUTION:
        return Refusal(ProblemCode.USE_UPLOAD)
    return Refusal(ProblemCode.TOO_LARGE, limit="4 MB")


def _checked_by_planning(violation: Violation) -> bool:
    """A value inside a list of recipients rejects its row, as it does in an uploaded file, not the request."""
    return violation.path[:1] == ("recipients",) and len(violation.path) > 1 and violation.breach is not Breach.SHAPE


def _refuse(found: list[Violation]) -> None:
    """A wrong shape (type, unknown or missing field) is 400; a value that cannot be accepted is 422 (api.md)."""
    shapes = [violation for violation in found if violation.breach is Breach.SHAPE]
    if shapes:
        raise Refusal(ProblemCode.BAD_REQUEST, _field_errors(shapes))
    if found:
        raise Refusal(ProblemCode.UNPROCESSABLE, _field_errors(found))


def _field_errors(found: list[Violation]) -> tuple[FieldError, ...]:
    return tuple(violation.field_error() for violation in found[:_MAX_FIELD_ERRORS])
