import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.api import cursor
from shared.api.request import body_hash, idempotency_key
from shared.base.json import JsonObject
from shared.base.refusal import ProblemCode, Refusal
from tests.unit.api.events import request
from tests.unit.base.test_json import DOCUMENTS


@pytest.mark.parametrize("value", ["a", "x" * 255, "order-2026/11:23!~"])
def test_good_keys(value: str) -> None:
    assert idempotency_key(request(headers={"Idempotency-Key": value})) == value


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, ProblemCode.IDEMPOTENCY_KEY_MISSING),
        ("", ProblemCode.IDEMPOTENCY_KEY_MISSING),
        ("   ", ProblemCode.IDEMPOTENCY_KEY_MISSING),
        ("x" * 256, ProblemCode.BAD_REQUEST),
        ("a b", ProblemCode.BAD_REQUEST),
        ("clé", ProblemCode.BAD_REQUEST),
        ("a\x7f", ProblemCode.BAD_REQUEST),
    ],
)
def test_bad_keys(value: str | None, code: ProblemCode) -> None:
    with pytest.raises(Refusal) as refused:
        idempotency_key(request(headers={} if value is None else {"idempotency-key": value}))
    assert refused.value.code is code


def test_the_same_document_has_the_same_hash() -> None:
    first: JsonObject = {"a": 1, "b": {"c": "é", "d": [1, 2]}}
    again: JsonObject = {"b": {"d": [1, 2], "c": "é"}, "a": 1}
    assert body_hash(first) == body_hash(again)
    assert body_hash(first) != body_hash({**first, "a": 2})
    assert body_hash(first) != body_hash(first, secret=b"key")
    assert len(body_hash(first)) == 64


POSITION: JsonObject = {"listed_at": "2026-11-23T10:00:00.000Z#m1", "shard": 3}


@given(position=st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), DOCUMENTS))
def test_a_decoded_cursor_equals_the_encoded_one(position: JsonObject) -> None:
    made = cursor.encode(position, organisation="demo", operation="list_messages", filters={"status": "sent"})
    assert made.replace("-", "").replace("_", "").isalnum()
    assert cursor.decode(made, organisation="demo", operation="list_messages", filters={"status": "sent"}) == position


@pytest.mark.parametrize(
    ("organisation", "operation", "filters"),
    [
        ("other", "list_messages", {"status": "sent"}),
        ("demo", "list_distributions", {"status": "sent"}),
        ("demo", "list_messages", {}),
        ("demo", "list_messages", {"status": "read"}),
        ("demo", "list_messages", {"status": "sent", "channel": "sms"}),
    ],
)
def test_a_cursor_of_another_list_is_refused(organisation: str, operation: str, filters: dict[str, str]) -> None:
    made = cursor.encode(POSITION, organisation="demo", operation="list_messages", filters={"status": "sent"})
    with pytest.raises(Refusal) as refused:
        cursor.decode(made, organisation=organisation, operation=operation, filters=filters)
    assert refused.value.code is ProblemCode.BAD_REQUEST
    assert refused.value.field_errors[0].field == "cursor"


@given(made=st.text())
def test_any_other_text_is_refused_as_a_cursor(made: str) -> None:
    with pytest.raises(Refusal):
        cursor.decode(made, organisation="demo", operation="list_messages", filters={})
