"""A new field of a document gets a column, or this test fails."""

from collections.abc import Iterator

import pytest

from shared.api import openapi
from shared.api.openapi import as_object, followed
from shared.base.json import JsonObject
from shared.exports.columns import COLUMNS
from shared.exports.export import Kind

SCHEMAS = {Kind.MESSAGES: "Message", Kind.REJECTED_ROWS: "FieldError", Kind.DUPLICATES: "Duplicate"}


def leaves(schema: JsonObject, before: str = "") -> Iterator[str]:
    """The fields of a schema, with those of its objects: "price.amount"."""
    for name, one in as_object(schema["properties"]).items():
        inner = nested(as_object(one))
        if inner is None:
            yield before + name
        else:
            yield from leaves(inner, f"{before}{name}.")


def nested(schema: JsonObject) -> JsonObject | None:
    """The object that a field holds; None: it holds a single value."""
    schema = followed(schema)
    if "properties" in schema:
        return schema
    for name in ("oneOf", "anyOf"):
        variants = schema.get(name)
        for one in variants if isinstance(variants, list) else ():
            if (found := nested(as_object(one))) is not None:
                return found
    return None


@pytest.mark.parametrize("kind", list(Kind))
def test_every_field_that_a_list_shows_has_a_column(kind: Kind) -> None:
    schema = as_object(as_object(as_object(openapi.document()["components"])["schemas"])[SCHEMAS[kind]])
    columns = [column.field for column in COLUMNS[kind]]
    assert len(set(columns)) == len(columns)
    assert set(leaves(schema)) - set(columns) == set()
