"""The suite notices requests that DynamoDB refuses and moto accepts."""

from typing import Any

import pytest

from tests.contract.strictness import RefusedError, check, check_statements

N1, N2 = {"N": "1"}, {"N": "2"}


@pytest.mark.parametrize(
    ("fault", "params"),
    [
        ("reserved", {"FilterExpression": "state = :s", "ExpressionAttributeValues": {":s": {"S": "x"}}}),
        ("not used", {"ConditionExpression": "a = :a", "ExpressionAttributeValues": {":a": N1, ":b": N1}}),
        ("not given", {"UpdateExpression": "SET #a = :a", "ExpressionAttributeValues": {":a": N1}}),
        (
            "wrong way",
            {"KeyConditionExpression": "a BETWEEN :a AND :b", "ExpressionAttributeValues": {":a": N2, ":b": N1}},
        ),
        ("empty", {"UpdateExpression": "ADD a :a", "ExpressionAttributeValues": {":a": {"SS": ["x", ""]}}}),
    ],
)
def test_requests_that_dynamodb_refuses(fault: str, params: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match=fault):
        check(params)


@pytest.mark.parametrize(
    "params",
    [
        {"TableName": "t", "Key": {"pk": {"S": "state"}}},
        {
            "UpdateExpression": "SET #state = if_not_exists(#state, :a) ADD counted :a REMOVE gone",
            "ConditionExpression": "attribute_exists(pk) AND (#state IN (:a, :b) OR pk BETWEEN :a AND :b)",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {":a": N1, ":b": N1},
        },
    ],
)
def test_requests_that_dynamodb_accepts(params: dict[str, Any]) -> None:
    check(params)


@pytest.mark.parametrize(("fault", "names"), [("too many", [*map(str, range(26))]), ("twice", ["a", "b", "a"])])
def test_batches_of_inserts_that_dynamodb_refuses(fault: str, names: list[str]) -> None:
    def statements(keys: list[str]) -> dict[str, Any]:
        text = "INSERT INTO \"t\" VALUE {'pk': ?}"
        return {"Statements": [{"Statement": text, "Parameters": [{"S": key}]} for key in keys]}

    check_statements(statements(sorted({*names})[:25]))
    with pytest.raises(RefusedError, match=fault):
        check_statements(statements(names))
