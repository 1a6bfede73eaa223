"""DHIS2's JSON as people save it: an answer, several one after the other, an array of records, an array of pages."""

import json

import pytest

from shared.base.json import JsonObject, JsonValue
from tests.unit.recipients.files.reading import raws, reader, refused

ONE: JsonObject = {"trackedEntity": "tEntity0001", "attributes": [{"attribute": "aPhone00001", "value": "77"}]}
TWO: JsonObject = {"trackedEntity": "tEntity0002", "enrollments": [{"enrollment": "eFirst00001"}]}
THREE: JsonObject = {"enrollment": "eOther00001", "trackedEntity": "tEntity0003"}
ALL = [{"dhis2": ONE}, {"dhis2": TWO}, {"dhis2": THREE}]


def page(*entities: JsonValue, name: str = "trackedEntities", **pager: JsonValue) -> JsonObject:
    return {"pager": pager, name: list(entities)}


def joined(*values: JsonValue, by: str = "\n") -> bytes:
    return by.join(map(json.dumps, values)).encode()


@pytest.mark.parametrize(
    "saved",
    [
        joined(page(ONE, TWO, THREE)),
        joined(page(ONE), page(TWO, THREE, name="instances")),
        joined(page(ONE), page(), page(TWO), page(THREE, name="enrollments"), by=""),
        joined([ONE, TWO, THREE]),
        joined([ONE], [TWO, THREE]),
        joined([page(ONE, TWO), page(THREE)]),
        joined(ONE, TWO, THREE),
        joined(ONE, page(TWO), [THREE], by="\r\n\r\n"),
        b"\xef\xbb\xbf" + joined([ONE, TWO, THREE]),
    ],
)
def test_wrapped_or_bare_and_one_after_the_other(saved: bytes) -> None:
    assert raws(saved, "dhis2") == ALL
    assert reader(saved, "dhis2").columns is None


def test_fields_in_alphabetical_order() -> None:
    """As `jq -S` sorts them: the enrollments stand before the identity, but after the attributes."""
    entity: JsonObject = {"attributes": [], "enrollments": [{"enrollment": "e"}], "trackedEntity": "t"}
    assert raws(joined([entity]), "dhis2") == [{"dhis2": entity}]


def test_what_is_no_record_stands_alone() -> None:
    assert raws(joined([ONE, 1, None, TWO]), "dhis2") == [{"dhis2": ONE}, None, None, {"dhis2": TWO}]


@pytest.mark.parametrize(
    ("pages", "missing"),
    [
        ([page(ONE)], None),
        ([page(ONE, page=1, pageSize=50)], None),
        ([page(ONE, TWO, page=1, total=2, pageCount=1)], None),
        ([page(ONE, TWO, page=1, total=120)], {"read": "2", "total": "120"}),
        ([page(ONE, page=1, total=2), page(TWO, page=2, total=2)], None),
        ([page(ONE, page=1, total=3), page(TWO, page=2, total=3)], {"read": "2", "total": "3"}),
        ([page(ONE, page=1, pageCount=2)], {"read": "1"}),
        ([page(ONE, page=1, pageCount=2), page(TWO, page=2, pageCount=2)], None),
        ([page(ONE, page=1, pageCount=2), page(ONE, page=1, pageCount=2)], {"read": "2"}),
        ([page(ONE, page=1, nextPage="https://dhis2.example.org/api?page=2")], {"read": "1"}),
        ([page(ONE, page=1, nextPage="https://x"), page(TWO, page=2)], None),
        ([page(TWO, page=2), page(ONE, page=1, nextPage="https://x")], None),
        ([page(ONE, page=1, isLastPage=False)], {"read": "1"}),
        ([{"page": 1, "total": 3, "instances": [ONE]}], {"read": "1", "total": "3"}),
        ([{"instances": [ONE], "page": 1, "total": 3}], {"read": "1", "total": "3"}),
    ],
)
def test_a_pager_that_says_there_is_more_is_a_warning(pages: list[JsonValue], missing: dict[str, str] | None) -> None:
    for saved in (joined(*pages), joined(pages)):
        warnings = reader(saved, "dhis2").warnings
        assert [(one.code, one.facts) for one in warnings] == ([("pages_missing", missing)] if missing else [])


@pytest.mark.parametrize(
    ("saved", "why", "rows"),
    [
        (joined([ONE, TWO])[:-1], "json_broken", "2"),
        (joined(page(ONE)) + b"{", "json_broken", "1"),
        (joined(page(ONE)) + b",", "json_broken", "1"),
        (joined({"events": []}), "not_dhis2", ""),
        (joined(page(ONE), {"events": []}), "not_dhis2", "1"),
        (joined([{"phone": "77"}]), "not_dhis2", ""),
        (b"phone;first_name\n77;Awa\n", "not_json", ""),
        (b'{"trackedEntities": ' + b"[" * 100 + b"]" * 100 + b"}", "entity_too_large", ""),
    ],
)
def test_what_cannot_be_read_says_why_and_after_how_many_records(saved: bytes, why: str, rows: str) -> None:
    found = refused(saved, "dhis2")
    assert (found.code, found.facts["why"], found.facts["rows"]) == ("not_this_format", why, rows)
