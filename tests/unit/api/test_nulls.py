"""A null in an optional field means the same as a missing field, in every body that the API accepts. Only in a merge
patch it removes something."""

import copy
from collections.abc import Iterator

import pytest

from shared.api import openapi, validation
from shared.api.validation import violations, without_nulls
from shared.base.json import JsonObject, JsonValue
from shared.base.refusal import ProblemCode, Refusal
from tests.unit.api.events import request

BODIES = sorted(
    name
    for name, operation in openapi.operations().items()
    if "requestBody" in operation and not name.endswith("_webhook") and not name.startswith("patch_")
)
type Path = tuple[str | int, ...]


def branches(schema: JsonObject) -> Iterator[JsonObject]:
    """The schema, or its alternatives."""
    schema = openapi.followed(schema)
    listed = schema.get("oneOf")
    if "properties" not in schema and isinstance(listed, list):
        for one in listed:
            yield from branches(openapi.as_object(one))
    else:
        yield schema


def examples(operation: str) -> Iterator[tuple[JsonObject, JsonObject]]:
    for schema in branches(openapi.body_schema(operation)):
        shown = schema.get("examples", [])
        for example in shown if isinstance(shown, list) else []:
            yield schema, openapi.as_object(example)


def optional(schema: JsonObject, example: JsonValue) -> Iterator[Path]:
    """The paths of optional fields in the example, in its objects and in the first items of its lists."""
    for branch in branches(schema):
        items = branch.get("items")
        if isinstance(example, list) and example and isinstance(items, dict):
            yield from ((0, *path) for path in optional(items, example[0]))
        properties, required = openapi.as_object(branch.get("properties", {})), branch.get("required", [])
        if (
            not isinstance(example, dict)
            or not isinstance(required, list)
            or not set(map(str, required)) <= set(example)
        ):
            continue
        for name, one in properties.items():
            if name not in required:
                yield (name,)
            if name in example:
                yield from ((name, *path) for path in optional(openapi.as_object(one), example[name]))


def with_value(body: JsonObject, path: Path, value: JsonValue) -> JsonObject:
    made = copy.deepcopy(body)
    place: JsonValue = made
    for step in path[:-1]:
        place = place[step]  # type: ignore[index]
    place[path[-1]] = value  # type: ignore[index]
    return made


def without(body: JsonObject, path: Path) -> JsonObject:
    made = with_value(body, path, None)
    place: JsonValue = made
    for step in path[:-1]:
        place = place[step]  # type: ignore[index]
    del place[path[-1]]  # type: ignore[union-attr, arg-type]
    return made


def outcome(operation: str, body: JsonObject) -> object:
    """How the body is read or refused. Either `recipients` or `upload_id` is needed, not both."""
    try:
        return validation.body(request(body=body), operation)
    except Refusal as refusal:
        return refusal.code, refusal.field_errors


CASES = [
    (operation, path, example)
    for operation in BODIES
    for schema, example in examples(operation)
    for path in dict.fromkeys(optional(schema, example))
]

NEEDED = {("attributes", "phone")}
"""A field that the schema does not require although the mapping needs it."""
IDS = [f"{operation}-{'.'.join(map(str, path))}" for operation, path, _ in CASES]


def test_every_body_has_an_example() -> None:
    assert {operation for operation in BODIES if not list(examples(operation))} == set()


@pytest.mark.parametrize(("operation", "path", "example"), CASES, ids=IDS)
def test_null_equals_a_missing_field(operation: str, path: Path, example: JsonObject) -> None:
    found = outcome(operation, with_value(example, path, None))
    assert found == outcome(operation, without(example, path))
    assert isinstance(found, dict) or path in {("recipients",), ("upload_id",)}


@pytest.mark.parametrize(("operation", "path", "example"), CASES, ids=IDS)
def test_the_document_says_that_null_is_allowed(operation: str, path: Path, example: JsonObject) -> None:
    """A client that checks its requests against the document must not refuse what we accept."""
    body = with_value(example, path, None)
    own = [one for one in violations(openapi.body_schema(operation), body) if one.path == tuple(map(str, path))]
    assert own == [] or path in NEEDED


def test_a_null_in_a_required_field_counts_as_missing() -> None:
    with pytest.raises(Refusal) as refused:
        validation.body(request(body={"phone": None}), "lookup_consent")
    assert refused.value.code is ProblemCode.BAD_REQUEST
    assert [(field_error.field, field_error.facts["missing"]) for field_error in refused.value.field_errors] == [
        ("phone", "phone")
    ]


def test_an_unknown_field_is_refused_also_with_null() -> None:
    with pytest.raises(Refusal) as refused:
        validation.body(request(body={"phone": "+221770000001", "fone": None}), "lookup_consent")
    assert [(field_error.field, field_error.code) for field_error in refused.value.field_errors] == [
        ("fone", "field_unknown")
    ]


def test_nulls_in_a_part_without_a_schema_stay() -> None:
    entity: JsonObject = {"trackedEntity": None, "attributes": [{"attribute": "aPhone00001", "value": None}]}
    body: JsonObject = {"recipient": {"dhis2": entity, "phone": None}, "zz": [None]}
    assert without_nulls(openapi.body_schema("send_message"), body) == {"recipient": {"dhis2": entity}, "zz": [None]}


def test_nulls_of_a_merge_patch_stay() -> None:
    patch: dict[str, object] = {"app_secret": None, "rate_per_second": None, "default_template": "own"}
    assert validation.body(request(body=patch), "patch_whatsapp_integration") == patch
    prices: dict[str, object] = {"unit_prices": {"SN": {"amount": "13"}, "CI": None}, "senders": None}
    assert validation.body(request(body=prices), "patch_sms_integration") == prices


@pytest.mark.parametrize(
    ("operation", "patch", "field"),
    [
        ("patch_whatsapp_integration", {"access_token": None}, "access_token"),
        ("patch_whatsapp_integration", {"phone_number_id": None}, "phone_number_id"),
        ("patch_sms_integration", {"client_secret": None}, "client_secret"),
        ("patch_sms_integration", {"unit_prices": {"SN": {"amount": None}}}, "unit_prices.SN.amount"),
        ("patch_sms_integration", {"fax": None}, "fax"),
        ("patch_dhis2_integration", {"attributes": None}, "attributes"),
    ],
)
def test_what_settings_need_cannot_be_removed(operation: str, patch: dict[str, object], field: str) -> None:
    with pytest.raises(Refusal) as refused:
        validation.body(request(body=patch), operation)
    assert refused.value.code is ProblemCode.BAD_REQUEST
    assert [one.field for one in refused.value.field_errors] == [field]
