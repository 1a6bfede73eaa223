"""Checks request bodies and queries against the OpenAPI document. Errors get api.md's field codes.

A body that is not JSON, a wrong type, an unknown or missing field and an ill-formed value are bad_request. A number
outside its limits, or a list or text that is too long or too short, is unprocessable: we understood it but cannot
accept its content. In a query every error is bad_request.

A JSON Schema is compiled at first use.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, auto
from functools import cache
from typing import Protocol, cast

from shared.api import openapi
from shared.api.openapi import as_object, document, followed
from shared.api.request import Request
from shared.base.instants import from_rfc3339, rfc3339_or_none
from shared.base.json import JsonObject, JsonValue, canonical, parse_bytes
from shared.base.refusal import FieldError, ProblemCode, Refusal
from shared.recipients.masking import without_numbers
from shared.recipients.recipient import is_reference
from shared.texts.content import carriable_document

_LIMITS: Mapping[str, str] = {
    "minimum": "minimum",
    "maximum": "maximum",
    "minItems": "least",
    "maxItems": "most",
    "minLength": "least",
    "maxLength": "most",
}
"""Keyword → the fact in the text."""

_FORMS = frozenset({"enum", "const", "pattern", "format"})

_ROWS = frozenset({"recipients", "items"})

_CODES: Mapping[str, str] = {"fallback": "fallback_invalid"}
"""Fields whose unacceptable values have a code of their own (api.md, Codes)."""

_LONGEST_NAME = 80


class Breach(Enum):
    """The kind of rule that is broken: the value has a wrong shape, a wrong form, or is outside a limit."""

    SHAPE = auto()
    FORM = auto()
    LIMIT = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One violation of the schema."""

    path: tuple[str, ...]
    facts: Mapping[str, str] = field(default_factory=dict)
    code: str = "field_invalid"
    breach: Breach = Breach.SHAPE

    def field_error(self) -> FieldError:
        """The violation as a field error. In a list of recipients or items: with the row, counted from 1, and the field
        in it."""
        path, row = self.path, None
        if len(path) > 1 and path[0] in _ROWS:
            path, row = path[2:] or path[:1], int(path[1]) + 1
        reported = self.code if self.breach is Breach.SHAPE else _CODES.get(path[0] if path else "", self.code)
        return FieldError(field=".".join(path) or "body", code=reported, facts=self.facts, row=row)


def violations(schema: JsonObject, value: JsonValue) -> list[Violation]:
    """The violations of `value`, one for each field, in order. The schema may refer to the document's components."""
    found: dict[tuple[str, ...], Violation] = {}
    for violation in _violations(schema, value):
        found.setdefault(violation.path, violation)
    return list(found.values())


def without_nulls(schema: JsonObject, value: JsonValue) -> JsonValue:
    """`value` without the nulls of named fields: a null means the same as leaving the field out (api.md, Fields).

    A null in an unnamed field stays, so that the field is refused as unknown. A value without a schema, like a record
    of DHIS2, stays as it is. A required field that is null is missing afterwards.
    """
    return _without_nulls(_shape(schema), value)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """The names in a schema: the fields of its objects, and the shape of a list's items. It is read once for a request,
    because a list may have 5,000 rows."""

    fields: Mapping[str, "_Shape"]
    items: "_Shape | None" = None


def _shape(schema: JsonObject) -> _Shape:
    """With the fields of all alternatives."""
    schema = followed(schema)
    variants, items = schema.get("oneOf"), schema.get("items")
    branches = [_shape(as_object(branch)) for branch in variants] if isinstance(variants, list) else []
    fields = {name: one for branch in branches for name, one in branch.fields.items()}
    fields |= {name: _shape(as_object(one)) for name, one in as_object(schema.get("properties", {})).items()}
    return _Shape(fields=fields, items=_shape(items) if isinstance(items, dict) else None)


def _without_nulls(shape: _Shape, value: JsonValue) -> JsonValue:
    fields = shape.fields
    if isinstance(value, list):
        return value if shape.items is None else [_without_nulls(shape.items, one) for one in value]
    if not isinstance(value, dict) or not fields:
        return value
    return {
        name: _without_nulls(fields[name], one) if name in fields else one
        for name, one in value.items()
        if one is not None or name not in fields
    }


class _Error(Protocol):
    """The part of fastjsonschema's JsonSchemaValueException that we use."""

    value: JsonValue
    definition: JsonObject
    rule: str

    @property
    def path(self) -> list[str]: ...


def _violations(schema: JsonObject, value: JsonValue) -> Iterator[Violation]:
    for error in _compiled(canonical(schema))(value):
        yield from _explained(error)


@cache
def _compiled(schema: bytes) -> Callable[[JsonValue], list[_Error]]:
    """Compiling a schema takes 2 to 20 ms, so each is compiled when it is first needed."""
    import fastjsonschema  # noqa: PLC0415 - at first use, not at a cold start (it brings urllib and decimal)

    definition = {**as_object(parse_bytes(schema)), "components": document()["components"]}
    validate = fastjsonschema.compile(definition, formats=_FORMATS, use_default=False, fast_fail=False)

    def errors(value: JsonValue) -> list[_Error]:
        try:
            validate(value)
        except fastjsonschema.JsonSchemaValuesException as failure:
            return cast("list[_Error]", failure.errors)
        return []

    return errors


def _explained(error: _Error) -> Iterator[Violation]:
    """Facts never hold the value itself, because it may be a person's number or name."""
    path, rule, definition = tuple(error.path[1:]), error.rule, error.definition
    if rule == "required":
        yield from _missing(path, definition, as_object(error.value))
    elif rule == "additionalProperties":
        yield from _unknown(path, definition, as_object(error.value))
    elif rule == "oneOf":
        yield from _undecided(path, definition, error.value)
    elif rule in _LIMITS:
        yield Violation(path=path, facts={_LIMITS[rule]: str(definition[rule])}, breach=Breach.LIMIT)
    else:
        breach = Breach.FORM if rule in _FORMS else Breach.SHAPE
        yield Violation(path=path, facts=_expected(rule, definition), breach=breach)


def _missing(path: tuple[str, ...], definition: JsonObject, value: JsonObject) -> Iterator[Violation]:
    for name in _texts(definition["required"]):
        if name not in value:
            yield Violation(path=(*path, name), facts={"missing": name})


def _unknown(path: tuple[str, ...], definition: JsonObject, value: JsonObject) -> Iterator[Violation]:
    for name in value.keys() - as_object(definition.get("properties", {})).keys():
        shown = name[:_LONGEST_NAME]
        yield Violation(path=(*path, shown), code="field_unknown", facts={"name": shown})


def _undecided(path: tuple[str, ...], definition: JsonObject, value: JsonValue) -> Iterator[Violation]:
    """None of the alternatives fits. If one is meant, its own violations are reported. A null is left out before, so
    the alternative null is never meant."""
    variants = definition["oneOf"]
    branches = [as_object(branch) for branch in variants] if isinstance(variants, list) else []
    branches = [branch for branch in branches if branch.get("type") != "null"]
    if len(branches) > 1 and isinstance(value, dict):
        branches = [branch for branch in branches if "required" in branch]
    if len(branches) == 1:
        yield from _of_branch(path, branches[0], value)
    elif isinstance(value, dict):
        yield from _of_one_branch(path, branches, value)
    else:
        yield Violation(path=path, facts={"type": _texts(branches[0]["type"])[0]})


def _of_one_branch(path: tuple[str, ...], branches: list[JsonObject], value: JsonObject) -> Iterator[Violation]:
    """Alternatives are recognised by the first field that they require."""
    telling = {_texts(branch["required"])[0]: branch for branch in branches}
    meant = [name for name in telling if name in value]
    if len(meant) == 1:
        yield from _of_branch(path, telling[meant[0]], value)
    else:
        yield _not_one_of(path, tuple(telling), meant)


def _of_branch(path: tuple[str, ...], branch: JsonObject, value: JsonValue) -> Iterator[Violation]:
    for violation in _violations(branch, value):
        yield replace(violation, path=path + violation.path)


def _not_one_of(path: tuple[str, ...], names: tuple[str, ...], given: list[str]) -> Violation:
    """Exactly one of these fields is needed."""
    return Violation(path=(*path, names[0]), facts={"only_one_of" if given else "missing": " / ".join(names)})


def _expected(rule: str, definition: JsonObject) -> Mapping[str, str]:
    if rule == "type":
        return {"type": _texts(definition["type"])[0]}
    if rule in {"enum", "const"}:
        return {"allowed": ", ".join(_texts(definition[rule]))}
    if rule in {"pattern", "format"}:
        name = "format" if "format" in definition else "pattern"
        return {name: str(definition[name])}
    return {}


def _texts(value: JsonValue) -> list[str]:
    return [str(entry) for entry in value if entry is not None] if isinstance(value, list) else [str(value)]


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def _is_name(text: str) -> bool:
    """Names stay in our tables, where no phone number may be. Digits of other scripts and blanks that do not break are
    looked at like ours.
    """
    plain = re.sub(r"\d", lambda digit: str(int(digit[0])), unicodedata.normalize("NFKC", text))
    in_one_line = all(one.isprintable() or one in _MARKS or unicodedata.category(one) == "Zs" for one in text)
    is_visible = any(one.isprintable() and not one.isspace() for one in text)
    return in_one_line and is_visible and without_numbers(plain) == plain


_MARKS = "\u200c\u200d\u200e\u200f"
"""Parts of emoji, and marks of direction that Arabic keyboards write."""

_FORMATS: Mapping[str, Callable[[str], bool]] = {
    "date-time": lambda text: rfc3339_or_none(text) is not None,
    "identifier": is_reference,
    "name": _is_name,
    "network": _is_network,
    "provider-message-id": lambda text: re.fullmatch(r"[!-~]{1,512}", text) is not None,
    "time-of-day": lambda text: re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text) is not None,
}

MAX_BODY_BYTES = 4_000_000

MAX_INLINE_RECIPIENTS = 5_000

MAX_UPLOAD_BYTES = 2_000_000_000

_MAX_FIELD_ERRORS = 100

_MERGE_PATCH = "application/merge-patch+json"

_DISTRIBUTION = "create_distribution"

_UPLOAD = "create_upload"

_LISTS = ("recipients", "upload_id")
"""Where a distribution's rows come from."""

_OF_A_MESSAGE = frozenset({"recipient", "recipients", "defaults", "content", "fallback"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A list's query. `filters` are the given values without limit and cursor, with the path's parameters. A cursor is
    bound to them."""

    limit: int
    cursor: str | None
    filters: Mapping[str, str]

    def time(self, name: str) -> datetime | None:
        """An instant in UTC; None if it is absent."""
        return from_rfc3339(_with_plus(self.filters[name])) if name in self.filters else None

    def unspaced(self, name: str) -> str | None:
        """A value that never contains blanks: an unescaped + is restored."""
        return _with_plus(self.filters[name]) if name in self.filters else None


def body(request: Request, operation: str) -> JsonObject:
    """The JSON object, valid by the schema of `operation` (an operationId). Fields that are null are left out, except
    in a merge patch, where they remove something.

    Raises Refusal: unsupported_media_type, too_large, use_upload (a distribution's body over 4 MB or 5,000 recipients),
    bad_request, unprocessable. A missing Content-Type counts as JSON.

    Characters that no message can carry are removed, but not from the values and texts of messages: composing a message
    removes them there, with a warning.
    """
    media = openapi.body_media(operation)
    _refuse_other_media(request, media)
    if len(request.body) > MAX_BODY_BYTES:
        raise _too_large(operation)
    schema = openapi.body_schema(operation)
    found = _parsed(request.body)
    if _MERGE_PATCH not in media:
        found = openapi.as_object(without_nulls(schema, found))
    _refuse_too_many(found, operation)
    plain = _carriable(found)
    broken = [*_without_one_list(plain, operation), *violations(schema, plain)]
    _refuse([one for one in broken if not _checked_by_planning(one)])
    return plain | {name: found[name] for name in found.keys() & _OF_A_MESSAGE}


def query(request: Request, operation: str) -> Query:
    """The query and the path's parameters, valid by the document. Raises Refusal (bad_request) otherwise.

    An empty value counts as absent, because forms send empty values. Two values for one name are refused, because we
    cannot know which one is meant.
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
    """A whole number if the document asks for one. An unescaped + is restored where no blank is possible."""
    schema = openapi.as_object(parameter["schema"]) if parameter else {}
    if schema.get("type") == "integer" and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return _with_plus(value) if schema.get("format") in {"date-time", "provider-message-id"} else value


def _with_plus(value: str) -> str:
    return value.replace(" ", "+")


def _refuse_other_media(request: Request, allowed: frozenset[str]) -> None:
    media_type, *parameters = (part.strip() for part in request.headers.get("content-type", "").lower().split(";"))
    charsets = [p.partition("=")[2].strip('"') for p in parameters if p.startswith("charset=")]
    if media_type not in {"", *allowed} or not set(charsets) <= {"utf-8", "utf8"}:
        raise Refusal(ProblemCode.UNSUPPORTED_MEDIA_TYPE)


def _parsed(raw: bytes) -> JsonObject:
    try:
        found = parse_bytes(raw)
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
    """Checked before the schema, because api.md has special answers for these."""
    recipients, size = found.get("recipients"), found.get("bytes")
    if operation == _DISTRIBUTION and isinstance(recipients, list) and len(recipients) > MAX_INLINE_RECIPIENTS:
        raise Refusal(ProblemCode.USE_UPLOAD)
    if operation == _UPLOAD and isinstance(size, int) and size > MAX_UPLOAD_BYTES:
        raise Refusal(ProblemCode.TOO_LARGE, limit="2 GB")


def _without_one_list(found: JsonObject, operation: str) -> Iterator[Violation]:
    """A distribution has one list. Alternatives of required fields in the document would give typed clients unusable
    types."""
    given = [name for name in _LISTS if name in found]
    if operation == _DISTRIBUTION and len(given) != 1:
        yield _not_one_of((), _LISTS, given)


def _too_large(operation: str) -> Refusal:
    if operation == _DISTRIBUTION:
        return Refusal(ProblemCode.USE_UPLOAD)
    return Refusal(ProblemCode.TOO_LARGE, limit="4 MB")


def _checked_by_planning(violation: Violation) -> bool:
    """A value inside a list of recipients rejects its row, as in an uploaded file, and not the request."""
    return violation.path[:1] == ("recipients",) and len(violation.path) > 1 and violation.breach is not Breach.SHAPE


def _refuse(found: list[Violation]) -> None:
    """A wrong shape (type, unknown or missing field) is 400. A value that cannot be accepted is 422 (api.md)."""
    shapes = [violation for violation in found if violation.breach is Breach.SHAPE]
    if shapes:
        raise Refusal(ProblemCode.BAD_REQUEST, _field_errors(shapes))
    if found:
        raise Refusal(ProblemCode.UNPROCESSABLE, _field_errors(found))


def _field_errors(found: list[Violation]) -> tuple[FieldError, ...]:
    return tuple(violation.field_error() for violation in found[:_MAX_FIELD_ERRORS])
