"""The stub of AWS that the benches measure against evaluates conditions and updates, and counts units."""

import pytest

from bench.cloud.counted import Counted
from bench.cloud.dynamodb import DynamoDb
from bench.cloud.expressions import ExpressionError, Item, condition, update
from bench.cloud.tables import tables_of, write_units
from tests.template.reading import mapping, read

ROW: Item = {"pk": {"S": "demo#1"}, "status": {"S": "pending"}, "attempts": {"N": "2"}, "due_at": {"N": "5"}}
NAMES = {"#status": "status"}
VALUES = {":pending": {"S": "pending"}, ":sent": {"S": "sent"}, ":two": {"N": "2"}, ":one": {"N": "1"}}


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("attribute_exists(pk) AND #status = :pending", True),
        ("(#status = :sent OR attribute_not_exists(lease)) AND attempts = :two", True),
        ("#status IN (:sent, :pending)", True),
        ("NOT #status IN (:sent)", True),
        ("attempts < :two", False),
        ("attempts <> :one", True),
        ("missing = :one", False),
        ("begins_with(pk, :pending)", False),
        ("attempts BETWEEN :one AND :two", True),
    ],
)
def test_conditions(expression: str, holds: bool) -> None:
    assert condition(expression)(ROW, NAMES, VALUES) is holds


def test_updates_read_the_item_as_it_was() -> None:
    expression = "SET #status = :sent, lease = if_not_exists(lease, :one) ADD attempts :one REMOVE due_at"
    after = update(expression).applied(ROW, NAMES, VALUES)
    assert after == {"pk": {"S": "demo#1"}, "status": {"S": "sent"}, "lease": {"N": "1"}, "attempts": {"N": "3"}}
    assert ROW["status"] == {"S": "pending"}


def test_an_unknown_expression_is_an_error() -> None:
    with pytest.raises(ExpressionError):
        condition("size(pk) > :one")


@pytest.fixture
def dynamodb() -> DynamoDb:
    return DynamoDb(tables_of(mapping(read(), "Resources")), Counted())  # type: ignore[arg-type]  # the template's own shape


def test_a_refused_write_changes_nothing_and_costs_one(dynamodb: DynamoDb) -> None:
    put = {"TableName": "LogTable", "Item": ROW, "ConditionExpression": "attribute_not_exists(pk)"}
    assert dynamodb.answer("PutItem", put)[0] == 200
    units = dynamodb._counted.units["write"]
    status, body = dynamodb.answer("PutItem", put)
    assert (status, body["__type"].rpartition("#")[2]) == (400, "ConditionalCheckFailedException")
    assert dynamodb._counted.units["write"] == units + 1


def test_an_insert_is_a_conditional_put_and_costs_as_much(dynamodb: DynamoDb) -> None:
    sent: Item = {**ROW, "status": {"S": "sent"}}
    dynamodb.answer("PutItem", {"TableName": "LogTable", "Item": sent})
    unit = dynamodb._counted.units["write"]
    other: Item = {**ROW, "pk": {"S": "demo#2"}}
    statements = [
        {
            "Statement": f'INSERT INTO "LogTable" VALUE {{{", ".join(f"'{name}': ?" for name in row)}}}',
            "Parameters": list(row.values()),
        }
        for row in (ROW, other)
    ]
    status, body = dynamodb.answer("BatchExecuteStatement", {"Statements": statements})
    assert status == 200
    assert [one.get("Error", {}).get("Code") for one in body["Responses"]] == ["DuplicateItem", None]
    assert dynamodb._counted.units["write"] == 3 * unit
    items = dynamodb.tables["LogTable"].items
    assert [items[key,] for key in ("demo#1", "demo#2")] == [sent, other]


def test_each_index_that_holds_the_item_costs_a_unit(dynamodb: DynamoDb) -> None:
    listed: Item = {**ROW, "organisation_shard": {"S": "demo#0"}, "listed_at": {"S": "1"}, "agenda_shard": {"S": "3"}}
    dynamodb.answer("PutItem", {"TableName": "LogTable", "Item": listed})
    assert dynamodb._counted.units["write"] == 3  # the item, by_organisation, agenda
    key = {"pk": ROW["pk"]}
    change = {"UpdateExpression": "SET #status = :sent", "ExpressionAttributeNames": NAMES}
    dynamodb.answer("UpdateItem", {"TableName": "LogTable", "Key": key, "ExpressionAttributeValues": VALUES, **change})
    assert dynamodb._counted.units["write"] == 4
    query = {
        "TableName": "LogTable",
        "IndexName": "agenda",
        "KeyConditionExpression": "agenda_shard = :shard AND due_at <= :now",
        "ExpressionAttributeValues": {":shard": {"S": "3"}, ":now": {"N": "9"}},
    }
    assert [item["status"] for item in dynamodb.answer("Query", query)[1]["Items"]] == [{"S": "sent"}]


def test_units_are_whole_kilobytes() -> None:
    assert write_units({"pk": {"S": "x" * 1000}}) == 1
    assert write_units({"pk": {"S": "x" * 1030}}) == 2


def test_a_sparse_index_is_scanned_for_what_it_holds(dynamodb: DynamoDb) -> None:
    for number in range(4):
        row = {**ROW, "pk": {"S": f"demo#{number}"}}
        dead = {"dead_key": {"S": "demo"}, "channel": {"S": "sms"}, "listed_at": {"S": f"{number}"}} if number else {}
        dynamodb.answer("PutItem", {"TableName": "LogTable", "Item": row | dead})
    scan = {"TableName": "LogTable", "IndexName": "dead_letters"}
    assert dynamodb.answer("Scan", {**scan, "Limit": 10})[1]["Count"] == 3
    assert dynamodb.answer("Scan", {**scan, "Limit": 2})[1]["Count"] == 2


def test_a_transaction_makes_all_writes_or_none_and_costs_twice(dynamodb: DynamoDb) -> None:
    def put(pk: str, condition: str) -> dict[str, object]:
        return {"Put": {"TableName": "LogTable", "Item": {"pk": {"S": pk}}, "ConditionExpression": condition}}

    absent, there = "attribute_not_exists(pk)", "attribute_exists(pk)"
    status, answer = dynamodb.answer("TransactWriteItems", {"TransactItems": [put("a", absent), put("b", there)]})
    assert (status, answer["CancellationReasons"]) == (400, [{"Code": "None"}, {"Code": "ConditionalCheckFailed"}])
    assert dynamodb.tables["LogTable"].items == {}
    before = dynamodb._counted.units["write"]
    assert dynamodb.answer("TransactWriteItems", {"TransactItems": [put("a", absent), put("b", absent)]}) == (200, {})
    assert (len(dynamodb.tables["LogTable"].items), dynamodb._counted.units["write"] - before) == (2, 4)
