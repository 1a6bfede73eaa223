"""The calls of DynamoDB that our adapters make."""

from collections.abc import Callable, Mapping
from typing import Any

from bench.cloud.counted import Counted
from bench.cloud.expressions import Item, comparable, condition, update
from bench.cloud.tables import Table, read_units, write_units
from local.partiql import inserted

type Body = dict[str, Any]
type Answer = tuple[int, Body]

_REFUSED = {
    "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
    "message": "The conditional request failed",
}
_FAILED = "ConditionalCheckFailed"
_CANCELLED = {
    "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
    "message": "Transaction cancelled",
}
_DUPLICATE = {"Code": "DuplicateItem", "Message": "Duplicate primary key exists in table"}


class DynamoDb:
    """Tables by the names that the template gives them."""

    def __init__(self, tables: Mapping[str, Table], counted: Counted) -> None:
        self.tables = dict(tables)
        self._counted = counted

    def answer(self, action: str, body: Body) -> Answer:
        """Answer one call. Raises KeyError for a call that our adapters never make."""
        self._counted.request(f"dynamodb.{action}")
        answers: Mapping[str, Callable[[Body], Answer]] = {
            "PutItem": self._put,
            "UpdateItem": self._update,
            "DeleteItem": self._delete,
            "GetItem": self._get,
            "BatchGetItem": self._get_many,
            "Query": self._query,
            "BatchExecuteStatement": self._insert_many,
            "BatchWriteItem": self._put_many,
            "TransactWriteItems": self._transact,
            "Scan": self._scan,
        }
        return answers[action](body)

    def _holds(self, item: Item | None, body: Body) -> bool:
        expression = body.get("ConditionExpression")
        names, values = body.get("ExpressionAttributeNames", {}), body.get("ExpressionAttributeValues", {})
        return not expression or condition(expression)(item or {}, names, values)

    def _refused(self, item: Item | None, body: Body) -> Answer:
        """Answer a failed condition. It costs what a write of the present item would have cost."""
        self._counted.used("write", max(write_units(item), 1))
        reported = item is not None and body.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        return 400, {**_REFUSED, "Item": item} if reported else _REFUSED

    def _put(self, body: Body) -> Answer:
        table = self.tables[body["TableName"]]
        key = table.key_of(body["Item"])
        before = table.items.get(key)
        if not self._holds(before, body):
            return self._refused(before, body)
        self._counted.used("write", table.replace(key, before, body["Item"]))
        return 200, {}

    def _put_many(self, body: Body) -> Answer:
        for table, writes in body["RequestItems"].items():
            for write in writes:
                self._put({"TableName": table, "Item": write["PutRequest"]["Item"]})
        return 200, {"UnprocessedItems": {}}

    def _insert_many(self, body: Body) -> Answer:
        """Handle each statement separately, as a conditional put."""
        return 200, {"Responses": [self._insert(*inserted(statement)) for statement in body["Statements"]]}

    def _insert(self, table: str, item: Item) -> Body:
        absent = f"attribute_not_exists({self.tables[table].key[0]})"
        status, _ = self._put({"TableName": table, "Item": item, "ConditionExpression": absent})
        return {"TableName": table} | ({} if status == 200 else {"Error": _DUPLICATE})

    def _update(self, body: Body) -> Answer:
        table = self.tables[body["TableName"]]
        key = table.key_of(body["Key"])
        before = table.items.get(key)
        if not self._holds(before, body):
            return self._refused(before, body)
        names, values = body.get("ExpressionAttributeNames", {}), body.get("ExpressionAttributeValues", {})
        after = update(body["UpdateExpression"]).applied(before or dict(body["Key"]), names, values)
        self._counted.used("write", table.replace(key, before, after))
        wanted = {"ALL_NEW": after, "ALL_OLD": before, "UPDATED_NEW": after, "UPDATED_OLD": before}
        attributes = wanted.get(body.get("ReturnValues", "NONE"))
        return 200, {"Attributes": attributes} if attributes else {}

    def _transact(self, body: Body) -> Answer:
        """Make all puts and updates or none. Each costs its table's write twice, and its indexes' once."""
        writes = [(kind, write) for item in body["TransactItems"] for kind, write in item.items()]
        befores = [self._before(write) for _, write in writes]
        held = [self._holds(before, write) for before, (_, write) in zip(befores, writes, strict=True)]
        if not all(held):
            self._counted.used("write", sum(2 * max(write_units(before), 1) for before in befores))
            return 400, {**_CANCELLED, "CancellationReasons": [{"Code": "None" if one else _FAILED} for one in held]}
        for before, (kind, write) in zip(befores, writes, strict=True):
            {"Put": self._put, "Update": self._update}[kind](write)
            self._counted.used("write", max(write_units(before), write_units(self._before(write)), 1))
        return 200, {}

    def _before(self, write: Body) -> Item | None:
        table = self.tables[write["TableName"]]
        return table.items.get(table.key_of(write.get("Key") or write["Item"]))

    def _delete(self, body: Body) -> Answer:
        table = self.tables[body["TableName"]]
        key = table.key_of(body["Key"])
        before = table.items.get(key)
        if not self._holds(before, body):
            return self._refused(before, body)
        self._counted.used("write", table.replace(key, before, None))
        return 200, {}

    def _get(self, body: Body) -> Answer:
        table = self.tables[body["TableName"]]
        item = table.items.get(table.key_of(body["Key"]))
        self._read([item], consistent=body.get("ConsistentRead", False), together=False)
        return 200, {"Item": item} if item else {}

    def _get_many(self, body: Body) -> Answer:
        answers = {}
        for name, wanted in body["RequestItems"].items():
            table = self.tables[name]
            found = [table.items.get(table.key_of(key)) for key in wanted["Keys"]]
            self._read(found, consistent=wanted.get("ConsistentRead", False), together=False)
            answers[name] = [item for item in found if item]
        return 200, {"Responses": answers, "UnprocessedKeys": {}}

    def _query(self, body: Body) -> Answer:
        table = self.tables[body["TableName"]]
        index = next((one for one in table.indexes if one.name == body.get("IndexName")), None)
        key = index.key if index else table.key
        names, values = body.get("ExpressionAttributeNames", {}), body.get("ExpressionAttributeValues", {})
        wanted = condition(body["KeyConditionExpression"])
        ((_, hash_value),) = [one for one in values.items() if wanted_hash(body, key[0]) == one[0]]
        items = table.found(index.name if index else "", str(comparable(hash_value)), key[1] if len(key) > 1 else None)
        items = [item for item in items if wanted(item, names, values)]
        if not body.get("ScanIndexForward", True):
            items.reverse()
        items = _after(items, body.get("ExclusiveStartKey"), table)
        page = items[: body.get("Limit", len(items))]
        self._read(page, consistent=body.get("ConsistentRead", False), together=True)
        reported: Body = {}
        if len(page) < len(items):
            reported["LastEvaluatedKey"] = {name: page[-1][name] for name in dict.fromkeys((*table.key, *key))}
        if "FilterExpression" in body:
            page = [item for item in page if condition(body["FilterExpression"])(item, names, values)]
        return 200, {"Items": page, "Count": len(page), "ScannedCount": len(page), **reported}

    def _scan(self, body: Body) -> Answer:
        """Scan a sparse index. The product never scans a table."""
        table = self.tables[body["TableName"]]
        [index] = [one for one in table.indexes if one.name == body["IndexName"]]
        page = [item for item in table.items.values() if index.key[0] in item][: body["Limit"]]
        self._read(page, consistent=False, together=True)
        return 200, {"Items": page, "Count": len(page), "ScannedCount": len(page)}

    def _read(self, items: list[Item | None] | list[Item], *, consistent: bool, together: bool) -> None:
        self._counted.used("read", read_units(items, consistent=consistent, together=together))


def wanted_hash(body: Body, attribute: str) -> str:
    """The name of the hash key's value. In all our queries `attribute = :value` comes first."""
    first, _, rest = body["KeyConditionExpression"].partition("=")
    if first.strip() != attribute:
        raise ValueError(f"the hash key does not come first in {body['KeyConditionExpression']}")
    return str(rest.split()[0])


def _after(items: list[Item], start: Item | None, table: Table) -> list[Item]:
    if not start:
        return items
    key = table.key_of(start)
    places = [place for place, item in enumerate(items) if table.key_of(item) == key]
    return items[places[0] + 1 :] if places else items
