"""The PartiQL that the product sends to DynamoDB: one INSERT per statement, with its values as parameters."""

import re
from collections.abc import Mapping
from typing import Any

_STATEMENT = re.compile(r'(INSERT INTO|UPDATE|DELETE FROM|SELECT .*? FROM) "(?P<table>[\w.-]+)"', re.IGNORECASE)
_INSERT = re.compile(r"""INSERT INTO "(?P<table>[\w.-]+)" VALUE \{(?P<pairs>'\w+': \?(?:, '\w+': \?)*)\}""")
_NAME = re.compile(r"'(\w+)'")


class StatementError(ValueError):
    """A statement that the product does not write today."""


def kind_and_table(statement: Mapping[str, Any]) -> tuple[str, str]:
    """Return `Insert`, `Update`, `Delete` or `Select`, as IAM calls them, and the table. Raises StatementError."""
    read = _STATEMENT.match(statement["Statement"])
    if read is None:
        raise StatementError(statement["Statement"])
    return read[1].partition(" ")[0].capitalize(), read["table"]


def inserted(statement: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the table and the item of an INSERT. Raises StatementError for any other statement."""
    read = _INSERT.fullmatch(statement["Statement"])
    names, values = _NAME.findall(read["pairs"]) if read else [], statement.get("Parameters", [])
    if read is None or len(names) != len(values):
        raise StatementError(statement["Statement"])
    return read["table"], dict(zip(names, values, strict=True))
