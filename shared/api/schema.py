"""JSON Schema, compiled at first use, and its violations in the words of api.md's field codes."""

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from functools import cache
from typing import Protocol, cast

from shared.api.jsontext import canonical, parse
from shared.api.openapi import as_object, document, followed
from shared.base.instants import rfc3339_or_none
from shared.base.json import JsonObject, JsonValue
from shared.base.refusal import FieldError
from shared.recipients.references import is_reference

_LIMITS: Mapping[str, str] = {
    "minimum": "minimum",
    "maximum": "maximum",
    "minItems": "least",
    "maxItems": "most",
    "minLength": "least",
    "maxLength": "most",
}
"""Keyword → the fact that the text names."""

_FORMS = frozenset({"enum", "const", "pattern", "format"})

_ROWS = frozenset({"recipients", "items"})

_CODES: Mapping[str, str] = {"fallback": "fallback_invalid"}
"""Fields whose unacceptable values have a code of their own (api.md, Codes)."""

_LONGEST_NAME = 80


class Breach(Enum):
    """What kind of rule is broken: a value may have the right shape and the wrong form, or be too large or small."""

    SHAPE = auto()
    FORM = auto()
    LIMIT = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One thing that breaks the schema."""

    path: tuple[str, ...]
    facts: Mapping[str, str] = field(default_factory=dict)
    code: str = "field_invalid"
    breach: Breach = Breach.SHAPE

    def field_error(self) -> FieldError:
        """Inside a list of recipients or items: the row, counted from 1, and the field within it."""
        path, row = self.path, None
        if len(path) > 1 and path[0] in _ROWS:
            path, row = path[2:] or path[:1], int(path[1]) + 1
        reported = self.code if self.breach is Breach.SHAPE else _CODES.get(path[0] if path else "", self.code)
        return FieldError(field=".".join(path) or "body", code=reported, facts=self.facts, row=row)


def violations(schema: JsonObject, value: JsonValue) -> list[Violation]:
    """Of `value` against a schema that may refer to the document's components. One for each field, in order."""
    found: dict[tuple[str, ...], Violation] = {}
    for violation in _violations(schema, value):
        found.setdefault(violation.path, violation)
    return list(found.values())


def without_nulls(schema: JsonObject, value: JsonValue) -> JsonValue:
    """`value` without the nulls of named fields: a null means the same as leaving the field out (api.md, Fields).

    A field that the schema does not name stays, so that it is refused as unknown; so does all that has no schema, like
    a record of DHIS2. A required field that is null is missing afterwards.
    """
    schema = followed(schema)
    if isinstance(value, list):
        items = schema.get("items")
        return [without_nulls(items, one) for one in value] if isinstance(items, dict) else value
    fields = _fields(schema)
    if not isinstance(value, dict) or not fields:
        return value
    return {
        name: without_nulls(fields[name], one) if name in fields else one
        for name, one in value.items()
        if one is not None or name not in fields
    }


def _fields(schema: JsonObject) -> Mapping[str, JsonObject]:
    """The fields that a schema names, those of its alternatives too."""
    variants = schema.get("oneOf")
    branches = map(as_object, variants) if isinstance(variants, list) else ()
    fields = {name: one for branch in branches for name, one in _fields(followed(branch)).items()}
    return fields | {name: as_object(one) for name, one in as_object(schema.get("properties", {})).items()}


class _Error(Protocol):
    """What of fastjsonschema's JsonSchemaValueException is used."""

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
    """A schema's compilation takes 2 to 20 ms, so each is made when first asked for."""
    import fastjsonschema  # noqa: PLC0415 - at first use, not at a cold start (it brings urllib and decimal)

    definition = {**as_object(parse(schema)), "components": document()["components"]}
    validate = fastjsonschema.compile(definition, formats=_FORMATS, use_default=False, fast_fail=False)

    def errors(value: JsonValue) -> list[_Error]:
        try:
            validate(value)
        except fastjsonschema.JsonSchemaValuesException as failure:
            return cast("list[_Error]", failure.errors)
        return []

    return errors


def _explained(error: _Error) -> Iterator[Violation]:
    """Facts never hold the value itself: it may be a number or a name of a person."""
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
    """Alternatives are told apart by the fields they require; where one is meant, its own violations are told."""
    if not isinstance(value, dict):
        yield Violation(path=path, facts={"type": "object"})
        return
    variants = definition["oneOf"]
    branches = [as_object(branch) for branch in variants] if isinstance(variants, list) else []
    telling = {_texts(branch["required"])[0]: branch for branch in branches}
    meant = [name for name in telling if name in value]
    if len(meant) == 1:
        for violation in _violations(telling[meant[0]], value):
            yield replace(violation, path=path + violation.path)
    else:
        fact = "only_one_of" if meant else "missing"
        yield Violation(path=(*path, next(iter(telling))), facts={fact: " / ".join(telling)})


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


_FORMATS: Mapping[str, Callable[[str], bool]] = {
    "date-time": lambda text: rfc3339_or_none(text) is not None,
    "identifier": is_reference,
    "network": _is_network,
    "provider-message-id": lambda text: re.fullmatch(r"[!-~]{1,512}", text) is not None,
    "time-of-day": lambda text: re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text) is not None,
}
