"""The agendas of the tables: the instants at which the next tick has work to do.

A table has an agenda if it has an index of that name. The index sorts by a time in milliseconds since 1970
(template.yaml).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from shared.base.instants import from_milliseconds, milliseconds

INDEX = "agenda"


class Agendas:
    """The agendas of all tables that exist when this object is made."""

    def __init__(self, dynamodb: Any) -> None:
        self._dynamodb = dynamodb
        self._times = {table: time for table in _tables(dynamodb) if (time := _sorted_by(dynamodb, table)) is not None}

    def next_due(self, now: datetime) -> datetime | None:
        """Return the first instant after `now` in any agenda, or None."""
        ahead = [due for table in self._times for due in self._due(table) if due > milliseconds(now)]
        return from_milliseconds(min(ahead)) if ahead else None

    def _due(self, table: str) -> Iterator[int]:
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=table, IndexName=INDEX)
        return (int(item[self._times[table]]["N"]) for page in pages for item in page["Items"])


def _tables(dynamodb: Any) -> list[str]:
    return [name for page in dynamodb.get_paginator("list_tables").paginate() for name in page["TableNames"]]


def _sorted_by(dynamodb: Any, table: str) -> str | None:
    described: Mapping[str, Any] = dynamodb.describe_table(TableName=table)["Table"]
    for index in described.get("GlobalSecondaryIndexes", ()):
        if index["IndexName"] == INDEX:
            return str(next(key["AttributeName"] for key in index["KeySchema"] if key["KeyType"] == "RANGE"))
    return None
